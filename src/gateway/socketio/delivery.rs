//! Delivery: sends changes in the order of the log, as fast as the client reads.
//!
//! A connection that is in step is served from memory, by the task that publishes or that releases the turn. One that
//! has fallen behind memory is served from the log by a catch-up task of its own. One whose outbox is full continues when
//! the outbox is empty.

use std::time::Duration;

use parlance_socketio::{
    engine::{DisconnectReason, SendError},
    server::Socket,
};
use tracing::Instrument;

use super::{
    connection::{ConnectionState, Recovery},
    cursor::DeliveryCursor,
    frames::{Offsets, frames, told_with},
    gathering::{Gathered, gather, recent},
    signals::deliver_signals,
    turn::{Mode, Turn},
};
use crate::{
    dialect::{ClientSession, DialectEntry, DialectMask},
    error::Result,
    model::{Change, Lane},
    pubsub::Published,
    telemetry::Transport,
};

/// How long to wait after an error of the database.
const RETRY_AFTER: Duration = Duration::from_millis(250);

/// The outcome of one round of delivery.
enum DeliveryOutcome {
    /// There are no more changes, or the next one waits for an answer.
    Complete,
    /// There are more changes.
    More,
    /// The topic logs do not reach back that far: the log has to be read.
    Behind,
    /// The outbox is full.
    Full,
    /// The socket is disconnected.
    Closed,
}

/// Starts delivery, unless it was started before, if the session has an identity or is bound to a login, with which
/// it ends.
pub(super) fn start(connection: &ConnectionState, turn: &mut Turn) {
    let session = &turn.session;
    let is_somebody = session.is_bound() || !session.identities().is_empty();
    if turn.mode != Mode::Off || !is_somebody {
        return;
    }
    turn.mode = Mode::InStep;
    follow_lanes(turn, connection.recovery());
    connection.note_delivery();
}

/// Begins to deliver in lanes to which those belong for whom the session acts by now.
fn follow_lanes(turn: &mut Turn, recovery: Option<&Recovery>) {
    if let Some(lanes) = turn.session.lanes() {
        turn.cursor.follow(lanes, recovery);
    }
}

/// The outbox of a connection is empty again.
pub(super) fn go_on(connection: &ConnectionState, turn: &mut Turn) {
    if turn.mode == Mode::Full {
        turn.mode = Mode::InStep;
        connection.note_delivery();
    }
}

/// Tells a connection that came back what it has missed, before anything else is said to it: as much as one read of the
/// log has and the outbox holds. Delivery goes on after that.
pub(super) async fn tell_missed(socket: &Socket, connection: &ConnectionState, turn: &mut Turn) {
    let number = turn.session.number;
    let told = async {
        // What is not told here is told by delivery.
        if let Err(error) = deliver_log(socket, turn, connection.recovery()).await {
            tracing::warn!(cause = ?error, "What a socket has missed cannot be read yet.");
        }
    };
    let span = tracing::error_span!("delivery", connection = number);
    told.instrument(span).await;
}

/// Delivers what is new from memory. Called by the holder of the turn. It never waits.
pub(super) fn in_step(socket: &Socket, connection: &ConnectionState, turn: &mut Turn) {
    turn.session.drop_the_gone();
    if turn.mode != Mode::InStep {
        return;
    }
    match deliver_recent(socket, turn, connection.recovery()) {
        // Every later publication notes it again.
        DeliveryOutcome::Complete | DeliveryOutcome::More => {}
        DeliveryOutcome::Behind => {
            turn.mode = Mode::CatchingUp;
            let span = tracing::error_span!("delivery", connection = turn.session.number);
            tokio::spawn(catch_up(socket.clone()).instrument(span));
        }
        DeliveryOutcome::Full => turn.mode = Mode::Full,
        DeliveryOutcome::Closed => turn.mode = Mode::Off,
    }
}

/// Delivers from the log until the connection is in step, or its outbox is full.
async fn catch_up(socket: Socket) {
    let Some(connection) = socket.data::<ConnectionState>() else {
        return;
    };
    loop {
        let mut turn = connection.turn(&socket).await;
        turn.session.drop_the_gone();
        match deliver_missed(&socket, &mut turn, connection.recovery()).await {
            Ok(DeliveryOutcome::More | DeliveryOutcome::Behind) => {}
            Ok(DeliveryOutcome::Complete) => {
                turn.mode = Mode::InStep;
                return;
            }
            Ok(DeliveryOutcome::Full) => {
                turn.mode = Mode::Full;
                return;
            }
            Ok(DeliveryOutcome::Closed) => {
                turn.mode = Mode::Off;
                return;
            }
            Err(error) => {
                tracing::warn!(cause = ?error, "Changes cannot be delivered to a socket.");
                drop(turn);
                tokio::time::sleep(RETRY_AFTER).await;
                if !socket.is_connected() {
                    return;
                }
            }
        }
    }
}

/// Closes a connection that began in an epoch of the log that has ended: what it was told may not be in
/// the log any more. Its client comes back, and is told that it is not recovered. One that listens in a lane that a
/// tenant has left is closed too: its client comes back, and goes on in the other lane.
fn closed_by_the_log(socket: &Socket, turn: &Turn) -> bool {
    let session = &turn.session;
    let ended = session.services.has_ended(&session.epoch) || session.has_moved();
    if ended {
        socket.session().close(DisconnectReason::ForcedServerClose);
    }
    ended
}

fn deliver_recent(
    socket: &Socket,
    turn: &mut Turn,
    recovery: Option<&Recovery>,
) -> DeliveryOutcome {
    if closed_by_the_log(socket, turn) {
        return DeliveryOutcome::Closed;
    }
    if deliver_signals(socket, turn, recovery) == Err(SendError::Closed) {
        return DeliveryOutcome::Closed;
    }
    follow_lanes(turn, recovery);
    let mut outcome = DeliveryOutcome::Complete;
    let first = turn.cursor.first();
    for places in 0..turn.cursor.lanes {
        let Some((lane, after)) = turn.cursor.after_first(first, places) else {
            break;
        };
        // Somebody new for whom it acts is no change: a connection that acts for hundreds is not searched for them.
        if turn.session.services.head_in(lane) <= after {
            continue;
        }
        let Some(gathered) = recent(&mut turn.session, (lane, after)) else {
            return DeliveryOutcome::Behind;
        };
        match send(socket, turn, gathered, recovery) {
            DeliveryOutcome::Complete => {}
            DeliveryOutcome::More => outcome = DeliveryOutcome::More,
            ended @ (DeliveryOutcome::Behind | DeliveryOutcome::Full | DeliveryOutcome::Closed) => {
                return ended;
            }
        }
    }
    outcome
}

async fn deliver_missed(
    socket: &Socket,
    turn: &mut Turn,
    recovery: Option<&Recovery>,
) -> Result<DeliveryOutcome> {
    if deliver_signals(socket, turn, recovery) == Err(SendError::Closed) {
        return Ok(DeliveryOutcome::Closed);
    }
    deliver_log(socket, turn, recovery).await
}

async fn deliver_log(
    socket: &Socket,
    turn: &mut Turn,
    recovery: Option<&Recovery>,
) -> Result<DeliveryOutcome> {
    follow_lanes(turn, recovery);
    let mut outcome = DeliveryOutcome::Complete;
    let first = turn.cursor.first();
    for places in 0..turn.cursor.lanes {
        let Some(place) = turn.cursor.after_first(first, places) else {
            break;
        };
        let gathered = gather(&mut turn.session, place).await?;
        if closed_by_the_log(socket, turn) {
            return Ok(DeliveryOutcome::Closed);
        }
        match send(socket, turn, gathered, recovery) {
            DeliveryOutcome::Complete => {}
            DeliveryOutcome::More => outcome = DeliveryOutcome::More,
            ended @ (DeliveryOutcome::Behind | DeliveryOutcome::Full | DeliveryOutcome::Closed) => {
                return Ok(ended);
            }
        }
    }
    Ok(outcome)
}

/// Sends changes until there are no more, one has to wait, or the outbox is full.
fn send(
    socket: &Socket,
    turn: &mut Turn,
    gathered: Gathered,
    recovery: Option<&Recovery>,
) -> DeliveryOutcome {
    let lane = gathered.lane;
    let outcome = send_each(socket, turn, gathered, recovery);
    if let (Some(recovery), Some(after)) = (recovery, turn.cursor.after.of(lane)) {
        recovery.has_told(lane, after);
    }
    outcome
}

fn send_each(
    socket: &Socket,
    turn: &mut Turn,
    gathered: Gathered,
    recovery: Option<&Recovery>,
) -> DeliveryOutcome {
    let Turn {
        session,
        unanswered,
        cursor,
        mode: _,
    } = turn;
    let lane = gathered.lane;
    for (published, dialects) in gathered.changes {
        let position = published.change.position;
        if position > gathered.seen {
            break;
        }
        if unanswered.hold(&published.change) {
            cursor.after.raise_in(lane, position.plus(-1));
            return DeliveryOutcome::Complete;
        }
        // One that came back is in the rooms that it may be in now, whatever happened before.
        let is_news = recovery.is_none_or(|recovery| !recovery.has_checked(lane, position));
        let matching = matching(session, dialects, &published.change, is_news);
        match deliver_change(
            (socket, lane),
            session,
            cursor,
            &matching,
            &published,
            recovery,
        ) {
            Ok(()) => cursor.after.raise_in(lane, position),
            Err(SendError::Full) => {
                cursor.after.raise_in(lane, position.plus(-1));
                return DeliveryOutcome::Full;
            }
            Err(SendError::Closed) => return DeliveryOutcome::Closed,
        }
    }
    cursor.after.raise_in(lane, gathered.seen);
    let head = session.services.head_in(lane);
    let behind = cursor.after.of(lane).is_some_and(|after| after < head);
    if behind && !session.identities().is_empty() {
        DeliveryOutcome::More
    } else {
        DeliveryOutcome::Complete
    }
}

/// Notifies the dialects of a change that is news; those that deliver it.
fn matching(
    session: &mut ClientSession,
    dialects: DialectMask,
    change: &Change,
    is_news: bool,
) -> Vec<DialectEntry> {
    let mut matching = Vec::new();
    for dialect in session.dialects(dialects) {
        if is_news {
            dialect.on_change(session, change);
        }
        if dialect.should_deliver(session, change) {
            matching.push(dialect);
        }
    }
    matching
}

/// Sends a change's frames, those that were not sent before, by this connection or the one that it goes on from. When the
/// outbox is full, `cursor` notes which have been.
fn deliver_change(
    (socket, lane): (&Socket, Lane),
    session: &ClientSession,
    cursor: &mut DeliveryCursor,
    matching: &[DialectEntry],
    published: &Published,
    recovery: Option<&Recovery>,
) -> Result<(), SendError> {
    let position = published.change.position;
    let before = cursor.part.filter(|part| part.position == position);
    for (index, dialect) in matching.iter().enumerate() {
        let id = dialect.id();
        let later = usize::from(index + 1 < matching.len());
        let offsets = Offsets::of(recovery.is_some(), lane, &cursor.after);
        let frames = frames(session, (*dialect, later), published, offsets);
        for (index, frame) in frames.iter().enumerate() {
            if before.is_some_and(|part| part.has_told(id.number(), index)) {
                continue;
            }
            let (at, part) = told_with(position, id, (index + 1, frames.len() + later));
            let send = || socket.try_emit(frame);
            match recovery {
                Some(recovery) => recovery.advance((lane, at, part), send)?,
                None => send()?,
            }
            cursor.part = part;
        }
        if let Some(metrics) = session.options.metrics.of(*dialect) {
            metrics.delivered(Transport::Socket, 1);
        }
    }
    cursor.part.take_if(|part| part.position == position);
    Ok(())
}
