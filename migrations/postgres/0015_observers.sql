-- An agent who answered or read in a conversation was stored as its member without having joined it. They are none:
-- the row keeps their read mark. Who joined has a change that says so at the position of their joining.
update members set standing = 'observer', role = 'member'
where standing = 'in'
    and chat_id in (select c.id from chats c where c.kind = 'desk')
    and person_id in (select p.id from people p where p.kind = 'owner')
    and not exists (
        select 1 from changes n
        where n.position = members.joined_position and n.chat_id = members.chat_id
            and n.actor_id = members.person_id and n.kind = 'joined'
    );

-- They were never counted when they came, but some were when they left.
update chats set members_count =
    (select count(*) from members m where m.chat_id = chats.id and m.standing = 'in')
where kind = 'desk';
