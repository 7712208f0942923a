//! Signals to a connection: who types, and who is online.

use std::sync::Arc;

use parlance_socketio::{
    engine::SendError,
    server::{Prepared, Socket},
};

use super::{connection::Recovery, frames::prepare, turn::Turn};
use crate::{dialect::DialectEntry, gateway::encodings, pubsub::PublishedSignal};

/// Sends signals, which are dropped if the outbox is full.
pub(super) fn deliver_signals(
    socket: &Socket,
    turn: &mut Turn,
    recovery: Option<&Recovery>,
) -> Result<(), SendError> {
    let Turn {
        session, cursor, ..
    } = turn;
    let published = session.services.signals();
    if std::mem::replace(&mut cursor.signals, published) == published {
        return Ok(());
    }
    let set = session.options.dialects;
    let mut signals = Vec::new();
    for identity in session.identities_mut() {
        let dialects = identity.dialects();
        let Some(subscription) = identity.subscription() else {
            continue;
        };
        for signal in subscription.signals() {
            for dialect in set.among(dialects) {
                signals.push((signal.number, dialect, Arc::clone(&signal)));
            }
        }
    }
    // Numbers are those of a lane.
    let key = |(number, dialect, signal): &(u64, DialectEntry, Arc<PublishedSignal>)| {
        (*number, signal.signal.tenant, dialect.id())
    };
    signals.sort_by_key(key);
    signals.dedup_by_key(|signal| key(signal));
    for (_, dialect, signal) in signals {
        if !dialect.should_deliver_signal(session, &signal.signal) {
            continue;
        }
        let send = |frames: &[Prepared]| {
            let mut sent = frames.iter().map(|frame| socket.try_emit(frame));
            sent.all(|sent| sent != Err(SendError::Closed))
        };
        let is_open =
            match recovery {
                // The frame has the last offset again, which differs between sockets, so it is not shared.
                Some(recovery) => recovery.repeat(|offset| {
                    let outgoing = dialect.encode_signal(&signal.signal);
                    send(&prepare(outgoing, |_, _| offset.clone()))
                }),
                None => {
                    let frames = &encodings::of_signal(&signal, dialect.id()).frames;
                    send(frames.get_or_init(|| {
                        prepare(dialect.encode_signal(&signal.signal), |_, _| None)
                    }))
                }
            };
        if !is_open {
            return Err(SendError::Closed);
        }
    }
    Ok(())
}
