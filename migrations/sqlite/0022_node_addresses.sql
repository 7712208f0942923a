-- Several servers of one database are PostgreSQL's: none of them has to be reached here.
select 1;
