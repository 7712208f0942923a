//! One connection as Socket.IO sees it: the packets on it and the sockets they are for.

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
    Event, Prepared, Refusal, Socket, event::Responder, lock, server::Server, socket::Phase,
    task_queue::TaskQueue,
};
use crate::{
    engine::{Connection, Message, Reason, Revision, Session},
    packet::{Args, Decoder, Encoded, Namespace, Packet, Version},
};

/// How many namespaces one connection may be in.
const MAX_SOCKETS: usize = 100;

/// What an event weighs beside its bytes.
const EVENT_WEIGHT: usize = 128;

/// One connection as Socket.IO sees it.
pub(super) struct Client {
    session: Arc<Session>,
    server: Arc<Server>,
    /// The weight of all events that wait for a handler.
    pending: AtomicUsize,
    /// It has been in a namespace.
    has_joined: AtomicBool,
    state: Mutex<State>,
}

struct State {
    decoder: Decoder,
    /// Bytes of a packet that is still short of attachments.
    gathered: usize,
    sockets: Vec<Socket>,
    /// Read on from the client once there is room for more events. There are two for a while when a
    /// POST has to wait and the client steps up to a WebSocket meanwhile.
    readers: Vec<Waker>,
    over: bool,
}

/// The client broke the rules and is to be disconnected.
struct ProtocolViolation;

impl Client {
    pub(super) fn new(session: Arc<Session>, server: Arc<Server>) -> Arc<Self> {
        let version = match session.revision() {
            Revision::V3 => Version::V4,
            Revision::V4 => Version::V5,
        };
        Arc::new(Self {
            session,
            server,
            pending: AtomicUsize::new(0),
            has_joined: AtomicBool::new(false),
            state: Mutex::new(State {
                decoder: Decoder::new(version),
                gathered: 0,
                sockets: Vec::new(),
                readers: Vec::new(),
                over: false,
            }),
        })
    }

    pub(super) fn session(&self) -> &Arc<Session> {
        &self.session
    }

    /// The revision of Socket.IO that the client speaks.
    pub(super) fn version(&self) -> Version {
        match self.session.revision() {
            Revision::V3 => Version::V4,
            Revision::V4 => Version::V5,
        }
    }

    /// The client is in a namespace, so it need not hurry to join another.
    pub(super) fn note_joined(&self) {
        self.has_joined.store(true, Ordering::Relaxed);
    }

    /// The client asks to join a namespace.
    pub(super) fn connect(
        self: &Arc<Self>,
        namespace: &Namespace,
        auth: Option<Map<String, Value>>,
    ) -> bool {
        if self.find(namespace).is_some() {
            return false;
        }
        let Some(hub) = self.server.hub(namespace) else {
            self.send(&Encoded::connect_error(
                self.version(),
                namespace,
                "Invalid namespace",
                None,
            ));
            return true;
        };
        let socket = Socket::new(Arc::clone(&hub), Arc::clone(self), auth);
        {
            let mut state = lock(&self.state);
            if state.over || state.sockets.len() >= MAX_SOCKETS {
                drop(state);
                hub.asked();
                return false;
            }
            state.sockets.push(socket.clone());
        }
        socket.give(TaskQueue::Ask);
        true
    }

    fn find(&self, namespace: &Namespace) -> Option<Socket> {
        let state = lock(&self.state);
        let mut sockets = state.sockets.iter();
        sockets.find(|s| s.namespace() == namespace).cloned()
    }

    fn forget(&self, socket: &Socket) -> bool {
        let mut state = lock(&self.state);
        let before = state.sockets.len();
        state.sockets.retain(|other| !other.is(socket));
        state.sockets.len() < before
    }

    fn send(&self, encoded: &Encoded) {
        // A client that is gone needs no telling. One that does not read is not read either, so not
        // many of these can wait.
        let _ = self.session.answer(Prepared::from(encoded).frames());
    }

    /// The client is not let into the namespace.
    pub(super) fn refuse(&self, socket: &Socket, refusal: &Refusal) {
        if self.forget(socket) {
            socket.enter(Phase::Gone);
            self.send(&Encoded::connect_error(
                self.version(),
                socket.namespace(),
                &refusal.message,
                refusal.data.as_ref(),
            ));
        }
    }

    /// Puts a socket out of its namespace.
    pub(super) fn put_out(&self, socket: &Socket) {
        if self.forget(socket) {
            self.send(&Encoded::disconnect(socket.namespace()));
            socket
                .0
                .hub
                .remove(socket, Reason::ServerNamespaceDisconnect);
        }
    }

    /// Puts all sockets of the connection out of their namespaces.
    pub(super) fn put_all_out(&self) {
        let sockets = lock(&self.state).sockets.clone();
        for socket in sockets {
            self.put_out(&socket);
        }
    }

    /// A handler has done with events of that weight.
    pub(super) fn worked_off(&self, weight: usize) {
        if weight == 0 {
            return;
        }
        let before = self.pending.fetch_sub(weight, Ordering::SeqCst);
        let limit = self.server.options.pending_bytes;
        if before > limit && before - weight <= limit {
            let readers = mem::take(&mut lock(&self.state).readers);
            readers.into_iter().for_each(Waker::wake);
        }
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
        state.gathered += length;
        let packet = decoded.map_err(|error| {
            tracing::debug!(%error, "A client sent what is no packet.");
            ProtocolViolation
        })?;
        Ok(packet.map(|packet| (packet, mem::take(&mut state.gathered))))
    }

    fn handle_packet(
        self: &Arc<Self>,
        packet: Packet,
        length: usize,
    ) -> Result<(), ProtocolViolation> {
        match packet {
            Packet::Connect { namespace, auth } => {
                let obeyed = self.connect(&namespace, auth);
                return obeyed.then_some(()).ok_or(ProtocolViolation);
            }
            Packet::Disconnect { namespace } => {
                let socket = self.find(&namespace).ok_or(ProtocolViolation)?;
                self.forget(&socket);
                socket
                    .0
                    .hub
                    .remove(&socket, Reason::ClientNamespaceDisconnect);
            }
            Packet::Event {
                namespace,
                id,
                name,
                args,
            } => self.hear(&namespace, id, name, args, length)?,
            Packet::Ack {
                namespace,
                id,
                args,
            } => {
                let socket = self.joined(&namespace)?;
                lock(&socket.0.state).acks.answer(id, args);
            }
        }
        Ok(())
    }

    fn hear(
        &self,
        namespace: &Namespace,
        id: Option<u64>,
        name: String,
        args: Args,
        length: usize,
    ) -> Result<(), ProtocolViolation> {
        let socket = self.joined(namespace)?;
        let weight = length + EVENT_WEIGHT;
        self.pending.fetch_add(weight, Ordering::SeqCst);
        let ack = id.map(|id| Responder::new(socket.clone(), id));
        socket.give(TaskQueue::Event(Event { name, args, ack }, weight));
        Ok(())
    }

    fn joined(&self, namespace: &Namespace) -> Result<Socket, ProtocolViolation> {
        self.find(namespace)
            .filter(Socket::is_connected)
            .ok_or(ProtocolViolation)
    }
}

/// A client as the engine's connection. The engine's functions need the client's own handle.
pub(super) struct EngineConnection(pub(super) Arc<Client>);

impl Connection for EngineConnection {
    fn message(&self, message: Message<'_>) {
        let client = &self.0;
        let obeyed = match client.decode(message) {
            Ok(Some((packet, length))) => client.handle_packet(packet, length),
            Ok(None) => Ok(()),
            Err(offence) => Err(offence),
        };
        if obeyed.is_err() {
            client.session.close(Reason::ParseError);
        }
    }

    fn poll_ready(&self, cx: &mut Context<'_>) -> Poll<()> {
        let client = &self.0;
        let limit = client.server.options.pending_bytes;
        if client.pending.load(Ordering::SeqCst) <= limit {
            return Poll::Ready(());
        }
        {
            let readers = &mut lock(&client.state).readers;
            if !readers.iter().any(|reader| reader.will_wake(cx.waker())) {
                readers.push(cx.waker().clone());
            }
        }
        if client.pending.load(Ordering::SeqCst) <= limit {
            return Poll::Ready(());
        }
        Poll::Pending
    }

    fn drained(&self) {
        let sockets = lock(&self.0.state).sockets.clone();
        for socket in sockets.iter().filter(|socket| socket.is_connected()) {
            socket.give(TaskQueue::Drained);
        }
    }

    fn reminded(&self) {
        if !self.0.has_joined.load(Ordering::Relaxed) {
            self.0.session.close(Reason::ForcedServerClose);
        }
    }

    fn closed(&self, reason: Reason) {
        let (sockets, readers) = {
            let mut state = lock(&self.0.state);
            state.over = true;
            (mem::take(&mut state.sockets), mem::take(&mut state.readers))
        };
        readers.into_iter().for_each(Waker::wake);
        for socket in sockets {
            socket.0.hub.remove(&socket, reason);
        }
    }
}
