//! Other servers of the database, as far as one passes requests on to another.
//!
//! Each says with its heartbeat where it is reached, and what has to be shown there. So who can show it has read the
//! database, and is a server of it.

use std::{
    collections::HashMap,
    sync::{Mutex, OnceLock},
    time::Duration,
};

use rand::distr::{Alphanumeric, SampleString};
use tokio::time::Instant;

use super::{Nodes, lock};
use crate::{error::Result, model::Peer, store::Store};

/// Characters of a server's tag: the beginning of its id.
const TAG: usize = 8;
/// Letters and digits of a secret.
const SECRET_LENGTH: usize = 43;
/// Who is unknown is looked for in the database, but not more often.
const APART: Duration = Duration::from_millis(500);

/// One row of the others: id, address, secret.
pub(super) type Row = (String, Option<String>, Option<String>);

/// Where this server is reached, and where others are.
pub(super) struct Peers {
    pub(super) secret: String,
    address: OnceLock<String>,
    known: Mutex<HashMap<String, Peer>>,
    asked: tokio::sync::Mutex<Option<Instant>>,
}

impl Peers {
    pub(super) fn new() -> Self {
        Self {
            secret: Alphanumeric.sample_string(&mut rand::rng(), SECRET_LENGTH),
            address: OnceLock::new(),
            known: Mutex::default(),
            asked: tokio::sync::Mutex::default(),
        }
    }

    /// Where this server is reached, once it has said so.
    pub(super) fn address(&self) -> Option<&str> {
        self.address.get().map(String::as_str)
    }

    /// Notes who lives.
    pub(super) fn note(&self, rows: Vec<Row>) {
        let reached = rows.into_iter().filter_map(|(id, address, secret)| {
            let (address, secret) = (address?, secret?);
            Some((tag(&id).to_owned(), Peer { address, secret }))
        });
        *lock(&self.known) = reached.collect();
    }
}

/// The tag of a server.
fn tag(id: &str) -> &str {
    id.get(..TAG).unwrap_or(id)
}

impl Nodes {
    async fn peer(&self, tag: &str) -> Option<Peer> {
        let known = || lock(&self.peers.known).get(tag).cloned();
        if let Some(peer) = known() {
            return Some(peer);
        }
        let mut asked = self.peers.asked.lock().await;
        if asked.is_none_or(|at| at.elapsed() >= APART) {
            if let Err(error) = self.beat().await {
                tracing::debug!(cause = ?error, "Other servers cannot be looked for.");
            }
            *asked = Some(Instant::now());
        }
        known()
    }
}

impl Store {
    /// Says where other servers of the database reach this one.
    pub async fn announce(&self, address: String) -> Result<()> {
        let Some(nodes) = self.nodes() else {
            return Ok(());
        };
        nodes.peers.address.get_or_init(|| address);
        nodes.beat().await
    }

    /// By what others know what is this server's; nothing where they do not reach it.
    pub fn tag(&self) -> Option<&str> {
        let nodes = self.nodes()?;
        nodes.peers.address().map(|_| tag(&nodes.id))
    }

    /// The server that something is of, by what it begins with; none if that is this server, or none that lives and is
    /// reached.
    pub async fn peer(&self, of: &str) -> Option<Peer> {
        let nodes = self.nodes()?;
        let tag = of.get(..TAG)?;
        if tag == self::tag(&nodes.id) {
            return None;
        }
        nodes.peer(tag).await
    }

    /// What others have to show here.
    pub fn node_secret(&self) -> Option<&str> {
        self.nodes().map(|nodes| nodes.peers.secret.as_str())
    }
}
