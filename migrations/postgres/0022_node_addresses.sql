-- How servers of one database reach each other. The SQLite twin has the same number and name.

-- Where others reach a server, if they do, and what they show there: it proves that they read this table.
alter table nodes add column address text;
alter table nodes add column secret text;
