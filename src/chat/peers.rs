//! Other servers of the database, to whom requests are passed on.

use sha2::{Digest, Sha256};

use super::Services;
use crate::{error::Result, model::Peer};

/// Says where other servers reach this one.
pub async fn announce(services: &Services, address: String) -> Result<()> {
    services.store.announce(address).await
}

/// By what other servers know what is this one's; empty where they do not reach it.
pub fn tag(services: &Services) -> &str {
    services.store.tag().unwrap_or_default()
}

/// The server that something is of, by what it begins with; none if that is this one, or none that is reached.
pub async fn find(services: &Services, of: &str) -> Option<Peer> {
    services.store.peer(of).await
}

/// Whether what a request shows proves that a server has passed it on.
pub fn is_secret(services: &Services, shown: &str) -> bool {
    // Of digests it may be told by the time it takes how much is right.
    let digest = |text: &str| Sha256::digest(text.as_bytes());
    let secret = services.store.node_secret();
    secret.is_some_and(|secret| digest(secret) == digest(shown))
}
