//! The set statements on SQLite: each takes its rows as one JSON array, through `json_each`.

use sqlx::{Sqlite, types::Json};

use crate::{
    model::{ConversationStatus, MessageId, Timestamp},
    store::{
        batch::{NewChange, ReadLookup, ReadRow, SendLookup, SendRow, WriteSet},
        transaction::Transaction,
    },
};

const LOOK_UP_SENDS: &str = "select c.kind as chat_kind, c.last_seq, c.members_count, c.status, m.standing, \
     e.id as earlier_id, e.seq as earlier_seq, e.client_digest as earlier_digest, e.created_at as earlier_at \
     from json_each($1) d \
     left join chats c on c.id = d.value ->> 1 and c.tenant_id = d.value ->> 0 and c.deleted_at is null \
     left join members m on m.chat_id = c.id and m.person_id = d.value ->> 2 \
     left join messages e on e.chat_id = c.id and e.sender_id = d.value ->> 2 \
       and e.client_id = d.value ->> 3 and e.client_id is not null \
     order by d.key";

const LOOK_UP_READS: &str = "select c.kind as chat_kind, c.members_count, m.standing, m.read_id, n.id as newest_id, n.seq as newest_seq \
     from json_each($1) d \
     left join chats c on c.id = d.value ->> 1 and c.tenant_id = d.value ->> 0 and c.deleted_at is null \
     left join members m on m.chat_id = c.id and m.person_id = d.value ->> 2 \
     left join messages n on n.id = \
       (select max(x.id) from messages x where x.chat_id = c.id and x.id <= d.value ->> 3) \
     order by d.key";

const WRITE_CHANGES: &str = "insert into changes \
     (position, tenant_id, chat_id, kind, audience, actor_id, target_id, word, at) \
     select value ->> 0, value ->> 1, value ->> 2, value ->> 3, value ->> 4, value ->> 5, value ->> 6, \
     value ->> 7, $2 from json_each($1)";

const WRITE_MESSAGES: &str = "insert into messages \
     (id, tenant_id, chat_id, seq, sender_id, kind, content, client_id, client_digest, created_at) \
     select value ->> 0, value ->> 1, value ->> 2, value ->> 3, value ->> 4, value ->> 5, value ->> 6, \
     value ->> 7, value ->> 8, $2 from json_each($1)";

const WRITE_CHATS: &str = "update chats set last_seq = d.value ->> 1, \
     last_message_id = coalesce(d.value ->> 2, last_message_id), last_position = d.value ->> 3, \
     members_count = d.value ->> 4, updated_at = $2, \
     status = coalesce(d.value ->> 5, status), \
     status_position = case when d.value ->> 5 is null then status_position else d.value ->> 3 end \
     from json_each($1) d where chats.id = d.value ->> 0";

const WRITE_MEMBERSHIPS: &str = "insert into members \
     (chat_id, person_id, tenant_id, role, standing, joined_at, joined_position, read_id, read_seq) \
     select value ->> 0, value ->> 1, value ->> 2, value ->> 3, 'in', $2, value ->> 4, value ->> 5, value ->> 6 \
     from json_each($1) where true \
     on conflict (chat_id, person_id) do update set \
     role = case when standing = 'in' then role else excluded.role end, \
     joined_at = case when standing = 'in' then joined_at else excluded.joined_at end, \
     joined_position = case when standing = 'in' then joined_position else excluded.joined_position end, \
     standing = 'in', read_id = excluded.read_id, read_seq = excluded.read_seq";

pub(super) async fn look_up_sends(
    tx: &mut Transaction<Sqlite>,
    lookups: &[SendLookup],
) -> Result<Vec<SendRow>, sqlx::Error> {
    let asked: Vec<_> = lookups
        .iter()
        .map(|q| {
            (
                q.tenant.get(),
                q.chat.get(),
                q.sender.get(),
                q.client_id.as_deref(),
            )
        })
        .collect();
    sqlx::query_as(LOOK_UP_SENDS)
        .bind(Json(asked))
        .fetch_all(&mut **tx)
        .await
}

pub(super) async fn look_up_reads(
    tx: &mut Transaction<Sqlite>,
    lookups: &[ReadLookup],
) -> Result<Vec<ReadRow>, sqlx::Error> {
    let asked: Vec<_> = lookups
        .iter()
        .map(|q| (q.tenant.get(), q.chat.get(), q.reader.get(), q.up_to.get()))
        .collect();
    sqlx::query_as(LOOK_UP_READS)
        .bind(Json(asked))
        .fetch_all(&mut **tx)
        .await
}

pub(super) async fn write(
    tx: &mut Transaction<Sqlite>,
    set: &WriteSet,
    now: Timestamp,
) -> Result<(), sqlx::Error> {
    if !set.changes.is_empty() {
        write_changes(tx, set, now).await?;
    }
    if !set.messages.is_empty() {
        write_messages(tx, set, now).await?;
    }
    if !set.chat_updates.is_empty() {
        write_chats(tx, set, now).await?;
    }
    if !set.memberships.is_empty() {
        write_memberships(tx, set, now).await?;
    }
    Ok(())
}

async fn write_changes(
    tx: &mut Transaction<Sqlite>,
    set: &WriteSet,
    now: Timestamp,
) -> Result<(), sqlx::Error> {
    let row = |c: &NewChange| {
        (
            c.position.get(),
            c.tenant.get(),
            c.chat.get(),
            c.kind,
            c.audience.as_str(),
            c.actor.get(),
            c.target.map(MessageId::get),
            c.word,
        )
    };
    let count = i64::try_from(set.changes.len()).unwrap_or(i64::MAX);
    sqlx::query("update log set head = head + $1 where id = 1")
        .bind(count)
        .execute(&mut **tx)
        .await?;
    let rows: Vec<_> = set.changes.iter().map(row).collect();
    sqlx::query(WRITE_CHANGES)
        .bind(Json(rows))
        .bind(now.get())
        .execute(&mut **tx)
        .await
        .map(drop)
}

async fn write_messages(
    tx: &mut Transaction<Sqlite>,
    set: &WriteSet,
    now: Timestamp,
) -> Result<(), sqlx::Error> {
    let rows = set.messages.iter().map(|(tenant, m, digest)| {
        (
            m.id.get(),
            tenant.get(),
            m.chat.get(),
            m.seq.get(),
            m.sender.get(),
            m.kind.as_str(),
            m.content.as_str(),
            m.client_id.as_deref(),
            digest.as_deref(),
        )
    });
    let rows: Vec<_> = rows.collect();
    sqlx::query(WRITE_MESSAGES)
        .bind(Json(rows))
        .bind(now.get())
        .execute(&mut **tx)
        .await
        .map(drop)
}

async fn write_chats(
    tx: &mut Transaction<Sqlite>,
    set: &WriteSet,
    now: Timestamp,
) -> Result<(), sqlx::Error> {
    let rows = set.chat_updates.iter().map(|(chat, update)| {
        (
            chat.get(),
            update.last_seq.get(),
            update.last_message.map(MessageId::get),
            update.last_position.get(),
            update.members,
            update.status.map(ConversationStatus::as_str),
        )
    });
    let rows: Vec<_> = rows.collect();
    sqlx::query(WRITE_CHATS)
        .bind(Json(rows))
        .bind(now.get())
        .execute(&mut **tx)
        .await
        .map(drop)
}

async fn write_memberships(
    tx: &mut Transaction<Sqlite>,
    set: &WriteSet,
    now: Timestamp,
) -> Result<(), sqlx::Error> {
    let rows = set.memberships.iter().map(|(chat, person, m)| {
        (
            chat.get(),
            person.get(),
            m.tenant.get(),
            m.role.as_str(),
            m.joined.get(),
            m.read.get(),
            m.read_seq.get(),
        )
    });
    let rows: Vec<_> = rows.collect();
    sqlx::query(WRITE_MEMBERSHIPS)
        .bind(Json(rows))
        .bind(now.get())
        .execute(&mut **tx)
        .await
        .map(drop)
}
