-- Addresses by which a tenant's own programs say something in one chat, as a person made for that. Of its secret only
-- a hash is kept.
create table incoming_hooks (
    id integer primary key,
    tenant_id bigint not null references tenants (id),
    chat_id bigint not null references chats (id),
    person_id bigint not null references people (id),
    secret_hash text not null unique,
    created_by bigint not null,
    created_at bigint not null,
    used_at bigint
);

create index incoming_hooks_by_chat on incoming_hooks (chat_id, id);

-- A personal access token is a login that its person made for a program: with a name, scopes and an end.
alter table logins add column token_name text;
alter table logins add column scopes text;
alter table logins add column expires_at bigint;

create index logins_by_expiry on logins (expires_at) where expires_at is not null;
