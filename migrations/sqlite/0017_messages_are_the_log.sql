-- A message is a row of the log by itself: its id is its position, and it says everything that its change said.
create table other_changes (
    position integer primary key,
    tenant_id bigint not null,
    chat_id bigint not null,
    kind text not null,
    audience text not null,
    actor_id bigint not null,
    target_id bigint,
    word text,
    at bigint not null
);

insert into other_changes (position, tenant_id, chat_id, kind, audience, actor_id, target_id, word, at)
select position, tenant_id, chat_id, kind, audience, actor_id, target_id, word, at
from changes where kind <> 'message';

drop table changes;
alter table other_changes rename to changes;

-- Who sent the last message has read it: their row in members is brought up to date when somebody else sends one.
alter table chats add column last_sender_id bigint;
