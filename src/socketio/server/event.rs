//! An event from a client, and the answer it may want.

use std::fmt;

use super::{Prepared, Socket};
use crate::{
    engine::SendError,
    packet::{Args, Encoded},
};

/// An event from a client.
#[derive(Debug)]
pub struct Event {
    /// Its name.
    pub name: String,
    /// What came with it.
    pub args: Args,
    /// The client waits for an answer.
    pub ack: Option<Responder>,
}

impl Event {
    /// Answers, if the client waits for an answer.
    pub fn acknowledge(&mut self, args: impl Into<Args>) {
        if let Some(ack) = self.ack.take() {
            // A client that is gone needs no answer.
            let _ = ack.send(args);
        }
    }
}

/// The right to answer one event, once.
pub struct Responder {
    socket: Socket,
    id: u64,
}

impl Responder {
    pub(super) fn new(socket: Socket, id: u64) -> Self {
        Self { socket, id }
    }

    /// Answers, whatever waits for the client already.
    ///
    /// # Errors
    /// [`SendError::Closed`] if the client is gone.
    pub fn send(self, args: impl Into<Args>) -> Result<(), SendError> {
        let namespace = self.socket.namespace();
        let encoded = Encoded::ack(namespace, self.id, &args.into());
        let session = self.socket.session();
        session.answer(Prepared::from(&encoded).frames())
    }

    /// The number of the event that is answered by other means.
    pub(super) fn into_id(self) -> u64 {
        self.id
    }
}

impl fmt::Debug for Responder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Responder").finish_non_exhaustive()
    }
}
