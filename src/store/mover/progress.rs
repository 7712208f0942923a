//! How far a copy has come: a table of the target's, which says that the database is not whole yet.

use sha2::{Digest as _, Sha256};

use super::{
    side::{Side, trouble},
    tables::{COPIED, INDEX, Kind, names, quoted},
    value::{Value, decode_key, encode_key},
};
use crate::{
    error::{Error, Kind as ErrorKind, Result},
    model::hex,
    store::failure::DbError,
};

/// The table. No server takes up a database that has it.
pub(in crate::store) const TABLE: &str = "copy_progress";

/// The row that says of what database this is to be a copy.
const SOURCE: &str = "source";
/// The row that says in which state of the log that was.
const STATE: &str = "state";

/// What the state of a live copy begins with.
const LIVE: &str = "live ";

const MAKE: &str = "create table copy_progress (name text primary key, place text, copied bigint not null, \
     ended boolean not null)";
const NOTE: &str =
    "insert into copy_progress (name, place, copied, ended) values ($1, $2, 0, false)";
const GO_ON: &str = "update copy_progress set place = $1, copied = copied + $2 where name = $3";
const END: &str = "update copy_progress set ended = true where name = $1";
const READ: &str = "select place, copied, ended from copy_progress where name = $1";

/// Which database it is, and in which state of its log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Fingerprint {
    source: String,
    state: String,
}

/// How far the copy of a table has come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Progress {
    /// The key of the last row that was copied.
    pub(super) after: Option<Vec<Value>>,
    pub(super) rows: u64,
    pub(super) ended: bool,
}

impl Fingerprint {
    /// That of a database which servers have used.
    pub(super) async fn of(side: &mut Side) -> Result<Self> {
        let texts = [Kind::Text, Kind::Text];
        let sql = "select s.secret, l.epoch || '.' || l.head from secrets s, (select epoch, head from log \
             union all select epoch, head from lanes) l where s.name = 'server' order by l.head";
        let found = side.select(sql, &[], &texts).await;
        let found = found.map_err(|error| side.trouble(error))?;
        let heads = found.into_iter();
        let mut heads = heads.filter_map(|row| <[Value; 2]>::try_from(row).ok());
        let Some([Value::Text(secret), Value::Text(mut state)]) = heads.next() else {
            let place = side.place();
            return Err(trouble(format!("the database {place} was never served")));
        };
        for head in heads {
            if let [_, Value::Text(head)] = head {
                state.push(' ');
                state.push_str(&head);
            }
        }
        Ok(Self {
            source: hex::encode(&Sha256::digest(secret.as_bytes())),
            state,
        })
    }
}

impl Fingerprint {
    /// That of the same database as the source of a live copy, whose state does not count, for it goes on.
    pub(super) fn live(self, word: &str, epoch: &str) -> Self {
        Self {
            state: format!("{LIVE}{word} {epoch}"),
            ..self
        }
    }
}

/// The word of a live copy that was begun here, of which there are no rows yet.
pub(super) async fn begun(target: &mut Side) -> Result<Option<String>, DbError> {
    if !names(target).await?.iter().any(|table| table == TABLE) {
        return Ok(None);
    }
    if is_prepared(target).await? {
        return Ok(None);
    }
    let state = noted(target, STATE).await?;
    let word = state
        .as_deref()
        .and_then(|state| state.strip_prefix(LIVE))
        .and_then(|rest| rest.split_once(' '));
    Ok(word.map(|(word, _)| word.to_owned()))
}

/// What is noted under a name.
async fn noted(target: &mut Side, name: &str) -> Result<Option<String>, DbError> {
    let sql = "select place from copy_progress where name = $1";
    let name = [Value::Text(name.to_owned())];
    let rows = target.select(sql, &name, &[Kind::Text]).await?;
    Ok(rows.into_iter().flatten().find_map(Value::text))
}

/// Whether the database is empty; else it holds part of a copy of the same source, or is refused.
pub(super) async fn examine(target: &mut Side, fingerprint: &Fingerprint) -> Result<bool> {
    let tables = names(target).await;
    let tables = tables.map_err(|error| target.trouble(error))?;
    if tables.iter().any(|table| table == TABLE) {
        go_on(target, fingerprint).await?;
        return Ok(false);
    }
    if !tables.is_empty() {
        let place = target.place();
        let sentence = format!(
            "the database {place} is not empty: a copy is made in a new file, or in a new database of PostgreSQL's"
        );
        return Err(Error::new(ErrorKind::Conflict, sentence));
    }
    Ok(true)
}

/// Begins a copy in an empty database.
pub(super) async fn begin(target: &mut Side, fingerprint: &Fingerprint) -> Result<(), DbError> {
    target.run("begin").await?;
    target.run(MAKE).await?;
    for (name, place) in [(SOURCE, &fingerprint.source), (STATE, &fingerprint.state)] {
        let row = [Value::Text(name.to_owned()), Value::Text(place.clone())];
        target.execute(NOTE, &row).await?;
    }
    target.run("commit").await
}

/// Refuses to go on with what was begun of another database, or of the same one before it went on.
async fn go_on(target: &mut Side, fingerprint: &Fingerprint) -> Result<()> {
    let mut found = Vec::new();
    for name in [SOURCE, STATE] {
        let text = noted(target, name).await;
        found.extend(text.map_err(|error| target.trouble(error))?);
    }
    let place = target.place();
    let why = match &found[..] {
        [source, _] if *source != fingerprint.source => "a copy of another database",
        [_, state] if *state == fingerprint.state => return Ok(()),
        [_, state] if state.starts_with(LIVE) => {
            "a live copy of this database that was given up, or whose log goes on in another epoch"
        }
        [_, _] => "a copy of this database from before it was written to again",
        _ => "a copy that nobody can go on with",
    };
    let sentence = format!("the database {place} holds part of {why}: empty it, and begin again");
    Err(Error::new(ErrorKind::Conflict, sentence))
}

/// Whether rows may have been copied.
async fn is_prepared(target: &mut Side) -> Result<bool, DbError> {
    let sql = "select count(*) from copy_progress";
    Ok(target.number(sql).await? > 2)
}

/// Empties the tables of what migrations have put in, once, before the first row is copied.
pub(super) async fn prepare(target: &mut Side) -> Result<(), DbError> {
    if is_prepared(target).await? {
        return Ok(());
    }
    target.run("begin").await?;
    for table in COPIED.iter().rev() {
        target
            .run(&format!("delete from {}", quoted(table)))
            .await?;
    }
    for name in COPIED.iter().chain([&INDEX]) {
        let row = [
            Value::Text((*name).to_owned()),
            Value::Text("[]".to_owned()),
        ];
        target.execute(NOTE, &row).await?;
    }
    target.run("commit").await
}

/// How far the copy of a table has come.
pub(super) async fn of(target: &mut Side, name: &str) -> Result<Progress, DbError> {
    let kinds = [Kind::Text, Kind::Int, Kind::Bool];
    let name = [Value::Text(name.to_owned())];
    let found = target.select(READ, &name, &kinds).await?;
    let found: Option<[Value; 3]> = found.into_iter().next().and_then(|row| row.try_into().ok());
    let Some([Value::Text(place), Value::Int(rows), Value::Bool(ended)]) = found else {
        return Err(DbError::Sqlx(sqlx::Error::RowNotFound));
    };
    Ok(Progress {
        after: decode_key(&place).filter(|key| !key.is_empty()),
        rows: u64::try_from(rows).unwrap_or_default(),
        ended,
    })
}

/// Notes, in the transaction that adds them, so many more rows up to that key.
pub(super) async fn note(
    target: &mut Side,
    name: &str,
    (key, rows): (&[Value], usize),
) -> Result<(), DbError> {
    let rows = i64::try_from(rows).unwrap_or(i64::MAX);
    let Some(key) = encode_key(key) else {
        return Err(DbError::Sqlx(sqlx::Error::RowNotFound));
    };
    let noted = [
        Value::Text(key),
        Value::Int(rows),
        Value::Text(name.to_owned()),
    ];
    target.execute(GO_ON, &noted).await
}

/// Notes that a table is copied.
pub(super) async fn end(target: &mut Side, name: &str) -> Result<(), DbError> {
    target.execute(END, &[Value::Text(name.to_owned())]).await
}

/// Says that the database is whole.
pub(super) async fn finish(target: &mut Side) -> Result<(), DbError> {
    target.run("drop table copy_progress").await
}
