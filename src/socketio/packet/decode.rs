//! What a client sends, packet by packet, its attachments gathered.

use std::fmt;

use bytes::Bytes;
use serde_json::{Map, Value};

use super::{
    Args, Namespace, Packet, Version,
    args::Placeholder,
    header::{Header, Kind, split_query},
    json::EventPayload,
    surrogates,
};

/// The most attachments that one packet may have, in either direction.
pub const MAX_ATTACHMENTS: usize = 10;

/// Reads one client's packets. It holds a packet whose attachments are due, and two words otherwise.
///
/// After an error it has lost the thread: the client is to be disconnected.
#[derive(Debug)]
pub struct Decoder {
    version: Version,
    pending: Option<Box<Pending>>,
}

/// A packet that is still short of attachments.
#[derive(Debug)]
struct Pending {
    packet: Packet,
    expected: usize,
}

/// Why what a client sent is no packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum DecodeError {
    /// The first character names no type of packet.
    UnknownType,
    /// A `CONNECT_ERROR`, which only a server sends.
    ServersOnly,
    /// The number of attachments is missing or is none.
    BadAttachments,
    /// More than [`MAX_ATTACHMENTS`].
    TooManyAttachments,
    /// The number for the acknowledgement is missing, out of place or too big.
    BadId,
    /// The payload is not what a packet of that type has.
    BadPayload,
    /// A placeholder points at no attachment.
    BadPlaceholder,
    /// Text came while attachments were due.
    AttachmentsDue,
    /// An attachment came that no packet had announced.
    StrayAttachment,
}

impl fmt::Display for DecodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::UnknownType => "no such type of packet",
            Self::ServersOnly => "only a server sends a packet of that type",
            Self::BadAttachments => "the number of attachments is missing",
            Self::TooManyAttachments => "the packet has too many attachments",
            Self::BadId => "the acknowledgement's number is missing or out of place",
            Self::BadPayload => "a packet of that type has another payload",
            Self::BadPlaceholder => "a placeholder points at no attachment",
            Self::AttachmentsDue => "text came while attachments were due",
            Self::StrayAttachment => "an attachment came without a packet",
        })
    }
}

impl std::error::Error for DecodeError {}

impl Decoder {
    /// A decoder for one client.
    pub const fn new(version: Version) -> Self {
        Self {
            version,
            pending: None,
        }
    }

    /// The revision that the client speaks.
    pub const fn version(&self) -> Version {
        self.version
    }

    /// Whether a packet is still short of attachments.
    pub const fn is_waiting(&self) -> bool {
        self.pending.is_some()
    }

    /// Takes a text message, without Engine.IO's digit. `None` means that attachments are due.
    pub fn text(&mut self, text: &str) -> Result<Option<Packet>, DecodeError> {
        if self.pending.take().is_some() {
            return Err(DecodeError::AttachmentsDue);
        }
        let header = Header::read(text)?;
        let expected = header.attachments.unwrap_or(0);
        let packet = match header.kind {
            Kind::Connect => self.connect(&header)?,
            Kind::Disconnect => self.disconnect(&header)?,
            Kind::Event => self.event(&header)?,
            Kind::Ack => self.ack(&header)?,
        };
        if expected == 0 {
            return Ok(Some(packet));
        }
        self.pending = Some(Box::new(Pending { packet, expected }));
        Ok(None)
    }

    /// Takes a binary message. `None` means that more are due.
    pub fn binary(&mut self, bytes: Bytes) -> Result<Option<Packet>, DecodeError> {
        let Some(mut pending) = self.pending.take() else {
            return Err(DecodeError::StrayAttachment);
        };
        let (Packet::Event { args, .. } | Packet::Ack { args, .. }) = &mut pending.packet else {
            return Err(DecodeError::StrayAttachment);
        };
        if args.receive(bytes) == pending.expected {
            return Ok(Some(pending.packet));
        }
        self.pending = Some(pending);
        Ok(None)
    }

    fn connect(&self, header: &Header<'_>) -> Result<Packet, DecodeError> {
        if header.id.is_some() {
            return Err(DecodeError::BadId);
        }
        let payload = match header.payload {
            "" => None,
            text => match surrogates::from_str(text) {
                Ok(Value::Object(payload)) => Some(payload),
                _ => return Err(DecodeError::BadPayload),
            },
        };
        let (namespace, query) = self.split(header.namespace);
        let auth = match self.version {
            Version::V4 => query,
            Version::V5 => payload,
        };
        Ok(Packet::Connect { namespace, auth })
    }

    fn disconnect(&self, header: &Header<'_>) -> Result<Packet, DecodeError> {
        if header.id.is_some() || !header.payload.is_empty() {
            return Err(DecodeError::BadPayload);
        }
        let namespace = self.split(header.namespace).0;
        Ok(Packet::Disconnect { namespace })
    }

    fn event(&self, header: &Header<'_>) -> Result<Packet, DecodeError> {
        let EventPayload { name, values } =
            surrogates::from_str(header.payload).map_err(|_| DecodeError::BadPayload)?;
        Ok(Packet::Event {
            namespace: self.split(header.namespace).0,
            id: header.id,
            name,
            args: args(values, header.attachments)?,
        })
    }

    fn ack(&self, header: &Header<'_>) -> Result<Packet, DecodeError> {
        let values: Vec<Value> =
            surrogates::from_str(header.payload).map_err(|_| DecodeError::BadPayload)?;
        Ok(Packet::Ack {
            namespace: self.split(header.namespace).0,
            id: header.id.ok_or(DecodeError::BadId)?,
            args: args(values, header.attachments)?,
        })
    }

    /// Revision 4 has a query behind the namespace; in revision 5 a question mark is part of the name.
    fn split(&self, namespace: &str) -> (Namespace, Option<Map<String, Value>>) {
        match self.version {
            Version::V4 => {
                let (namespace, query) = split_query(namespace);
                (Namespace::new(namespace), query)
            }
            Version::V5 => (Namespace::new(namespace), None),
        }
    }
}

/// The arguments, if each placeholder among them points at one of the attachments to come. In a packet
/// that is not binary, what looks like a placeholder is a value like any other.
fn args(values: Vec<Value>, attachments: Option<usize>) -> Result<Args, DecodeError> {
    let expected = attachments.unwrap_or(0);
    let good = |value| Placeholder::all_within(value, expected);
    if attachments.is_some() && !values.iter().all(good) {
        return Err(DecodeError::BadPlaceholder);
    }
    Ok(Args::awaiting(values, expected))
}
