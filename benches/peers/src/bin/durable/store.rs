//! SQLite with a group commit: one thread writes, and whatever has come while the last commit was flushed
//! is committed together. What follows from a write happens after its commit, in the order of the commits.

use std::{
    path::{Path, PathBuf},
    pin::Pin,
    thread,
};

use rusqlite::{Connection, Result, params};
use tokio::sync::mpsc::{self, UnboundedReceiver, UnboundedSender};

/// Most writes of one transaction; Parlance's own default.
const BATCH: usize = 512;

const SCHEMA: &str = "
create table if not exists people (
    id integer primary key, external_id text unique, name text not null, photo text not null,
    password text, created_at integer not null);
create table if not exists logins (
    token text primary key, person_id integer not null, created_at integer not null) without rowid;
create table if not exists chats (id integer primary key, name text not null, created_at integer not null);
create table if not exists members (
    chat_id integer not null, person_id integer not null, primary key (chat_id, person_id)) without rowid;
create table if not exists messages (
    id integer primary key, chat_id integer not null, sender_id integer not null, kind text not null,
    content text not null, created_at integer not null);
create index if not exists messages_by_chat on messages (chat_id, id);";

pub enum Write {
    /// Found by the id that the product knows them by, or made.
    User {
        external_id: String,
        name: String,
        photo: String,
    },
    Account {
        name: String,
        password: String,
        token: String,
    },
    Login {
        person: i64,
        token: String,
    },
    Chat {
        name: String,
        users: Vec<i64>,
    },
    Member {
        chat: i64,
        person: i64,
    },
    Message {
        chat: i64,
        sender: i64,
        kind: String,
        content: String,
    },
}

type Then = Box<dyn FnOnce(Result<i64>) -> Pin<Box<dyn Future<Output = ()> + Send>> + Send>;

struct Job {
    write: Write,
    at: i64,
    then: Then,
}

#[derive(Clone)]
pub struct Store {
    jobs: UnboundedSender<Job>,
    file: PathBuf,
}

impl Store {
    /// Opens the database. To be called within the runtime, which then does what follows from writes.
    pub fn open(file: &Path) -> Result<Self> {
        let connection = connect(file)?;
        connection.execute_batch(SCHEMA)?;
        let (jobs, waiting) = mpsc::unbounded_channel();
        let (committed, mut outcomes) = mpsc::unbounded_channel::<Vec<(Then, Result<i64>)>>();
        thread::spawn(move || write_all(&connection, waiting, &committed));
        tokio::spawn(async move {
            while let Some(batch) = outcomes.recv().await {
                for (then, outcome) in batch {
                    then(outcome).await;
                }
            }
        });
        let file = file.to_owned();
        Ok(Self { jobs, file })
    }

    /// Writes, and does what follows once that is durable; `then` is given the id of what was written.
    pub fn write<F: Future<Output = ()> + Send + 'static>(
        &self,
        write: Write,
        at: i64,
        then: impl FnOnce(Result<i64>) -> F + Send + 'static,
    ) {
        let then: Then = Box::new(|outcome| Box::pin(then(outcome)));
        // The thread ends with the process.
        let _ = self.jobs.send(Job { write, at, then });
    }

    /// Who has that name, and the hash of their password.
    pub fn account(&self, name: &str) -> Result<(i64, String)> {
        connect(&self.file)?.query_row(
            "select id, password from people where external_id = ?",
            [account_key(name)],
            |row| Ok((row.get(0)?, row.get(1)?)),
        )
    }
}

fn connect(file: &Path) -> Result<Connection> {
    let connection = Connection::open(file)?;
    connection.pragma_update(None, "journal_mode", "wal")?;
    connection.pragma_update(None, "synchronous", "full")?;
    connection.busy_timeout(std::time::Duration::from_secs(5))?;
    Ok(connection)
}

fn account_key(name: &str) -> String {
    format!("account:{name}")
}

fn write_all(
    connection: &Connection,
    mut waiting: UnboundedReceiver<Job>,
    committed: &UnboundedSender<Vec<(Then, Result<i64>)>>,
) {
    while let Some(first) = waiting.blocking_recv() {
        let mut jobs = vec![first];
        while jobs.len() < BATCH
            && let Ok(job) = waiting.try_recv()
        {
            jobs.push(job);
        }
        // Without its database this server has no reason to go on.
        let outcomes = transact(connection, jobs).expect("the database works");
        if committed.send(outcomes).is_err() {
            return;
        }
    }
}

fn transact(connection: &Connection, jobs: Vec<Job>) -> Result<Vec<(Then, Result<i64>)>> {
    connection.prepare_cached("begin immediate")?.execute([])?;
    let outcomes = jobs
        .into_iter()
        .map(|job| (job.then, carry_out(connection, job.write, job.at)))
        .collect();
    connection.prepare_cached("commit")?.execute([])?;
    Ok(outcomes)
}

fn carry_out(connection: &Connection, write: Write, at: i64) -> Result<i64> {
    match write {
        Write::User {
            external_id,
            name,
            photo,
        } => connection
            .prepare_cached(
                "insert into people (external_id, name, photo, created_at) values (?, ?, ?, ?)
                 on conflict (external_id) do update set name = excluded.name, photo = excluded.photo
                 returning id",
            )?
            .query_row(params![external_id, name, photo, at], |row| row.get(0)),
        Write::Account {
            name,
            password,
            token,
        } => {
            connection
                .prepare_cached(
                    "insert into people (external_id, name, photo, password, created_at)
                     values (?, ?, '', ?, ?)",
                )?
                .execute(params![account_key(&name), name, password, at])?;
            let person = connection.last_insert_rowid();
            log_in(connection, person, &token, at)
        }
        Write::Login { person, token } => log_in(connection, person, &token, at),
        Write::Chat { name, users } => {
            connection
                .prepare_cached("insert into chats (name, created_at) values (?, ?)")?
                .execute(params![name, at])?;
            let chat = connection.last_insert_rowid();
            for person in users {
                join(connection, chat, person)?;
            }
            Ok(chat)
        }
        Write::Member { chat, person } => join(connection, chat, person),
        Write::Message {
            chat,
            sender,
            kind,
            content,
        } => {
            connection
                .prepare_cached(
                    "insert into messages (chat_id, sender_id, kind, content, created_at)
                     values (?, ?, ?, ?, ?)",
                )?
                .execute(params![chat, sender, kind, content, at])?;
            Ok(connection.last_insert_rowid())
        }
    }
}

fn log_in(connection: &Connection, person: i64, token: &str, at: i64) -> Result<i64> {
    connection
        .prepare_cached("insert into logins (token, person_id, created_at) values (?, ?, ?)")?
        .execute(params![token, person, at])?;
    Ok(person)
}

fn join(connection: &Connection, chat: i64, person: i64) -> Result<i64> {
    connection
        .prepare_cached(
            "insert into members (chat_id, person_id) values (?, ?) on conflict do nothing",
        )?
        .execute([chat, person])?;
    Ok(chat)
}
