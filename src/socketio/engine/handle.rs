//! The Engine.IO server: opens sessions, and closes all of them at a shutdown.

use std::{
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

use tokio::time::Instant;

use super::{
    connection::Connection, handshake::Handshake, heartbeat, options::Options,
    reason::DisconnectReason, session::Session, shared::Shared, stats::Stats,
};

/// Makes a [`Connection`] for each session.
pub trait Application: Send + Sync + 'static {
    /// A session has been opened. Messages sent from here are the first that the client receives.
    fn open(&self, session: Arc<Session>) -> Arc<dyn Connection>;
}

impl<F> Application for F
where
    F: Fn(Arc<Session>) -> Arc<dyn Connection> + Send + Sync + 'static,
{
    fn open(&self, session: Arc<Session>) -> Arc<dyn Connection> {
        self(session)
    }
}

/// Reads the counters of a server. It does not keep the application alive.
#[derive(Clone)]
pub struct StatsReader(Arc<Shared<Session>>);

impl StatsReader {
    /// The counters at this moment.
    pub fn read(&self) -> Stats {
        self.0.counters.stats()
    }
}

/// An Engine.IO server. Clones are the same server, so it may be mounted more than once.
#[derive(Clone)]
pub struct Engine {
    pub(super) shared: Arc<Shared<Session>>,
    application: Arc<dyn Application>,
}

impl Engine {
    /// A server with these options, whose sessions belong to the application.
    pub fn new(options: Options, application: impl Application) -> Self {
        Self {
            shared: Arc::new(Shared::new(options)),
            application: Arc::new(application),
        }
    }

    /// The options that it was made with.
    pub fn options(&self) -> &Options {
        &self.shared.options
    }

    /// Whether a session with this id exists.
    pub fn has_session(&self, sid: &str) -> bool {
        self.shared.registry.find(sid).is_some()
    }

    /// How many sessions exist.
    pub fn session_count(&self) -> usize {
        self.shared.registry.len()
    }

    /// A reader of the server's counters.
    pub fn stats(&self) -> StatsReader {
        StatsReader(Arc::clone(&self.shared))
    }

    /// Opens a session for a handshake.
    pub(super) fn open_session(&self, handshake: Handshake, base64: bool) -> Arc<Session> {
        heartbeat::start(&self.shared);
        let session = Session::new(&self.shared, handshake, base64);
        let connection = self.application.open(Arc::clone(&session));
        session.set_connection(&connection);
        if self.shared.is_stopping() {
            // The shutdown may have looked at the registry before the session was there.
            session.close(DisconnectReason::ServerShuttingDown);
        }
        session
    }

    /// Closes the sessions that there are, evenly over a time, so that their clients do not all connect elsewhere at once.
    /// New ones are opened meanwhile, and are left alone. The order is that of a hash map: nobody is always the last.
    pub async fn close_over(&self, time: Duration) {
        if time.is_zero() {
            return;
        }
        let sessions: Vec<_> = self
            .shared
            .registry
            .all()
            .iter()
            .map(Arc::downgrade)
            .collect();
        let (began, count) = (
            Instant::now(),
            u32::try_from(sessions.len()).unwrap_or(u32::MAX),
        );
        for (number, session) in (1..).zip(sessions) {
            tokio::time::sleep_until(began + time * number / count.max(1)).await;
            if let Some(session) = session.upgrade() {
                session.close(DisconnectReason::ServerShuttingDown);
            }
        }
    }

    /// Closes all sessions, opens no more, and waits until every client has been told: on its WebSocket
    /// or by its next poll. It waits at most for `timeout`.
    pub async fn shut_down(&self, timeout: Duration) {
        let shared = &self.shared;
        shared.stopping.store(true, Ordering::SeqCst);
        for session in shared.registry.all() {
            session.close(DisconnectReason::ServerShuttingDown);
        }
        let left = || shared.websockets.load(Ordering::SeqCst) + shared.registry.len();
        let all_ended = async {
            loop {
                let ended = shared.ended.notified();
                if left() == 0 {
                    return;
                }
                ended.await;
            }
        };
        // A second call waits for the rest of the first call's time.
        let begun = || Instant::now() + timeout;
        let deadline = *shared.stop_deadline.get_or_init(begun);
        if tokio::time::timeout_at(deadline, all_ended).await.is_err() {
            tracing::warn!(
                left = left(),
                "Some clients did not confirm in time that they were closed."
            );
        }
    }
}
