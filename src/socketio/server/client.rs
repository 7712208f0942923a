//! One connection as Socket.IO sees it: its packets, and its sockets in the namespaces it has joined.

use std::{
    mem,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    task::{Context, Poll, Waker},
};

use serde_json::{Map, Value};

use super::{
    event::{AckSender, Event},
    member::{Member, Owner, Phase},
    namespace::Disconnect,
    namespaces::Namespaces,
    prepared::Prepared,
    socket::Socket,
    task::Task,
};
use crate::{
    engine::{Application, Connection, DisconnectReason, Message, Revision, Session},
    packet::{Args, Decoder, Encoded, NamespaceName, Packet, Version},
    sync::lock,
};

/// How many namespaces one connection may join.
const MAX_NAMESPACES: usize = 100;

/// What a pending event counts in addition to its bytes.
const EVENT_OVERHEAD: usize = 128;

/// One connection as Socket.IO sees it.
struct Client {
    session: Arc<Session>,
    namespaces: Arc<Namespaces>,
    /// The size of all events that wait for a handler.
    pending: AtomicUsize,
    /// It has been in a namespace.
    has_joined: AtomicBool,
    state: Mutex<State>,
}

struct State {
    decoder: Decoder,
    /// The bytes so far of a packet whose attachments have not all arrived.
    received: usize,
    sockets: Vec<Socket>,
    /// Woken when more events may be read. There are two if a POST waits and the client upgrades to a
    /// WebSocket meanwhile.
    readers: Vec<Waker>,
    is_closed: bool,
}

/// The client has violated the protocol and is to be disconnected.
struct ProtocolViolation;

impl Client {
    fn new(session: Arc<Session>, namespaces: Arc<Namespaces>) -> Arc<Self> {
        let version = match session.revision() {
            Revision::V3 => Version::V4,
            Revision::V4 => Version::V5,
        };
        Arc::new(Self {
            session,
            namespaces,
            pending: AtomicUsize::new(0),
            has_joined: AtomicBool::new(false),
            state: Mutex::new(State {
                decoder: Decoder::new(version),
                received: 0,
                sockets: Vec::new(),
                readers: Vec::new(),
                is_closed: false,
            }),
        })
    }

    /// The client asks to join a namespace.
    fn connect(
        self: &Arc<Self>,
        name: &NamespaceName,
        auth: Option<Map<String, Value>>,
    ) -> Result<(), ProtocolViolation> {
        if self.find(name).is_some() {
            return Err(ProtocolViolation);
        }
        let Some(namespace) = self.namespaces.begin_connect(name) else {
            let version = lock(&self.state).decoder.version();
            let error = Encoded::connect_error(version, name, "Invalid namespace", None);
            // A client that is gone does not need it. One that does not read its outbox is not read
            // either, so there are not many of these.
            let _ = self.session.send_reply(Prepared::from(&error).frames());
            return Ok(());
        };
        let owner = Arc::clone(self) as Arc<dyn Owner>;
        let member = Member::new(&self.session, owner, auth);
        {
            let mut state = lock(&self.state);
            let sockets = &mut state.sockets;
            sockets.retain(|socket| socket.member.phase() != Phase::Disconnected);
            if state.is_closed || state.sockets.len() >= MAX_NAMESPACES {
                drop(state);
                namespace.end_connect();
                return Err(ProtocolViolation);
            }
            state.sockets.push(Socket {
                member: Arc::clone(&member),
                namespace: Arc::clone(&namespace),
            });
        }
        namespace.enqueue(&member, Task::Connect);
        Ok(())
    }

    /// The client's socket in a namespace.
    fn find(&self, name: &NamespaceName) -> Option<Socket> {
        let state = lock(&self.state);
        let mut sockets = state.sockets.iter();
        let is_it = |socket: &&Socket| {
            socket.namespace() == name && socket.member.phase() != Phase::Disconnected
        };
        sockets.find(is_it).cloned()
    }

    fn find_connected(&self, name: &NamespaceName) -> Result<Socket, ProtocolViolation> {
        self.find(name)
            .filter(|socket| socket.member.accepts_packets())
            .ok_or(ProtocolViolation)
    }

    fn decode(&self, message: Message<'_>) -> Result<Option<(Packet, usize)>, ProtocolViolation> {
        let mut state = lock(&self.state);
        let (decoded, length) = match message {
            Message::Text(text) => (state.decoder.text(text), text.len()),
            Message::Binary(bytes) => {
                let length = bytes.len();
                (state.decoder.binary(bytes), length)
            }
        };
        state.received += length;
        let packet = decoded.map_err(|error| {
            tracing::debug!(%error, "A client sent a malformed packet.");
            ProtocolViolation
        })?;
        Ok(packet.map(|packet| (packet, mem::take(&mut state.received))))
    }

    fn handle_packet(
        self: &Arc<Self>,
        packet: Packet,
        length: usize,
    ) -> Result<(), ProtocolViolation> {
        match packet {
            Packet::Connect { namespace, auth } => self.connect(&namespace, auth),
            Packet::Disconnect { namespace } => {
                let socket = self.find(&namespace).ok_or(ProtocolViolation)?;
                self.forget(&socket.member);
                let reason = DisconnectReason::ClientNamespaceDisconnect;
                socket.namespace.remove(&socket.member, reason);
                Ok(())
            }
            Packet::Event {
                namespace,
                id,
                name,
                args,
            } => self.handle_event(&namespace, id, name, args, length),
            Packet::Ack {
                namespace,
                id,
                args,
            } => {
                let socket = self.find_connected(&namespace)?;
                lock(&socket.member.state).acks.resolve(id, args);
                Ok(())
            }
        }
    }

    fn handle_event(
        &self,
        namespace: &NamespaceName,
        id: Option<u64>,
        name: String,
        args: Args,
        length: usize,
    ) -> Result<(), ProtocolViolation> {
        let Socket { member, namespace } = self.find_connected(namespace)?;
        let size = length + EVENT_OVERHEAD;
        self.pending.fetch_add(size, Ordering::SeqCst);
        let ack = id.map(|id| AckSender::new(&self.session, namespace.name(), id));
        namespace.enqueue(&member, Task::Event(Event { name, args, ack }, size));
        Ok(())
    }

    fn sockets(&self) -> Vec<Socket> {
        lock(&self.state).sockets.clone()
    }

    /// Whether more events may wait for handlers.
    fn has_capacity(&self) -> bool {
        self.pending.load(Ordering::SeqCst) <= self.namespaces.options.pending_bytes
    }
}

impl Owner for Client {
    fn note_joined(&self) {
        self.has_joined.store(true, Ordering::Relaxed);
    }

    fn event_handled(&self, size: usize) {
        if size == 0 {
            return;
        }
        let before = self.pending.fetch_sub(size, Ordering::SeqCst);
        let limit = self.namespaces.options.pending_bytes;
        if before > limit && before - size <= limit {
            let readers = mem::take(&mut lock(&self.state).readers);
            readers.into_iter().for_each(Waker::wake);
        }
    }

    fn forget(&self, member: &Member) {
        let address = member.address();
        let sockets = &mut lock(&self.state).sockets;
        sockets.retain(|socket| socket.member.address() != address);
    }

    fn disconnect_all(&self) {
        for socket in self.sockets() {
            socket.disconnect(Disconnect::Namespace);
        }
    }
}

/// The engine's view of a [`Client`], which needs a counted reference to itself.
struct EngineConnection(Arc<Client>);

impl Connection for EngineConnection {
    fn on_message(&self, message: Message<'_>) {
        let client = &self.0;
        let handled = client.decode(message).and_then(|decoded| match decoded {
            Some((packet, length)) => client.handle_packet(packet, length),
            None => Ok(()),
        });
        if handled.is_err() {
            client.session.close(DisconnectReason::ParseError);
        }
    }

    fn poll_ready(&self, cx: &mut Context<'_>) -> Poll<()> {
        let client = &self.0;
        if client.has_capacity() {
            return Poll::Ready(());
        }
        {
            let readers = &mut lock(&client.state).readers;
            if !readers.iter().any(|reader| reader.will_wake(cx.waker())) {
                readers.push(cx.waker().clone());
            }
        }
        // A handler may have finished before the waker was registered.
        if client.has_capacity() {
            return Poll::Ready(());
        }
        Poll::Pending
    }

    fn on_drain(&self) {
        for Socket { member, namespace } in self.0.sockets() {
            if member.phase() == Phase::Connected {
                namespace.enqueue(&member, Task::Drain);
            }
        }
    }

    fn on_timer(&self) {
        if !self.0.has_joined.load(Ordering::Relaxed) {
            let session = &self.0.session;
            session.close(DisconnectReason::ForcedServerClose);
        }
    }

    fn on_close(&self, reason: DisconnectReason) {
        let (sockets, readers) = {
            let mut state = lock(&self.0.state);
            state.is_closed = true;
            (mem::take(&mut state.sockets), mem::take(&mut state.readers))
        };
        readers.into_iter().for_each(Waker::wake);
        for Socket { member, namespace } in sockets {
            namespace.remove(&member, reason);
        }
    }
}

/// Makes a [`Client`] for each session of the engine.
pub(super) struct EngineApplication(pub(super) Arc<Namespaces>);

impl Application for EngineApplication {
    fn open(&self, session: Arc<Session>) -> Arc<dyn Connection> {
        let client = Client::new(Arc::clone(&session), Arc::clone(&self.0));
        match session.revision() {
            Revision::V3 => {
                // In revision 4 of Socket.IO every client is in the main namespace from the start. The
                // client has no socket yet, so this cannot fail.
                let _ = client.connect(&NamespaceName::MAIN, None);
            }
            Revision::V4 => session.set_timer(self.0.options.connect_timeout),
        }
        Arc::new(EngineConnection(client))
    }
}

#[cfg(test)]
mod tests;
