-- Who administers the home tenant, who is deactivated and what is suspended.
alter table people add column administrator boolean not null default false;
alter table people add column deactivated_at bigint;
alter table tenants add column suspended_at bigint;

create index people_administrators on people (id) where administrator;

-- What administrators list, newest first. The home tenant is not named here: SQLite would prepare a statement that
-- compares its tenant with a parameter again for each value.
create index people_by_tenant on people (tenant_id, id);
create index logins_by_tenant on logins (tenant_id, id);
create index chats_by_tenant on chats (tenant_id, id) where deleted_at is null;

-- Every act of an administrator, with the names of that time. Without an actor it was done on the machine.
create table audit (
    id integer primary key,
    at bigint not null,
    actor_id bigint,
    actor_name text,
    address text,
    act text not null,
    target_kind text not null,
    target_id bigint,
    target_name text,
    detail text
);

create index audit_by_target on audit (target_kind, target_id);

-- Links that are good once: an invitation to sign up, or a new password for a person.
create table one_time_links (
    id integer primary key,
    kind text not null,
    token_hash text not null unique,
    person_id bigint references people (id),
    made_by bigint not null references people (id),
    created_at bigint not null,
    expires_at bigint not null
);

create index one_time_links_by_person on one_time_links (person_id) where person_id is not null;

-- Settings that an administrator has changed while the server runs.
create table runtime_settings (
    name text primary key,
    value text not null,
    changed_at bigint not null
) without rowid;

-- People whose logins another process has ended: the server looks here, and forgets what it keeps in memory.
create table revocations (
    id integer primary key,
    person_id bigint not null
);
