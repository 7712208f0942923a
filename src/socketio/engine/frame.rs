//! One packet to a client, made once for every receiver and every transport.

use bytes::Bytes;
use tokio_tungstenite::tungstenite::protocol::frame::{
    FrameHeader,
    coding::{Data, OpCode},
};

/// One packet, ready to be sent. A clone shares the bytes.
///
/// It holds the unmasked WebSocket frame, which is the same for every receiver; what a poll needs is
/// the part behind the frame's header.
#[derive(Debug, Clone)]
pub struct Frame {
    wire: Bytes,
    head: u8,
    binary: bool,
}

impl Frame {
    pub(super) const CLOSE: Self = Self::control(b"\x81\x011");
    pub(super) const PING: Self = Self::control(b"\x81\x012");
    pub(super) const PONG: Self = Self::control(b"\x81\x013");
    pub(super) const PROBED: Self = Self::control(b"\x81\x063probe");
    pub(super) const NOOP: Self = Self::control(b"\x81\x016");

    const fn control(wire: &'static [u8]) -> Self {
        Self {
            wire: Bytes::from_static(wire),
            head: 2,
            binary: false,
        }
    }

    /// A text message.
    pub fn text(message: &str) -> Self {
        Self::build(Data::Text, &[b"4", message.as_bytes()])
    }

    /// A packet whose text already begins with the digit of its type.
    pub fn packet(packet: &str) -> Self {
        Self::build(Data::Text, &[packet.as_bytes()])
    }

    /// A binary message.
    pub fn binary(message: &[u8]) -> Self {
        Self::build(Data::Binary, &[message])
    }

    /// The binary message in the form that revision 3's WebSocket has it: with the type in front.
    pub(super) fn with_type_byte(&self) -> Self {
        Self::build(Data::Binary, &[&[4], self.payload()])
    }

    /// A frame of the WebSocket protocol's own, such as a pong.
    pub(super) fn raw(wire: &[u8]) -> Self {
        Self {
            wire: Bytes::copy_from_slice(wire),
            head: 0,
            binary: false,
        }
    }

    fn build(kind: Data, parts: &[&[u8]]) -> Self {
        let length: usize = parts.iter().map(|part| part.len()).sum();
        let mut wire = Vec::with_capacity(length + 10);
        let header = FrameHeader {
            opcode: OpCode::Data(kind),
            ..FrameHeader::default()
        };
        header
            .format(length as u64, &mut wire)
            .expect("a Vec takes every byte");
        let head = u8::try_from(wire.len()).expect("a header has at most 10 bytes");
        for part in parts {
            wire.extend_from_slice(part);
        }
        wire.shrink_to_fit();
        Self {
            wire: wire.into(),
            head,
            binary: kind == Data::Binary,
        }
    }

    /// Whether it is a binary message; every other packet is text.
    pub(super) fn is_binary(&self) -> bool {
        self.binary
    }

    /// The whole WebSocket frame.
    pub(super) fn wire(&self) -> &[u8] {
        &self.wire
    }

    /// The packet alone: text with its digit, or a binary message's bytes.
    pub(super) fn payload(&self) -> &[u8] {
        &self.wire[usize::from(self.head)..]
    }

    /// What it counts against an outbox's limit, in bytes.
    pub(super) fn weight(&self) -> usize {
        self.wire.len() + size_of::<Self>()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ready_made_control_frames_are_what_would_be_built() {
        for (frame, text) in [
            (Frame::CLOSE, "1"),
            (Frame::PING, "2"),
            (Frame::PONG, "3"),
            (Frame::PROBED, "3probe"),
            (Frame::NOOP, "6"),
        ] {
            assert_eq!(frame.wire(), Frame::packet(text).wire());
            assert_eq!(frame.payload(), text.as_bytes());
        }
    }

    #[test]
    fn a_long_message_has_a_long_header() {
        let long = "x".repeat(70_000);
        let frame = Frame::text(&long);
        assert_eq!(frame.wire().len(), 10 + 1 + long.len());
        assert_eq!(frame.payload()[0], b'4');
    }

    #[test]
    fn a_clone_shares_the_bytes() {
        for frame in [Frame::text("hello"), Frame::binary(&[1, 2]), Frame::PING] {
            assert_eq!(frame.clone().wire().as_ptr(), frame.wire().as_ptr());
        }
    }
}
