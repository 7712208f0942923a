//! Payloads: several packets in the body of a polling request or response.

use base64::Engine as _;
use bytes::Bytes;

use super::{
    frame::Frame,
    packet::{BASE64, Incoming, Malformed},
    protocol::Revision,
};

/// How many packets a payload may have. Decoding a megabyte of empty packets would take too long.
const MAX_PACKETS: usize = 10_000;

/// The separator between packets in revision 4.
const SEPARATOR: char = '\x1e';

/// The body of a response to a poll.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Payload {
    pub(super) bytes: Vec<u8>,
    /// Its content type is `application/octet-stream` instead of text.
    pub(super) binary: bool,
}

/// Encodes packets for one poll. With `base64` binary is sent as text.
pub(super) fn encode(revision: Revision, frames: &[Frame], base64: bool) -> Payload {
    let binary = revision == Revision::V3 && !base64 && frames.iter().any(Frame::is_binary);
    let mut bytes = Vec::with_capacity(frames.iter().map(encoded_len).sum());
    for (index, frame) in frames.iter().enumerate() {
        match revision {
            Revision::V4 => {
                if index > 0 {
                    bytes.push(SEPARATOR as u8);
                }
                text(&mut bytes, revision, frame);
            }
            Revision::V3 if binary => octets(&mut bytes, frame),
            Revision::V3 => {
                let units = utf16_length(revision, frame);
                bytes.extend_from_slice(format!("{units}:").as_bytes());
                text(&mut bytes, revision, frame);
            }
        }
    }
    if bytes.is_empty() && revision == Revision::V3 {
        bytes.extend_from_slice(b"0:");
    }
    Payload { bytes, binary }
}

/// An upper bound of the bytes that a packet takes in a payload, with its length and in base64.
pub(super) fn encoded_len(frame: &Frame) -> usize {
    let length = frame.payload_len();
    let length = if frame.is_binary() {
        length.div_ceil(3) * 4
    } else {
        length
    };
    length + 10
}

/// The packet as text, with a binary message in base64.
pub(super) fn as_text(revision: Revision, frame: &Frame) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(encoded_len(frame));
    text(&mut bytes, revision, frame);
    bytes
}

/// Appends the packet as text, with a binary message in base64.
fn text(bytes: &mut Vec<u8>, revision: Revision, frame: &Frame) {
    if !frame.is_binary() {
        frame
            .payload()
            .for_each(|piece| bytes.extend_from_slice(piece));
        return;
    }
    bytes.extend_from_slice(prefix(revision).as_bytes());
    // A binary message is one piece. Encoding several pieces separately would put padding inside.
    for piece in frame.payload() {
        bytes.extend_from_slice(BASE64.encode(piece).as_bytes());
    }
}

/// The prefix of a binary message in base64.
fn prefix(revision: Revision) -> &'static str {
    match revision {
        Revision::V3 => "b4",
        Revision::V4 => "b",
    }
}

/// How many UTF-16 units a packet has as text: one for each character, two for those of four bytes in
/// UTF-8.
fn utf16_length(revision: Revision, frame: &Frame) -> usize {
    if frame.is_binary() {
        return prefix(revision).len() + frame.payload_len().div_ceil(3) * 4;
    }
    let pieces = frame.payload();
    pieces
        .flatten()
        .map(|byte| usize::from(byte & 0xc0 != 0x80) + usize::from(*byte >= 0xf0))
        .sum()
}

/// Appends the packet in revision 3's binary form: 0 or 1, the length as raw digits, 255, the packet.
fn octets(bytes: &mut Vec<u8>, frame: &Frame) {
    let (kind, type_byte): (u8, &[u8]) = if frame.is_binary() {
        (1, &[4])
    } else {
        (0, &[])
    };
    bytes.push(kind);
    let length = type_byte.len() + frame.payload_len();
    bytes.extend(length.to_string().bytes().map(|digit| digit - b'0'));
    bytes.push(255);
    bytes.extend_from_slice(type_byte);
    frame
        .payload()
        .for_each(|piece| bytes.extend_from_slice(piece));
}

/// Decodes a text payload.
pub(super) fn decode_text(revision: Revision, body: &str) -> Result<Vec<Incoming<'_>>, Malformed> {
    match revision {
        Revision::V4 => decode_separated(body),
        Revision::V3 => decode_counted(body),
    }
}

fn decode_separated(body: &str) -> Result<Vec<Incoming<'_>>, Malformed> {
    let mut packets = Vec::new();
    for packet in body.split(SEPARATOR) {
        check_count(&packets)?;
        packets.push(Incoming::text(Revision::V4, packet)?);
    }
    Ok(packets)
}

fn decode_counted(mut body: &str) -> Result<Vec<Incoming<'_>>, Malformed> {
    let mut packets = Vec::new();
    if body.is_empty() {
        return Err(Malformed);
    }
    while !body.is_empty() {
        check_count(&packets)?;
        let (length, rest) = body.split_once(':').ok_or(Malformed)?;
        if length.is_empty() || !length.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(Malformed);
        }
        let units = length.parse().map_err(|_| Malformed)?;
        let (packet, after) = split_at_utf16(rest, units).ok_or(Malformed)?;
        if !packet.is_empty() {
            packets.push(Incoming::text(Revision::V3, packet)?);
        }
        body = after;
    }
    Ok(packets)
}

/// Splits `text` after so many UTF-16 units; `None` if it is shorter, or the split is inside a character.
fn split_at_utf16(text: &str, units: usize) -> Option<(&str, &str)> {
    let mut left = units;
    for (at, character) in text.char_indices() {
        if left == 0 {
            return text.split_at_checked(at);
        }
        left = left.checked_sub(character.len_utf16())?;
    }
    (left == 0).then_some((text, ""))
}

/// Decodes revision 3's binary payload.
pub(super) fn decode_octets(body: &Bytes) -> Result<Vec<Incoming<'_>>, Malformed> {
    let mut packets = Vec::new();
    let mut at = 0;
    if body.is_empty() {
        return Err(Malformed);
    }
    while at < body.len() {
        check_count(&packets)?;
        let kind = body[at];
        at += 1;
        let mut length = 0_usize;
        loop {
            match body.get(at) {
                Some(255) => break,
                Some(digit @ 0..=9) => length = length * 10 + usize::from(*digit),
                _ => return Err(Malformed),
            }
            if length > body.len() {
                return Err(Malformed);
            }
            at += 1;
        }
        let start = at + 1;
        let packet = body.get(start..start + length).ok_or(Malformed)?;
        at = start + length;
        packets.push(match kind {
            0 => {
                let text = str::from_utf8(packet).map_err(|_| Malformed)?;
                Incoming::text(Revision::V3, text)?
            }
            1 => Incoming::binary(Revision::V3, body.slice(start..at))?,
            _ => return Err(Malformed),
        });
    }
    Ok(packets)
}

fn check_count(packets: &[Incoming<'_>]) -> Result<(), Malformed> {
    (packets.len() < MAX_PACKETS).then_some(()).ok_or(Malformed)
}

#[cfg(test)]
mod tests {
    use proptest::{collection::vec, prelude::*};

    use super::{
        super::{frame::Body, packet::Message},
        *,
    };

    fn text(message: &str) -> Incoming<'_> {
        Incoming::Message(Message::Text(message))
    }

    fn binary(message: &'static [u8]) -> Incoming<'static> {
        Incoming::Message(Message::Binary(Bytes::from_static(message)))
    }

    #[test]
    fn revision_4_separates_and_is_always_text() {
        let frames = [Frame::text("hello"), Frame::binary(&[1, 2, 3, 4])];
        let payload = encode(Revision::V4, &frames, false);
        assert_eq!(payload.bytes, b"4hello\x1ebAQIDBA==");
        assert!(!payload.binary);
        assert_eq!(
            decode_text(Revision::V4, "4hello\x1ebAQIDBA=="),
            Ok(vec![text("hello"), binary(&[1, 2, 3, 4])])
        );
    }

    #[test]
    fn revision_3_counts_utf16_units() {
        let frames = [Frame::text("€😀"), Frame::text("")];
        let payload = encode(Revision::V3, &frames, false);
        assert_eq!(payload.bytes, "4:4€😀1:4".as_bytes());
        assert_eq!(
            decode_text(Revision::V3, "4:4€😀1:4"),
            Ok(vec![text("€😀"), text("")])
        );
        // Three units end inside the emoji.
        assert_eq!(decode_text(Revision::V3, "3:4€😀"), Err(Malformed));
    }

    #[test]
    fn revision_3_sends_binary_as_octets_or_in_base64() {
        let frames = [Frame::text("é"), Frame::binary(&[1, 2])];
        let payload = encode(Revision::V3, &frames, false);
        assert!(payload.binary);
        assert_eq!(
            payload.bytes,
            b"\x00\x03\xff4\xc3\xa9\x01\x03\xff\x04\x01\x02"
        );
        let body = Bytes::from(payload.bytes);
        assert_eq!(decode_octets(&body), Ok(vec![text("é"), binary(&[1, 2])]));

        let payload = encode(Revision::V3, &frames, true);
        assert!(!payload.binary);
        assert_eq!(payload.bytes, "2:4é6:b4AQI=".as_bytes());
        assert_eq!(
            decode_text(Revision::V3, "2:4é6:b4AQI="),
            Ok(vec![text("é"), binary(&[1, 2])])
        );
    }

    #[test]
    fn revision_3_spells_an_empty_payload() {
        assert_eq!(encode(Revision::V3, &[], false).bytes, b"0:");
        assert_eq!(decode_text(Revision::V3, "0:"), Ok(vec![]));
    }

    #[test]
    fn a_payload_has_a_bounded_number_of_packets() {
        let many = vec!["4"; MAX_PACKETS].join("\x1e");
        assert_eq!(decode_text(Revision::V4, &many).unwrap().len(), MAX_PACKETS);
        let more = format!("{many}\x1e4");
        assert_eq!(decode_text(Revision::V4, &more), Err(Malformed));
        let more = "1:4".repeat(MAX_PACKETS + 1);
        assert_eq!(decode_text(Revision::V3, &more), Err(Malformed));
        let more = Bytes::from(b"\x00\x01\xff4".repeat(MAX_PACKETS + 1));
        assert_eq!(decode_octets(&more), Err(Malformed));
    }

    #[test]
    fn a_length_that_lies_is_malformed() {
        for body in [
            "",
            "x",
            "5:4",
            ":4",
            "-1:4",
            "+1:4",
            "99999999999999999999:4",
            "1:4x",
        ] {
            assert_eq!(decode_text(Revision::V3, body), Err(Malformed), "{body}");
        }
        for body in [
            &b""[..],
            b"\x00",
            b"\x00\x09",
            b"\x00\x09\xff4",
            b"\x02\x01\xff4",
            b"\x00\x0a\xff4",
        ] {
            let body = Bytes::copy_from_slice(body);
            assert_eq!(decode_octets(&body), Err(Malformed), "{body:?}");
        }
    }

    fn frames() -> impl Strategy<Value = Vec<Frame>> {
        // Revision 4 cannot carry its separator inside a text. JSON escapes it.
        let texts = "[^\u{1e}]*".prop_map(|text| Frame::text(&text));
        let binaries = vec(any::<u8>(), 0..100).prop_map(|bytes| Frame::binary(&bytes));
        let shared = "[^\u{1e}]*"
            .prop_map(|text| Frame::around("4[", (&Bytes::from(text), Body::Own), "é]"));
        vec(prop_oneof![texts, binaries, shared], 1..10)
    }

    fn sent_packets(frames: &[Frame]) -> Vec<Vec<u8>> {
        let own = |frame: &Frame| frame.payload().collect::<Vec<_>>().concat();
        frames.iter().map(own).collect()
    }

    fn received_packets(packets: Vec<Incoming<'_>>) -> Vec<Vec<u8>> {
        let own = |packet| match packet {
            Incoming::Message(Message::Text(text)) => format!("4{text}").into_bytes(),
            Incoming::Message(Message::Binary(bytes)) => bytes.to_vec(),
            other => panic!("{other:?} was never sent"),
        };
        packets.into_iter().map(own).collect()
    }

    proptest! {
        #[test]
        fn what_is_joined_comes_apart_again(frames in frames(), base64 in any::<bool>()) {
            for revision in [Revision::V3, Revision::V4] {
                let payload = encode(revision, &frames, base64);
                let bytes = Bytes::from(payload.bytes);
                let packets = if payload.binary {
                    decode_octets(&bytes)
                } else {
                    decode_text(revision, str::from_utf8(&bytes).unwrap())
                };
                prop_assert_eq!(received_packets(packets.unwrap()), sent_packets(&frames));
            }
        }

        #[test]
        fn any_bytes_are_a_payload_or_an_error(bytes in vec(any::<u8>(), 0..300), text in ".*") {
            let _ = decode_octets(&Bytes::from(bytes));
            for revision in [Revision::V3, Revision::V4] {
                let _ = decode_text(revision, &text);
            }
        }

        #[test]
        fn near_misses_are_a_payload_or_an_error(text in "([0-9]{0,3}:)?[b0-6]{0,3}[a-zA-Z=€😀]{0,4}") {
            for revision in [Revision::V3, Revision::V4] {
                let _ = decode_text(revision, &text);
            }
            let digits: Vec<u8> = text.bytes().map(|byte| byte % 12).chain([255, 4]).collect();
            let _ = decode_octets(&Bytes::from(digits));
        }
    }
}
