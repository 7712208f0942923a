//! Who is online: has a wait or a connection, or had one less than a minute ago; and telling that to those who may know.
//!
//! Who comes back within that minute was never gone, so a connection that is lost and made again is told nobody. The
//! turns of many people are told together, by one task: it reads which small chats they are in, and the hub knows who
//! of those in them listens.
//!
//! Who is online at another server of the database is online: that is a fact of that server, which the bus tells.

use std::{
    cmp::Reverse,
    collections::{BinaryHeap, HashMap, hash_map::Entry},
    sync::{Arc, Mutex, MutexGuard, PoisonError, Weak},
    time::Duration,
};

use tokio::{sync::Notify, time::Instant};
use tokio_util::sync::CancellationToken;

use crate::{
    chat::{
        Services,
        bus::{Bus, Fact, Key, OnlineFact},
        profiles::PRESENCE_SHOWN_UP_TO,
    },
    error::Result,
    model::{Person, PersonId, Presence, Signal, SignalKind, TenantId, policy},
};

/// For how long after their last wait somebody is still online: longer than between two polls.
const LASTS: Duration = Duration::from_mins(1);
/// Those who go within this time are told together.
const GATHERED_FOR: Duration = Duration::from_secs(1);
/// How many turns are told at a time.
const TURNS: usize = 500;
/// How long to wait after an error of the database.
const RETRY_AFTER: Duration = Duration::from_secs(1);

/// See the module.
#[derive(Debug, Clone)]
pub(super) struct Online(Arc<Register>);

#[derive(Debug)]
struct Register {
    state: Mutex<State>,
    /// Tells other servers.
    bus: Arc<Bus>,
    /// Notified when there may be a turn to tell, now or in a minute.
    changed: Notify,
}

/// Guarded by the lock of [`Register`].
#[derive(Debug, Default)]
struct State {
    people: HashMap<PersonId, Seen>,
    /// Who is online at how many other servers.
    elsewhere: HashMap<PersonId, usize>,
    /// Who is to be looked at a minute after a moment at which they had no wait, the earliest first: each person once,
    /// however many waits of theirs end meanwhile.
    left: BinaryHeap<Reverse<(Instant, PersonId)>>,
    /// Who has come or gone since that was last told, and whether they were online then.
    turned: HashMap<PersonId, (Turned, bool)>,
}

/// Who has come or gone.
#[derive(Debug, Clone)]
enum Turned {
    /// Somebody who is known.
    Known(Arc<Person>),
    /// Somebody of a tenant, as another server tells.
    Of(TenantId),
}

/// Somebody who is online.
#[derive(Debug)]
struct Seen {
    person: Arc<Person>,
    /// How many waits and connections they have.
    holds: usize,
    /// When the last of them ended.
    left_at: Option<Instant>,
    /// Whether they are in [`State::left`].
    is_queued: bool,
}

/// Somebody has come online, or has gone.
#[derive(Debug, Clone)]
pub(super) struct Turn {
    person: PersonId,
    who: Turned,
    online: bool,
}

/// A wait or a connection of somebody; dropping it ends it.
#[derive(Debug)]
pub(super) struct Attendance {
    register: Arc<Register>,
    person: PersonId,
}

impl Online {
    /// Nobody is online yet.
    pub(super) fn new(bus: Arc<Bus>) -> Self {
        Self(Arc::new(Register {
            state: Mutex::default(),
            bus,
            changed: Notify::new(),
        }))
    }

    /// Notes that a person has a wait or a connection, as long as what is returned lives.
    pub(super) fn attend(&self, person: &Arc<Person>) -> Attendance {
        let mut state = self.0.state();
        state.forget_the_gone(&self.0.bus);
        let is_new = !state.people.contains_key(&person.id);
        let seen = state.people.entry(person.id).or_insert_with(|| Seen {
            person: Arc::clone(person),
            holds: 0,
            left_at: None,
            is_queued: false,
        });
        seen.holds += 1;
        seen.left_at = None;
        if is_new {
            if !state.elsewhere.contains_key(&person.id) {
                state.note_turn(person, false);
                self.0.changed.notify_one();
            }
            self.0.bus.begin(Fact::Online(OnlineFact {
                person: person.id,
                tenant: person.tenant,
                has_presence: policy::has_presence(person),
            }));
        }
        Attendance {
            register: Arc::clone(&self.0),
            person: person.id,
        }
    }

    /// Whether a person is online.
    pub(super) fn is_online(&self, person: PersonId) -> bool {
        let mut state = self.0.state();
        state.forget_the_gone(&self.0.bus);
        state.is_online(person)
    }

    /// Somebody has come online at another server.
    pub(super) fn begins_elsewhere(&self, online: &OnlineFact) {
        let mut state = self.0.state();
        let was_online = state.is_online(online.person);
        *state.elsewhere.entry(online.person).or_default() += 1;
        self.turned_elsewhere(&mut state, online, was_online);
    }

    /// Somebody is not online at another server any more.
    pub(super) fn ends_elsewhere(&self, online: &OnlineFact) {
        let mut state = self.0.state();
        let was_online = state.is_online(online.person);
        if let Entry::Occupied(mut servers) = state.elsewhere.entry(online.person) {
            *servers.get_mut() -= 1;
            if *servers.get() == 0 {
                servers.remove();
            }
        }
        self.turned_elsewhere(&mut state, online, was_online);
    }

    fn turned_elsewhere(&self, state: &mut State, online: &OnlineFact, was_online: bool) {
        if online.has_presence && state.is_online(online.person) != was_online {
            let turn = (Turned::Of(online.tenant), was_online);
            state.turned.entry(online.person).or_insert(turn);
            self.0.changed.notify_one();
        }
    }

    /// Who has come or gone since that was last asked, as soon as somebody has.
    pub(super) async fn turns(&self) -> Vec<Turn> {
        loop {
            let next = {
                let mut state = self.0.state();
                state.forget_the_gone(&self.0.bus);
                let turns = state.take_turns();
                if !turns.is_empty() {
                    return turns;
                }
                state
                    .left
                    .peek()
                    .map(|Reverse((left_at, _))| *left_at + LASTS)
            };
            let gone = async {
                match next {
                    Some(next) => {
                        tokio::time::sleep_until(next.max(Instant::now() + GATHERED_FOR)).await;
                    }
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                () = self.0.changed.notified() => {}
                () = gone => {}
            }
        }
    }

    /// Takes back turns that could not be told.
    fn untold(&self, turns: Vec<Turn>) {
        let mut state = self.0.state();
        for Turn {
            person,
            who,
            online,
        } in turns
        {
            state.turned.insert(person, (who, !online));
        }
        self.0.changed.notify_one();
    }
}

impl Register {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn is_online(&self, person: PersonId) -> bool {
        self.people.contains_key(&person) || self.elsewhere.contains_key(&person)
    }

    fn forget_the_gone(&mut self, bus: &Bus) {
        let now = Instant::now();
        while let Some(Reverse((left_at, person))) = self.left.peek().copied() {
            if left_at + LASTS > now {
                return;
            }
            self.left.pop();
            let Some(seen) = self.people.get_mut(&person) else {
                continue;
            };
            match seen.left_at {
                // They have returned since, and left again.
                Some(later) if later + LASTS > now => self.left.push(Reverse((later, person))),
                Some(_) => {
                    if let Some(seen) = self.people.remove(&person) {
                        bus.end(Key::Online(person));
                        if !self.elsewhere.contains_key(&person) {
                            self.note_turn(&seen.person, true);
                        }
                    }
                }
                None => seen.is_queued = false,
            }
        }
    }

    fn note_turn(&mut self, person: &Arc<Person>, was_online: bool) {
        if policy::has_presence(person) {
            let turn = (Turned::Known(Arc::clone(person)), was_online);
            self.turned.entry(person.id).or_insert(turn);
        }
    }

    /// Takes some of the turns; who is again as they were when it was last told has made none.
    fn take_turns(&mut self) -> Vec<Turn> {
        let mut turns = Vec::new();
        while turns.len() < TURNS
            && let Some(id) = self.turned.keys().next().copied()
            && let Some((who, was_online)) = self.turned.remove(&id)
        {
            let online = self.is_online(id);
            if online != was_online {
                turns.push(Turn {
                    person: id,
                    who,
                    online,
                });
            }
        }
        turns
    }
}

impl Drop for Attendance {
    fn drop(&mut self) {
        let mut state = self.register.state();
        let Some(seen) = state.people.get_mut(&self.person) else {
            return;
        };
        seen.holds = seen.holds.saturating_sub(1);
        if seen.holds == 0 {
            let now = Instant::now();
            seen.left_at = Some(now);
            if !std::mem::replace(&mut seen.is_queued, true) {
                let is_first = state.left.is_empty();
                state.left.push(Reverse((now, self.person)));
                if is_first {
                    self.register.changed.notify_one();
                }
            }
        }
    }
}

/// Tells who comes and goes, until the server stops.
pub(super) async fn run(services: Weak<Services>, closing: CancellationToken) {
    let Some(online) = services.upgrade().map(|services| services.online.clone()) else {
        return;
    };
    loop {
        let turns = tokio::select! {
            () = closing.cancelled() => return,
            turns = online.turns() => turns,
        };
        let Some(services) = services.upgrade() else {
            return;
        };
        if let Err(error) = tell(&services, &turns).await {
            tracing::warn!(cause = ?error, "Who has come and gone could not be told.");
            online.untold(turns);
            drop(services);
            tokio::select! {
                () = closing.cancelled() => return,
                () = tokio::time::sleep(RETRY_AFTER) => {}
            }
        }
    }
}

/// Tells turns to those who share a small chat with who has made them, and listen.
async fn tell(services: &Services, turns: &[Turn]) -> Result<()> {
    if !services.lanes.all().any(|log| log.hub.hears_presence()) {
        return Ok(());
    }
    let people: Vec<_> = turns.iter().map(|turn| turn.person).collect();
    let known = known(services, turns).await?;
    let mut chats = services
        .store
        .small_chats(&people, PRESENCE_SHOWN_UP_TO)
        .await?;
    let uses = services.store.last_uses(&people).await?;
    for Turn { person, online, .. } in turns {
        let (Some(chats), Some(actor)) = (chats.remove(person), known.get(person)) else {
            continue;
        };
        services.hub(actor.tenant).signal(Signal {
            tenant: actor.tenant,
            actor: Arc::clone(actor),
            origin: None,
            kind: SignalKind::Presence(Presence {
                online: *online,
                last_seen: uses.get(person).copied(),
                chats: chats.into(),
            }),
        });
    }
    Ok(())
}

/// Who has made these turns; those whom another server names are read.
async fn known(services: &Services, turns: &[Turn]) -> Result<HashMap<PersonId, Arc<Person>>> {
    let mut known = HashMap::new();
    let mut unknown = HashMap::<_, Vec<_>>::new();
    for Turn { person, who, .. } in turns {
        match who {
            Turned::Known(who) => drop(known.insert(*person, Arc::clone(who))),
            Turned::Of(tenant) => unknown.entry(*tenant).or_default().push(*person),
        }
    }
    for (tenant, ids) in unknown {
        let found = services.store.people_found(tenant, &ids).await?;
        known.extend(found.into_iter().map(|it| (it.id, Arc::new(it))));
    }
    Ok(known)
}

#[cfg(test)]
mod tests;
