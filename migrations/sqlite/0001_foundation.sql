-- The log, the people and the chats. The PostgreSQL twin has the same number and name.
-- Times are milliseconds since 1970-01-01 UTC. *_key columns hold folded text.

create table log (
    id integer primary key check (id = 1),
    head bigint not null,
    floor bigint not null,
    epoch text not null
);

create table tenants (
    id integer primary key,
    kind text not null,
    name text not null,
    application_id text not null unique,
    owner_id bigint,
    verify_url text,
    require_auth boolean not null default false,
    created_at bigint not null,
    updated_at bigint not null,
    deleted_at bigint
);

create table domains (
    domain text primary key,
    tenant_id bigint not null references tenants (id)
);

create table people (
    id integer primary key,
    tenant_id bigint not null references tenants (id),
    kind text not null,
    name text not null,
    name_key text not null,
    first_name text,
    middle_name text,
    last_name text,
    email text,
    photo text,
    account_key text,
    external_id text,
    password_hash text,
    created_at bigint not null,
    updated_at bigint not null,
    deleted_at bigint
);

create unique index people_by_account on people (account_key) where account_key is not null;
create unique index people_by_external_id on people (tenant_id, external_id) where external_id is not null;
create index people_by_name on people (tenant_id, name_key);

create table logins (
    id integer primary key,
    tenant_id bigint not null references tenants (id),
    person_id bigint not null references people (id),
    token_hash text not null,
    client text,
    address text,
    created_at bigint not null,
    used_at bigint not null
);

create unique index logins_by_token on logins (token_hash, tenant_id);
create index logins_by_person on logins (person_id);

create table chats (
    id integer primary key,
    tenant_id bigint not null references tenants (id),
    kind text not null,
    title text,
    title_key text,
    created_by bigint not null references people (id),
    created_at bigint not null,
    updated_at bigint not null,
    deleted_at bigint,
    room text,
    extra text,
    domain text,
    status text,
    status_position bigint,
    members_count bigint not null,
    last_seq bigint not null,
    last_message_id bigint,
    last_position bigint not null
);

create unique index chats_by_open_title on chats (tenant_id, title_key) where kind = 'open' and deleted_at is null;
create unique index chats_by_room on chats (tenant_id, room) where room is not null and deleted_at is null;
create index chats_by_status on chats (tenant_id, status, status_position) where kind = 'desk' and deleted_at is null;
create index chats_of_desk on chats (tenant_id, last_position) where kind = 'desk' and deleted_at is null;
create index chats_by_activity on chats (tenant_id, last_position) where kind = 'open' and deleted_at is null;

create table members (
    chat_id bigint not null references chats (id),
    person_id bigint not null references people (id),
    tenant_id bigint not null,
    role text not null,
    standing text not null,
    joined_at bigint not null,
    joined_position bigint not null,
    read_id bigint not null,
    read_seq bigint not null,
    primary key (chat_id, person_id)
) without rowid;

create index members_by_person on members (person_id, chat_id) where standing = 'in';

create table messages (
    id integer primary key,
    tenant_id bigint not null,
    chat_id bigint not null references chats (id),
    seq bigint not null,
    sender_id bigint not null references people (id),
    kind text not null,
    content text not null,
    client_id text,
    client_digest text,
    created_at bigint not null,
    edited_at bigint,
    deleted_at bigint
);

create index messages_by_chat on messages (chat_id, id);
create unique index messages_by_client_id on messages (chat_id, sender_id, client_id) where client_id is not null;

create table changes (
    position integer primary key,
    tenant_id bigint not null,
    chat_id bigint not null,
    kind text not null,
    audience text not null,
    actor_id bigint not null,
    target_id bigint,
    word text,
    at bigint not null
);

create table connections (
    private_hash text primary key,
    socket_id text not null,
    acting text not null,
    left_at bigint,
    created_at bigint not null
);
