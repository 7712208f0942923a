-- Which chat somebody made under which key of theirs, so that making it again makes nothing. The person 0
-- is the tenant's own server.
create table creations (
    tenant_id bigint not null references tenants (id),
    person_id bigint not null,
    client_id text not null,
    digest text not null,
    chat_id bigint not null references chats (id),
    created_at bigint not null,
    primary key (tenant_id, person_id, client_id)
) without rowid;

-- The tokens that guests' keys have made: each is made once, so that it stays ended once it has ended. Of
-- guests who are there nobody knows whose token came of a key.
create table guest_keys (
    token_hash text not null,
    tenant_id bigint not null references tenants (id),
    person_id bigint not null references people (id),
    created_at bigint not null,
    primary key (token_hash, tenant_id)
) without rowid;

insert into guest_keys (token_hash, tenant_id, person_id, created_at)
select l.token_hash, l.tenant_id, l.person_id, l.created_at
from logins l join people p on p.id = l.person_id
where p.kind = 'guest';
