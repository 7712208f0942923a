//! What a client is answered: events and the acknowledgement, sent together.

use bytes::Bytes;
use serde_json::Value;

use super::{Prepared, Responder, Socket};
use crate::{
    engine::{Body, Frame, SendError},
    packet::{Args, Around, Encoded},
};

/// What a client is answered. What several of its packets say is written down once ([`Reply::event`],
/// [`Reply::acknowledge`]), waits once and counts once; and since the client asked for it, it is sent
/// whatever waits already: handlers are not called while the outbox is full.
///
/// It is not kept for clients that come back.
pub struct Reply<'s> {
    socket: &'s Socket,
    data: &'s Value,
    written: Option<Bytes>,
    frames: Vec<Frame>,
}

impl<'s> Reply<'s> {
    /// A reply to that socket, of which most packets say `data`.
    pub fn new(socket: &'s Socket, data: &'s Value) -> Self {
        Self {
            socket,
            data,
            written: None,
            frames: Vec::new(),
        }
    }

    /// An event that says the data, and `more` after it.
    pub fn event(&mut self, name: &str, more: Option<&str>) {
        let around = Around::event(self.socket.namespace(), name, more);
        self.push(&around);
    }

    /// An event that says something else.
    pub fn other(&mut self, name: &str, args: impl Into<Args>) {
        let encoded = Encoded::event(self.socket.namespace(), None, name, &args.into());
        let prepared = Prepared::from(&encoded);
        self.frames.extend_from_slice(prepared.frames());
    }

    /// The acknowledgement, which says the data.
    pub fn acknowledge(&mut self, ack: Responder) {
        let around = Around::ack(self.socket.namespace(), ack.into_id());
        self.push(&around);
    }

    fn push(&mut self, around: &Around) {
        let whose = match self.written {
            None => Body::Own,
            Some(_) => Body::Borrowed,
        };
        let body = self.written.get_or_insert_with(|| {
            let json = serde_json::to_vec(self.data);
            json.expect("a value is JSON, and a Vec takes every byte")
                .into()
        });
        let frame = Frame::around(&around.start, (body, whose), &around.end);
        self.frames.push(frame);
    }

    /// Sends it all, with nothing between.
    ///
    /// # Errors
    /// [`SendError::Closed`] if the client is gone.
    pub fn send(self) -> Result<(), SendError> {
        if self.frames.is_empty() {
            return Ok(());
        }
        self.socket.session().answer(&self.frames)
    }
}
