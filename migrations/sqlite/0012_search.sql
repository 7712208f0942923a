-- Full-text search. The PostgreSQL twin has the same number and name.
-- The index holds each message's terms as a set, under the message's id; its text stays in messages alone.

create virtual table message_terms using fts5 (
    terms,
    content = '',
    contentless_delete = 1,
    detail = none,
    tokenize = 'ascii'
);

-- Where two terms are sought together, what is passed over is passed over by pages.
insert into message_terms (message_terms, rank) values ('pgsz', 1000);

-- Changes up to indexed_to are in the index, and messages from indexed_from on. Older messages are added afterwards.
create table search_progress (
    id integer primary key check (id = 1),
    version bigint not null,
    indexed_to bigint not null,
    indexed_from bigint not null
);

insert into search_progress (id, version, indexed_to, indexed_from)
select 1, 1, coalesce(max(head), 0), coalesce(max(head), 0) + 1 from log;
