-- Who closed which chat under which key of theirs, so that a closing that is said again closes nothing
-- that has begun anew meanwhile.

create table closings (
    chat_id bigint not null references chats (id),
    person_id bigint not null references people (id),
    client_id text not null,
    created_at bigint not null,
    primary key (chat_id, person_id, client_id)
) without rowid;
