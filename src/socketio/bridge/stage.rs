//! What a speaker can do on its socket.

use crate::{
    dialect::{Emission, Stage, Whom},
    socketio::server::{Disconnect, Socket},
};

/// A socket as a dialect sees it.
pub(super) struct SocketStage(Weak);

/// A socket keeps its life, so its life must not keep the socket.
type Weak = crate::socketio::server::WeakSocket;

impl SocketStage {
    pub(super) fn new(socket: &Socket) -> Self {
        Self(socket.downgrade())
    }
}

impl Stage for SocketStage {
    fn id(&self) -> String {
        self.0
            .upgrade()
            .map(|socket| socket.id().as_str().to_owned())
            .unwrap_or_default()
    }

    fn join(&self, room: &str) {
        if let Some(socket) = self.0.upgrade() {
            socket.join(room);
        }
    }

    fn leave(&self, room: &str) {
        if let Some(socket) = self.0.upgrade() {
            socket.leave(room);
        }
    }

    fn tell(&self, room: &str, whom: Whom, emission: &Emission) {
        let Some(socket) = self.0.upgrade() else {
            return;
        };
        let others = socket.to(room);
        others.emit(&emission.name, emission.data.clone());
        if whom == Whom::All {
            // Whoever is gone meanwhile misses nothing.
            let _ = socket.emit(&emission.name, emission.data.clone());
        }
    }

    fn close(&self) {
        if let Some(socket) = self.0.upgrade() {
            socket.disconnect(Disconnect::Connection);
        }
    }
}
