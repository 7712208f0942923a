-- One row that nobody reads: writing it proves that what is written reaches the disk.

create table write_probes (
    id integer primary key check (id = 1),
    filler blob not null,
    at bigint not null
);
