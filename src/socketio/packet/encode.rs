//! What a server sends, made once and shared by everybody who hears it.

use std::{borrow::Cow, io::Write, sync::Arc};

use bytes::Bytes;
use serde::Serialize;
use serde_json::Value;
use tokio_tungstenite::tungstenite::Utf8Bytes;

use super::{Args, Namespace, Version, args::Placeholder};

/// A packet ready to be sent. A clone shares the bytes.
#[derive(Debug, Clone, PartialEq)]
pub struct Encoded {
    frame: Utf8Bytes,
    attachments: Option<Arc<[Bytes]>>,
}

/// The payload of revision 5's `CONNECT` from a server.
#[derive(Serialize)]
struct Welcome<'a> {
    sid: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pid: Option<&'a str>,
}

/// The payload of revision 5's `CONNECT_ERROR`.
#[derive(Serialize)]
struct Refusal<'a> {
    message: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    data: Option<&'a Value>,
}

impl Encoded {
    /// The client is in: its socket's id there and, where the connection can be recovered, the
    /// private id to recover it by. Revision 4 says neither.
    pub fn connect(version: Version, namespace: &Namespace, sid: &str, pid: Option<&str>) -> Self {
        let draft = Draft::new('0', 0, namespace);
        match version {
            Version::V4 => draft.done(),
            Version::V5 => draft.json(&Welcome { sid, pid }).done(),
        }
    }

    /// The client is refused, with a reason and, where there is more to say, data.
    ///
    /// Revision 4 has one place for both: the data if its clients can take it (a string, an object or
    /// an array), else the message.
    pub fn connect_error(
        version: Version,
        namespace: &Namespace,
        message: &str,
        data: Option<&Value>,
    ) -> Self {
        let draft = Draft::new('4', 0, namespace);
        let takes = |data: &&Value| data.is_string() || data.is_object() || data.is_array();
        match (version, data.filter(takes)) {
            (Version::V5, _) => draft.json(&Refusal { message, data }).done(),
            (Version::V4, Some(data)) => draft.json(data).done(),
            (Version::V4, None) => draft.json(message).done(),
        }
    }

    /// The client is no longer in the namespace.
    pub fn disconnect(namespace: &Namespace) -> Self {
        Draft::new('1', 0, namespace).done()
    }

    /// Something happened; with an `id`, an acknowledgement is wanted under that number.
    pub fn event(namespace: &Namespace, id: Option<u64>, name: &str, args: &Args) -> Self {
        let attachments = args.attachments();
        let digit = if attachments.is_empty() { '2' } else { '5' };
        Draft::new(digit, attachments.len(), namespace)
            .id(id)
            .list(Some(name), args)
            .done_with(attachments)
    }

    /// The answer to the event whose number was `id`.
    pub fn ack(namespace: &Namespace, id: u64, args: &Args) -> Self {
        let attachments = args.attachments();
        let digit = if attachments.is_empty() { '3' } else { '6' };
        Draft::new(digit, attachments.len(), namespace)
            .id(Some(id))
            .list(None, args)
            .done_with(attachments)
    }

    /// The packet's text as an Engine.IO message: the digit `4`, then [`Encoded::text`].
    pub fn frame(&self) -> &Utf8Bytes {
        &self.frame
    }

    /// The packet's text as Socket.IO has it, without Engine.IO's digit.
    pub fn text(&self) -> &str {
        &self.frame.as_str()[1..]
    }

    /// The binary values, which follow the text at once and in this order.
    pub fn attachments(&self) -> &[Bytes] {
        self.attachments.as_deref().unwrap_or_default()
    }

    /// How many bytes the text and the attachments have together.
    pub fn size(&self) -> usize {
        let attached: usize = self.attachments().iter().map(Bytes::len).sum();
        self.frame.as_str().len() + attached
    }
}

/// A packet's text without one argument, which is put between: so packets may share a large one. It has
/// no attachments.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Around {
    /// What comes before the argument, with Engine.IO's digit.
    pub start: String,
    /// What comes after it.
    pub end: String,
}

impl Around {
    /// Something happened; what comes after the argument that is left out is `more`.
    pub fn event(namespace: &Namespace, name: &str, more: Option<&str>) -> Self {
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

    /// The answer to the event whose number was `id`.
    pub fn ack(namespace: &Namespace, id: u64) -> Self {
        let mut start = Draft::new('3', 0, namespace).id(Some(id));
        start.0.push(b'[');
        Self {
            start: start.text(),
            end: "]".to_owned(),
        }
    }
}

/// A packet in the making.
struct Draft(Vec<u8>);

impl Draft {
    fn new(digit: char, attachments: usize, namespace: &Namespace) -> Self {
        let mut draft = Self(Vec::with_capacity(128));
        draft.write(format_args!("4{digit}"));
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

    /// The JSON list of the name, if there is one, and the arguments.
    fn list(mut self, name: Option<&str>, args: &Args) -> Self {
        let mut separator = b'[';
        if let Some(name) = name {
            self.0.push(separator);
            self = self.json(name);
            separator = b',';
        }
        for value in pointing_somewhere(args).iter() {
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
        // What is shared by many receivers and may wait in their outboxes keeps no slack.
        self.0.shrink_to_fit();
        Encoded {
            frame: Utf8Bytes::try_from(self.0).expect("digits, names and JSON are UTF-8"),
            attachments: (!attachments.is_empty()).then(|| attachments.into()),
        }
    }
}

/// The values, without placeholders that point nowhere.
///
/// A client that reads a packet with attachments takes every object that looks like a placeholder for
/// one and hangs up on a bad index, so a stranger's look-alike, sent on beside real binary, would
/// disconnect everybody who hears it.
fn pointing_somewhere(args: &Args) -> Cow<'_, [Value]> {
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
