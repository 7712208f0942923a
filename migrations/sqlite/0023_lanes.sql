-- Lanes are PostgreSQL's: a file has one. The tables are the same, so that a database can be copied either way.

create table lanes (
    lane integer primary key check (lane between 2 and 256),
    head bigint not null,
    epoch text not null,
    moves bigint not null default 0
);
alter table log add column moves bigint not null default 0;

alter table tenants add column lane bigint not null default 1;

create table moves (
    tenant_id bigint not null references tenants (id),
    after_position bigint not null,
    head bigint not null,
    at bigint not null,
    primary key (tenant_id, after_position)
) without rowid;

create table epochs_of_lanes (
    epoch text not null,
    after_position bigint not null,
    head bigint not null,
    why text not null,
    at bigint not null,
    primary key (epoch, head)
) without rowid;
insert into epochs_of_lanes (epoch, after_position, head, why, at)
select epoch, after_position, head, why, at from epochs;
drop table epochs;
alter table epochs_of_lanes rename to epochs;

create table search_progress_of_lanes (
    id integer primary key,
    version bigint not null,
    indexed_to bigint not null,
    indexed_from bigint not null
);
insert into search_progress_of_lanes (id, version, indexed_to, indexed_from)
select id, version, indexed_to, indexed_from from search_progress;
drop table search_progress;
alter table search_progress_of_lanes rename to search_progress;
