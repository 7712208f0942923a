//! Signals: sent to present subscribers, and never stored.

use std::{
    collections::HashMap,
    pin::pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError, Weak},
    time::Duration,
};

use tokio::{task::AbortHandle, time::Instant};

use crate::{
    chat::access::denied,
    chat::{Caller, Services, access::Reader, bus::Bus, lanes::Lanes},
    error::Result,
    model::{ChatId, ChatKind, PersonId, Relation, Signal, SignalKind, Typing},
};

/// How long a typing signal lasts that is not repeated, where nothing else ends it.
const TYPING_LASTS: Duration = Duration::from_secs(6);
/// The most that are remembered to type at once; beyond that their stopping is their own to tell.
const MOST: usize = 50_000;

/// When typing ends without a signal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ends {
    /// With the connection it came by. What came by a request, which is over at once, ends after a while.
    WithConnection,
    /// After a while, or with the connection.
    AfterAWhile,
}

/// Tells that the caller types in a chat, or has stopped. `value` is what was sent, in JSON, and
/// `connection` the number of the connection it came by, 0 for a request.
pub fn typing(
    services: &Services,
    caller: &Caller,
    reader: &Reader,
    (typing, sent): (bool, String),
    connection: u64,
    ends: Ends,
) -> Result<()> {
    let chat = reader.chat();
    Relation::new(chat.kind, caller.person(), reader.membership())
        .can_signal()
        .map_err(denied)?;
    let signal = Signal {
        tenant: chat.tenant,
        actor: Arc::clone(caller.person()),
        origin: (connection != 0).then_some(connection),
        kind: SignalKind::Typing(Typing {
            chat: chat.id,
            to_agents: chat.kind == ChatKind::Conversation,
            typing,
            sent,
        }),
    };
    let times_out = connection == 0 || ends == Ends::AfterAWhile;
    let timeout = times_out.then(|| Timeout {
        after: TYPING_LASTS,
        login: Some(caller.clone()),
    });
    services.typists.tell(signal, connection, timeout);
    Ok(())
}

/// A connection has ended, and all typing on it. A request's typing ends by itself.
pub fn connection_ended(services: &Services, connection: u64) {
    services.typists.connection_ended(connection);
}

/// A connection acts for a person no more, who types on it no more either.
pub fn person_left(services: &Services, connection: u64, person: PersonId) {
    services.typists.person_left(connection, person);
}

/// How typing ends that nobody takes back.
#[derive(Debug)]
struct Timeout {
    /// So long after it was last told.
    after: Duration,
    /// And with the login by which it was first told.
    login: Option<Caller>,
}

/// Who types where.
type Place = (ChatId, PersonId);

/// A person who types.
#[derive(Debug)]
struct Typist {
    /// The signal that is published when they stop.
    stopped: Signal,
    /// When they are taken to have stopped.
    until: Option<Instant>,
    timer: Option<AbortHandle>,
}

/// Who types just now, so that the end of typing is published too, whatever ends it.
#[derive(Debug)]
pub(super) struct Typists {
    lanes: Arc<Lanes>,
    /// Tells other servers.
    bus: Arc<Bus>,
    this: Weak<Self>,
    now: Mutex<Now>,
}

/// Guarded by the lock of [`Typists`].
#[derive(Debug, Default)]
struct Now {
    connections: HashMap<u64, HashMap<Place, Typist>>,
    /// On how many connections.
    times: HashMap<Place, usize>,
    all: usize,
}

impl Now {
    fn find(&mut self, connection: u64, place: Place) -> Option<&mut Typist> {
        self.connections.get_mut(&connection)?.get_mut(&place)
    }

    fn add(&mut self, connection: u64, place: Place, typist: Typist) {
        let places = self.connections.entry(connection).or_default();
        places.insert(place, typist);
        *self.times.entry(place).or_default() += 1;
        self.all += 1;
    }

    /// Forgets a typist; with it what there is to tell, unless they type on another connection too.
    fn take(&mut self, connection: u64, place: Place) -> Option<Signal> {
        let places = self.connections.get_mut(&connection)?;
        let typist = places.remove(&place)?;
        if places.is_empty() {
            self.connections.remove(&connection);
        }
        if let Some(timer) = typist.timer {
            timer.abort();
        }
        self.all -= 1;
        let times = self.times.entry(place).or_default();
        *times = times.saturating_sub(1);
        let is_last = *times == 0;
        if is_last {
            self.times.remove(&place);
        }
        is_last.then_some(typist.stopped)
    }
}

impl Typists {
    /// Nobody types yet.
    pub(super) fn new(lanes: Arc<Lanes>, bus: Arc<Bus>) -> Arc<Self> {
        Arc::new_cyclic(|this| Self {
            lanes,
            bus,
            this: Weak::clone(this),
            now: Mutex::default(),
        })
    }

    /// Tells that somebody types or has stopped, and remembers it. Told under the lock, so that an end
    /// never overtakes its beginning.
    fn tell(&self, signal: Signal, connection: u64, timeout: Option<Timeout>) {
        let SignalKind::Typing(typing) = &signal.kind else {
            return;
        };
        let place = (typing.chat, signal.actor.id);
        let mut now = self.now();
        if typing.typing {
            let stopped = Signal {
                kind: SignalKind::Typing(typing.stopped()),
                ..signal.clone()
            };
            self.remember(&mut now, (connection, place), stopped, timeout);
        } else {
            now.take(connection, place);
        }
        self.send(signal, now.times.contains_key(&place));
    }

    /// Tells a signal here and elsewhere; `lasts`: they type after it.
    fn send(&self, signal: Signal, lasts: bool) {
        self.bus.typing(&signal, lasts);
        self.lanes.of(signal.tenant).hub.signal(signal);
    }

    fn remember(
        &self,
        now: &mut Now,
        (connection, place): (u64, Place),
        stopped: Signal,
        timeout: Option<Timeout>,
    ) {
        let until = timeout.as_ref().map(|it| Instant::now() + it.after);
        if let Some(typist) = now.find(connection, place) {
            typist.until = until;
            return;
        }
        if now.all >= MOST {
            return;
        }
        let timer = timeout.map(|timeout| {
            let this = Weak::clone(&self.this);
            let task = tokio::spawn(expire(this, connection, place, timeout.login));
            task.abort_handle()
        });
        let typist = Typist {
            stopped,
            until,
            timer,
        };
        now.add(connection, place, typist);
    }

    fn connection_ended(&self, connection: u64) {
        if connection != 0 {
            self.end(connection, |_| true);
        }
    }

    fn person_left(&self, connection: u64, person: PersonId) {
        self.end(connection, |(_, other)| *other == person);
    }

    /// A connection has left a chat.
    pub(super) fn chat_left(&self, connection: u64, chat: ChatId) {
        self.end(connection, |(other, _)| *other == chat);
    }

    fn end(&self, connection: u64, ends: impl Fn(&Place) -> bool) {
        let mut now = self.now();
        let places = now.connections.get(&connection).into_iter();
        let places = places.flat_map(HashMap::keys).filter(|place| ends(place));
        for place in places.copied().collect::<Vec<_>>() {
            if let Some(stopped) = now.take(connection, place) {
                self.send(stopped, false);
            }
        }
    }

    /// When they are taken to have stopped; none when they have.
    fn until(&self, connection: u64, place: Place) -> Option<Instant> {
        let mut now = self.now();
        now.find(connection, place).and_then(|typist| typist.until)
    }

    fn now(&self) -> MutexGuard<'_, Now> {
        self.now.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Waits until somebody has not said for long enough that they type, or their login has ended, and tells that they
/// stopped.
async fn expire(typists: Weak<Typists>, connection: u64, place: Place, login: Option<Caller>) {
    let gone = async {
        match &login {
            Some(caller) => caller.gone().await,
            None => std::future::pending().await,
        }
    };
    let mut gone = pin!(gone);
    loop {
        let until = match typists.upgrade() {
            Some(typists) => typists.until(connection, place),
            None => None,
        };
        let Some(until) = until else { return };
        let is_gone = tokio::select! {
            biased;
            () = &mut gone => true,
            () = tokio::time::sleep_until(until) => false,
        };
        let Some(typists) = typists.upgrade() else {
            return;
        };
        let said_again = typists.until(connection, place) > Some(until);
        if is_gone || !said_again {
            typists.end(connection, |other| *other == place);
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        model::{Epoch, Person, PersonKind, Position, TenantId, fixture::person},
        pubsub::{Hub, Subscriber, Topic},
    };

    const HOUR: Duration = Duration::from_hours(1);

    fn owner(id: i64) -> Arc<Person> {
        person(id, PersonKind::Owner)
    }

    /// A subscriber of the conversation, and the person who types.
    fn to_agents() -> (Arc<Typists>, Subscriber) {
        let hub = Hub::new(Position::new(0), Epoch::new("first".to_owned()));
        let listener = hub.subscribe(Topic::Person(owner(1)));
        (Typists::new(Lanes::alone(hub), Bus::alone()), listener)
    }

    fn types(typists: &Typists, connection: u64, lasts: Option<Duration>) {
        let signal = Signal {
            tenant: TenantId::new(1),
            actor: owner(2),
            origin: Some(connection),
            kind: SignalKind::Typing(Typing {
                chat: ChatId::new(7),
                to_agents: true,
                typing: true,
                sent: "true".to_owned(),
            }),
        };
        let timeout = lasts.map(|after| Timeout { after, login: None });
        typists.tell(signal, connection, timeout);
    }

    fn heard(listener: &mut Subscriber) -> Vec<bool> {
        let typing = |told: &Arc<crate::pubsub::PublishedSignal>| match &told.signal.kind {
            SignalKind::Typing(typing) => Some(typing.typing),
            SignalKind::Presence(_) => None,
        };
        listener.signals().iter().filter_map(typing).collect()
    }

    #[tokio::test(start_paused = true)]
    async fn typing_ends_by_itself_six_seconds_after_it_was_last_told() {
        let (typists, mut listener) = to_agents();
        types(&typists, 5, Some(TYPING_LASTS));
        tokio::time::sleep(Duration::from_secs(4)).await;
        types(&typists, 5, Some(TYPING_LASTS));
        tokio::time::sleep(Duration::from_secs(5)).await;
        assert_eq!(heard(&mut listener), [true, true]);
        tokio::time::sleep(Duration::from_secs(2)).await;
        assert_eq!(heard(&mut listener), [false]);
        tokio::time::sleep(HOUR).await;
        assert!(heard(&mut listener).is_empty());
    }

    #[tokio::test(start_paused = true)]
    async fn typing_ends_with_its_connection_and_only_once() {
        let (typists, mut listener) = to_agents();
        types(&typists, 5, None);
        tokio::time::sleep(HOUR).await;
        assert_eq!(heard(&mut listener), [true], "nothing else ends it");
        typists.connection_ended(6);
        typists.chat_left(5, ChatId::new(8));
        typists.person_left(5, PersonId::new(3));
        assert!(heard(&mut listener).is_empty());
        typists.connection_ended(5);
        typists.connection_ended(5);
        assert_eq!(heard(&mut listener), [false]);
        types(&typists, 5, None);
        typists.chat_left(5, ChatId::new(7));
        types(&typists, 5, None);
        typists.person_left(5, PersonId::new(2));
        assert_eq!(heard(&mut listener), [true, false, true, false]);
    }

    #[tokio::test(start_paused = true)]
    async fn who_types_on_two_connections_stops_with_the_last() {
        let (typists, mut listener) = to_agents();
        types(&typists, 5, None);
        types(&typists, 6, Some(TYPING_LASTS));
        typists.connection_ended(5);
        assert_eq!(heard(&mut listener), [true, true]);
        tokio::time::sleep(HOUR).await;
        assert_eq!(heard(&mut listener), [false]);
        assert_eq!(typists.now().all, 0);
    }
}
