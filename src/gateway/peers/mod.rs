//! Which servers of the database there are, for Socket.IO sessions that are passed on to where they are.
//!
//! # Why
//! The Socket.IO library passes requests on, and asks who is there: it knows of no database. The store knows the servers by
//! their rows, and of no requests.

pub mod address;

use std::sync::{Arc, OnceLock};

use parlance_socketio::forwarder::{self, Peer};
use rocket::async_trait;

use crate::chat::{Services, peers};

/// The servers of the database, once the services are started: before that no client comes.
pub struct Directory(Arc<OnceLock<Arc<Services>>>);

impl Directory {
    /// For services that are started before the first client comes.
    pub const fn new(started: Arc<OnceLock<Arc<Services>>>) -> Self {
        Self(started)
    }
}

#[async_trait]
impl forwarder::Directory for Directory {
    fn tag(&self) -> &str {
        let services = self.0.get();
        services.map_or("", |services| peers::tag(services))
    }

    fn is_secret(&self, shown: &str) -> bool {
        let services = self.0.get();
        services.is_some_and(|services| peers::is_secret(services, shown))
    }

    async fn find(&self, sid: &str) -> Option<Peer> {
        let found = peers::find(self.0.get()?, sid).await?;
        Some(Peer {
            address: found.address,
            secret: found.secret,
        })
    }
}
