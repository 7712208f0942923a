-- Nothing to do: SQLite gives out the id after the largest one. The PostgreSQL twin has the same number
-- and name.

select 1;
