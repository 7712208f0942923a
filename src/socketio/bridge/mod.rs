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
//! Events of one socket and what it hears take turns ([`life::Life`]), so a client is answered
//! before it hears of what it did.

mod credentials;
mod life;
mod pump;
mod stage;

use std::sync::{
    Arc, OnceLock,
    atomic::{AtomicU64, Ordering},
};

use serde_json::{Map, Value};
use tokio_util::task::TaskTracker;

use crate::{
    chat::Services,
    dialect::{self, DIALECTS, Options, Speaker},
    socketio::{
        engine::Reason,
        packet::Args,
        server::{Admission, Event, Handler, Refusal, Socket},
    },
};

use life::Life;
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
    async fn life(&self, socket: &Socket) -> Option<Arc<Life>> {
        if let Some(life) = socket.data::<Life>() {
            return Some(life);
        }
        let services = self.started.get()?;
        let credentials = self.doorman.look_at(services, socket).await;
        let number = self.numbers.fetch_add(1, Ordering::Relaxed);
        let life = Life::new(|bell| {
            let stage = Arc::new(SocketStage::new(socket));
            let (services, options) = (Arc::clone(services), Arc::clone(&self.options));
            Speaker::new(services, options, credentials, stage, (number, Some(bell)))
        });
        socket.set_data(life);
        socket.data::<Life>()
    }

    /// Listens, if there is anybody to listen for and nobody does yet.
    fn listen(&self, socket: &Socket, life: &Arc<Life>, speaker: &Speaker) {
        if !speaker.acting().is_empty() && life.begin_pump() {
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
        if !Doorman::needs_a_look(socket) {
            return Ok(Admission::new());
        }
        let Some(life) = self.life(socket).await else {
            return Err(Refusal::new("the server is starting"));
        };
        let mut speaker = life.turn().await;
        for dialect in DIALECTS {
            dialect.welcome(&mut speaker).await.map_err(Refusal::new)?;
        }
        Ok(Admission::new())
    }

    async fn connected(&self, socket: &Socket) {
        if let Some(life) = socket.data::<Life>() {
            let speaker = life.turn().await;
            self.listen(socket, &life, &speaker);
        }
    }

    async fn event(&self, socket: &Socket, mut event: Event) {
        let Some(life) = self.life(socket).await else {
            return;
        };
        let mut speaker = life.turn().await;
        let arguments = event.args.values().to_vec();
        let Some(place) = dialect::of_event(&event.name, arguments.first(), None) else {
            let body = serde_json::json!({"status": "error", "error": UNKNOWN_EVENT});
            event.acknowledge(Args::from(body));
            return;
        };
        let answer = DIALECTS[place]
            .handle(&mut speaker, &event.name, &arguments)
            .await;
        for emission in answer.emissions {
            // A client that is gone, or reads nothing, is dealt with by the server layer.
            let _ = socket.emit(&emission.name, emission.data);
        }
        event.acknowledge(Args::from(answer.data));
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
        for dialect in DIALECTS {
            dialect.farewell(&mut speaker).await;
        }
        speaker.leave();
    }
}
