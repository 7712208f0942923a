//! One socket's state: its identity, phase, rooms, pending acknowledgements and queue of tasks.

use std::{
    any::Any,
    collections::VecDeque,
    mem,
    sync::{
        Arc, Mutex, OnceLock,
        atomic::{AtomicBool, AtomicU8, Ordering},
    },
    task::{Context, Poll, Waker},
};

use serde_json::{Map, Value};

use super::{ack::PendingAcks, id::SocketId, task::Task};
use crate::{
    engine::{Revision, Session},
    packet::Version,
    sync::lock,
};

/// One socket's state. It does not refer to its namespace: [`Socket`](super::Socket) joins the two.
pub(super) struct Member {
    session: Arc<Session>,
    owner: Arc<dyn Owner>,
    pub(super) state: Mutex<State>,
    first_id: SocketId,
    recovered_id: OnceLock<Box<SocketId>>,
    auth: Option<Box<Map<String, Value>>>,
    data: OnceLock<Arc<dyn Any + Send + Sync>>,
    phase: AtomicU8,
    recovered: AtomicBool,
}

/// The part of a socket's state that changes under its lock.
#[derive(Default)]
pub(super) struct State {
    tasks: VecDeque<Task>,
    /// A worker is running or about to run.
    has_worker: bool,
    /// The worker, while it waits for a task beside its open events.
    waiting_worker: Option<Waker>,
    pub(super) acks: PendingAcks,
    pub(super) rooms: Vec<Arc<str>>,
    /// The private id by which the socket can be recovered.
    pub(super) pid: Option<Box<str>>,
}

/// The client that a socket belongs to, as far as the socket needs it.
pub(super) trait Owner: Send + Sync {
    /// The client has joined a namespace.
    fn note_joined(&self);
    /// A handler has finished with an event of that size.
    fn event_handled(&self, size: usize);
    /// The socket has left its namespace: packets for it are no longer accepted.
    fn forget(&self, member: &Member);
    /// Disconnects the client from all its namespaces.
    fn disconnect_all(&self);
}

/// Where a socket is in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum Phase {
    /// The client has asked to join; the middleware has not decided yet.
    Connecting,
    /// The `CONNECT` packet is being queued: the client may have it already and send, but nothing else is sent to it.
    Confirming,
    /// In the namespace.
    Connected,
    /// Rejected, or no longer in the namespace.
    Disconnected,
}

impl Phase {
    fn of(byte: u8) -> Self {
        match byte {
            0 => Self::Connecting,
            1 => Self::Confirming,
            2 => Self::Connected,
            _ => Self::Disconnected,
        }
    }
}

impl Member {
    pub(super) fn new(
        session: &Arc<Session>,
        owner: Arc<dyn Owner>,
        auth: Option<Map<String, Value>>,
    ) -> Arc<Self> {
        Arc::new(Self {
            session: Arc::clone(session),
            owner,
            state: Mutex::default(),
            first_id: SocketId::random(),
            recovered_id: OnceLock::new(),
            auth: auth.map(Box::new),
            data: OnceLock::new(),
            phase: AtomicU8::new(Phase::Connecting as u8),
            recovered: AtomicBool::new(false),
        })
    }

    pub(super) fn id(&self) -> &SocketId {
        self.recovered_id.get().map_or(&self.first_id, |id| id)
    }

    /// Gives the socket the id it had before. Called at most once, before it is connected.
    pub(super) fn recover_id(&self, id: SocketId) {
        let _ = self.recovered_id.set(Box::new(id));
        self.recovered.store(true, Ordering::Relaxed);
    }

    pub(super) fn is_recovered(&self) -> bool {
        self.recovered.load(Ordering::Relaxed)
    }

    pub(super) fn session(&self) -> &Arc<Session> {
        &self.session
    }

    pub(super) fn owner(&self) -> &dyn Owner {
        &*self.owner
    }

    pub(super) fn auth(&self) -> Option<&Map<String, Value>> {
        self.auth.as_deref()
    }

    /// The revision of Socket.IO that goes with the session's revision of Engine.IO.
    pub(super) fn version(&self) -> Version {
        match self.session.revision() {
            Revision::V3 => Version::V4,
            Revision::V4 => Version::V5,
        }
    }

    pub(super) fn phase(&self) -> Phase {
        Phase::of(self.phase.load(Ordering::Acquire))
    }

    /// Whether the client may send packets to it.
    pub(super) fn accepts_packets(&self) -> bool {
        matches!(self.phase(), Phase::Confirming | Phase::Connected)
    }

    /// Changes the phase and returns the previous one. Called under the namespace's lock.
    pub(super) fn set_phase(&self, phase: Phase) -> Phase {
        Phase::of(self.phase.swap(phase as u8, Ordering::AcqRel))
    }

    pub(super) fn data(&self) -> Option<Arc<dyn Any + Send + Sync>> {
        self.data.get().cloned()
    }

    /// Sets the application's data, unless it is set already.
    pub(super) fn set_data(&self, data: Arc<dyn Any + Send + Sync>) {
        let _ = self.data.set(data);
    }

    /// Queues a task. True if a worker has to be started for it.
    pub(super) fn push_task(&self, task: Task) -> bool {
        let (waiting, is_started) = {
            let mut state = lock(&self.state);
            state.tasks.push_back(task);
            let waiting = state.waiting_worker.take();
            (waiting, mem::replace(&mut state.has_worker, true))
        };
        if let Some(worker) = waiting {
            worker.wake();
        }
        !is_started
    }

    /// The next task. When there is none, a worker that has open events waits for one, and any other ends:
    /// `None`.
    pub(super) fn poll_task(&self, cx: &Context<'_>, has_open: bool) -> Poll<Option<Task>> {
        let mut state = lock(&self.state);
        if let Some(task) = state.tasks.pop_front() {
            return Poll::Ready(Some(task));
        }
        if has_open {
            state.waiting_worker = Some(cx.waker().clone());
            return Poll::Pending;
        }
        state.has_worker = false;
        // An idle socket keeps no buffer.
        state.tasks = VecDeque::new();
        Poll::Ready(None)
    }

    /// A number that differs between sockets that exist at the same time.
    pub(super) fn address(&self) -> usize {
        std::ptr::from_ref(self).addr()
    }
}
