//! One client in one namespace.

use std::{
    any::Any,
    collections::VecDeque,
    fmt,
    sync::{
        Arc, Mutex, OnceLock, Weak,
        atomic::{AtomicBool, AtomicU8, Ordering},
    },
    time::Duration,
};

use serde_json::{Map, Value};

use super::{
    AckError, Broadcast, Overflow, Prepared, SocketId, ack::Open, client::Client, hub::Hub, lock,
    task_queue::TaskQueue,
};
use crate::{
    engine::{Handshake, Reason, SendError, Session},
    packet::{Args, Encoded, Namespace},
};

/// One client in one namespace. Clones are the same socket.
#[derive(Clone)]
pub struct Socket(pub(super) Arc<Inner>);

/// What a socket is made of.
pub(super) struct Inner {
    pub(super) hub: Arc<Hub>,
    pub(super) client: Arc<Client>,
    pub(super) state: Mutex<State>,
    first_id: SocketId,
    restored_id: OnceLock<Box<SocketId>>,
    auth: Option<Box<Map<String, Value>>>,
    data: OnceLock<Arc<dyn Any + Send + Sync>>,
    phase: AtomicU8,
    pub(super) recovered: AtomicBool,
}

/// What changes in a socket's life.
#[derive(Default)]
pub(super) struct State {
    pub(super) work: VecDeque<TaskQueue>,
    /// A task is at work.
    pub(super) busy: bool,
    pub(super) acks: Open,
    pub(super) rooms: Vec<Arc<str>>,
    pub(super) pid: Option<Box<str>>,
}

/// How far a socket's life has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum Phase {
    Asking,
    In,
    Gone,
}

impl Phase {
    fn of(byte: u8) -> Self {
        match byte {
            0 => Self::Asking,
            1 => Self::In,
            _ => Self::Gone,
        }
    }
}

impl Socket {
    pub(super) fn new(
        hub: Arc<Hub>,
        client: Arc<Client>,
        auth: Option<Map<String, Value>>,
    ) -> Self {
        Self(Arc::new(Inner {
            hub,
            client,
            state: Mutex::default(),
            first_id: SocketId::random(),
            restored_id: OnceLock::new(),
            auth: auth.map(Box::new),
            data: OnceLock::new(),
            phase: AtomicU8::new(Phase::Asking as u8),
            recovered: AtomicBool::new(false),
        }))
    }

    /// The public id, which may be shown to others.
    pub fn id(&self) -> &SocketId {
        self.0.restored_id.get().map_or(&self.0.first_id, |id| id)
    }

    pub(super) fn restore_id(&self, id: SocketId) {
        // It is set once, when the socket is let in.
        let _ = self.0.restored_id.set(Box::new(id));
    }

    /// The namespace it is in.
    pub fn namespace(&self) -> &Namespace {
        self.0.hub.name()
    }

    /// The request that opened the connection.
    pub fn handshake(&self) -> &Handshake {
        self.session().handshake()
    }

    /// What the client showed to be let in.
    pub fn auth(&self) -> Option<&Map<String, Value>> {
        self.0.auth.as_deref()
    }

    /// The connection under it, which other namespaces may share.
    pub fn session(&self) -> &Arc<Session> {
        self.0.client.session()
    }

    /// Whether it is in the namespace: let in, and not gone.
    pub fn is_connected(&self) -> bool {
        self.phase() == Phase::In
    }

    /// Whether it came back with its ids, rooms and what it missed.
    pub fn is_recovered(&self) -> bool {
        self.0.recovered.load(Ordering::Relaxed)
    }

    pub(super) fn phase(&self) -> Phase {
        Phase::of(self.0.phase.load(Ordering::Acquire))
    }

    /// Changes the phase and returns the one before. Made under the hub's lock.
    pub(super) fn enter(&self, phase: Phase) -> Phase {
        Phase::of(self.0.phase.swap(phase as u8, Ordering::AcqRel))
    }

    /// Keeps something of the application's with the socket; the first one stays.
    pub fn set_data<T: Any + Send + Sync>(&self, data: T) {
        let _ = self.0.data.set(Arc::new(data));
    }

    /// What [`Socket::set_data`] was given, if it was of this type.
    pub fn data<T: Any + Send + Sync>(&self) -> Option<Arc<T>> {
        self.0.data.get()?.clone().downcast().ok()
    }

    pub(super) fn data_any(&self) -> Option<Arc<dyn Any + Send + Sync>> {
        self.0.data.get().cloned()
    }

    pub(super) fn set_data_any(&self, data: Arc<dyn Any + Send + Sync>) {
        let _ = self.0.data.set(data);
    }

    /// Sends an event. If too much waits already, it does what [`Overflow`] says.
    pub fn emit(&self, name: &str, args: impl Into<Args>) -> Result<(), SendError> {
        if !self.is_connected() {
            return Err(SendError::Closed);
        }
        if self.0.hub.remembers() {
            let to_self = Broadcast::all(&self.0.hub).to(self.id().as_str());
            to_self.emit(name, args);
            return Ok(());
        }
        self.send_or_close(&Encoded::event(self.namespace(), None, name, &args.into()))
    }

    /// Sends an event if the client can take it at once, and forgets it if not.
    pub fn emit_volatile(&self, name: &str, args: impl Into<Args>) {
        if self.is_connected() && self.session().is_idle() {
            let encoded = Encoded::event(self.namespace(), None, name, &args.into());
            // Forgotten is what it is meant to be.
            let _ = self.session().send(Prepared::from(&encoded).frames());
        }
    }

    /// Sends an event and waits for the client's answer. Asked from within the same socket's handler,
    /// the answer still comes: answers do not wait their turn behind events.
    pub async fn emit_with_ack(
        &self,
        name: &str,
        args: impl Into<Args>,
        timeout: Duration,
    ) -> Result<Args, AckError> {
        if !self.is_connected() {
            return Err(AckError::Disconnected);
        }
        let id = self.0.hub.next_ack_id();
        let encoded = Encoded::event(self.namespace(), Some(id), name, &args.into());
        let answered = lock(&self.0.state).acks.ask(id);
        let _question = Question { socket: self, id };
        self.send_or_close(&encoded).map_err(AckError::SendError)?;
        match tokio::time::timeout(timeout, answered).await {
            Ok(Ok(args)) => Ok(args),
            Ok(Err(_)) => Err(AckError::Disconnected),
            Err(_) => Err(AckError::Timeout),
        }
    }

    /// Sends a ready-made event. If it would be too much, nothing is queued and the handler hears
    /// [`Handler::drained`](super::Handler::drained) once all that waits has been sent.
    pub fn try_emit(&self, event: &Prepared) -> Result<(), SendError> {
        if !self.is_connected() {
            return Err(SendError::Closed);
        }
        self.session().send(event.frames())
    }

    /// Sends a packet, and closes the connection if too much waits and the options say so.
    pub(super) fn send_or_close(&self, encoded: &Encoded) -> Result<(), SendError> {
        let sent = self.session().send(Prepared::from(encoded).frames());
        if sent == Err(SendError::Full) && self.0.hub.overflow() == Overflow::Close {
            self.session().close(Reason::ForcedServerClose);
        }
        sent
    }

    /// Joins a room of the namespace.
    pub fn join(&self, room: &str) {
        self.0.hub.join(self, room);
    }

    /// Leaves a room.
    pub fn leave(&self, room: &str) {
        self.0.hub.leave(self, room);
    }

    /// The rooms it is in, or was in when it left.
    pub fn rooms(&self) -> Vec<Arc<str>> {
        lock(&self.0.state).rooms.clone()
    }

    /// Everybody in the namespace, the socket itself too.
    pub fn everyone(&self) -> Broadcast {
        Broadcast::all(&self.0.hub)
    }

    /// Everybody else in the namespace.
    pub fn broadcast(&self) -> Broadcast {
        Broadcast::all(&self.0.hub).without(self)
    }

    /// Everybody else in a room.
    pub fn to(&self, room: impl Into<String>) -> Broadcast {
        self.broadcast().to(room)
    }

    /// Puts it out of the namespace, or closes the whole connection.
    pub fn disconnect(&self, how: Disconnect) {
        match how {
            Disconnect::Namespace => self.0.client.put_out(self),
            Disconnect::Connection => {
                self.0.client.put_all_out();
                self.session().close(Reason::ForcedServerClose);
            }
        }
    }

    /// A handle that does not keep the socket.
    pub fn downgrade(&self) -> WeakSocket {
        WeakSocket(Arc::downgrade(&self.0))
    }

    /// Whether two handles are the same socket. One that came back has the id of the one that was
    /// lost, and is another.
    pub fn is(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }

    /// Something to tell apart sockets by.
    pub(super) fn address(&self) -> usize {
        Arc::as_ptr(&self.0).addr()
    }
}

/// A handle that does not keep its socket, for what the socket itself keeps.
#[derive(Clone)]
pub struct WeakSocket(Weak<Inner>);

impl WeakSocket {
    /// The socket, while anybody keeps it.
    pub fn upgrade(&self) -> Option<Socket> {
        self.0.upgrade().map(Socket)
    }
}

/// What [`Socket::disconnect`] ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Disconnect {
    /// The socket only; the client may stay in other namespaces.
    Namespace,
    /// The connection, with all its namespaces.
    Connection,
}

/// A question that waits for its answer; forgotten however the waiting ends.
struct Question<'s> {
    socket: &'s Socket,
    id: u64,
}

impl Drop for Question<'_> {
    fn drop(&mut self) {
        lock(&self.socket.0.state).acks.take(self.id);
    }
}

impl fmt::Debug for Socket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Socket")
            .field("id", self.id())
            .field("namespace", self.namespace())
            .field("phase", &self.phase())
            .finish_non_exhaustive()
    }
}
