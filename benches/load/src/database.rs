//! The database behind the server, asked and filled past it: what it holds is what counts.

use std::path::{Path, PathBuf};

use tokio::{fs, process::Command};

use crate::Outcome;

/// Which database engine.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Engine {
    Sqlite,
    Postgres,
}

impl Engine {
    pub const ALL: [Self; 2] = [Self::Sqlite, Self::Postgres];

    pub fn word(self) -> &'static str {
        match self {
            Self::Sqlite => "sqlite",
            Self::Postgres => "postgres",
        }
    }

    pub fn named(word: &str) -> Outcome<Self> {
        let found = Self::ALL.into_iter().find(|engine| engine.word() == word);
        found.ok_or_else(|| format!("there is no database {word}").into())
    }

    pub fn title(self) -> &'static str {
        match self {
            Self::Sqlite => "SQLite",
            Self::Postgres => "PostgreSQL",
        }
    }
}

/// A fresh database.
pub enum Database {
    Sqlite(PathBuf),
    Postgres { server: String, name: String },
}

const RUN_SQLITE: &str = "import sqlite3, sys
connection = sqlite3.connect(sys.argv[1], timeout=30)
for statement in sys.argv[2].split(';'):
    for row in connection.execute(statement):
        print(*row, sep='|')
connection.commit()
connection.close()";

impl Database {
    pub async fn make(engine: Engine, folder: &Path, name: &str) -> Outcome<Self> {
        match engine {
            Engine::Sqlite => Ok(Self::Sqlite(folder.join(format!("{name}.db")))),
            Engine::Postgres => {
                let output = Command::new("tests/postgres")
                    .env("FSYNC", "on")
                    .arg("start")
                    .arg(folder.join("postgres"))
                    .output()
                    .await?;
                let url = String::from_utf8(output.stdout)?.trim().to_owned();
                let server = url
                    .strip_suffix("/postgres")
                    .ok_or("PostgreSQL does not start")?
                    .to_owned();
                let database = Self::Postgres {
                    server: server.clone(),
                    name: "postgres".to_owned(),
                };
                database.run(&format!("create database {name}")).await?;
                let name = name.to_owned();
                Ok(Self::Postgres { server, name })
            }
        }
    }

    /// One that is there, by its address.
    pub fn at(engine: Engine, url: &str) -> Outcome<Self> {
        if engine == Engine::Sqlite {
            return Err("a file of SQLite's has one server".into());
        }
        let (server, name) = url
            .rsplit_once('/')
            .ok_or("an address without a database")?;
        Ok(Self::Postgres {
            server: server.to_owned(),
            name: name.to_owned(),
        })
    }

    pub fn url(&self) -> String {
        match self {
            Self::Sqlite(file) => format!("sqlite://{}", file.display()),
            Self::Postgres { server, name } => format!("{server}/{name}"),
        }
    }

    /// Runs statements; returns what they print.
    pub async fn run(&self, sql: &str) -> Outcome<String> {
        let mut command = match self {
            Self::Sqlite(file) => {
                let mut command = Command::new("python3");
                command.args(["-c", RUN_SQLITE]).arg(file).arg(sql);
                command
            }
            Self::Postgres { .. } => {
                let mut command = Command::new("psql");
                command.args(["-XqAt", "-v", "ON_ERROR_STOP=1", "-d", &self.url()]);
                command.args(sql.split(';').flat_map(|statement| ["-c", statement]));
                command
            }
        };
        let output = command.output().await?;
        if !output.status.success() {
            return Err(String::from_utf8_lossy(&output.stderr).into());
        }
        Ok(String::from_utf8(output.stdout)?.trim().to_owned())
    }

    /// How many rows a table has.
    pub async fn rows(&self, table: &str) -> Outcome<u64> {
        let count = format!("select count(*) from {table}");
        Ok(self.run(&count).await?.parse()?)
    }

    /// Puts `count` messages of one person into a chat, with their lines in the log.
    pub async fn fill(&self, chat: i64, count: u64) -> Outcome {
        let content = "'message number ' || n || ' of this chat'";
        self.fill_with(chat, count, content).await
    }

    /// The same with what each of them says, in SQL by its number `n`.
    pub async fn fill_with(&self, chat: i64, count: u64, content: &str) -> Outcome {
        let numbers = match self {
            Self::Sqlite(_) => format!(
                "(with recursive n(n) as (select 1 union all select n + 1 from n where n < {count}) select n from n)"
            ),
            Self::Postgres { .. } => format!("generate_series(1, {count})"),
        };
        let statements = [
            format!(
                "insert into messages (id, tenant_id, chat_id, seq, sender_id, kind, content, created_at) \
                 select log.head + n, 1, {chat}, n, 1, 'text', {content}, 1700000000000 + n \
                 from {numbers} as numbers(n), log"
            ),
            format!(
                "update chats set last_seq = {count}, \
                 last_message_id = (select max(id) from messages where chat_id = {chat}), \
                 last_position = (select max(id) from messages where chat_id = {chat}) where id = {chat}"
            ),
            format!("update log set head = head + {count}"),
            match self {
                Self::Sqlite(_) => "analyze".to_owned(),
                Self::Postgres { .. } => "vacuum analyze".to_owned(),
            },
        ];
        let statements = match self {
            // SQLite's `as numbers(n)` is PostgreSQL's alone.
            Self::Sqlite(_) => statements
                .join(";")
                .replace(" as numbers(n)", " as numbers"),
            Self::Postgres { .. } => statements.join(";"),
        };
        self.run(&statements).await.map(drop)
    }

    /// Removes it; the server on it must have ended.
    pub async fn remove(self) -> Outcome {
        match &self {
            Self::Sqlite(file) => {
                for end in ["db", "db-wal", "db-shm"] {
                    let _ = fs::remove_file(file.with_extension(end)).await;
                }
                Ok(())
            }
            Self::Postgres { server, name } => {
                let all = Self::Postgres {
                    server: server.clone(),
                    name: "postgres".to_owned(),
                };
                all.run(&format!("drop database {name} with (force)"))
                    .await
                    .map(drop)
            }
        }
    }
}
