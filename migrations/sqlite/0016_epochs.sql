-- The epochs of the log. The PostgreSQL twin has the same number and name.
-- Where the log may not be the continuation of what clients were told, as after a restore, another epoch begins: no
-- position from after_position to head is ever given.

create table epochs (
    epoch text primary key,
    after_position bigint not null,
    head bigint not null,
    why text not null,
    at bigint not null
) without rowid;

-- Which versions may work on this database: a migration that an older version could not live with raises it.
alter table log add column protocol bigint not null default 1;

-- The PostgreSQL on which the present epoch goes on.
alter table log add column system text;
alter table log add column timeline bigint;
