//! What a dialect's session can do with its socket.

use parlance_socketio::{
    engine::DisconnectReason,
    packet::NamespaceName,
    server::{Disconnect, Prepared, Socket, WeakSocket},
};

use super::connection::ConnectionState;
use crate::dialect::{OutgoingEvent, Recipients, Transport};

/// A socket as a dialect's transport.
pub(super) struct SocketTransport {
    /// Weak, because the socket owns the session that has this.
    socket: WeakSocket,
}

impl SocketTransport {
    pub(super) fn new(socket: &Socket) -> Self {
        Self {
            socket: socket.downgrade(),
        }
    }
}

impl Transport for SocketTransport {
    fn id(&self) -> String {
        self.socket
            .upgrade()
            .map(|socket| socket.id().as_str().to_owned())
            .unwrap_or_default()
    }

    fn join(&self, room: &str) {
        if let Some(socket) = self.socket.upgrade() {
            socket.join(room);
        }
    }

    fn leave(&self, room: &str) {
        if let Some(socket) = self.socket.upgrade() {
            socket.leave(room);
        }
    }

    fn tell(&self, room: &str, recipients: Recipients, outgoing: &OutgoingEvent) {
        let Some(socket) = self.socket.upgrade() else {
            return;
        };
        // Not compared by id: a recovered socket has the id of the lost one, and gets the event.
        let others = socket.within(room).sockets().into_iter();
        let others = others.filter(|other| !other.ptr_eq(&socket));
        let session = (recipients == Recipients::All).then(|| socket.clone());
        emit(others.chain(session), outgoing);
    }

    fn end(&self) {
        if let Some(socket) = self.socket.upgrade() {
            socket.disconnect(Disconnect::Connection);
        }
    }

    fn close(&self) {
        if let Some(socket) = self.socket.upgrade() {
            socket.session().close(DisconnectReason::ForcedServerClose);
        }
    }
}

/// Sends an event that is in no log to some sockets. It is dropped for one whose outbox is full: the next join or leave
/// sends everybody present again.
pub(super) fn emit(sockets: impl Iterator<Item = Socket>, outgoing: &OutgoingEvent) {
    let data = outgoing.data.to_json();
    let event =
        |offset: Option<&str>| Prepared::json(&NamespaceName::MAIN, &outgoing.name, &data, offset);
    let shared = event(None);
    for socket in sockets {
        let connection = socket.data::<ConnectionState>();
        let _ = match connection.as_deref().and_then(ConnectionState::recovery) {
            Some(recovery) => recovery.repeat(|offset| socket.try_emit(&event(offset.as_deref()))),
            None => socket.try_emit(&shared),
        };
    }
}
