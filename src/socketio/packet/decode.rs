//! Decodes packets from a client, and collects their attachments.

use bytes::Bytes;
use serde_json::{Map, Value};

use super::{
    args::{Args, Placeholder},
    error::DecodeError,
    header::{Header, Kind, split_query},
    json::EventPayload,
    namespace::NamespaceName,
    surrogates::parse_json,
    types::{Packet, Version},
};

/// Decodes the packets of one client. Between calls it holds at most one packet, whose attachments have
/// not all arrived.
///
/// After an error its state is undefined: the client has to be disconnected.
#[derive(Debug)]
pub struct Decoder {
    version: Version,
    pending: Option<Box<Pending>>,
}

/// A packet whose attachments have not all arrived.
#[derive(Debug)]
struct Pending {
    packet: Packet,
    expected: usize,
}

impl Decoder {
    /// A decoder for one client.
    pub const fn new(version: Version) -> Self {
        Self {
            version,
            pending: None,
        }
    }

    /// The revision that the client uses.
    pub const fn version(&self) -> Version {
        self.version
    }

    /// Whether attachments are expected.
    pub const fn is_waiting(&self) -> bool {
        self.pending.is_some()
    }

    /// Decodes a text message, without Engine.IO's type digit. `None` if attachments have to follow.
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

    /// Decodes a binary message. `None` if more have to follow.
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
            text => match parse_json(text) {
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
            parse_json(header.payload).map_err(|_| DecodeError::BadPayload)?;
        Ok(Packet::Event {
            namespace: self.split(header.namespace).0,
            id: header.id,
            name,
            args: args(values, header.attachments)?,
        })
    }

    fn ack(&self, header: &Header<'_>) -> Result<Packet, DecodeError> {
        let values: Vec<Value> = parse_json(header.payload).map_err(|_| DecodeError::BadPayload)?;
        Ok(Packet::Ack {
            namespace: self.split(header.namespace).0,
            id: header.id.ok_or(DecodeError::BadId)?,
            args: args(values, header.attachments)?,
        })
    }

    /// In revision 4 a query may follow the namespace. In revision 5 a question mark is part of the name.
    fn split(&self, namespace: &str) -> (NamespaceName, Option<Map<String, Value>>) {
        match self.version {
            Version::V4 => {
                let (namespace, query) = split_query(namespace);
                (NamespaceName::new(namespace), query)
            }
            Version::V5 => (NamespaceName::new(namespace), None),
        }
    }
}

/// The arguments, if all placeholders among them refer to an attachment that follows. In a packet that is
/// not binary, an object that looks like a placeholder is an ordinary value.
fn args(values: Vec<Value>, attachments: Option<usize>) -> Result<Args, DecodeError> {
    let expected = attachments.unwrap_or(0);
    let good = |value| Placeholder::all_within(value, expected);
    if attachments.is_some() && !values.iter().all(good) {
        return Err(DecodeError::BadPlaceholder);
    }
    Ok(Args::awaiting(values, expected))
}
