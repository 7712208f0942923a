//! What the sessions of one server share.

use std::sync::{
    OnceLock,
    atomic::{AtomicBool, AtomicUsize, Ordering},
};

use tokio::{sync::Notify, time::Instant};

use super::{
    options::Options, protocol::millis, registry::Registry, sid::Sid, stats::Counters, wheel::Wheel,
};

/// What the sessions of one server share. `S` is the session, which refers to this.
pub(super) struct Shared<S> {
    pub(super) options: Options,
    pub(super) registry: Registry<S>,
    pub(super) wheel: Wheel<S>,
    pub(super) counters: Counters,
    pub(super) started: Instant,
    /// The server is shutting down.
    pub(super) stopping: AtomicBool,
    /// Until when a shutdown waits, once it has begun.
    pub(super) stop_deadline: OnceLock<Instant>,
    /// How many WebSockets have a task.
    pub(super) websockets: AtomicUsize,
    /// Notified when a session or a WebSocket has ended.
    pub(super) ended: Notify,
}

impl<S> Shared<S> {
    pub(super) fn new(options: Options) -> Self {
        let shortest = options
            .ping_interval
            .min(options.ping_timeout)
            .min(options.close_timeout);
        Self {
            wheel: Wheel::new(shortest),
            options,
            registry: Registry::default(),
            counters: Counters::default(),
            started: Instant::now(),
            stopping: AtomicBool::new(false),
            stop_deadline: OnceLock::new(),
            websockets: AtomicUsize::new(0),
            ended: Notify::new(),
        }
    }

    /// Milliseconds since the server was made, by a clock that tests can pause.
    pub(super) fn now(&self) -> u64 {
        millis(self.started.elapsed())
    }

    /// Removes a session from the registry: requests no longer find it.
    pub(super) fn forget(&self, sid: &Sid) {
        self.registry.remove(sid);
        if self.is_stopping() {
            self.ended.notify_waiters();
        }
    }

    pub(super) fn is_stopping(&self) -> bool {
        self.stopping.load(Ordering::SeqCst)
    }
}
