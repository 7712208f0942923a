//! A reply of several packets that share one JSON value, sent together.

use bytes::Bytes;

use super::{
    event::AckSender,
    prepared::{Prepared, whole},
    socket::Socket,
};
use crate::{
    engine::{Body, Frame, SendError},
    packet::Around,
};

/// A reply to a client's event: events and an acknowledgement, most of which carry the same value. The
/// value is in the outbox once, and counts once. A reply is not subject to the
/// outbox's limit, because the handler is called only while the outbox is below it.
///
/// It is not kept for recovery.
pub struct Reply<'s> {
    socket: &'s Socket,
    json: &'s str,
    packets: Vec<Packet>,
}

enum Packet {
    /// One that carries the shared value.
    Around(Around),
    Whole(Prepared),
}

impl<'s> Reply<'s> {
    /// A reply to that socket with the shared value as JSON.
    pub fn new(socket: &'s Socket, json: &'s str) -> Self {
        Self {
            socket,
            json,
            packets: Vec::new(),
        }
    }

    /// Adds an event with the shared value as its argument, and `more`, a text, after it.
    pub fn event(&mut self, name: &str, more: Option<&str>) {
        let around = Around::event(self.socket.namespace(), name, more);
        self.packets.push(Packet::Around(around));
    }

    /// Adds an event with an argument of its own, which is JSON, and `more`, a text, after it.
    pub fn event_with(&mut self, name: &str, json: &str, more: Option<&str>) {
        let prepared = Prepared::json(self.socket.namespace(), name, json, more);
        self.packets.push(Packet::Whole(prepared));
    }

    /// Adds the acknowledgement, with the shared value as its argument.
    pub fn acknowledge(&mut self, ack: AckSender) {
        let around = Around::ack(self.socket.namespace(), ack.into_id());
        self.packets.push(Packet::Around(around));
    }

    fn frames(&self) -> Vec<Frame> {
        let mut sharing = self.packets.iter().filter(|packet| packet.is_around());
        let is_shared = sharing.next().is_some() && sharing.next().is_some();
        let mut body: Option<Bytes> = None;
        let mut frames = Vec::with_capacity(self.packets.len());
        for packet in &self.packets {
            match packet {
                Packet::Whole(prepared) => frames.extend_from_slice(prepared.frames()),
                Packet::Around(around) if is_shared => {
                    let counted = match body {
                        None => Body::Own,
                        Some(_) => Body::Borrowed,
                    };
                    let body = body.get_or_insert_with(|| self.json.to_owned().into());
                    frames.push(Frame::around(&around.start, (body, counted), &around.end));
                }
                Packet::Around(around) => frames.push(whole(around, self.json)),
            }
        }
        frames
    }

    /// Sends all packets, with no other packet between them.
    ///
    /// # Errors
    /// [`SendError::Closed`] if the client is gone.
    pub fn send(self) -> Result<(), SendError> {
        if self.packets.is_empty() {
            return Ok(());
        }
        self.socket.session().send_reply(&self.frames())
    }
}

impl Packet {
    fn is_around(&self) -> bool {
        matches!(self, Self::Around(_))
    }
}
