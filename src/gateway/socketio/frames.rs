//! The frames of a change: encoded once for all sockets, with the offsets of those that can be recovered.

use std::borrow::Cow;

use parlance_socketio::{packet::NamespaceName, server::Prepared};

use crate::{
    dialect::{ClientSession, DialectEntry, OutgoingEvent},
    gateway::encodings,
    model::{Change, Position},
    pubsub::Published,
};

/// The frames of a change in one dialect, encoded once for all sockets. With offsets they are encoded for
/// this socket alone if frames of `later` dialects follow: the change is complete only after those.
pub(super) fn frames<'p>(
    session: &ClientSession,
    (dialect, later): (DialectEntry, usize),
    published: &'p Published,
    offsets: bool,
) -> Cow<'p, [Prepared]> {
    let aliases = dialect.wants_aliases(session);
    let make = |change: &Change, later| {
        let cursor = |offset| session.epoch.cursor_at(offset).to_string();
        let outgoing = encodings::outgoing(dialect, &session.options, change, aliases);
        prepare(outgoing, |left| {
            offsets.then(|| cursor(offset_of(change.position, left + later)))
        })
    };
    if offsets && later > 0 {
        return Cow::Owned(make(&published.change, later));
    }
    let encodings = encodings::of_change(published, dialect.id(), aliases);
    let shared = if offsets {
        &encodings.frames_with_offset
    } else {
        &encodings.frames
    };
    Cow::Borrowed(shared.get_or_init(|| make(&published.change, 0)))
}

/// The offset of a frame of a change, where `left` frames of it remain, this one included. Only the last
/// one has the change's position: a connection that is lost before that gets the whole change again.
pub(super) fn offset_of(position: Position, left: usize) -> Position {
    if left > 1 {
        position.plus(-1)
    } else {
        position
    }
}

/// Encodes events, each with the offset for the number of frames that remain, itself included.
pub(super) fn prepare(
    outgoing: Vec<OutgoingEvent>,
    offset: impl Fn(usize) -> Option<String>,
) -> Vec<Prepared> {
    let count = outgoing.len();
    let outgoing = outgoing.into_iter().enumerate();
    let frames = outgoing.map(|(index, event)| {
        let offset = offset(count - index);
        Prepared::json(
            &NamespaceName::MAIN,
            &event.name,
            &event.data.to_json(),
            offset.as_deref(),
        )
    });
    frames.collect()
}
