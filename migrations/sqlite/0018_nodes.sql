-- Several servers of one database are PostgreSQL's. What they share there in tables is here one server's own.

-- Which connection writes the row: one that was taken back is not its former holder's to change any more.
alter table connections add column holder integer;
