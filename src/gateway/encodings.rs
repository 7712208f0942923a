//! A change or a signal in one dialect, encoded once for all sockets, long-polls and streams.

use std::sync::OnceLock;

use parlance_socketio::server::Prepared;

use crate::{
    dialect::DialectId,
    pubsub::{Published, PublishedSignal},
};

/// What the gateway makes of a change in one dialect, each when it is first needed.
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

/// The encodings of a change in a dialect.
pub(super) fn of_change(published: &Published, dialect: DialectId) -> &Encodings {
    published.encoding(dialect.slot(), |_| Encodings::default())
}

/// The frames of a signal in a dialect.
pub(super) fn of_signal(
    signal: &PublishedSignal,
    dialect: DialectId,
    encode: impl FnOnce() -> Vec<Prepared>,
) -> &[Prepared] {
    signal.encoding(dialect.slot(), |_| encode())
}
