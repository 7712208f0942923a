-- The secret of the codes by which somebody proves that it is them, beside their password. `step` is the
-- newest time step of which a code was taken: no code is taken twice.
create table second_factors (
    person_id bigint primary key references people (id),
    secret text not null,
    step bigint not null,
    created_at bigint not null,
    confirmed_at bigint
) without rowid;

-- What takes the place of such a code once; only hashes.
create table recovery_codes (
    person_id bigint not null references people (id),
    code_hash text not null,
    created_at bigint not null,
    primary key (person_id, code_hash)
) without rowid;

-- The latest sign-ins to an account, and the failed ones.
create table sign_ins (
    id integer primary key,
    person_id bigint not null references people (id),
    outcome text not null,
    client text,
    address text,
    at bigint not null
);

create index sign_ins_by_person on sign_ins (person_id, id);
create index sign_ins_by_age on sign_ins (at);

-- The chats that somebody was in once: who is in them sees their messages, so they are told of a new name.
create index members_once on members (person_id, chat_id) where standing <> 'in';

-- Whoever is gone is in no chat: what an interrupted deletion has left is found by this.
create index people_gone on people (id) where deleted_at is not null;
