//! The set statements on PostgreSQL: each takes its rows as arrays, one a column, through `unnest`.

use crate::{
    model::{ConversationStatus, Lane, MessageId, Timestamp},
    store::{
        batch::{ReadLookup, ReadRow, SendLookup, SendRow, WriteSet},
        rows::mentions_column,
        transaction::Transaction,
    },
};

const LOOK_UP_SENDS: &str = "select c.kind as chat_kind, c.last_seq, c.last_message_id, c.last_sender_id, \
     c.members_count, c.status, m.standing, e.id as earlier_id, e.seq as earlier_seq, e.client_digest as earlier_digest, e.created_at as earlier_at \
     from unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::text[]) \
       with ordinality as d (tenant_id, chat_id, sender_id, client_id, n) \
     left join chats c on c.id = d.chat_id and c.tenant_id = d.tenant_id and c.deleted_at is null \
     left join members m on m.chat_id = c.id and m.person_id = d.sender_id \
     left join messages e on e.chat_id = c.id and e.sender_id = d.sender_id \
       and e.client_id = d.client_id and e.client_id is not null \
     order by d.n";

const LOOK_UP_READS: &str = "select c.kind as chat_kind, c.members_count, m.standing, \
     case when c.last_sender_id = m.person_id and c.last_message_id > m.read_id \
     then c.last_message_id else m.read_id end as read_id, \
     n.id as newest_id, n.seq as newest_seq \
     from unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::bigint[]) \
       with ordinality as d (tenant_id, chat_id, reader_id, up_to, n) \
     left join chats c on c.id = d.chat_id and c.tenant_id = d.tenant_id and c.deleted_at is null \
     left join members m on m.chat_id = c.id and m.person_id = d.reader_id \
     left join lateral (select x.id, x.seq from messages x \
       where (x.chat_id, x.id) <= (c.id, d.up_to) and x.chat_id >= c.id \
       order by x.chat_id desc, x.id desc limit 1) n on true \
     order by d.n";

/// One round trip for everything. All parts see the state before the statement, and no two of them
/// touch the same table.
macro_rules! write_in {
    ($moved:literal) => {
        concat!("with log_moved as (", $moved, "), \
     new_changes as (insert into changes \
       (position, tenant_id, chat_id, kind, audience, actor_id, target_id, word, at) \
       select d.*, $2 from unnest($3::bigint[], $4::bigint[], $5::bigint[], $6::text[], $7::text[], \
         $8::bigint[], $9::bigint[], $10::text[]) as d), \
     new_messages as (insert into messages \
       (id, tenant_id, chat_id, seq, sender_id, kind, content, client_id, client_digest, reply_to, \
        mentions, created_at) \
       select d.*, $2 from unnest($11::bigint[], $12::bigint[], $13::bigint[], $14::bigint[], $15::bigint[], \
         $16::text[], $17::text[], $18::text[], $19::text[], $34::bigint[], $35::text[]) as d), \
     bumped as (update chats set last_seq = d.last_seq, \
       last_message_id = coalesce(d.last_message_id, chats.last_message_id), \
       last_position = d.last_position, members_count = d.members_count, updated_at = $2, \
       status = coalesce(d.status, chats.status), \
       status_position = case when d.status is null then chats.status_position else d.last_position end, \
       last_sender_id = coalesce(d.last_sender_id, chats.last_sender_id) \
       from unnest($20::bigint[], $21::bigint[], $22::bigint[], $23::bigint[], $24::bigint[], $32::text[], \
         $36::bigint[]) \
         as d (id, last_seq, last_message_id, last_position, members_count, status, last_sender_id) \
       where chats.id = d.id), \
     marked as (insert into members \
       (chat_id, person_id, tenant_id, role, standing, joined_at, joined_position, read_id, read_seq) \
       select d.chat_id, d.person_id, d.tenant_id, d.role, d.standing, $2, d.joined_position, d.read_id, d.read_seq \
       from unnest($25::bigint[], $26::bigint[], $27::bigint[], $28::text[], $29::bigint[], $30::bigint[], \
         $31::bigint[], $33::text[]) \
         as d (chat_id, person_id, tenant_id, role, joined_position, read_id, read_seq, standing) \
       on conflict (chat_id, person_id) do update set \
       role = case when members.standing = 'in' or excluded.standing <> 'in' then members.role \
         else excluded.role end, \
       joined_at = case when members.standing = 'in' or excluded.standing <> 'in' then members.joined_at \
         else excluded.joined_at end, \
       joined_position = case when members.standing = 'in' or excluded.standing <> 'in' \
         then members.joined_position else excluded.joined_position end, \
       standing = case when excluded.standing = 'in' then 'in' else members.standing end, \
       read_id = greatest(members.read_id, excluded.read_id), \
       read_seq = greatest(members.read_seq, excluded.read_seq)) \
     select 1")
    };
}

const WRITE: &str = write_in!("update log set head = head + $1 where id = $37");
const WRITE_OTHER: &str = write_in!("update lanes set head = head + $1 where lane = $37");

pub(super) async fn look_up_sends(
    tx: &mut Transaction,
    lookups: &[SendLookup],
) -> Result<Vec<SendRow>, sqlx::Error> {
    sqlx::query_as(LOOK_UP_SENDS)
        .bind(column(lookups, |q| q.tenant.get()))
        .bind(column(lookups, |q| q.chat.get()))
        .bind(column(lookups, |q| q.sender.get()))
        .bind(column(lookups, |q| q.client_id.clone()))
        .fetch_all(&mut **tx)
        .await
}

pub(super) async fn look_up_reads(
    tx: &mut Transaction,
    lookups: &[ReadLookup],
) -> Result<Vec<ReadRow>, sqlx::Error> {
    sqlx::query_as(LOOK_UP_READS)
        .bind(column(lookups, |q| q.tenant.get()))
        .bind(column(lookups, |q| q.chat.get()))
        .bind(column(lookups, |q| q.reader.get()))
        .bind(column(lookups, |q| q.up_to.get()))
        .fetch_all(&mut **tx)
        .await
}

pub(super) async fn write(
    tx: &mut Transaction,
    set: &WriteSet,
    now: Timestamp,
) -> Result<(), sqlx::Error> {
    let WriteSet {
        changes,
        messages,
        chat_updates: chats,
        memberships,
    } = set;
    sqlx::query(write_in(set.lane()))
        .bind(set.places())
        .bind(now.get())
        .bind(column(changes, |c| c.position.get()))
        .bind(column(changes, |c| c.tenant.get()))
        .bind(column(changes, |c| c.chat.get()))
        .bind(column(changes, |c| c.kind))
        .bind(column(changes, |c| c.audience.as_str()))
        .bind(column(changes, |c| c.actor.get()))
        .bind(column(changes, |c| c.target.map(MessageId::get)))
        .bind(column(changes, |c| c.word.as_deref()))
        .bind(column(messages, |(_, m, _)| m.id.get()))
        .bind(column(messages, |(tenant, _, _)| tenant.get()))
        .bind(column(messages, |(_, m, _)| m.chat.get()))
        .bind(column(messages, |(_, m, _)| m.seq.get()))
        .bind(column(messages, |(_, m, _)| m.sender.get()))
        .bind(column(messages, |(_, m, _)| m.kind.as_str()))
        .bind(column(messages, |(_, m, _)| m.content.clone()))
        .bind(column(messages, |(_, m, _)| m.client_id.clone()))
        .bind(column(messages, |(_, _, digest)| digest.clone()))
        .bind(column(chats, |(chat, _)| chat.get()))
        .bind(column(chats, |(_, b)| b.last_seq.get()))
        .bind(column(chats, |(_, b)| b.last.map(|last| last.id.get())))
        .bind(column(chats, |(_, b)| b.last_position.get()))
        .bind(column(chats, |(_, b)| b.members))
        .bind(column(memberships, |(chat, _, _)| chat.get()))
        .bind(column(memberships, |(_, person, _)| person.get()))
        .bind(column(memberships, |(_, _, m)| m.tenant.get()))
        .bind(column(memberships, |(_, _, m)| m.role.as_str()))
        .bind(column(memberships, |(_, _, m)| m.joined.get()))
        .bind(column(memberships, |(_, _, m)| m.read.get()))
        .bind(column(memberships, |(_, _, m)| m.read_seq.get()))
        .bind(column(chats, |(_, b)| {
            b.status.map(ConversationStatus::as_str)
        }))
        .bind(column(memberships, |(_, _, m)| m.standing.as_str()))
        .bind(column(messages, |(_, m, _)| {
            m.reply_to.as_ref().map(|quote| quote.id.get())
        }))
        .bind(column(messages, |(_, m, _)| mentions_column(&m.mentions)))
        .bind(column(chats, |(_, b)| b.last.map(|last| last.sender.get())))
        .bind(set.lane().number())
        .execute(&mut **tx)
        .await
        .map(drop)
}

fn write_in(lane: Lane) -> &'static str {
    if lane == Lane::FIRST {
        WRITE
    } else {
        WRITE_OTHER
    }
}

/// One column of a set of rows.
fn column<'a, R, T>(rows: &'a [R], cell: impl Fn(&'a R) -> T) -> Vec<T> {
    rows.iter().map(cell).collect()
}
