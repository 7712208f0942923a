//! An event from a client, and the acknowledgement it may want.

use std::{fmt, sync::Arc};

use super::prepared::Prepared;
use crate::{
    engine::{SendError, Session},
    packet::{Args, Encoded, NamespaceName},
};

/// An event from a client.
#[derive(Debug)]
pub struct Event {
    /// The event's name.
    pub name: String,
    /// The event's arguments.
    pub args: Args,
    /// Set if the client wants an acknowledgement.
    pub ack: Option<AckSender>,
}

impl Event {
    /// Acknowledges the event, if the client wants it and it has not been done.
    pub fn acknowledge(&mut self, args: impl Into<Args>) {
        if let Some(ack) = self.ack.take() {
            // A client that is gone needs no acknowledgement.
            let _ = ack.send(args);
        }
    }
}

/// Acknowledges one event, once.
pub struct AckSender {
    session: Arc<Session>,
    namespace: NamespaceName,
    id: u64,
}

impl AckSender {
    pub(super) fn new(session: &Arc<Session>, namespace: &NamespaceName, id: u64) -> Self {
        Self {
            session: Arc::clone(session),
            namespace: namespace.clone(),
            id,
        }
    }

    /// Sends the acknowledgement. It is not subject to the outbox's limit.
    ///
    /// # Errors
    /// [`SendError::Closed`] if the client is gone.
    pub fn send(self, args: impl Into<Args>) -> Result<(), SendError> {
        let encoded = Encoded::ack(&self.namespace, self.id, &args.into());
        self.session.send_reply(Prepared::from(&encoded).frames())
    }

    /// The id of the event. The caller sends the acknowledgement by other means.
    pub(super) fn into_id(self) -> u64 {
        self.id
    }
}

impl fmt::Debug for AckSender {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AckSender").finish_non_exhaustive()
    }
}
