-- What the names of accounts look like (UTS #39), each in a few ways; the server writes down those of
-- accounts that are there when it starts.
create table name_looks (
    look text collate "C" primary key,
    person_id bigint not null references people (id)
);

create index name_looks_by_person on name_looks (person_id);

-- How far what SQL cannot do has been brought up to date.
create table upkeep (
    name text collate "C" primary key,
    version bigint not null
);
