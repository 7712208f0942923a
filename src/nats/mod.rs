//! NATS as the carrier of what servers of one PostgreSQL say to each other.
//!
//! # Why
//! PostgreSQL carries it well for a few servers. With many of them each notification is written by one backend and read
//! by as many as there are servers, on the machine that writes the log; NATS takes that from it. It is never the truth:
//! what it loses is found by looking at the log, and by the digests of the bus, as with PostgreSQL. So it needs no
//! stream, no acknowledgement and no second try, and a server starts and goes on without it.
//!
//! Subjects are `PREFIX.DATABASE.news` and `PREFIX.DATABASE.bus`, where the database is PostgreSQL's system identifier and
//! the database's number there: servers of another database hear nothing of it. A server hears its own too, which tells it
//! how long that takes, and at the beginning that it may say and hear anything at all (`hearing`).
//!
//! The library connects again by itself, for as long as it takes. What it logs of each attempt is not shown: a reason is
//! told once, with its cause (`link`).

mod hearing;
mod link;
mod options;

use std::{
    fmt,
    sync::{Arc, OnceLock},
    time::Duration,
};

use async_nats::{Client, ConnectOptions};
use futures_util::future::BoxFuture;

use crate::{
    config::Settings,
    error::{Error, Kind, Result},
    store::{Carrier, Hearing, Said},
};

use link::Link;

/// The longest that it may take to hand something to the client. It waits only while its queue is full.
const SAY_TIMEOUT: Duration = Duration::from_secs(1);
/// When to try again what is out of reach.
const SOON: Duration = Duration::from_secs(1);

/// See the module.
pub struct Nats {
    servers: Vec<String>,
    options: ConnectOptions,
    prefix: String,
    begun: OnceLock<Begun>,
}

/// What carries for one database.
struct Begun {
    client: Client,
    link: Arc<Link>,
    subjects: Subjects,
}

/// The subjects of one database.
#[derive(Clone)]
struct Subjects {
    /// All of them.
    all: String,
    news: String,
    bus: String,
    /// Where a server hears whether it is heard.
    probe: String,
}

impl Nats {
    /// NATS as the settings say it; nothing where they name none. Nothing is connected yet.
    pub fn of(settings: &Settings) -> Result<Option<Arc<Self>>> {
        if !settings.nats_url.is_set() {
            return Ok(None);
        }
        Ok(Some(Arc::new(Self {
            servers: settings.nats_url.servers.clone(),
            options: options::of(settings)?,
            prefix: settings.nats_prefix.clone(),
            begun: OnceLock::new(),
        })))
    }

    async fn connect(&self, database: &str) -> Result<()> {
        let link = Arc::new(Link::new(&self.servers));
        let told = Arc::clone(&link);
        let options = self.options.clone().event_callback(move |event| {
            told.note(&event);
            std::future::ready(())
        });
        let told = Arc::clone(&link);
        let options = options.reconnect_to_server_callback(move |servers, _| {
            told.attempts(&servers);
            // Which one is next is the client's to say.
            std::future::ready(None)
        });
        // It does not wait for a server.
        let client = options.connect(self.servers.as_slice()).await;
        let client = client.map_err(|error| {
            let sentence = format!("nats_url cannot be used ({error}): {}", set("nats_url"));
            Error::new(Kind::Invalid, sentence).because(error)
        })?;
        let subjects = Subjects::of(&self.prefix, database);
        tracing::info!(
            subjects = subjects.all,
            "What this server says to others of its database goes over NATS."
        );
        let begun = Begun {
            client,
            link,
            subjects,
        };
        self.begun.set(begun).map_err(|_| twice())
    }

    fn begun(&self) -> Result<&Begun> {
        let not_yet = || Error::internal("NATS was not begun");
        self.begun.get().ok_or_else(not_yet)
    }
}

/// Where a setting is set.
fn set(key: &str) -> String {
    let variable = key.to_ascii_uppercase();
    format!("set it in Rocket.toml or ROCKET_{variable}")
}

fn twice() -> Error {
    Error::internal("NATS was begun twice")
}

/// Tells no passwords, which are among the options.
impl fmt::Debug for Nats {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Nats").finish_non_exhaustive()
    }
}

impl Subjects {
    fn of(prefix: &str, database: &str) -> Self {
        let subject = |last: &str| format!("{prefix}.{database}.{last}");
        Self {
            all: subject("*"),
            news: subject("news"),
            bus: subject("bus"),
            probe: subject("probe"),
        }
    }
}

impl Begun {
    async fn say(&self, said: Vec<Said>) -> Result<()> {
        if !self.link.is_up() {
            return Err(Error::unavailable("NATS is away", SOON));
        }
        for said in said {
            let (subject, payload) = match said {
                Said::News(node) => (&self.subjects.news, node),
                Said::Datagram(datagram) => (&self.subjects.bus, datagram),
            };
            let published = self.client.publish(subject.clone(), payload.into()).await;
            published.map_err(Error::internal)?;
        }
        Ok(())
    }
}

impl Carrier for Nats {
    fn begin(&self, database: String) -> BoxFuture<'_, Result<()>> {
        Box::pin(async move { self.connect(&database).await })
    }

    fn say(&self, said: Vec<Said>) -> BoxFuture<'_, Result<()>> {
        Box::pin(async move {
            let begun = self.begun()?;
            let late = |elapsed| Error::unavailable("NATS takes nothing", SOON).because(elapsed);
            let said = tokio::time::timeout(SAY_TIMEOUT, begun.say(said));
            said.await.map_err(late)?
        })
    }

    fn hear(&self) -> BoxFuture<'_, Result<Box<dyn Hearing>>> {
        Box::pin(async move {
            let hearing = hearing::begin(self.begun()?).await?;
            let hearing: Box<dyn Hearing> = Box::new(hearing);
            Ok(hearing)
        })
    }

    fn close(&self) -> BoxFuture<'_, ()> {
        Box::pin(async move {
            if let Some(begun) = self.begun.get().filter(|begun| begun.link.is_up()) {
                // What is lost here is lost.
                drop(begun.client.flush().await);
            }
        })
    }
}
