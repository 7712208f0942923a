-- Several servers of one database. The SQLite twin has the same number and name.

-- Who serves this database: a row is kept up to date while its server lives, by the database's clock.
create table nodes (
    id text collate "C" primary key,
    started_at timestamptz not null default now(),
    seen_at timestamptz not null default now()
);

-- What is good no more: a login, the token of a login, a person, a tenant's key. Written in the transaction that ends
-- it, for the caches of all servers, and kept for a while. Who has looked when no transaction before a number was under
-- way has missed nothing if they next ask from that number on.
create table endings (
    id bigint generated always as identity primary key,
    kind text collate "C" not null,
    target_id bigint not null,
    xact bigint not null default txid_current(),
    at timestamptz not null default now()
);
create index endings_by_xact on endings (xact);
create index endings_by_time on endings (at);

-- Which connection of which server writes the row: one that was taken back elsewhere is not its former holder's to
-- change any more.
alter table connections add column holder bigint;
