//! A change or a signal in one dialect, encoded once for all sockets, long-polls and streams.

use std::sync::OnceLock;

use parlance_socketio::server::Prepared;
use serde_json::Value;

use crate::{
    dialect::{DialectEntry, DialectId, Options, OutgoingEvent},
    model::Change,
    pubsub::{Published, PublishedSignal},
};

/// A change in one dialect, for those who asked for its aliases and for those who did not.
#[derive(Default)]
struct Variants {
    plain: Encodings,
    with_aliases: Encodings,
}

/// What the gateway makes of a change or a signal in one dialect, each when it is first needed.
#[derive(Default)]
pub(super) struct Encodings {
    /// As entries of a long-poll's list and events of a stream.
    pub(super) texts: OnceLock<Vec<EncodedText>>,
    /// As frames of a socket.
    pub(super) frames: OnceLock<Vec<Prepared>>,
    /// As frames that end with the offset to resume from.
    pub(super) frames_with_offset: OnceLock<Vec<Prepared>>,
}

/// An event in JSON.
pub(super) struct EncodedText {
    pub(super) name: String,
    pub(super) data: String,
    pub(super) listed: String,
}

/// The encodings of a change in a dialect, with or without its aliases.
pub(super) fn of_change(published: &Published, dialect: DialectId, aliases: bool) -> &Encodings {
    let variants = published.encoding(dialect.slot(), |_| Variants::default());
    if aliases {
        &variants.with_aliases
    } else {
        &variants.plain
    }
}

/// The events that encode a change in a dialect, with or without its aliases.
pub(super) fn outgoing(
    dialect: DialectEntry,
    options: &Options,
    change: &Change,
    aliases: bool,
) -> Vec<OutgoingEvent> {
    let mut outgoing = dialect.encode_change_with(options, change);
    if aliases {
        outgoing.extend(dialect.encode_aliases(change));
    }
    outgoing
}

/// The encodings of a signal in a dialect.
pub(super) fn of_signal(signal: &PublishedSignal, dialect: DialectId) -> &Encodings {
    signal.encoding(dialect.slot(), |_| Encodings::default())
}

/// Events in JSON.
pub(super) fn texts(outgoing: Vec<OutgoingEvent>) -> Vec<EncodedText> {
    let texts = outgoing.into_iter().map(|event| {
        let data = event.data.to_json().into_owned();
        let name = event.name.into_owned();
        EncodedText {
            listed: format!(
                r#"{{"data":{data},"event":{}}}"#,
                Value::from(name.as_str())
            ),
            data,
            name,
        }
    });
    texts.collect()
}
