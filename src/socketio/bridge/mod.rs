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
//! Events of one socket and what it hears take turns (`life`), so a client is answered
//! before it hears of what it did.

mod credentials;
mod life;
mod pump;
mod recovery;
mod stage;

use std::sync::{
    Arc, OnceLock,
    atomic::{AtomicU64, Ordering},
};

use serde_json::{Map, Value};
use tokio_util::task::TaskTracker;

use crate::{
    chat::Services,
    dialect::{self, DIALECTS, Emission, Emitted, Options, Speaker},
    error::{self, Error},
    model::Person,
    socketio::{
        engine::Reason,
        packet::Args,
        server::{Admission, Event, Handler, Refusal, Reply, Socket},
    },
};

use life::{Life, Recovery, lock};
use stage::SocketStage;

pub use credentials::Doorman;

/// What a socket is told whose event no dialect knows.
const UNKNOWN_EVENT: &str = "there is no such event";

/// The main namespace, where all dialects are spoken.
pub struct Bridge {
    started: Arc<OnceLock<Arc<Services>>>,
    options: Arc<Options>,
    doorman: Doorman,
    numbers: AtomicU64,
    pumps: TaskTracker,
}

impl Bridge {
    /// A bridge to verbs that are started before the first client comes.
    pub fn new(
        started: Arc<OnceLock<Arc<Services>>>,
        options: Arc<Options>,
        doorman: Doorman,
    ) -> Self {
        Self {
            started,
            options,
            doorman,
            numbers: AtomicU64::new(1),
            pumps: TaskTracker::new(),
        }
    }

    /// The socket's life, begun with its first need.
    fn life(&self, socket: &Socket) -> Option<Arc<Life>> {
        if let Some(life) = socket.data::<Life>() {
            return Some(life);
        }
        let services = self.started.get()?;
        let credentials = self.doorman.look_at(socket);
        let number = self.numbers.fetch_add(1, Ordering::Relaxed);
        let life = Life::new(|bell| {
            let stage = Arc::new(SocketStage::new(socket, services));
            let (services, options) = (Arc::clone(services), Arc::clone(&self.options));
            Speaker::new(services, options, credentials, stage, (number, Some(bell)))
        });
        socket.set_data(life);
        socket.data::<Life>()
    }

    /// Listens, if there is anybody to listen for, or with whom it ends, and nobody does yet.
    fn listen(&self, socket: &Socket, life: &Arc<Life>, speaker: &Speaker) {
        let is_somebody = speaker.is_bound() || !speaker.acting().is_empty();
        if is_somebody && life.begin_pump() {
            self.pumps
                .spawn(pump::run(socket.clone(), Arc::clone(life)));
        }
    }
}

impl Handler for Bridge {
    async fn admit(
        &self,
        socket: &Socket,
        _auth: Option<&Map<String, Value>>,
    ) -> Result<Admission, Refusal> {
        let recovers = recovery::is_asked_for(socket);
        if !recovers && !self.doorman.needs_a_look(socket) {
            return Ok(Admission::new());
        }
        let Some(life) = self.life(socket) else {
            return Err(Refusal::new("the server is starting"));
        };
        let mut speaker = life.turn().await;
        if let Err(error) = speaker.bind().await {
            // Nobody is refused for it: what they brought is looked at again when they use it.
            tracing::warn!(cause = ?error, "A client is let in whose cookies or key were not looked up.");
        }
        for dialect in DIALECTS {
            dialect
                .welcome(&mut speaker)
                .await
                .map_err(|error| refuse(&error))?;
        }
        if !recovers {
            return Ok(Admission::new());
        }
        match come_back(socket, &life, &mut speaker).await {
            Ok(Some(admission)) => return Ok(admission),
            Ok(None) => {}
            Err(error) => {
                tracing::warn!(cause = ?error, "A client cannot be taken back and begins anew.");
            }
        }
        let head = speaker.services.hub.head();
        let private = recovery::private_id(&speaker.services.cursor_at(head));
        life.may_come_back(Recovery::new(private.clone(), head));
        Ok(Admission::recoverable(private))
    }

    async fn connected(&self, socket: &Socket) {
        if let Some(life) = socket.data::<Life>() {
            let mut speaker = life.turn().await;
            for dialect in DIALECTS {
                dialect.arrived(&mut speaker);
            }
            keep(socket, &life, &speaker).await;
            self.listen(socket, &life, &speaker);
        }
    }

    async fn event(&self, socket: &Socket, mut event: Event) {
        let Some(life) = self.life(socket) else {
            return;
        };
        let mut speaker = life.turn().await;
        let arguments = event.args.values().to_vec();
        let Some(place) = dialect::of_event(&event.name, arguments.first(), None) else {
            let body = serde_json::json!({"status": "error", "error": UNKNOWN_EVENT});
            event.acknowledge(Args::from(body));
            return;
        };
        let answer = dialect::answer(place, &mut speaker, &event.name, &arguments).await;
        // The turn is held, so the position up to which all is told does not move meanwhile.
        let offset = life.recovery().map(Recovery::told);
        let offset = offset.map(|told| speaker.services.cursor_at(told).to_string());
        let mut reply = Reply::new(socket, &answer.data);
        for emitted in answer.emissions {
            match emitted {
                Emitted::Data(name) => reply.event(&name, offset.as_deref()),
                Emitted::Other(Emission { name, data }) => {
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
        keep(socket, &life, &speaker).await;
        self.listen(socket, &life, &speaker);
    }

    async fn drained(&self, socket: &Socket) {
        if let Some(life) = socket.data::<Life>() {
            life.drained();
        }
    }

    async fn disconnected(&self, socket: &Socket, _reason: Reason) {
        let Some(life) = socket.data::<Life>() else {
            return;
        };
        life.end();
        let mut speaker = life.turn().await;
        let acting = recovery::write_down_lost(&speaker);
        for dialect in DIALECTS {
            dialect.farewell(&mut speaker).await;
        }
        let id = socket.id().as_str().to_owned();
        let same = socket.everyone().to(id.as_str()).sockets();
        let is_back = same.iter().any(|other| !other.is(socket));
        if let Some(recovery) = life.recovery().filter(|_| !is_back)
            && !recovery.is_nobodys(&speaker)
        {
            let services = Arc::clone(&speaker.services);
            let kept = recovery::keep(&services, &recovery.private, id, acting, true).await;
            if let Err(error) = kept {
                tracing::debug!(cause = ?error, "It was not noted that a connection was lost.");
            }
        }
        speaker.leave();
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
async fn come_back(
    socket: &Socket,
    life: &Arc<Life>,
    speaker: &mut Speaker,
) -> error::Result<Option<Admission>> {
    let services = Arc::clone(&speaker.services);
    let key = match speaker.key_holder().await {
        Err(error) if dialect::is_refusal(&error) => return Ok(None),
        outcome => outcome?,
    };
    let shown = (key.as_ref(), &speaker.shown_tokens()[..]);
    let Some(returned) = recovery::look_up(&services, socket, shown).await? else {
        return Ok(None);
    };
    // Whoever shows a token comes back as its holder or not at all.
    if let (Some(token), None) = (speaker.credentials.token.clone(), &key) {
        let is_back = |person: &Person| {
            let mut acting = returned.acting.iter();
            acting.any(|(_, caller)| caller.id() == person.id)
        };
        if speaker.holder_who(&token, is_back).await?.is_none() {
            return Ok(None);
        }
    }
    for (dialects, caller) in &returned.acting {
        speaker
            .act_as_since(*dialects, caller, returned.after)
            .await?;
    }
    for (number, dialect) in DIALECTS.iter().enumerate() {
        let entered = returned.entered.iter().filter(|(of, _)| *of == number);
        let entered: Vec<_> = entered.map(|(_, chat)| *chat).collect();
        if !entered.is_empty() {
            dialect.come_back(speaker, &entered).await?;
        }
    }
    for position in &returned.sent {
        speaker.note_sent(*position);
    }
    let (missed, told) = pump::missed(speaker, returned.after).await?;
    life.may_come_back(Recovery::returned(returned.private.clone(), told));
    Ok(Some(Admission::recovered(
        returned.id,
        returned.private,
        missed,
    )))
}

/// Writes down whom a connection acts for that may come back, when that changed.
async fn keep(socket: &Socket, life: &Life, speaker: &Speaker) {
    let Some(recovery) = life.recovery() else {
        return;
    };
    let acting = recovery::write_down(speaker);
    if recovery.is_kept(&acting) {
        return;
    }
    let id = socket.id().as_str().to_owned();
    match recovery::keep(
        &speaker.services,
        &recovery.private,
        id,
        acting.clone(),
        false,
    )
    .await
    {
        Ok(()) => *lock(&recovery.kept) = Some(acting),
        Err(error) => tracing::warn!(cause = ?error, "A connection cannot be kept for its return."),
    }
}
