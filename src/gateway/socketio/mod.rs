//! The bridge: chat on Socket.IO. What a client says goes to a dialect, what others say comes back in
//! the dialects the client has spoken.
//!
//! # Why
//! A socket's life is short of state: whom it acts for, and the last position of the log it has
//! heard. It is woken by a bell that all its ears ring, takes what is new from them, and writes
//! frames that every other socket of the same dialect shares. When its outbox is full it stops where
//! it is and, once drained, goes on from there, reading the log if its ears no longer reach back: so
//! nothing is dropped, nothing is queued for a reader that does not read, and nobody waits for it.
//!
//! Events of one socket and what it hears take turns (`connection`), so a client is answered
//! before it hears of what it did.

mod connection;
mod credentials;
mod delivery;
mod recovery;
mod transport;

use std::sync::{
    Arc, OnceLock,
    atomic::{AtomicU64, Ordering},
};

use parlance_socketio::{
    engine::Reason,
    packet::Args,
    server::{Admission, Event, Handler, Refusal, Reply, Socket},
};
use serde_json::{Map, Value};
use tokio_util::task::TaskTracker;

use crate::{
    chat::{Services, connections},
    dialect::{self, ClientSession, Emitted, Options, OutgoingEvent},
    error::{self, Error},
    model::Person,
};

use connection::{ConnectionState, Recovery, lock};
use transport::SocketTransport;

pub use credentials::CredentialReader;

/// What a socket is told whose event no dialect knows.
const UNKNOWN_EVENT: &str = "there is no such event";

/// The main namespace, where all dialects are spoken.
pub struct Gateway {
    started: Arc<OnceLock<Arc<Services>>>,
    options: Arc<Options>,
    credentials: CredentialReader,
    numbers: AtomicU64,
    deliveries: TaskTracker,
}

impl Gateway {
    /// A bridge to verbs that are started before the first client comes.
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
            deliveries: TaskTracker::new(),
        }
    }

    /// The socket's life, begun with its first need.
    fn connection(&self, socket: &Socket) -> Option<Arc<ConnectionState>> {
        if let Some(connection) = socket.data::<ConnectionState>() {
            return Some(connection);
        }
        let services = self.started.get()?;
        let credentials = self.credentials.read(socket);
        let number = self.numbers.fetch_add(1, Ordering::Relaxed);
        let connection = ConnectionState::new(|waker| {
            let transport = Arc::new(SocketTransport::new(socket, services));
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

    /// Listens, if there is anybody to listen for, or with whom it ends, and nobody does yet.
    fn listen(&self, socket: &Socket, connection: &Arc<ConnectionState>, session: &ClientSession) {
        let is_somebody = session.is_bound() || !session.identities().is_empty();
        if is_somebody && connection.begin_delivery() {
            self.deliveries
                .spawn(delivery::run(socket.clone(), Arc::clone(connection)));
        }
    }
}

impl Handler for Gateway {
    async fn admit(
        &self,
        socket: &Socket,
        _auth: Option<&Map<String, Value>>,
    ) -> Result<Admission, Refusal> {
        let recovers = recovery::is_asked_for(socket);
        if !recovers && !self.credentials.brings_credentials(socket) {
            return Ok(Admission::new());
        }
        let Some(connection) = self.connection(socket) else {
            return Err(Refusal::new("the server is starting"));
        };
        let mut session = connection.lock_session().await;
        if let Err(error) = session.bind().await {
            // Nobody is refused for it: what they brought is looked at again when they use it.
            tracing::warn!(cause = ?error, "A client is let in whose cookies or key were not looked up.");
        }
        for dialect in self.options.dialects.iter() {
            dialect
                .on_connect(&mut session)
                .await
                .map_err(|error| refuse(&error))?;
        }
        if !recovers {
            return Ok(Admission::new());
        }
        match on_resume(socket, &connection, &mut session).await {
            Ok(Some(admission)) => return Ok(admission),
            Ok(None) => {}
            Err(error) => {
                tracing::warn!(cause = ?error, "A client cannot be taken back and begins anew.");
            }
        }
        let head = session.services.head();
        let private = recovery::private_id(&session.services.cursor_at(head));
        connection.set_recovery(Recovery::new(private.clone(), head));
        Ok(Admission::recoverable(private))
    }

    async fn connected(&self, socket: &Socket) {
        if let Some(connection) = socket.data::<ConnectionState>() {
            let mut session = connection.lock_session().await;
            for dialect in self.options.dialects.iter() {
                dialect.on_ready(&mut session);
            }
            keep(socket, &connection, &session).await;
            self.listen(socket, &connection, &session);
        }
    }

    async fn event(&self, socket: &Socket, mut event: Event) {
        let Some(connection) = self.connection(socket) else {
            return;
        };
        let mut session = connection.lock_session().await;
        let arguments = event.args.values().to_vec();
        let dialects = self.options.dialects;
        let Some(dialect) = dialects.of_event(&event.name, arguments.first(), None) else {
            let body = serde_json::json!({"status": "error", "error": UNKNOWN_EVENT});
            event.acknowledge(Args::from(body));
            return;
        };
        let answer = dialect::answer(dialect, &mut session, &event.name, &arguments).await;
        // The turn is held, so the position up to which all is told does not move meanwhile.
        let offset = connection.recovery().map(Recovery::told);
        let offset = offset.map(|told| session.services.cursor_at(told).to_string());
        let mut reply = Reply::new(socket, &answer.data);
        for emitted in answer.outgoing {
            match emitted {
                Emitted::Data(name) => reply.event(&name, offset.as_deref()),
                Emitted::Other(OutgoingEvent { name, data }) => {
                    let mut args = Args::from(data);
                    if let Some(offset) = &offset {
                        args.push(offset.as_str());
                    }
                    reply.other(&name, args);
                }
            }
        }
        if let Some(ack) = event.ack.take() {
            reply.acknowledge(ack);
        }
        // A client that is gone needs no answer.
        let _ = reply.send();
        keep(socket, &connection, &session).await;
        self.listen(socket, &connection, &session);
    }

    async fn drained(&self, socket: &Socket) {
        if let Some(connection) = socket.data::<ConnectionState>() {
            connection.drained();
        }
    }

    async fn disconnected(&self, socket: &Socket, _reason: Reason) {
        let Some(connection) = socket.data::<ConnectionState>() else {
            return;
        };
        connection.end();
        let mut session = connection.lock_session().await;
        let identity = recovery::write_down_lost(&session);
        for dialect in self.options.dialects.iter() {
            dialect.on_disconnect(&mut session).await;
        }
        let id = socket.id().as_str().to_owned();
        let same = socket.everyone().to(id.as_str()).sockets();
        let is_back = same.iter().any(|other| !other.is(socket));
        if let Some(recovery) = connection.recovery().filter(|_| !is_back)
            && !recovery.is_nobodys(&session)
        {
            let services = Arc::clone(&session.services);
            let kept = connections::lose(&services, &recovery.private, id, identity).await;
            if let Err(error) = kept {
                tracing::debug!(cause = ?error, "It was not noted that a connection was lost.");
            }
        }
        session.leave();
    }
}

/// Says why a client is not let in.
fn refuse(error: &Error) -> Refusal {
    if let Some(cause) = error.cause() {
        tracing::warn!(%cause, "A client cannot be let in.");
    }
    Refusal::new(error.text().to_owned())
}

/// Lets a client go on where it was: what it missed comes before it is told that it is in.
async fn on_resume(
    socket: &Socket,
    connection: &Arc<ConnectionState>,
    session: &mut ClientSession,
) -> error::Result<Option<Admission>> {
    let services = Arc::clone(&session.services);
    let key = match session.key_holder().await {
        Err(error) if dialect::is_refusal(&error) => return Ok(None),
        outcome => outcome?,
    };
    let shown = (key.as_ref(), &session.shown_tokens()[..]);
    let Some(returned) = recovery::look_up(&services, socket, shown).await? else {
        return Ok(None);
    };
    // Whoever shows a token comes back as its holder or not at all.
    if let (Some(token), None) = (session.credentials.token.clone(), &key) {
        let is_back = |person: &Person| {
            let mut identity = returned.identities.iter();
            identity.any(|(_, caller)| caller.id() == person.id)
        };
        if session.holder_who(&token, is_back).await?.is_none() {
            return Ok(None);
        }
    }
    for (dialects, caller) in &returned.identities {
        session
            .act_as_since(*dialects, caller, returned.after)
            .await?;
    }
    for dialect in session.options.dialects.iter() {
        let entered = returned.entered.iter();
        let entered = entered.filter(|(of, _)| *of == dialect.id());
        let entered: Vec<_> = entered.map(|(_, chat)| *chat).collect();
        if !entered.is_empty() {
            dialect.on_resume(session, &entered).await?;
        }
    }
    for position in &returned.sent {
        session.note_sent(*position);
    }
    let (missed, told) = delivery::missed(session, returned.after).await?;
    connection.set_recovery(Recovery::returned(returned.private.clone(), told));
    Ok(Some(Admission::recovered(
        returned.id,
        returned.private,
        missed,
    )))
}

/// Writes down whom a connection acts for that may come back, when that changed.
async fn keep(socket: &Socket, connection: &ConnectionState, session: &ClientSession) {
    let Some(recovery) = connection.recovery() else {
        return;
    };
    let identity = recovery::write_down(session);
    if recovery.is_kept(&identity) {
        return;
    }
    let id = socket.id().as_str().to_owned();
    let services = &session.services;
    match connections::keep(services, &recovery.private, id, identity.clone()).await {
        Ok(()) => *lock(&recovery.kept) = Some(identity),
        Err(error) => tracing::warn!(cause = ?error, "A connection cannot be kept for its return."),
    }
}
