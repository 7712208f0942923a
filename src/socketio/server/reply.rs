//! A reply of several packets that share one JSON value, sent together.

use bytes::Bytes;
use serde_json::Value;

use super::{event::AckSender, prepared::Prepared, socket::Socket};
use crate::{
    engine::{Body, Frame, SendError},
    packet::{Args, Around, Encoded},
};

/// A reply to a client's event: events and an acknowledgement, most of which carry the same value. The
/// value is serialized once, is in the outbox once, and counts once. A reply is not subject to the
/// outbox's limit, because the handler is called only while the outbox is below it.
///
/// It is not kept for recovery.
pub struct Reply<'s> {
    socket: &'s Socket,
    data: &'s Value,
    body: Option<Bytes>,
    frames: Vec<Frame>,
}

impl<'s> Reply<'s> {
    /// A reply to that socket with `data` as the shared value.
    pub fn new(socket: &'s Socket, data: &'s Value) -> Self {
        Self {
            socket,
            data,
            body: None,
            frames: Vec::new(),
        }
    }

    /// Adds an event with the shared value as its argument, and `more`, which is JSON, after it.
    pub fn event(&mut self, name: &str, more: Option<&str>) {
        let around = Around::event(self.socket.namespace(), name, more);
        self.push(&around);
    }

    /// Adds an event with arguments of its own.
    pub fn event_with(&mut self, name: &str, args: impl Into<Args>) {
        let encoded = Encoded::event(self.socket.namespace(), None, name, &args.into());
        let prepared = Prepared::from(&encoded);
        self.frames.extend_from_slice(prepared.frames());
    }

    /// Adds the acknowledgement, with the shared value as its argument.
    pub fn acknowledge(&mut self, ack: AckSender) {
        let around = Around::ack(self.socket.namespace(), ack.into_id());
        self.push(&around);
    }

    fn push(&mut self, around: &Around) {
        let counted = match self.body {
            None => Body::Own,
            Some(_) => Body::Borrowed,
        };
        let body = self.body.get_or_insert_with(|| {
            let json = serde_json::to_vec(self.data);
            json.expect("a value is JSON, and a Vec takes every byte")
                .into()
        });
        let frame = Frame::around(&around.start, (body, counted), &around.end);
        self.frames.push(frame);
    }

    /// Sends all packets, with no other packet between them.
    ///
    /// # Errors
    /// [`SendError::Closed`] if the client is gone.
    pub fn send(self) -> Result<(), SendError> {
        if self.frames.is_empty() {
            return Ok(());
        }
        self.socket.session().send_reply(&self.frames)
    }
}
