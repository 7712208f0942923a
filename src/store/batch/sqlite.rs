//! The statements of a batch on SQLite, row by row: a prepared statement a row costs less than taking a set
//! apart.

use rusqlite::{Connection, OptionalExtension as _, Result, Row, params};

use crate::{
    model::{ConversationStatus, MessageId, Timestamp},
    store::{
        batch::{ReadLookup, ReadRow, SendLookup, SendRow, WriteSet},
        rows::mentions_column,
    },
};

const LOOK_UP_SEND: &str = "select c.kind, c.last_seq, c.last_message_id, c.last_sender_id, \
     c.members_count, c.status, m.standing, e.id, e.seq, e.client_digest, e.created_at \
     from (select 1) \
     left join chats c on c.id = ?2 and c.tenant_id = ?1 and c.deleted_at is null \
     left join members m on m.chat_id = c.id and m.person_id = ?3 \
     left join messages e on e.chat_id = c.id and e.sender_id = ?3 \
       and e.client_id = ?4 and e.client_id is not null";

/// The same of a message without a client id, as most are: no row where there is no such chat.
const LOOK_UP_UNNAMED: &str = "select c.kind, c.last_seq, c.last_message_id, c.last_sender_id, \
     c.members_count, c.status, m.standing from chats c \
     left join members m on m.chat_id = c.id and m.person_id = ?3 \
     where c.id = ?2 and c.tenant_id = ?1 and c.deleted_at is null";

const LOOK_UP_READ: &str = "select c.kind, c.members_count, m.standing, \
     case when c.last_sender_id = m.person_id and c.last_message_id > m.read_id \
     then c.last_message_id else m.read_id end as read_id, \
     n.id, n.seq from (select 1) \
     left join chats c on c.id = ?2 and c.tenant_id = ?1 and c.deleted_at is null \
     left join members m on m.chat_id = c.id and m.person_id = ?3 \
     left join messages n on n.id = \
       (select max(x.id) from messages x where x.chat_id = c.id and x.id <= ?4)";

const MOVE_LOG: &str = "update log set head = head + ?1 where id = 1";

const WRITE_CHANGE: &str = "insert into changes \
     (position, tenant_id, chat_id, kind, audience, actor_id, target_id, word, at) \
     values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)";

const WRITE_MESSAGE: &str = "insert into messages \
     (id, tenant_id, chat_id, seq, sender_id, kind, content, client_id, client_digest, created_at, \
      reply_to, mentions) values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)";

/// What most messages change. No column of an index on a conversation's status is named, for SQLite looks at such an
/// index whenever one of its columns is set, to whatever value.
const WRITE_LAST: &str = "update chats set last_seq = ?2, last_message_id = ?3, last_position = ?4, \
     members_count = ?5, updated_at = ?6, last_sender_id = ?7 where id = ?1";

const WRITE_CHAT: &str = "update chats set last_seq = ?2, \
     last_message_id = coalesce(?3, last_message_id), last_position = ?4, \
     members_count = ?5, updated_at = ?7, status = coalesce(?6, status), \
     status_position = case when ?6 is null then status_position else ?4 end, \
     last_sender_id = coalesce(?8, last_sender_id) where id = ?1";

const WRITE_MEMBERSHIP: &str = "insert into members \
     (chat_id, person_id, tenant_id, role, standing, joined_at, joined_position, read_id, read_seq) \
     values (?1, ?2, ?3, ?4, ?9, ?8, ?5, ?6, ?7) \
     on conflict (chat_id, person_id) do update set \
     role = case when standing = 'in' or excluded.standing <> 'in' then role else excluded.role end, \
     joined_at = case when standing = 'in' or excluded.standing <> 'in' then joined_at \
       else excluded.joined_at end, \
     joined_position = case when standing = 'in' or excluded.standing <> 'in' then joined_position \
       else excluded.joined_position end, \
     standing = case when excluded.standing = 'in' then 'in' else standing end, \
     read_id = max(read_id, excluded.read_id), read_seq = max(read_seq, excluded.read_seq)";

pub(super) fn look_up_sends(
    connection: &Connection,
    lookups: &[SendLookup],
) -> Result<Vec<SendRow>> {
    let mut unnamed = connection.prepare_cached(LOOK_UP_UNNAMED)?;
    let mut named = None;
    let look_up = |q: &SendLookup| {
        let (tenant, chat, sender) = (q.tenant.get(), q.chat.get(), q.sender.get());
        let Some(client_id) = &q.client_id else {
            let found =
                unnamed.query_row(params![tenant, chat, sender], |row| send_row(row, false));
            return Ok(found.optional()?.unwrap_or_default());
        };
        let statement = match &mut named {
            Some(statement) => statement,
            none => none.insert(connection.prepare_cached(LOOK_UP_SEND)?),
        };
        statement.query_row(params![tenant, chat, sender, client_id], |row| {
            send_row(row, true)
        })
    };
    lookups.iter().map(look_up).collect()
}

fn send_row(row: &Row<'_>, is_named: bool) -> Result<SendRow> {
    let chat = SendRow {
        chat_kind: row.get(0)?,
        last_seq: row.get(1)?,
        last_message_id: row.get(2)?,
        last_sender_id: row.get(3)?,
        members_count: row.get(4)?,
        status: row.get(5)?,
        standing: row.get(6)?,
        ..SendRow::default()
    };
    if !is_named {
        return Ok(chat);
    }
    Ok(SendRow {
        earlier_id: row.get(7)?,
        earlier_seq: row.get(8)?,
        earlier_digest: row.get(9)?,
        earlier_at: row.get(10)?,
        ..chat
    })
}

pub(super) fn look_up_reads(
    connection: &Connection,
    lookups: &[ReadLookup],
) -> Result<Vec<ReadRow>> {
    let mut statement = connection.prepare_cached(LOOK_UP_READ)?;
    let look_up = |q: &ReadLookup| {
        let asked = params![q.tenant.get(), q.chat.get(), q.reader.get(), q.up_to.get()];
        statement.query_row(asked, |row| {
            Ok(ReadRow {
                chat_kind: row.get(0)?,
                members_count: row.get(1)?,
                standing: row.get(2)?,
                read_id: row.get(3)?,
                newest_id: row.get(4)?,
                newest_seq: row.get(5)?,
            })
        })
    };
    lookups.iter().map(look_up).collect()
}

pub(super) fn write(connection: &Connection, set: &WriteSet, now: Timestamp) -> Result<()> {
    let places = set.places();
    if places > 0 {
        connection.prepare_cached(MOVE_LOG)?.execute([places])?;
    }
    write_changes(connection, set, now)?;
    write_messages(connection, set, now)?;
    write_chats(connection, set, now)?;
    write_memberships(connection, set, now)
}

fn write_changes(connection: &Connection, set: &WriteSet, now: Timestamp) -> Result<()> {
    let mut statement = connection.prepare_cached(WRITE_CHANGE)?;
    for change in &set.changes {
        statement.execute(params![
            change.position.get(),
            change.tenant.get(),
            change.chat.get(),
            change.kind,
            change.audience.as_str(),
            change.actor.get(),
            change.target.map(MessageId::get),
            change.word.as_deref(),
            now.get(),
        ])?;
    }
    Ok(())
}

fn write_messages(connection: &Connection, set: &WriteSet, now: Timestamp) -> Result<()> {
    let mut statement = connection.prepare_cached(WRITE_MESSAGE)?;
    for (tenant, message, digest) in &set.messages {
        statement.execute(params![
            message.id.get(),
            tenant.get(),
            message.chat.get(),
            message.seq.get(),
            message.sender.get(),
            message.kind.as_str(),
            message.content.as_str(),
            message.client_id.as_deref(),
            digest.as_deref(),
            now.get(),
            message.reply_to.as_ref().map(|quote| quote.id.get()),
            mentions_column(&message.mentions),
        ])?;
    }
    Ok(())
}

fn write_chats(connection: &Connection, set: &WriteSet, now: Timestamp) -> Result<()> {
    let mut most = connection.prepare_cached(WRITE_LAST)?;
    for (chat, update) in &set.chat_updates {
        if let (Some(last), None) = (update.last, update.status) {
            most.execute(params![
                chat.get(),
                update.last_seq.get(),
                last.id.get(),
                update.last_position.get(),
                update.members,
                now.get(),
                last.sender.get(),
            ])?;
            continue;
        }
        let mut statement = connection.prepare_cached(WRITE_CHAT)?;
        statement.execute(params![
            chat.get(),
            update.last_seq.get(),
            update.last.map(|last| last.id.get()),
            update.last_position.get(),
            update.members,
            update.status.map(ConversationStatus::as_str),
            now.get(),
            update.last.map(|last| last.sender.get()),
        ])?;
    }
    Ok(())
}

fn write_memberships(connection: &Connection, set: &WriteSet, now: Timestamp) -> Result<()> {
    let mut statement = connection.prepare_cached(WRITE_MEMBERSHIP)?;
    for (chat, person, membership) in &set.memberships {
        statement.execute(params![
            chat.get(),
            person.get(),
            membership.tenant.get(),
            membership.role.as_str(),
            membership.joined.get(),
            membership.read.get(),
            membership.read_seq.get(),
            now.get(),
            membership.standing.as_str(),
        ])?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use rusqlite::StatementStatus;

    use super::*;
    use crate::store::migrations;

    /// SQLite prepares a statement again for each value of a parameter that its planner looks at, which costs more
    /// than the lookup itself: a limit, and what a partial index compares with a constant.
    #[test]
    fn no_lookup_is_prepared_again_for_other_values() -> Result<()> {
        let connection = Connection::open_in_memory()?;
        for migration in migrations::SQLITE.iter() {
            connection.execute_batch(migration.sql.as_str())?;
        }
        let page = "select content from messages where chat_id = $1 and id < $2 and sender_id = $3 limit $4";
        for sql in [LOOK_UP_SEND, LOOK_UP_UNNAMED, LOOK_UP_READ, page] {
            let mut statement = connection.prepare(sql)?;
            for value in 1..4 {
                let values = rusqlite::params_from_iter(vec![value; statement.parameter_count()]);
                statement.query(values)?.next()?;
            }
            let again = statement.get_status(StatementStatus::RePrepare);
            assert_eq!(again, 0, "{sql}");
        }
        Ok(())
    }
}
