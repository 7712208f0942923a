//! The event-style dialects on Socket.IO: events of a client go to a dialect, and changes go to the client in
//! the dialects that it has used.
//!
//! # Why
//! A connection keeps little state: its identities, and the last position of the log that was delivered to
//! it. Delivery reads what is new from the topic logs that the connection is subscribed to, and sends frames that all
//! connections of the same dialect share. For connections that are in step, the publishing task does so itself, so no
//! task is woken for them (`delivery`). While the outbox is full nothing is delivered. Then
//! delivery continues from the same position, and reads from the database if the topic logs no longer reach back that
//! far. So no change is dropped, none is queued for a client that does not read, and no client delays others.
//!
//! The events of a connection and its delivery take turns, by one lock. So the reply to an event is sent before the
//! changes that the event has caused.
//!
//! A message does not keep the turn while it waits for its commit: the next messages of the connection are submitted
//! meanwhile. Until it is answered, delivery stops before whatever it may have caused (`Unanswered`).

mod connection;
mod credentials;
mod cursor;
mod delivery;
mod elsewhere;
mod frames;
mod gathering;
mod keeping;
mod metrics;
mod recovery;
mod signals;
mod transport;
mod turn;

use std::sync::{
    Arc, OnceLock,
    atomic::{AtomicU64, Ordering},
};

use parlance_socketio::{
    engine::{DisconnectReason, Revision},
    packet::Args,
    server::{AckSender, Admission, ConnectError, Event, Handler, PipelinedAnswer, Reply, Socket},
};
use serde_json::{Map, Value, json};
use tracing::{Instrument, field::Empty};

use crate::{
    chat::{Services, callers, connections},
    dialect::{self, Begun, ClientSession, Emitted, EventReply, Options, OutgoingEvent},
    error::{Error, Kind},
    model::Lane,
    telemetry::{RecoveryOutcome, log_failure},
};

use connection::{ConnectionState, Recovery};
use transport::SocketTransport;
use turn::Mode;

pub use credentials::CredentialReader;
pub use elsewhere::follow;
pub use metrics::export;

/// The error for an event that no dialect has.
const UNKNOWN_EVENT: &str = "there is no such event";

/// The handler of the main namespace, which all dialects use.
pub struct Gateway {
    started: Arc<OnceLock<Arc<Services>>>,
    options: Arc<Options>,
    credentials: CredentialReader,
    numbers: AtomicU64,
}

impl Gateway {
    /// A gateway to services that are started before the first client connects.
    pub fn new(
        started: Arc<OnceLock<Arc<Services>>>,
        options: Arc<Options>,
        credentials: CredentialReader,
    ) -> Self {
        Self {
            started,
            options,
            credentials,
            numbers: AtomicU64::new(1),
        }
    }

    /// The connection's state, made when it is first needed; `None` before the services are started.
    fn connection(&self, socket: &Socket) -> Option<Arc<ConnectionState>> {
        if let Some(connection) = socket.data::<ConnectionState>() {
            return Some(connection);
        }
        let services = self.started.get()?;
        let credentials = self.credentials.read(socket);
        let number = self.numbers.fetch_add(1, Ordering::Relaxed);
        let connection = ConnectionState::new(socket, |waker| {
            let transport = Arc::new(SocketTransport::new(socket));
            let (services, options) = (Arc::clone(services), Arc::clone(&self.options));
            ClientSession::new(
                services,
                options,
                credentials,
                transport,
                (number, Some(waker)),
            )
        });
        socket.set_data(connection);
        socket.data::<ConnectionState>()
    }

    /// Admits a client with credentials or a private id: binds the credentials, and recovers the connection if asked to.
    async fn admit_session(
        &self,
        socket: &Socket,
        connection: &Arc<ConnectionState>,
        session: &mut ClientSession,
        recovers: bool,
    ) -> Result<Admission, ConnectError> {
        let place = if recovers {
            recovery::returns_to(&session.services, socket).await
        } else {
            None
        };
        if let Err(error) = session.bind().await {
            // Not a reason to refuse the connection: its credentials are checked again when they are used.
            tracing::warn!(cause = ?error, "A client is let in whose cookies or key were not looked up.");
        }
        for dialect in self.options.dialects.iter() {
            dialect
                .on_connect(session)
                .await
                .map_err(|error| refuse(socket, &error))?;
        }
        if !recovers {
            return Ok(Admission::new());
        }
        let resumed = match place {
            Some(place) => recovery::resume(socket, connection, session, place).await,
            None => Ok(None),
        };
        if recovery::shows_private_id(socket) {
            self.options.metrics.delivery.recovery(match &resumed {
                Ok(Some(_)) => RecoveryOutcome::Recovered,
                Ok(None) => RecoveryOutcome::Refused,
                Err(_) => RecoveryOutcome::Failed,
            });
        }
        match resumed {
            Ok(Some(admission)) => return Ok(admission),
            Ok(None) => {}
            Err(error) => {
                tracing::warn!(cause = ?error, "A client cannot be taken back and begins anew.");
            }
        }
        let head = session.services.head_in(Lane::FIRST);
        let private = recovery::private_id(&session.epoch.cursor_at(head));
        let recovery = Recovery::new(private.clone(), session.epoch.clone(), head.into());
        connection.set_recovery(recovery);
        Ok(Admission::recoverable(private))
    }
}

impl Handler for Gateway {
    async fn admit(
        &self,
        socket: &Socket,
        _auth: Option<&Map<String, Value>>,
    ) -> Result<Admission, ConnectError> {
        let recovers = recovery::is_asked_for(socket);
        if !recovers && !self.credentials.has_credentials(socket) {
            return Ok(Admission::new());
        }
        let Some(connection) = self.connection(socket) else {
            socket.session().close(DisconnectReason::ForcedServerClose);
            return Err(ConnectError::new("the server is starting"));
        };
        let mut turn = connection.turn(socket).await;
        let session = &mut turn.session;
        let span = tracing::error_span!("connect", connection = session.number, caller = Empty);
        let admitted = self.admit_session(socket, &connection, session, recovers);
        admitted.instrument(span).await
    }

    async fn on_connect(&self, socket: &Socket) {
        if let Some(connection) = socket.data::<ConnectionState>() {
            let mut turn = connection.turn(socket).await;
            if socket.is_recovered() {
                delivery::tell_missed(socket, &connection, &mut turn).await;
            }
            for dialect in self.options.dialects.iter() {
                dialect.on_ready(&mut turn.session);
            }
            // One that is gone already takes nothing over from a newer one.
            if socket.is_connected() {
                keeping::keep(socket, &connection, &turn.session).await;
            }
            delivery::start(&connection, &mut turn);
        }
    }

    async fn on_event(&self, socket: &Socket, mut event: Event) {
        let Some(connection) = self.connection(socket) else {
            return;
        };
        let mut turn = connection.turn(socket).await;
        let arguments = event.args.values();
        let dialects = self.options.dialects;
        let Some(dialect) = dialects.of_event(&event.name, arguments.first()) else {
            let unknown = &self.options.metrics.delivery.unknown_events;
            unknown.answered(Kind::NotFound.status());
            let body = serde_json::json!({"status": "error", "error": UNKNOWN_EVENT});
            event.acknowledge(Args::from(body));
            return;
        };
        let answer = dialect::answer(dialect, &mut turn.session, &event.name, arguments).await;
        // Kept before its client knows of it: one that comes back at another server acts for all that it was told it does.
        keeping::keep(socket, &connection, &turn.session).await;
        reply(socket, &connection, answer, event.ack.take());
        delivery::start(&connection, &mut turn);
    }

    fn is_pipelined(&self, event: &Event) -> bool {
        let argument = event.args.values().first();
        let dialect = self.options.dialects.of_event(&event.name, argument);
        dialect.is_some_and(|dialect| dialect.is_message(&event.name))
    }

    async fn begin_event(&self, socket: &Socket, mut event: Event) -> PipelinedAnswer {
        let Some(connection) = self.connection(socket) else {
            return PipelinedAnswer::done();
        };
        let arguments = event.args.values();
        let dialects = self.options.dialects;
        let Some(dialect) = dialects.of_event(&event.name, arguments.first()) else {
            return PipelinedAnswer::done();
        };
        let mut turn = connection.turn(socket).await;
        let begun = dialect::begin(dialect, &mut turn.session, &event.name, arguments).await;
        if let Some(message) = begun.message() {
            turn.unanswered.push(message);
        }
        keeping::keep(socket, &connection, &turn.session).await;
        delivery::start(&connection, &mut turn);
        drop(turn);
        let (socket, ack) = (socket.clone(), event.ack.take());
        let outcome = async move {
            let mut begun = begun;
            begun.outcome().await;
            begun
        };
        PipelinedAnswer::new(outcome, |begun| {
            answer_message(socket, connection, begun, ack)
        })
    }

    async fn on_drain(&self, socket: &Socket) {
        if let Some(connection) = socket.data::<ConnectionState>() {
            delivery::go_on(&connection, &mut *connection.turn(socket).await);
        }
    }

    async fn on_disconnect(&self, socket: &Socket, _reason: DisconnectReason) {
        let Some(connection) = socket.data::<ConnectionState>() else {
            return;
        };
        let mut turn = connection.turn(socket).await;
        turn.mode = Mode::Off;
        let session = &mut turn.session;
        let identity = recovery::encode_lost(session);
        for dialect in self.options.dialects.iter() {
            dialect.on_disconnect(session).await;
        }
        let id = socket.id().as_str().to_owned();
        let same = socket.within(id.as_str()).sockets();
        let is_back = same.iter().any(|other| !other.ptr_eq(socket));
        if let Some(recovery) = connection.recovery().filter(|_| !is_back)
            && !recovery.is_nobodys(session)
        {
            let services = Arc::clone(&session.services);
            let whose = (&*recovery.private, recovery.holder);
            let kept = connections::lose(&services, whose, id, identity).await;
            if let Err(error) = kept {
                tracing::debug!(cause = ?error, "It was not noted that a connection was lost.");
            }
        }
        session.leave();
    }
}

/// Answers a message once its outcome is known.
async fn answer_message(
    socket: Socket,
    connection: Arc<ConnectionState>,
    begun: Begun,
    ack: Option<AckSender>,
) {
    let waits = begun.message().is_some();
    // What was sent before caused nothing now.
    let sent = begun.sent().filter(|sent| !sent.replayed);
    let position = sent.map(|sent| sent.message.id.into());
    let mut turn = connection.turn(&socket).await;
    if waits && turn.unanswered.pop(position) {
        connection.note_delivery();
    }
    let answer = begun.answer(&mut turn.session);
    reply(&socket, &connection, answer, ack);
}

/// Sends an answer. Called by the holder of the turn, so no delivery advances the position meanwhile.
fn reply(
    socket: &Socket,
    connection: &ConnectionState,
    answer: EventReply,
    ack: Option<AckSender>,
) {
    let offset = connection.recovery().and_then(Recovery::offset);
    if answer.outgoing.is_empty() && ack.is_none() {
        return;
    }
    let data = answer.data.to_json();
    let mut reply = Reply::new(socket, &data);
    for emitted in answer.outgoing {
        match emitted {
            Emitted::Data(name) => reply.event(&name, offset.as_deref()),
            Emitted::Other(OutgoingEvent { name, data }) => {
                reply.event_with(&name, &data.to_json(), offset.as_deref());
            }
        }
    }
    if let Some(ack) = ack {
        reply.acknowledge(ack);
    }
    // A client that is gone needs no reply.
    let _ = reply.send();
}

/// The error for a client that is not admitted. A client of the old protocol would be told the hint instead of the message.
/// Where this server cannot look up who it is, the transport is closed: the client comes back by itself, as it would not
/// after an error.
fn refuse(socket: &Socket, error: &Error) -> ConnectError {
    log_failure(error);
    if error.kind() == Kind::Unavailable && !callers::is_unverified(error) {
        socket.session().close(DisconnectReason::ForcedServerClose);
    }
    let refused = ConnectError::new(error.text().to_owned());
    let hint = error.hint().map(|hint| json!({"hint": hint}));
    match hint.filter(|_| socket.handshake().revision() == Revision::V4) {
        Some(hint) => refused.with_data(hint),
        None => refused,
    }
}
