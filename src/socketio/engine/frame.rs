//! One packet to a client, made once for every receiver and every transport.

use std::sync::Arc;

use bytes::Bytes;
use tokio_tungstenite::tungstenite::protocol::frame::{
    FrameHeader,
    coding::{Data, OpCode},
};

/// One packet, ready to be sent. A clone shares the bytes.
///
/// It holds the unmasked WebSocket frame, which is the same for every receiver; what a poll needs is
/// the part behind the frame's header. Frames may share a body that is large ([`Frame::around`]).
#[derive(Debug, Clone)]
pub struct Frame {
    /// The WebSocket frame's header and the packet, or its beginning if there is a shared body.
    wire: Bytes,
    rest: Option<Arc<Rest>>,
    head: u8,
    binary: bool,
}

/// What follows the beginning of a frame that shares its body with others.
#[derive(Debug)]
struct Rest {
    body: Bytes,
    /// The body counts as another frame's.
    borrowed: bool,
    end: Box<str>,
}

/// Whose weight a shared body is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Body {
    /// This frame's.
    Own,
    /// That of another frame, which is sent with this one.
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

    /// A packet whose text already begins with the digit of its type.
    pub fn packet(packet: &str) -> Self {
        Self::build(Data::Text, &[packet.as_bytes()])
    }

    /// A binary message.
    pub fn binary(message: &[u8]) -> Self {
        Self::build(Data::Binary, &[message])
    }

    /// A packet of three parts of which the one in the middle is shared with other frames; `start`
    /// begins with the digit of the packet's type.
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

    /// The binary message in the form that revision 3's WebSocket has it: with the type in front.
    pub(super) fn with_type_byte(&self) -> Self {
        // Binary messages are one part.
        Self::build(Data::Binary, &[&[4], &self.wire[usize::from(self.head)..]])
    }

    /// A frame of the WebSocket protocol's own, such as a pong.
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

    /// Builds a frame that is followed by so many more bytes.
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

    /// Whether it is a binary message; every other packet is text.
    pub(super) fn is_binary(&self) -> bool {
        self.binary
    }

    /// How many bytes the whole WebSocket frame has.
    pub(crate) fn len(&self) -> usize {
        self.wire.len() + self.rest_len()
    }

    fn rest_len(&self) -> usize {
        self.rest
            .as_ref()
            .map_or(0, |rest| rest.body.len() + rest.end.len())
    }

    /// The whole WebSocket frame, if it lies in one piece.
    pub(super) fn whole(&self) -> Option<&[u8]> {
        self.rest.is_none().then_some(&self.wire)
    }

    /// The WebSocket frame from a byte on, as far as it lies in one piece.
    pub(super) fn piece(&self, mut from: usize) -> &[u8] {
        for piece in self.pieces(0) {
            if from < piece.len() {
                return &piece[from..];
            }
            from -= piece.len();
        }
        &[]
    }

    /// The packet alone: text with its digit, or a binary message's bytes; in pieces that follow
    /// each other.
    pub(super) fn payload(&self) -> impl Iterator<Item = &[u8]> {
        self.pieces(usize::from(self.head))
    }

    /// How many bytes the packet alone has.
    pub(super) fn payload_len(&self) -> usize {
        self.len() - usize::from(self.head)
    }

    /// Whether the packet is the same as that of a frame without a shared body.
    pub(super) fn is(&self, other: &Self) -> bool {
        self.whole().is_some() && self.whole() == other.whole()
    }

    fn pieces(&self, skipped: usize) -> impl Iterator<Item = &[u8]> {
        let rest = self.rest.as_deref();
        let rest = rest.map(|rest| [&*rest.body, rest.end.as_bytes()]);
        std::iter::once(&self.wire[skipped..]).chain(rest.into_iter().flatten())
    }

    /// What it counts against an outbox's limit, in bytes. A shared body counts once.
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
