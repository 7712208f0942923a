//! One client in one namespace, as applications see it.

use std::{
    any::Any,
    fmt,
    sync::{Arc, Weak},
    time::Duration,
};

use serde_json::{Map, Value};

use super::{
    ack::AckError,
    broadcast::BroadcastOperator,
    id::SocketId,
    member::{Member, Phase},
    namespace::{Disconnect, Namespace},
    options::Overflow,
    prepared::Prepared,
};
use crate::{
    engine::{DisconnectReason, Handshake, SendError, Session},
    packet::{Args, Encoded, NamespaceName},
    sync::lock,
};

/// One client in one namespace. Clones are the same socket.
#[derive(Clone)]
pub struct Socket {
    pub(super) member: Arc<Member>,
    pub(super) namespace: Arc<Namespace>,
}

impl Socket {
    /// The public id. It may be shown to other clients.
    pub fn id(&self) -> &SocketId {
        self.member.id()
    }

    /// The name of its namespace.
    pub fn namespace(&self) -> &NamespaceName {
        self.namespace.name()
    }

    /// The request that opened the connection.
    pub fn handshake(&self) -> &Handshake {
        self.session().handshake()
    }

    /// The auth data that the client sent with its `CONNECT` packet.
    pub fn auth(&self) -> Option<&Map<String, Value>> {
        self.member.auth()
    }

    /// The connection below, which the client's sockets in other namespaces share.
    pub fn session(&self) -> &Arc<Session> {
        self.member.session()
    }

    /// Whether it is in the namespace: admitted, and not disconnected since.
    pub fn is_connected(&self) -> bool {
        self.member.phase() == Phase::Connected
    }

    /// Whether it was recovered: with its id and rooms, and with the events that it had missed.
    pub fn is_recovered(&self) -> bool {
        self.member.is_recovered()
    }

    /// Stores data of the application with the socket. Only the first call has an effect.
    pub fn set_data<T: Any + Send + Sync>(&self, data: T) {
        self.member.set_data(Arc::new(data));
    }

    /// The data stored by [`Socket::set_data`], if it has this type.
    pub fn data<T: Any + Send + Sync>(&self) -> Option<Arc<T>> {
        self.member.data()?.downcast().ok()
    }

    /// Emits an event. If the outbox is full, the connection is handled as [`Overflow`] says.
    pub fn emit(&self, name: &str, args: impl Into<Args>) -> Result<(), SendError> {
        if !self.is_connected() {
            return Err(SendError::Closed);
        }
        if self.namespace.keeps_events() {
            self.all().to(self.id().as_str()).emit(name, args);
            return Ok(());
        }
        self.send_or_close(&Encoded::event(self.namespace(), None, name, &args.into()))
    }

    /// Emits an event if it can be written at once, and drops it otherwise.
    pub fn emit_volatile(&self, name: &str, args: impl Into<Args>) {
        if self.is_connected() && self.session().is_writable() {
            let encoded = Encoded::event(self.namespace(), None, name, &args.into());
            // A volatile event may be lost.
            let _ = self.session().send(Prepared::from(&encoded).frames());
        }
    }

    /// Emits an event, and waits for the client's acknowledgement. It may be awaited inside a handler of
    /// the same socket, because acknowledgements do not queue behind events.
    pub async fn emit_with_ack(
        &self,
        name: &str,
        args: impl Into<Args>,
        timeout: Duration,
    ) -> Result<Args, AckError> {
        if !self.is_connected() {
            return Err(AckError::Disconnected);
        }
        let id = self.namespace.next_ack_id();
        let encoded = Encoded::event(self.namespace(), Some(id), name, &args.into());
        let ack = lock(&self.member.state).acks.register(id);
        let _pending = PendingAck { socket: self, id };
        self.send_or_close(&encoded).map_err(AckError::SendError)?;
        match tokio::time::timeout(timeout, ack).await {
            Ok(Ok(args)) => Ok(args),
            Ok(Err(_)) => Err(AckError::Disconnected),
            Err(_) => Err(AckError::Timeout),
        }
    }

    /// Emits an event that is encoded already. If the outbox is full, nothing is queued, the connection
    /// stays open, and [`Handler::on_drain`](super::Handler::on_drain) is called once it is empty.
    pub fn try_emit(&self, event: &Prepared) -> Result<(), SendError> {
        if !self.is_connected() {
            return Err(SendError::Closed);
        }
        self.session().send(event.frames())
    }

    /// Sends a packet, and closes the connection if the outbox is full and the options say so.
    fn send_or_close(&self, encoded: &Encoded) -> Result<(), SendError> {
        let sent = self.session().send(Prepared::from(encoded).frames());
        if sent == Err(SendError::Full) && self.namespace.overflow() == Overflow::Close {
            self.session().close(DisconnectReason::ForcedServerClose);
        }
        sent
    }

    /// Joins a room of the namespace.
    pub fn join(&self, room: &str) {
        self.namespace.join(&self.member, room);
    }

    /// Leaves a room.
    pub fn leave(&self, room: &str) {
        self.namespace.leave(&self.member, room);
    }

    /// The rooms it is in. After a disconnect these are the rooms that it was in.
    pub fn rooms(&self) -> Vec<Arc<str>> {
        lock(&self.member.state).rooms.clone()
    }

    /// All sockets of the namespace, this one included.
    pub fn all(&self) -> BroadcastOperator {
        BroadcastOperator::all(&self.namespace)
    }

    /// All sockets of the namespace but this one.
    pub fn broadcast(&self) -> BroadcastOperator {
        self.all().except_socket(*self.id())
    }

    /// The sockets in a room but this one.
    pub fn to(&self, room: impl Into<String>) -> BroadcastOperator {
        self.broadcast().to(room)
    }

    /// The sockets in a room, this one included.
    pub fn within(&self, room: impl Into<String>) -> BroadcastOperator {
        self.all().to(room)
    }

    /// Disconnects the socket from its namespace, or closes the whole connection.
    pub fn disconnect(&self, how: Disconnect) {
        self.namespace.disconnect(&self.member, how);
    }

    /// A handle that does not keep the socket alive.
    pub fn downgrade(&self) -> WeakSocket {
        WeakSocket {
            member: Arc::downgrade(&self.member),
            namespace: Arc::downgrade(&self.namespace),
        }
    }

    /// Whether two handles are the same socket. A recovered socket has the id of the lost one, and is
    /// another socket.
    pub fn ptr_eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.member, &other.member)
    }
}

impl BroadcastOperator {
    /// The selected sockets at this moment.
    pub fn sockets(&self) -> Vec<Socket> {
        let members = self.namespace.members_of(&self.target).into_iter();
        let socket = |member| Socket {
            member,
            namespace: Arc::clone(&self.namespace),
        };
        members.map(socket).collect()
    }
}

/// A handle that does not keep its socket alive, for data that is stored with the socket itself.
#[derive(Clone)]
pub struct WeakSocket {
    member: Weak<Member>,
    namespace: Weak<Namespace>,
}

impl WeakSocket {
    /// The socket, if it still exists.
    pub fn upgrade(&self) -> Option<Socket> {
        Some(Socket {
            member: self.member.upgrade()?,
            namespace: self.namespace.upgrade()?,
        })
    }
}

/// Removes a pending acknowledgement, however the wait for it ends.
struct PendingAck<'s> {
    socket: &'s Socket,
    id: u64,
}

impl Drop for PendingAck<'_> {
    fn drop(&mut self) {
        lock(&self.socket.member.state).acks.remove(self.id);
    }
}

impl fmt::Debug for Socket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Socket")
            .field("id", self.id())
            .field("namespace", self.namespace())
            .field("phase", &self.member.phase())
            .finish_non_exhaustive()
    }
}
