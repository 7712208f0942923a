-- One row that nobody reads: writing it proves that what is written reaches the disk.

create table write_probes (
    id bigint primary key check (id = 1),
    filler bytea not null,
    at bigint not null
);
