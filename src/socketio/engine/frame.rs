//! One encoded packet to clients, shared by all receivers and usable on both transports.

use std::sync::Arc;

use bytes::Bytes;
use tokio_tungstenite::tungstenite::protocol::frame::{
    FrameHeader,
    coding::{Data, OpCode},
};

/// One encoded packet. Clones share the bytes.
///
/// It is an unmasked WebSocket frame, which is the same for all receivers. A poll uses the part after the
/// frame's header. Several frames may share a large body ([`Frame::around`]).
#[derive(Debug, Clone)]
pub struct Frame {
    /// The WebSocket frame's header and the packet, or the packet's start if there is a shared body.
    wire: Bytes,
    rest: Option<Arc<Rest>>,
    /// The length of the WebSocket frame's header.
    head: u8,
    binary: bool,
}

/// The part of a frame after its start, if the body is shared with other frames.
#[derive(Debug)]
struct Rest {
    body: Bytes,
    /// Another frame counts the body against the outbox's limit.
    borrowed: bool,
    end: Box<str>,
}

/// Which frame counts a shared body against the outbox's limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Body {
    /// This one.
    Own,
    /// Another one, which is sent together with this one.
    Borrowed,
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
            rest: None,
            head: 2,
            binary: false,
        }
    }

    /// A text message.
    pub fn text(message: &str) -> Self {
        Self::build(Data::Text, &[b"4", message.as_bytes()])
    }

    /// A packet whose text begins with the digit of its type.
    pub fn packet(packet: &str) -> Self {
        Self::build(Data::Text, &[packet.as_bytes()])
    }

    /// A packet whose text is in parts; the first one begins with the digit of its type.
    pub fn parts(parts: [&str; 3]) -> Self {
        Self::build(Data::Text, &parts.map(str::as_bytes))
    }

    /// A binary message.
    pub fn binary(message: &[u8]) -> Self {
        Self::build(Data::Binary, &[message])
    }

    /// A packet of three parts. The body in the middle is shared with other frames, and `start` begins
    /// with the digit of the packet's type.
    pub fn around(start: &str, (body, whose): (&Bytes, Body), end: &str) -> Self {
        let rest = Rest {
            body: body.clone(),
            borrowed: whose == Body::Borrowed,
            end: end.into(),
        };
        let more = rest.body.len() + rest.end.len();
        Self {
            rest: Some(Arc::new(rest)),
            ..Self::build_before(Data::Text, &[start.as_bytes()], more)
        }
    }

    /// The binary message as revision 3 has it on a WebSocket: with the packet type as the first byte.
    pub(super) fn with_type_byte(&self) -> Self {
        // Binary messages have no shared body.
        Self::build(Data::Binary, &[&[4], &self.wire[usize::from(self.head)..]])
    }

    /// A control frame of the WebSocket protocol, such as a pong, in its encoded form.
    pub(super) fn raw(wire: &[u8]) -> Self {
        Self {
            wire: Bytes::copy_from_slice(wire),
            rest: None,
            head: 0,
            binary: false,
        }
    }

    fn build(kind: Data, parts: &[&[u8]]) -> Self {
        Self::build_before(kind, parts, 0)
    }

    /// Builds a frame whose payload has `more` bytes after these parts.
    fn build_before(kind: Data, parts: &[&[u8]], more: usize) -> Self {
        let length: usize = parts.iter().map(|part| part.len()).sum();
        let mut wire = Vec::with_capacity(length + 10);
        let header = FrameHeader {
            opcode: OpCode::Data(kind),
            ..FrameHeader::default()
        };
        header
            .format((length + more) as u64, &mut wire)
            .expect("a Vec takes every byte");
        let head = u8::try_from(wire.len()).expect("a header has at most 10 bytes");
        for part in parts {
            wire.extend_from_slice(part);
        }
        wire.shrink_to_fit();
        Self {
            wire: wire.into(),
            rest: None,
            head,
            binary: kind == Data::Binary,
        }
    }

    /// Whether it is a binary message. All other packets are text.
    pub(super) fn is_binary(&self) -> bool {
        self.binary
    }

    /// The length of the WebSocket frame in bytes.
    pub(crate) fn len(&self) -> usize {
        self.wire.len() + self.rest_len()
    }

    fn rest_len(&self) -> usize {
        self.rest
            .as_ref()
            .map_or(0, |rest| rest.body.len() + rest.end.len())
    }

    /// The WebSocket frame, if it is contiguous in memory.
    pub(super) fn whole(&self) -> Option<&[u8]> {
        self.rest.is_none().then_some(&self.wire)
    }

    /// The bytes of the WebSocket frame after `from`, up to the end of the contiguous piece.
    pub(super) fn piece(&self, mut from: usize) -> &[u8] {
        for piece in self.pieces(0) {
            if from < piece.len() {
                return &piece[from..];
            }
            from -= piece.len();
        }
        &[]
    }

    /// The packet without the frame's header, in consecutive pieces: text with its type digit, or the
    /// bytes of a binary message.
    pub(super) fn payload(&self) -> impl Iterator<Item = &[u8]> {
        self.pieces(usize::from(self.head))
    }

    /// The length of the packet without the frame's header, in bytes.
    pub(super) fn payload_len(&self) -> usize {
        self.len() - usize::from(self.head)
    }

    /// Whether both frames are the same packet. Only for frames without a shared body.
    pub(super) fn is(&self, other: &Self) -> bool {
        self.whole().is_some() && self.whole() == other.whole()
    }

    fn pieces(&self, skipped: usize) -> impl Iterator<Item = &[u8]> {
        let rest = self.rest.as_deref();
        let rest = rest.map(|rest| [&*rest.body, rest.end.as_bytes()]);
        std::iter::once(&self.wire[skipped..]).chain(rest.into_iter().flatten())
    }

    /// What it counts against an outbox's limit, in bytes. A shared body is counted by one of its frames.
    pub(super) fn weight(&self) -> usize {
        let rest = match self.rest.as_deref() {
            None => 0,
            Some(rest) if rest.borrowed => rest.end.len(),
            Some(rest) => rest.body.len() + rest.end.len(),
        };
        self.wire.len() + rest + size_of::<Self>()
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
            assert!(frame.is(&Frame::packet(text)));
            assert_eq!(bytes(frame.payload()), text.as_bytes());
        }
    }

    #[test]
    fn a_long_message_has_a_long_header() {
        let long = "x".repeat(70_000);
        let frame = Frame::text(&long);
        assert_eq!(frame.len(), 10 + 1 + long.len());
        assert_eq!(frame.payload_len(), 1 + long.len());
        assert_eq!(bytes(frame.payload())[0], b'4');
    }

    #[test]
    fn a_clone_shares_the_bytes() {
        for frame in [Frame::text("hello"), Frame::binary(&[1, 2]), Frame::PING] {
            assert_eq!(frame.clone().piece(0).as_ptr(), frame.piece(0).as_ptr());
        }
    }

    #[test]
    fn a_shared_body_is_the_same_bytes_and_counts_once() {
        let body = Bytes::from("é".repeat(40_000));
        let own = Frame::around("42[\"x\",", (&body, Body::Own), "]");
        let borrowed = Frame::around("430[", (&body, Body::Borrowed), "]");
        for (frame, start) in [(&own, "42[\"x\","), (&borrowed, "430[")] {
            let text = [start, str::from_utf8(&body).unwrap(), "]"].concat();
            let plain = Frame::packet(&text);
            assert_eq!(bytes(frame.payload()), text.as_bytes());
            assert_eq!(bytes(frame.pieces(0)), plain.whole().unwrap());
            assert_eq!(frame.len(), plain.len());
            assert!(frame.pieces(0).any(|piece| piece.as_ptr() == body.as_ptr()));
            let mut from = 0;
            while from < frame.len() {
                let piece = frame.piece(from);
                assert_eq!(piece, &plain.whole().unwrap()[from..from + piece.len()]);
                from += piece.len().min(9_999);
            }
        }
        assert!(own.weight() > body.len());
        assert!(borrowed.weight() < 200);
    }

    fn bytes<'a>(pieces: impl Iterator<Item = &'a [u8]>) -> Vec<u8> {
        pieces.collect::<Vec<_>>().concat()
    }
}
