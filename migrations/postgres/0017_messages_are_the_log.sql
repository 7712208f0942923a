-- A message is a row of the log by itself: its id is its position, and it says everything that its change said.
delete from changes where kind = 'message';

-- Who sent the last message has read it: their row in members is brought up to date when somebody else sends one.
alter table chats add column last_sender_id bigint;
