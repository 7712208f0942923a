//! Whether NATS is connected, as its client tells by events; and what the log tells of that.

use std::{
    collections::HashSet,
    sync::{Mutex, MutexGuard, PoisonError},
};

use async_nats::{ClientError, Event, Server};
use tokio::sync::watch;

/// The most reasons that are told, and remembered.
const REASONS: usize = 32;

/// See the module.
pub(super) struct Link {
    /// The servers, for the log.
    servers: String,
    /// The number of the connection, from 1 on, while there is one.
    connection: watch::Sender<Option<u64>>,
    told: Mutex<Told>,
}

/// What the log was told.
#[derive(Default)]
struct Told {
    /// How many connections there were.
    connections: u64,
    /// Why there is none, or why it is of no use: each reason is told once until there is another connection that
    /// serves.
    reasons: HashSet<String>,
    /// What the client said last of an attempt to connect, without its cause.
    last_attempt: Option<String>,
}

impl Link {
    pub(super) fn new(servers: &[String]) -> Self {
        Self {
            servers: servers.join(", "),
            connection: watch::Sender::new(None),
            told: Mutex::default(),
        }
    }

    /// Notes what the client tells.
    pub(super) fn note(&self, event: &Event) {
        match event {
            Event::Connected => {
                let mut told = self.told();
                told.connections += 1;
                told.last_attempt = None;
                self.connection.send_replace(Some(told.connections));
            }
            Event::Disconnected => {
                self.connection.send_replace(None);
                self.fails("the connection was lost");
            }
            Event::ClientError(ClientError::Other(kind)) => {
                self.told().last_attempt = Some(kind.clone());
            }
            Event::ClientError(error) => self.fails(&error.to_string()),
            Event::ServerError(error) => self.fails(&error.to_string()),
            Event::SlowConsumer(_) => {
                tracing::debug!("What NATS brings is not read fast enough: some of it is lost.");
            }
            Event::Closed => {
                self.connection.send_replace(None);
            }
            Event::LameDuckMode | Event::Draining => {}
        }
    }

    /// Notes why attempts to connect failed, which the client tells before the next one: with the cause where there is
    /// one, as that a certificate is not trusted.
    pub(super) fn attempts(&self, servers: &[Server]) {
        let mut known = false;
        for server in servers {
            if let Some(error) = &server.last_error {
                known = true;
                let addr = &server.addr;
                self.fails(&format!("{}:{}: {error}", addr.host(), addr.port()));
            }
        }
        let kind = self.told().last_attempt.take();
        if let Some(kind) = kind.filter(|_| !known) {
            self.fails(&kind);
        }
    }

    /// Notes that what other servers say is heard.
    pub(super) fn serves(&self) {
        self.told().reasons.clear();
        tracing::info!(
            servers = self.servers,
            "NATS carries what servers say to each other."
        );
    }

    /// Notes why it does not serve.
    pub(super) fn fails(&self, reason: &str) {
        let mut told = self.told();
        if told.reasons.len() < REASONS && told.reasons.insert(reason.to_owned()) {
            tracing::warn!(
                servers = self.servers,
                reason,
                "NATS carries nothing: servers look at the log instead, several times a second, until it does."
            );
        }
    }

    /// Whether there is a connection.
    pub(super) fn is_up(&self) -> bool {
        self.connection.borrow().is_some()
    }

    /// The number of the connection, whenever that changes.
    pub(super) fn watch(&self) -> watch::Receiver<Option<u64>> {
        self.connection.subscribe()
    }

    fn told(&self) -> MutexGuard<'_, Told> {
        self.told.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn server(error: Option<&str>) -> Server {
        Server {
            addr: "nats://a:1".parse().expect("an address"),
            failed_attempts: 1,
            did_connect: false,
            is_discovered: false,
            last_error: error.map(str::to_owned),
        }
    }

    fn reasons(link: &Link) -> Vec<String> {
        let mut reasons: Vec<_> = link.told().reasons.iter().cloned().collect();
        reasons.sort();
        reasons
    }

    #[test]
    fn a_reason_is_told_once_until_nats_serves_again() {
        let link = Link::new(&[]);
        for error in ["b", "c", "b"] {
            link.attempts(&[server(None), server(Some(error))]);
        }
        assert_eq!(reasons(&link), ["a:1: b", "a:1: c"]);
        link.note(&Event::Connected);
        assert_eq!(reasons(&link).len(), 2);
        link.serves();
        assert!(reasons(&link).is_empty());
        link.note(&Event::Disconnected);
        assert_eq!(reasons(&link), ["the connection was lost"]);
    }

    #[test]
    fn what_has_no_cause_is_told_without_one() {
        let link = Link::new(&[]);
        let failed = |link: &Link| {
            let kind = ClientError::Other("DNS error".to_owned());
            link.note(&Event::ClientError(kind));
        };
        failed(&link);
        link.attempts(&[server(Some("b"))]);
        assert_eq!(reasons(&link), ["a:1: b"]);
        failed(&link);
        link.note(&Event::Connected);
        link.attempts(&[server(None)]);
        assert_eq!(reasons(&link), ["a:1: b"], "that was before");
        failed(&link);
        link.attempts(&[server(None)]);
        assert_eq!(reasons(&link), ["DNS error", "a:1: b"]);
    }

    #[test]
    fn so_many_reasons_are_told_and_no_more() {
        let link = Link::new(&[]);
        for number in 0..2 * REASONS {
            link.fails(&number.to_string());
        }
        assert_eq!(reasons(&link).len(), REASONS);
    }

    #[test]
    fn a_connection_that_was_lost_and_came_back_is_another_one() {
        let link = Link::new(&[]);
        let watch = link.watch();
        assert!(!link.is_up());
        for number in 1..3 {
            link.note(&Event::Connected);
            assert_eq!(*watch.borrow(), Some(number));
            link.note(&Event::Disconnected);
            assert!(!link.is_up());
        }
    }
}
