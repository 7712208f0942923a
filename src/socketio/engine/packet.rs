//! Decodes one packet from a client, in either revision.

use base64::{
    Engine as _,
    alphabet::STANDARD,
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig},
};
use bytes::Bytes;

use super::protocol::Revision;

/// Browsers send padding, some other clients do not.
pub(super) const BASE64: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// A message from a client, independent of the transport.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Message<'a> {
    /// Text.
    Text(&'a str),
    /// Bytes.
    Binary(Bytes),
}

/// One packet from a client.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Incoming<'a> {
    Close,
    Ping(&'a str),
    Pong,
    Message(Message<'a>),
    Upgrade,
    Noop,
}

/// The client sent a malformed packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Malformed;

impl<'a> Incoming<'a> {
    /// Decodes a packet that arrived as text. A binary message is in base64.
    pub(super) fn text(revision: Revision, packet: &'a str) -> Result<Self, Malformed> {
        let mut rest = packet.chars();
        let digit = rest.next().ok_or(Malformed)?;
        let rest = rest.as_str();
        Ok(match digit {
            '1' => Self::Close,
            '2' => Self::Ping(rest),
            '3' => Self::Pong,
            '4' => Self::Message(Message::Text(rest)),
            '5' => Self::Upgrade,
            '6' => Self::Noop,
            'b' => {
                let encoded = match revision {
                    Revision::V3 => rest.strip_prefix('4').ok_or(Malformed)?,
                    Revision::V4 => rest,
                };
                let bytes = BASE64.decode(encoded).map_err(|_| Malformed)?;
                Self::Message(Message::Binary(bytes.into()))
            }
            _ => return Err(Malformed),
        })
    }

    /// Decodes a packet that arrived as bytes.
    pub(super) fn binary(revision: Revision, packet: Bytes) -> Result<Self, Malformed> {
        let message = match revision {
            Revision::V3 if packet.first() == Some(&4) => packet.slice(1..),
            Revision::V3 => return Err(Malformed),
            Revision::V4 => packet,
        };
        Ok(Self::Message(Message::Binary(message)))
    }
}
