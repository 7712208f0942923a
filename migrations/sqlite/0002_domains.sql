-- With and without `www.` it is one site, kept without. Where both were registered, each stays its owner's.
update domains set domain = substr(domain, 5)
where domain like 'www.%.%'
  and not exists (select 1 from domains as bare where bare.domain = substr(domains.domain, 5));

create index domains_by_tenant on domains (tenant_id);
