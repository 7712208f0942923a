-- What a chat is about, what each member has set for it, and the invitations to it.
alter table chats add column description text;

-- Where `notify` is null, the size of the chat decides.
alter table members add column notify text;
alter table members add column pinned boolean not null default false;
alter table members add column muted_until bigint;

-- Of a code only its hash is kept, and its first characters to tell it from others by. Where `uses_left` is
-- null, any number of people may come.
create table invites (
    id integer primary key,
    tenant_id bigint not null references tenants (id),
    chat_id bigint not null references chats (id),
    code_hash text not null unique,
    prefix text not null,
    created_by bigint not null references people (id),
    created_at bigint not null,
    expires_at bigint not null,
    uses_left bigint
);

create index invites_by_chat on invites (chat_id);
