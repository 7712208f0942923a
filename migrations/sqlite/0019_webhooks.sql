-- Where a tenant is told of changes by HTTP. A webhook's position is the last change that it is done with. Its secret
-- signs what is sent, so it is kept readable. Of several servers one, its holder, sends for a webhook.
create table webhooks (
    id integer primary key,
    tenant_id bigint not null references tenants (id),
    url text not null,
    kinds text not null,
    dialect text not null,
    secret text not null,
    old_secret text,
    old_secret_until bigint,
    position bigint not null,
    revision bigint not null,
    failures bigint not null,
    failing_since bigint,
    next_attempt_at bigint,
    disabled_at bigint,
    disabled_reason text,
    holder text,
    held_until bigint,
    created_at bigint not null,
    updated_at bigint not null
);

create index webhooks_by_tenant on webhooks (tenant_id, id);

-- The last attempts of each webhook.
create table webhook_deliveries (
    id integer primary key,
    webhook_id bigint not null references webhooks (id),
    position bigint not null,
    kind text not null,
    attempt bigint not null,
    at bigint not null,
    took_ms bigint not null,
    status bigint,
    failure text
);

create index webhook_deliveries_by_webhook on webhook_deliveries (webhook_id, id);
