//! The part of a packet before its JSON: type, number of attachments, namespace, id.

use std::borrow::Cow;

use percent_encoding::percent_decode_str;
use serde_json::{Map, Value, map::Entry};

use super::error::{DecodeError, MAX_ATTACHMENTS};

/// The type of a packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Connect,
    Disconnect,
    Event,
    Ack,
}

/// The parts of a packet's text: `<type>[<attachments>-][<namespace>,][<id>][<payload>]`.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Header<'a> {
    pub(super) kind: Kind,
    /// `Some` for binary events and acknowledgements, where it may be 0.
    pub(super) attachments: Option<usize>,
    pub(super) namespace: &'a str,
    pub(super) id: Option<u64>,
    pub(super) payload: &'a str,
}

impl<'a> Header<'a> {
    pub(super) fn read(text: &'a str) -> Result<Self, DecodeError> {
        let mut rest = text;
        let (kind, binary) = match take(&mut rest, 1) {
            Some("0") => (Kind::Connect, false),
            Some("1") => (Kind::Disconnect, false),
            Some("2") => (Kind::Event, false),
            Some("3") => (Kind::Ack, false),
            Some("4") => return Err(DecodeError::ServersOnly),
            Some("5") => (Kind::Event, true),
            Some("6") => (Kind::Ack, true),
            _ => return Err(DecodeError::UnknownType),
        };
        let attachments = if binary {
            Some(attachments(&mut rest)?)
        } else {
            None
        };
        let namespace = if rest.starts_with('/') {
            // The comma may be omitted if nothing follows.
            let (namespace, after) = rest.split_once(',').unwrap_or((rest, ""));
            rest = after;
            namespace
        } else {
            "/"
        };
        let digits = digits(&mut rest);
        let id = match digits {
            "" => None,
            digits => Some(digits.parse().map_err(|_| DecodeError::BadId)?),
        };
        Ok(Self {
            kind,
            attachments,
            namespace,
            id,
            payload: rest,
        })
    }
}

fn attachments(rest: &mut &str) -> Result<usize, DecodeError> {
    let count = digits(rest);
    if count.is_empty() || take(rest, 1) != Some("-") {
        return Err(DecodeError::BadAttachments);
    }
    match count.parse() {
        Ok(count) if count <= MAX_ATTACHMENTS => Ok(count),
        // Digits do not parse only if the number is too large.
        Ok(_) | Err(_) => Err(DecodeError::TooManyAttachments),
    }
}

/// Takes `count` bytes from the front, if there are as many and they end at a character boundary.
fn take<'a>(rest: &mut &'a str, count: usize) -> Option<&'a str> {
    let (front, back) = rest.split_at_checked(count)?;
    *rest = back;
    Some(front)
}

/// Takes all ASCII digits from the front.
fn digits<'a>(rest: &mut &'a str) -> &'a str {
    let end = rest
        .bytes()
        .position(|byte| !byte.is_ascii_digit())
        .unwrap_or(rest.len());
    let (front, back) = rest.split_at(end);
    *rest = back;
    front
}

/// Splits revision 4's query from a namespace: `/admin?token=abc`.
pub(super) fn split_query(namespace: &str) -> (&str, Option<Map<String, Value>>) {
    match namespace.split_once('?') {
        Some((namespace, query)) => (namespace, Some(read_query(query))),
        None => (namespace, None),
    }
}

fn read_query(query: &str) -> Map<String, Value> {
    let mut map = Map::new();
    for pair in query.split('&').filter(|pair| !pair.is_empty()) {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        let value = Value::String(unescape(value).into_owned());
        match map.entry(unescape(name)) {
            Entry::Vacant(vacant) => {
                vacant.insert(value);
            }
            Entry::Occupied(mut occupied) => match occupied.get_mut() {
                Value::Array(values) => values.push(value),
                first => *first = Value::Array(vec![first.take(), value]),
            },
        }
    }
    map
}

/// Decodes a form's query: percent-encoding, and plus for a space.
fn unescape(text: &str) -> Cow<'_, str> {
    if !text.contains(['%', '+']) {
        return Cow::Borrowed(text);
    }
    let spaced = text.replace('+', " ");
    let plain = percent_decode_str(&spaced).decode_utf8_lossy();
    Cow::Owned(plain.into_owned())
}
