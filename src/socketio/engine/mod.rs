//! Engine.IO 3 and 4 on Rocket: sessions that carry text and binary messages over polling and
//! WebSocket, with heartbeats and the step up from one to the other.
//!
//! An application is an [`Application`]; it makes a [`Connection`] for each [`Session`] that opens. This
//! one sends everything back:
//!
//! ```
//! use std::sync::Arc;
//! use parlance_socketio::engine::{Connection, Engine, Frame, Message, Options, Reason, Session};
//!
//! struct Echo(Arc<Session>);
//!
//! impl Connection for Echo {
//!     fn message(&self, message: Message<'_>) {
//!         let _ = self.0.send(&[match message {
//!             Message::Text(text) => Frame::text(text),
//!             Message::Binary(bytes) => Frame::binary(&bytes),
//!         }]);
//!     }
//!
//!     fn closed(&self, _reason: Reason) {}
//! }
//!
//! let engine = Engine::new(Options::default(), |session| Arc::new(Echo(session)) as _);
//! let rocket = rocket::build().attach(engine.fairing("/engine.io"));
//! # let _ = rocket;
//! ```
//!
//! # Why
//! - Nothing here waits inside a request that it need not: an upgraded stream moves into a task of its
//!   own, because a handler that lives on keeps the whole request alive (17 KiB a socket).
//! - Timers are one wheel for all sessions; a timer each would cost more than the rest of a session.
//! - What waits for a client is a queue of shared, ready-made frames with a limit in bytes. Frames
//!   that belong together are sent in one call, so nothing comes between them.
//! - What a client asked for is sent whatever waits for it ([`Session::answer`]); it is the taking up
//!   of its next question that waits for room. So an answer is never too large, and a client that asks
//!   and does not read costs no more than its outbox and one answer.
//! - A close never shares a poll with messages: clients take it at once and look at messages later, so
//!   they would report a broken transport in place of what they were told before it.
//! - Of the request that opens a session little is kept ([`Handshake`]): its query, and the headers
//!   that tell who asks, each up to a bound. A head may have hundreds of kilobytes, and idle sessions
//!   live for days.
//! - A client's stream is written straight from those frames. A WebSocket library's own buffer would
//!   be a copy for every receiver and keeps the size of the biggest burst for ever.
//! - Beside the kernel, what a broadcast to thousands costs is looks at memory that is in no cache. So
//!   what it needs of a session lies together, a frame that is alone lies in place, and a WebSocket's
//!   task that is woken for its outbox alone does not look for something to read.
//! - A server that cannot tell whether a poll's answer arrived has lost its thread: Rocket finishes a
//!   handler whose client has gone, so the unread answer's own end is the sign.

mod cors;
mod fairing;
mod frame;
mod handshake;
mod heartbeat;
mod options;
mod packet;
mod params;
mod payload;
mod polling;
mod reason;
mod refusal;
mod registry;
mod routes;
mod session;
mod sid;
mod state;
mod websocket;
mod wheel;

use std::{
    sync::{
        Arc, Mutex, MutexGuard, OnceLock, PoisonError,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    task::{Context, Poll},
    time::Duration,
};

use tokio::{sync::Notify, time::Instant};

pub use cors::Cors;
pub use fairing::Mount;
pub use frame::{Body, Frame};
pub use handshake::Handshake;
pub use options::Options;
pub use packet::Message;
pub use reason::Reason;
pub use session::{SendError, Session};
pub use sid::Sid;

use registry::Registry;
use wheel::Wheel;

/// The revision of the Engine.IO protocol that a client speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Revision {
    /// `EIO=3`: socket.io-client 2.x. The client pings.
    V3,
    /// `EIO=4`: socket.io-client 3.x and 4.x. The server pings.
    V4,
}

/// How packets travel.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Transport {
    /// Held GETs and POSTs.
    Polling,
    /// One WebSocket.
    WebSocket,
}

/// What a session does when something happens to it. None of its functions may block.
pub trait Connection: Send + Sync + 'static {
    /// The client sent a message. Messages come one after another, in order.
    fn message(&self, message: Message<'_>);

    /// Whether another message is welcome. Until it is, nothing more is read from the client.
    fn poll_ready(&self, _cx: &mut Context<'_>) -> Poll<()> {
        Poll::Ready(())
    }

    /// All that waited has been sent, after [`Session::send`] had said [`SendError::Full`].
    fn drained(&self) {}

    /// The time is up that [`Session::remind`] was given.
    fn reminded(&self) {}

    /// The session is over. Nothing comes after it.
    fn closed(&self, reason: Reason);
}

/// Makes a [`Connection`] for each session.
pub trait Application: Send + Sync + 'static {
    /// A session has opened; what is sent now comes first.
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

/// A server of sessions. Clones are the same server, so it may be mounted more than once.
#[derive(Clone)]
pub struct Engine(Arc<Shared>);

/// What all sessions share.
struct Shared {
    options: Options,
    application: Box<dyn Application>,
    registry: Registry,
    wheel: Wheel,
    started: Instant,
    stopping: AtomicBool,
    /// Until when a shutdown waits, once it has begun.
    stopped_by: OnceLock<Instant>,
    /// How many `WebSocket`s have a task.
    sockets: AtomicUsize,
    client_gone: Notify,
}

impl Engine {
    /// A server with these options, whose sessions are the application's.
    pub fn new(options: Options, application: impl Application) -> Self {
        let shortest = options
            .ping_interval
            .min(options.ping_timeout)
            .min(options.close_timeout);
        Self(Arc::new(Shared {
            wheel: Wheel::new(shortest),
            options,
            application: Box::new(application),
            registry: Registry::default(),
            started: Instant::now(),
            stopping: AtomicBool::new(false),
            stopped_by: OnceLock::new(),
            sockets: AtomicUsize::new(0),
            client_gone: Notify::new(),
        }))
    }

    /// The options it was made with.
    pub fn options(&self) -> &Options {
        &self.0.options
    }

    /// Whether a session of this id is alive.
    pub fn has_session(&self, sid: &str) -> bool {
        self.0.registry.find(sid).is_some()
    }

    /// How many sessions are alive.
    pub fn session_count(&self) -> usize {
        self.0.registry.len()
    }

    /// Attaches to a Rocket: serves `path` and everything below it, and closes all sessions when that
    /// Rocket shuts down.
    pub fn fairing(&self, path: &str) -> Mount {
        Mount::new(self.clone(), path)
    }

    /// The routes, for those who mount and shut down by themselves.
    pub fn routes(&self) -> Vec<rocket::Route> {
        routes::routes(self)
    }

    /// Closes every session with a reason, opens no more, and waits until every client has been told,
    /// on its `WebSocket` or with its next poll, at most `timeout`.
    pub async fn shut_down(&self, timeout: Duration) {
        self.0.stopping.store(true, Ordering::SeqCst);
        for session in self.0.registry.all() {
            session.close(Reason::ServerShuttingDown);
        }
        let all_gone = async {
            loop {
                let gone = self.0.client_gone.notified();
                let sockets = self.0.sockets.load(Ordering::SeqCst);
                if sockets == 0 && self.0.registry.len() == 0 {
                    return;
                }
                gone.await;
            }
        };
        // Told twice to shut down, it waits once.
        let begun = || Instant::now() + timeout;
        let deadline = *self.0.stopped_by.get_or_init(begun);
        if tokio::time::timeout_at(deadline, all_gone).await.is_err() {
            let left = self.0.sockets.load(Ordering::SeqCst) + self.0.registry.len();
            tracing::warn!(
                left,
                "Some clients did not confirm in time that they were closed."
            );
        }
    }
}

impl Shared {
    /// Milliseconds since the server was made, from a clock that tests may hold.
    fn now(&self) -> u64 {
        millis(self.started.elapsed())
    }

    /// Nobody is to find that session any more.
    fn forget(&self, sid: &Sid) {
        self.registry.remove(sid);
        if self.is_stopping() {
            self.client_gone.notify_waiters();
        }
    }

    fn is_stopping(&self) -> bool {
        self.stopping.load(Ordering::SeqCst)
    }
}

/// A duration in the unit that deadlines are counted in.
fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX / 4)
}

/// Locks, whoever panicked before: no invariant here is ever broken across statements.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
