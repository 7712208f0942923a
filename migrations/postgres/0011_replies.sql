-- What a message answers, whom it names (people's ids, 0 for everybody, with blanks between them), and its
-- reactions: each emoji with how many people have set it, with blanks between them.
alter table messages add column reply_to bigint;
alter table messages add column mentions text;
alter table messages add column reactions text;

-- What is deleted counts as unread no more; few messages are.
create index messages_deleted on messages (chat_id, id) where deleted_at is not null;

-- Who is named where: the person 0 is everybody who is in the chat.
create table mentions (
    chat_id bigint not null references chats (id),
    person_id bigint not null,
    message_id bigint not null,
    primary key (chat_id, person_id, message_id)
);

create table reactions (
    message_id bigint not null references messages (id),
    person_id bigint not null references people (id),
    emoji text collate "C" not null,
    created_at bigint not null,
    primary key (message_id, person_id, emoji)
);
