-- Two people have one direct chat: its title_key holds the pair of them.
create unique index chats_by_pair on chats (tenant_id, title_key) where kind = 'direct' and deleted_at is null;
