-- What this server proves its own words by; each is made once, at the first start.
create table secrets (
    name text collate "C" primary key,
    secret text not null
);
