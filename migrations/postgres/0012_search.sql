-- Full-text search. The SQLite twin has the same number and name.
-- The index holds each message's terms as a set, under the message's id; its text stays in messages alone.

create table message_terms (
    message_id bigint primary key,
    terms tsvector not null
);

-- New rows wait in a short list, which every search reads, until it is merged.
create index message_terms_by_term on message_terms using gin (terms) with (gin_pending_list_limit = 256);

-- Changes up to indexed_to are in the index, and messages from indexed_from on. Older messages are added afterwards.
create table search_progress (
    id bigint primary key check (id = 1),
    version bigint not null,
    indexed_to bigint not null,
    indexed_from bigint not null
);

insert into search_progress (id, version, indexed_to, indexed_from)
select 1, 1, coalesce(max(head), 0), coalesce(max(head), 0) + 1 from log;
