//! Encodes packets from the server, once for all receivers.

use std::{borrow::Cow, io::Write, sync::Arc};

use bytes::Bytes;
use serde::Serialize;
use serde_json::Value;
use tokio_tungstenite::tungstenite::Utf8Bytes;

use super::{Args, NamespaceName, Version, args::Placeholder};

/// An encoded packet. Clones share the bytes.
#[derive(Debug, Clone, PartialEq)]
pub struct Encoded {
    frame: Utf8Bytes,
    attachments: Option<Arc<[Bytes]>>,
}

/// The payload of the server's `CONNECT` in revision 5.
#[derive(Serialize)]
struct ConnectPayload<'a> {
    sid: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pid: Option<&'a str>,
}

/// The payload of `CONNECT_ERROR` in revision 5.
#[derive(Serialize)]
struct ErrorPayload<'a> {
    message: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    data: Option<&'a Value>,
}

impl Encoded {
    /// `CONNECT`: the client has joined. In revision 5 it has the socket's id and, if the socket can be
    /// recovered, its private id.
    pub fn connect(
        version: Version,
        namespace: &NamespaceName,
        sid: &str,
        pid: Option<&str>,
    ) -> Self {
        let draft = Draft::new('0', 0, namespace);
        match version {
            Version::V4 => draft.done(),
            Version::V5 => draft.json(&ConnectPayload { sid, pid }).done(),
        }
    }

    /// `CONNECT_ERROR`: the client may not join.
    ///
    /// Revision 4 has either a message or data: the data if its clients accept it (a string, an object or
    /// an array), otherwise the message.
    pub fn connect_error(
        version: Version,
        namespace: &NamespaceName,
        message: &str,
        data: Option<&Value>,
    ) -> Self {
        let draft = Draft::new('4', 0, namespace);
        let is_accepted = |data: &&Value| data.is_string() || data.is_object() || data.is_array();
        match (version, data.filter(is_accepted)) {
            (Version::V5, _) => draft.json(&ErrorPayload { message, data }).done(),
            (Version::V4, Some(data)) => draft.json(data).done(),
            (Version::V4, None) => draft.json(message).done(),
        }
    }

    /// `DISCONNECT`: the client is no longer in the namespace.
    pub fn disconnect(namespace: &NamespaceName) -> Self {
        Draft::new('1', 0, namespace).done()
    }

    /// `EVENT` or `BINARY_EVENT`. With an `id` the client is to acknowledge it.
    pub fn event(namespace: &NamespaceName, id: Option<u64>, name: &str, args: &Args) -> Self {
        let attachments = args.attachments();
        let digit = if attachments.is_empty() { '2' } else { '5' };
        Draft::new(digit, attachments.len(), namespace)
            .id(id)
            .list(Some(name), args)
            .done_with(attachments)
    }

    /// `ACK` or `BINARY_ACK` for the event with that `id`.
    pub fn ack(namespace: &NamespaceName, id: u64, args: &Args) -> Self {
        let attachments = args.attachments();
        let digit = if attachments.is_empty() { '3' } else { '6' };
        Draft::new(digit, attachments.len(), namespace)
            .id(Some(id))
            .list(None, args)
            .done_with(attachments)
    }

    /// The packet's text as an Engine.IO packet: the digit `4`, then [`Encoded::text`].
    pub fn frame(&self) -> &Utf8Bytes {
        &self.frame
    }

    /// The packet's text without Engine.IO's type digit.
    pub fn text(&self) -> &str {
        &self.frame.as_str()[1..]
    }

    /// The attachments. They have to be sent directly after the text, in this order.
    pub fn attachments(&self) -> &[Bytes] {
        self.attachments.as_deref().unwrap_or_default()
    }

    /// The length of the text and the attachments, in bytes.
    pub fn size(&self) -> usize {
        let attached: usize = self.attachments().iter().map(Bytes::len).sum();
        self.frame.as_str().len() + attached
    }
}

/// The text of a packet before and after one of its arguments, so that packets can share a large one.
/// The packet has no attachments.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Around {
    /// The text before the argument, with Engine.IO's type digit.
    pub start: String,
    /// The text after it.
    pub end: String,
}

impl Around {
    /// `EVENT`, with `more` as the JSON of an argument after the shared one.
    pub fn event(namespace: &NamespaceName, name: &str, more: Option<&str>) -> Self {
        let mut start = Draft::new('2', 0, namespace);
        start.0.push(b'[');
        start = start.json(name);
        start.0.push(b',');
        let mut end = Draft(Vec::new());
        if let Some(more) = more {
            end.0.push(b',');
            end = end.json(more);
        }
        end.0.push(b']');
        Self {
            start: start.text(),
            end: end.text(),
        }
    }

    /// `ACK` for the event with that `id`.
    pub fn ack(namespace: &NamespaceName, id: u64) -> Self {
        let mut start = Draft::new('3', 0, namespace).id(Some(id));
        start.0.push(b'[');
        Self {
            start: start.text(),
            end: "]".to_owned(),
        }
    }
}

/// A packet that is being written.
struct Draft(Vec<u8>);

impl Draft {
    fn new(digit: char, attachments: usize, namespace: &NamespaceName) -> Self {
        let mut draft = Self(Vec::with_capacity(128));
        draft.0.push(b'4');
        draft.0.extend(digit.encode_utf8(&mut [0; 4]).as_bytes());
        if attachments > 0 {
            draft.write(format_args!("{attachments}-"));
        }
        if !namespace.is_main() {
            draft.write(format_args!("{namespace},"));
        }
        draft
    }

    fn write(&mut self, text: std::fmt::Arguments<'_>) {
        self.0.write_fmt(text).expect("a Vec takes every byte");
    }

    fn id(mut self, id: Option<u64>) -> Self {
        if let Some(id) = id {
            self.write(format_args!("{id}"));
        }
        self
    }

    fn json(mut self, value: &(impl Serialize + ?Sized)) -> Self {
        serde_json::to_writer(&mut self.0, value).expect(
            "strings, and values that came from JSON, are JSON, and a Vec takes every byte",
        );
        self
    }

    /// Writes the JSON array of the name, if there is one, and the arguments.
    fn list(mut self, name: Option<&str>, args: &Args) -> Self {
        let mut separator = b'[';
        if let Some(name) = name {
            self.0.push(separator);
            self = self.json(name);
            separator = b',';
        }
        for value in without_dangling(args).iter() {
            self.0.push(separator);
            self = self.json(value);
            separator = b',';
        }
        if separator == b'[' {
            self.0.push(separator);
        }
        self.0.push(b']');
        self
    }

    fn text(self) -> String {
        String::from_utf8(self.0).expect("digits, names and JSON are UTF-8")
    }

    fn done(self) -> Encoded {
        self.done_with(&[])
    }

    fn done_with(mut self, attachments: &[Bytes]) -> Encoded {
        // The bytes may be in many outboxes for long, so they have no spare capacity.
        self.0.shrink_to_fit();
        Encoded {
            frame: Utf8Bytes::try_from(self.0).expect("digits, names and JSON are UTF-8"),
            attachments: (!attachments.is_empty()).then(|| attachments.into()),
        }
    }
}

/// The values, with null in place of invalid placeholders.
///
/// In a packet with attachments, clients take every object that looks like a placeholder for one, and
/// disconnect if its index is invalid. So such an object from one client, sent on together with real
/// binary, would disconnect all receivers.
fn without_dangling(args: &Args) -> Cow<'_, [Value]> {
    let count = args.attachments().len();
    let good = |value| Placeholder::all_within(value, count);
    if count == 0 || args.values().iter().all(good) {
        return Cow::Borrowed(args.values());
    }
    let mut values = args.values().to_vec();
    for value in &mut values {
        Placeholder::clear_beyond(value, count);
    }
    Cow::Owned(values)
}
