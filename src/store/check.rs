//! Whether what is stored agrees with itself: the log, the messages, the counts, the search index, and what names what.
//!
//! Everything is read in one transaction that writes nothing, so a server may write meanwhile.

use std::{path::Path, str::FromStr};

use rusqlite::OpenFlags;
use sqlx::{AssertSqlSafe, ConnectOptions, PgConnection, postgres::PgConnectOptions};

use super::{
    Either, EngineSql, Options,
    failure::failed,
    mover,
    open::{PROTOCOL_SINCE, unfinished, unusable},
};
use crate::error::{Error, Kind, Result};

/// What was checked, and what is wrong there.
#[derive(Debug)]
pub struct Checked {
    /// What ought to be so.
    pub what: &'static str,
    /// Where it is not, with one more than are to be shown if there are more.
    pub wrong: Vec<String>,
}

/// How many places are shown.
pub const SHOWN: usize = 5;

/// A statement whose rows are the places where something is not as it ought to be.
struct Check {
    what: &'static str,
    sql: EngineSql,
}

/// The same text for both engines.
const fn check(what: &'static str, sql: &'static str) -> Check {
    Check {
        what,
        sql: EngineSql {
            sqlite: sql,
            postgres: sql,
        },
    }
}

/// A message is its own row of the log. Positions that no epoch gave do not count. After the first gap everything has
/// moved, so only that is shown. A lane has 2^45 positions.
const CHECKS: &[Check] = &[
    check(
        "positions have no gaps",
        "select 'position ' || n.position from (select position, position / 35184372088832 as lane, \
         row_number() over (partition by position / 35184372088832 order by position) \
         as place from (select position from changes union all select id as position from messages) l) n \
         where n.position - n.lane * 35184372088832 - coalesce((select sum(e.head - e.after_position) \
         from epochs e where e.head < n.position and e.head / 35184372088832 = n.lane), 0) <> n.place \
         order by n.position limit 1",
    ),
    check(
        "the head is the last position",
        "select 'head ' || l.head from (select head, 0 as start from log union all \
         select head, (lane - 1) * 35184372088832 as start from lanes) l \
         where l.head - l.start - coalesce((select sum(e.head - e.after_position) from epochs e \
           where e.head > l.start and e.head - l.start < 35184372088832), 0) \
         <> (select count(*) from changes c where c.position > l.start and c.position < l.start + 35184372088832) \
         + (select count(*) from messages m where m.id > l.start and m.id < l.start + 35184372088832)",
    ),
    check(
        "all lanes are in one epoch",
        "select 'lane ' || n.lane from lanes n, log l where n.epoch <> l.epoch limit 6",
    ),
    check(
        "tenants are in the lane that they moved to last",
        "select 'tenant ' || t.id from tenants t where t.lane <> coalesce((select \
         max(m.head) from moves m where m.tenant_id = t.id), 0) / 35184372088832 + 1 limit 6",
    ),
    check(
        "nothing of a tenant is in a lane that it has left or not come to",
        "select 'tenant ' || m.tenant_id || ', position ' || p.position from moves m join \
         (select tenant_id, position from changes union all select tenant_id, id as position from messages) p \
         on p.tenant_id = m.tenant_id and p.position > m.after_position and p.position <= m.head limit 6",
    ),
    check(
        "what the log says of messages is about messages",
        "select 'position ' || n.position from changes n left join messages m on m.id = n.target_id \
         where n.kind in ('edited', 'deleted', 'reaction') \
         and (m.id is null or m.chat_id <> n.chat_id) limit 6",
    ),
    check(
        "the messages of a chat are numbered without gaps",
        "select 'message ' || m.id from (select id, seq, lag(seq, 1, cast(0 as bigint)) over \
         (partition by chat_id order by id) as before from messages) m where m.seq <> m.before + 1 limit 6",
    ),
    check(
        "chats know how many messages they have",
        "select 'chat ' || c.id from chats c where c.last_seq <> \
         (select count(*) from messages m where m.chat_id = c.id) limit 6",
    ),
    check(
        "chats know their last message",
        "select 'chat ' || c.id from chats c where coalesce(c.last_message_id, 0) <> coalesce(\
         (select max(m.id) from messages m where m.chat_id = c.id), 0) limit 6",
    ),
    check(
        "chats know who sent their last message",
        "select 'chat ' || c.id from chats c join messages m on m.id = c.last_message_id \
         where c.last_sender_id <> m.sender_id limit 6",
    ),
    check(
        "chats know how many members they have",
        "select 'chat ' || c.id from chats c where c.deleted_at is null and c.members_count <> \
         (select count(*) from members m where m.chat_id = c.id and m.standing = 'in') limit 6",
    ),
    // Who joins has read up to the last position of the chat, which need not be a message.
    check(
        "nobody has read further than a chat goes",
        "select 'chat ' || m.chat_id || ', person ' || m.person_id from members m \
         join chats c on c.id = m.chat_id where m.read_seq > c.last_seq \
         or (m.read_id > coalesce(c.last_message_id, 0) and m.read_id > c.last_position) limit 6",
    ),
    check(
        "messages know whether they have reactions",
        "select 'message ' || m.id from messages m where m.deleted_at is null and (m.reactions is null) = \
         exists (select 1 from reactions r where r.message_id = m.id) limit 6",
    ),
    check(
        "the search index is no further than the log",
        "select 'position ' || p.indexed_to from search_progress p join (select 1 as lane, head from log \
         union all select lane, head from lanes) l on l.lane = p.id where p.indexed_to > l.head",
    ),
    Check {
        what: "the search index has every message",
        sql: EngineSql {
            sqlite: "select 'message ' || m.id from messages m join search_progress p on \
                     m.id <= p.indexed_to and m.id >= p.indexed_from and p.id = m.id / 35184372088832 + 1 \
                     where m.deleted_at is null and not exists (select 1 from message_terms_docsize t where t.id = m.id) limit 6",
            postgres: "select 'message ' || m.id from messages m join search_progress p on \
                       m.id <= p.indexed_to and m.id >= p.indexed_from and p.id = m.id / 35184372088832 + 1 \
                       where m.deleted_at is null and not exists (select 1 from message_terms t where t.message_id = m.id) limit 6",
        },
    },
    Check {
        what: "the search index has nothing else",
        sql: EngineSql {
            sqlite: "select 'message ' || t.id from message_terms_docsize t left join messages m on m.id = t.id \
                     where m.id is null or (m.deleted_at is not null and exists (select 1 from changes n, \
                     search_progress p where n.kind = 'deleted' and n.target_id = m.id \
                     and p.id = n.position / 35184372088832 + 1 and n.position <= p.indexed_to)) limit 6",
            postgres: "select 'message ' || t.message_id from message_terms t left join messages m \
                       on m.id = t.message_id where m.id is null or (m.deleted_at is not null and exists \
                       (select 1 from changes n, search_progress p where n.kind = 'deleted' \
                       and n.target_id = m.id and p.id = n.position / 35184372088832 + 1 \
                       and n.position <= p.indexed_to)) limit 6",
        },
    },
];

/// Columns that name a row of another table. Zero stands for none in the log.
const NAMES: &[(&str, &str, &str)] = &[
    ("chats", "tenant_id", "tenants"),
    ("chats", "created_by", "people"),
    ("chats", "last_message_id", "messages"),
    ("people", "tenant_id", "tenants"),
    ("members", "chat_id", "chats"),
    ("members", "person_id", "people"),
    ("messages", "chat_id", "chats"),
    ("messages", "sender_id", "people"),
    ("messages", "reply_to", "messages"),
    ("changes", "tenant_id", "tenants"),
    ("changes", "chat_id", "chats"),
    ("changes", "actor_id", "people"),
    ("reactions", "message_id", "messages"),
    ("reactions", "person_id", "people"),
    ("mentions", "message_id", "messages"),
    ("mentions", "chat_id", "chats"),
    ("logins", "person_id", "people"),
    ("guest_keys", "person_id", "people"),
    ("creations", "chat_id", "chats"),
    ("closings", "chat_id", "chats"),
    ("invites", "chat_id", "chats"),
    ("domains", "tenant_id", "tenants"),
    ("name_looks", "person_id", "people"),
    ("second_factors", "person_id", "people"),
    ("recovery_codes", "person_id", "people"),
    ("sign_ins", "person_id", "people"),
];

/// A connection that has begun to read.
type Reader = Either<rusqlite::Connection, PgConnection>;

/// Checks everything.
pub async fn check_all(options: &Options) -> Result<Vec<Checked>> {
    let mut reader = begin(options).await?;
    let sql = EngineSql {
        sqlite: "select name from sqlite_schema where name = ",
        postgres: "select relname::text from pg_class where relnamespace = \
                   (select oid from pg_namespace where nspname = current_schema()) and relname = ",
    };
    let sql = format!("{}'{}'", sql.of(&reader), mover::PROGRESS);
    if !rows(&mut reader, sql).await?.is_empty() {
        return Err(unfinished(&options.place()));
    }
    check_with(options, reader).await
}

/// The same for a copy that is not finished otherwise.
pub(super) async fn check_copy(options: &Options) -> Result<Vec<Checked>> {
    check_with(options, begin(options).await?).await
}

async fn check_with(options: &Options, mut reader: Reader) -> Result<Vec<Checked>> {
    look_at_version(options, &mut reader).await?;
    let mut checked = Vec::new();
    if let Either::Sqlite(_) = reader {
        let sql = "select integrity_check from pragma_integrity_check where integrity_check <> 'ok' limit 6";
        let wrong = places(&mut reader, sql.to_owned()).await;
        checked.push(Checked {
            what: "the file is sound",
            wrong,
        });
    }
    for check in CHECKS {
        let sql = check.sql.of(&reader).to_owned();
        checked.push(Checked {
            what: check.what,
            wrong: places(&mut reader, sql).await,
        });
    }
    let mut orphans = Vec::new();
    for (table, column, other) in NAMES {
        let sql = format!(
            "select '{table}.{column} {other} ' || t.{column} from {table} t where t.{column} <> 0 and \
             not exists (select 1 from {other} o where o.id = t.{column}) limit 6"
        );
        orphans.extend(places(&mut reader, sql).await);
    }
    checked.push(Checked {
        what: "everything that is named is there",
        wrong: orphans,
    });
    Ok(checked)
}

/// Opens the database for one transaction that only reads.
async fn begin(options: &Options) -> Result<Reader> {
    let mut reader = match options.sqlite_file()? {
        Some(file) => Either::Sqlite(open_sqlite(&file)?),
        None => {
            let connect = PgConnectOptions::from_str(&options.url);
            let connect = connect.map_err(|error| unusable(options, error))?;
            let connected = connect.connect().await;
            Either::Postgres(connected.map_err(|error| unusable(options, error))?)
        }
    };
    let begin = EngineSql {
        sqlite: "begin",
        postgres: "begin transaction isolation level repeatable read read only",
    };
    match &mut reader {
        Either::Sqlite(connection) => connection.execute_batch(begin.sqlite).map_err(failed)?,
        Either::Postgres(connection) => {
            let begun = sqlx::raw_sql(begin.postgres).execute(connection).await;
            begun.map(drop).map_err(failed)?;
        }
    }
    Ok(reader)
}

/// Refuses a database that lacks what is checked.
async fn look_at_version(options: &Options, reader: &mut Reader) -> Result<()> {
    let sql =
        "select cast(max(version) as text) from _sqlx_migrations having max(version) is not null";
    let version = rows(reader, sql.to_owned()).await.unwrap_or_default();
    let version = version.first().and_then(|version| version.parse().ok());
    if version.is_none_or(|version: i64| version < PROTOCOL_SINCE) {
        let place = options.place();
        let sentence = format!(
            "the database {place} was not yet served by this version of Parlance: start the server once"
        );
        return Err(Error::new(Kind::Internal, sentence));
    }
    Ok(())
}

fn open_sqlite(file: &Path) -> Result<rusqlite::Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    rusqlite::Connection::open_with_flags(file, flags)
        .map_err(|error| super::sqlite::explained(file, error))
}

/// The places that a check finds; what cannot be read is such a place.
async fn places(reader: &mut Reader, sql: String) -> Vec<String> {
    match rows(reader, sql).await {
        Ok(places) => places,
        Err(error) => {
            let cause = error
                .cause()
                .map_or_else(|| error.to_string(), ToString::to_string);
            vec![format!("it cannot be read ({cause})")]
        }
    }
}

/// The rows of a statement of one column.
async fn rows(reader: &mut Reader, sql: String) -> Result<Vec<String>> {
    match reader {
        Either::Sqlite(connection) => {
            let mut statement = connection.prepare(&sql).map_err(failed)?;
            let rows = statement.query_map([], |row| row.get(0)).map_err(failed)?;
            rows.collect::<Result<_, _>>().map_err(failed)
        }
        Either::Postgres(connection) => sqlx::query_scalar(AssertSqlSafe(sql))
            .fetch_all(connection)
            .await
            .map_err(failed),
    }
}
