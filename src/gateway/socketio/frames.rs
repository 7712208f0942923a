//! The frames of a change: encoded once for all sockets, with the offsets of those that can be recovered.

use std::borrow::Cow;

use parlance_socketio::{packet::NamespaceName, server::Prepared};

use super::connection;
use crate::{
    dialect::{ClientSession, DialectEntry, DialectId, OutgoingEvent},
    gateway::encodings,
    model::{Change, Lane, PartTold, Position, Positions},
    pubsub::Published,
};

/// Which offsets frames have.
#[derive(Clone, Copy)]
pub(super) enum Offsets<'p> {
    /// None: the socket cannot be recovered.
    None,
    /// The place of the change: the socket acts in one lane.
    Shared,
    /// The socket's own, in several lanes: of one of them the change's.
    Own(Lane, &'p Positions),
}

impl<'p> Offsets<'p> {
    /// Those of a socket that is at these positions, of a change in a lane.
    pub(super) fn of(is_recoverable: bool, lane: Lane, after: &'p Positions) -> Self {
        if !is_recoverable {
            Self::None
        } else if after.lanes() == 1 {
            Self::Shared
        } else {
            Self::Own(lane, after)
        }
    }
}

/// The frames of a change in one dialect, encoded once for all sockets. With offsets they are encoded for
/// this socket alone if frames of `later` dialects follow: the change is complete only after those. So they are where
/// it acts in several lanes.
pub(super) fn frames<'p>(
    session: &ClientSession,
    (dialect, later): (DialectEntry, usize),
    published: &'p Published,
    offsets: Offsets<'_>,
) -> Cow<'p, [Prepared]> {
    let aliases = dialect.wants_aliases(session);
    let make = |change: &Change, later| {
        let offset = |told, count| {
            let (at, part) = told_with(change.position, dialect.id(), (told, count + later));
            match offsets {
                Offsets::None => None,
                Offsets::Shared => connection::offset(&session.epoch, &at.into(), part),
                Offsets::Own(lane, after) => {
                    let mut place = after.clone();
                    place.raise_in(lane, at);
                    connection::offset(&session.epoch, &place, part)
                }
            }
        };
        let outgoing = encodings::outgoing(dialect, &session.options, change, aliases);
        prepare(outgoing, offset)
    };
    let is_own = match offsets {
        Offsets::None => false,
        Offsets::Shared => later > 0,
        Offsets::Own(..) => true,
    };
    if is_own {
        return Cow::Owned(make(&published.change, later));
    }
    let encodings = encodings::of_change(published, dialect.id(), aliases);
    let shared = match offsets {
        Offsets::None => &encodings.frames,
        Offsets::Shared | Offsets::Own(..) => &encodings.frames_with_offset,
    };
    Cow::Borrowed(shared.get_or_init(|| make(&published.change, 0)))
}

/// Up to where a connection was told with a frame of a change, with which `told` frames of a dialect were, of more than
/// that if `of` is. Only the last frame has the change's position; those before it say which were told, and a connection
/// that is lost after one of them gets the others.
pub(super) fn told_with(
    position: Position,
    dialect: DialectId,
    (told, of): (usize, usize),
) -> (Position, Option<PartTold>) {
    if told < of {
        let part = PartTold::new(position, dialect.number(), told);
        (position.plus(-1), Some(part))
    } else {
        (position, None)
    }
}

/// Encodes events, each with the offset for its number among them, from 1 on, and how many there are.
pub(super) fn prepare(
    outgoing: Vec<OutgoingEvent>,
    offset: impl Fn(usize, usize) -> Option<String>,
) -> Vec<Prepared> {
    let count = outgoing.len();
    let outgoing = outgoing.into_iter().enumerate();
    let frames = outgoing.map(|(index, event)| {
        let offset = offset(index + 1, count);
        Prepared::json(
            &NamespaceName::MAIN,
            &event.name,
            &event.data.to_json(),
            offset.as_deref(),
        )
    });
    frames.collect()
}
