//! What a recovered connection has missed, sent before the answer to its `CONNECT`.

use parlance_socketio::server::Prepared;

use super::{
    frames::{Offsets, frames},
    gathering::{Gathered, gather},
};
use crate::{dialect::ClientSession, error::Result, model::Positions};

/// How many bytes of missed changes are sent before the `CONNECT` packet. The rest is delivered after it.
const MISSED_BYTES: usize = 512 << 10;
/// The frames that a recovered connection has missed, with offsets, up to the limits of one read and of
/// [`MISSED_BYTES`]; and up to where that is, from `place` on. Delivery continues after them.
pub(super) async fn missed(
    session: &mut ClientSession,
    place: Positions,
) -> Result<(Vec<Prepared>, Positions)> {
    let (mut missed, mut left) = (Vec::new(), MISSED_BYTES);
    let mut delivered = session.lanes().cloned().unwrap_or(place);
    for number in 0..session.lanes().map_or(0, Positions::lanes) {
        let Some((lane, after)) = delivered.nth(number) else {
            break;
        };
        let Gathered { changes, seen, .. } = gather(session, (lane, after)).await?;
        for (published, dialects) in changes {
            let position = published.change.position;
            if position > seen {
                break;
            }
            let matching: Vec<_> = session
                .dialects(dialects)
                .filter(|dialect| dialect.should_deliver(session, &published.change))
                .collect();
            let before = missed.len();
            for (index, dialect) in matching.iter().enumerate() {
                let later = usize::from(index + 1 < matching.len());
                let offsets = Offsets::of(true, lane, &delivered);
                let frames = frames(session, (*dialect, later), &published, offsets);
                missed.extend_from_slice(&frames);
            }
            let bytes: usize = missed[before..].iter().map(Prepared::encoded_len).sum();
            match left.checked_sub(bytes) {
                Some(rest) => left = rest,
                // It is delivered after the `CONNECT` packet.
                None if before > 0 => {
                    missed.truncate(before);
                    return Ok((missed, delivered));
                }
                None => left = 0,
            }
            delivered.raise_in(lane, position);
        }
        delivered.raise_in(lane, seen);
    }
    Ok((missed, delivered))
}
