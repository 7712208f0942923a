-- Lanes: several logs in one database, each a range of positions. The SQLite twin has the same number and name.

-- The lanes beside the first one, whose head is in log. Each counts the tenants that have come to it or left it.
create table lanes (
    lane bigint primary key check (lane between 2 and 256),
    head bigint not null,
    epoch text collate "C" not null,
    moves bigint not null default 0
);
alter table log add column moves bigint not null default 0;

-- Where a tenant's changes go.
alter table tenants add column lane bigint not null default 1;

-- Tenants that went on in another lane: no change of theirs has a position from after_position to head.
create table moves (
    tenant_id bigint not null references tenants (id),
    after_position bigint not null,
    head bigint not null,
    at bigint not null,
    primary key (tenant_id, after_position)
);

-- An epoch has a row for each lane, and so has the search index, whose id is the lane.
alter table epochs drop constraint epochs_pkey;
alter table epochs add primary key (epoch, head);
alter table search_progress drop constraint search_progress_id_check;

-- Which databases a server can work on; none is said by versions that know the first protocol alone.
alter table nodes add column protocol bigint;
