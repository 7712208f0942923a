-- The standing tenants, home and open, have the ids 1 and 2, which the sequence does not know of: the
-- first site or app would be given 1 again. SQLite counts on from the largest id by itself.

select setval(
    pg_get_serial_sequence('tenants', 'id'),
    greatest(2, (select coalesce(max(id), 2) from tenants))
);
