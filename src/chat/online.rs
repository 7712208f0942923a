//! Who is online: has a wait or a connection, or had one less than a minute ago; and telling that to those who may know.
//!
//! Who comes back within that minute was never gone, so a connection that is lost and made again is told nobody. The
//! turns of many people are told together, by one task: it reads which small chats they are in, and the hub knows who
//! of those in them listens.

use std::{
    cmp::Reverse,
    collections::{BinaryHeap, HashMap},
    sync::{Arc, Mutex, MutexGuard, PoisonError, Weak},
    time::Duration,
};

use tokio::{sync::Notify, time::Instant};
use tokio_util::sync::CancellationToken;

use crate::{
    chat::{Services, profiles::PRESENCE_SHOWN_UP_TO},
    error::Result,
    model::{Person, PersonId, Presence, Signal, SignalKind, policy},
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
#[derive(Debug, Default, Clone)]
pub(super) struct Online(Arc<Register>);

#[derive(Debug, Default)]
struct Register {
    state: Mutex<State>,
    /// Notified when there may be a turn to tell, now or in a minute.
    changed: Notify,
}

/// Guarded by the lock of [`Register`].
#[derive(Debug, Default)]
struct State {
    people: HashMap<PersonId, Seen>,
    /// Who is to be looked at a minute after a moment at which they had no wait, the earliest first: each person once,
    /// however many waits of theirs end meanwhile.
    left: BinaryHeap<Reverse<(Instant, PersonId)>>,
    /// Who has come or gone since that was last told, and whether they were online then.
    turned: HashMap<PersonId, (Arc<Person>, bool)>,
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
    person: Arc<Person>,
    online: bool,
}

/// A wait or a connection of somebody; dropping it ends it.
#[derive(Debug)]
pub(super) struct Attendance {
    register: Arc<Register>,
    person: PersonId,
}

impl Online {
    /// Notes that a person has a wait or a connection, as long as what is returned lives.
    pub(super) fn attend(&self, person: &Arc<Person>) -> Attendance {
        let mut state = self.0.state();
        state.forget_the_gone();
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
            state.note_turn(person, false);
            self.0.changed.notify_one();
        }
        Attendance {
            register: Arc::clone(&self.0),
            person: person.id,
        }
    }

    /// Whether a person is online.
    pub(super) fn is_online(&self, person: PersonId) -> bool {
        let mut state = self.0.state();
        state.forget_the_gone();
        state.people.contains_key(&person)
    }

    /// Who has come or gone since that was last asked, as soon as somebody has.
    pub(super) async fn turns(&self) -> Vec<Turn> {
        loop {
            let next = {
                let mut state = self.0.state();
                state.forget_the_gone();
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
        for Turn { person, online } in turns {
            state.turned.insert(person.id, (person, !online));
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
    fn forget_the_gone(&mut self) {
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
                        self.note_turn(&seen.person, true);
                    }
                }
                None => seen.is_queued = false,
            }
        }
    }

    fn note_turn(&mut self, person: &Arc<Person>, was_online: bool) {
        if policy::has_presence(person) {
            let turn = (Arc::clone(person), was_online);
            self.turned.entry(person.id).or_insert(turn);
        }
    }

    /// Takes some of the turns; who is again as they were when it was last told has made none.
    fn take_turns(&mut self) -> Vec<Turn> {
        let mut turns = Vec::new();
        while turns.len() < TURNS
            && let Some(id) = self.turned.keys().next().copied()
            && let Some((person, was_online)) = self.turned.remove(&id)
        {
            let online = self.people.contains_key(&id);
            if online != was_online {
                turns.push(Turn { person, online });
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
    if !services.hub.hears_presence() {
        return Ok(());
    }
    let people: Vec<_> = turns.iter().map(|turn| turn.person.id).collect();
    let mut chats = services
        .store
        .small_chats(&people, PRESENCE_SHOWN_UP_TO)
        .await?;
    let uses = services.store.last_uses(&people).await?;
    for Turn { person, online } in turns {
        let Some(chats) = chats.remove(&person.id) else {
            continue;
        };
        services.hub.signal(Signal {
            tenant: person.tenant,
            actor: Arc::clone(person),
            origin: None,
            kind: SignalKind::Presence(Presence {
                online: *online,
                last_seen: uses.get(&person.id).copied(),
                chats: chats.into(),
            }),
        });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{PersonKind, fixture::person};

    /// The turns there are now: who, and whether they are online.
    async fn turns(online: &Online) -> Vec<(i64, bool)> {
        let mut waiting = std::pin::pin!(online.turns());
        let ready = std::future::poll_fn(|context| {
            let polled = waiting.as_mut().poll(context);
            std::task::Poll::Ready(match polled {
                std::task::Poll::Ready(turns) => turns,
                std::task::Poll::Pending => Vec::new(),
            })
        });
        let turns = ready.await.into_iter();
        turns.map(|it| (it.person.id.get(), it.online)).collect()
    }

    fn ann() -> Arc<Person> {
        person(1, PersonKind::Person)
    }

    /// A second less than a minute.
    const JUST_BEFORE: Duration = Duration::from_secs(59);

    #[tokio::test(start_paused = true)]
    async fn who_comes_is_told_at_once_and_who_goes_after_a_minute() {
        let online = Online::default();
        let first = online.attend(&ann());
        let second = online.attend(&ann());
        assert_eq!(turns(&online).await, [(1, true)]);
        drop(first);
        tokio::time::advance(LASTS * 2).await;
        assert_eq!(turns(&online).await, [], "another connection stands");
        drop(second);
        tokio::time::advance(LASTS / 2).await;
        assert_eq!(turns(&online).await, []);
        assert!(online.is_online(PersonId::new(1)));
        // Nobody asks meanwhile, and it is told as soon as the minute is over.
        let gone = online.turns().await;
        assert_eq!((gone.len(), gone[0].online), (1, false));
        assert!(!online.is_online(PersonId::new(1)));
        let _third = online.attend(&ann());
        assert_eq!(turns(&online).await, [(1, true)]);
    }

    #[tokio::test(start_paused = true)]
    async fn a_flapping_connection_is_told_once() {
        let online = Online::default();
        for _ in 0..100 {
            drop(online.attend(&ann()));
            tokio::time::advance(JUST_BEFORE).await;
        }
        assert_eq!(turns(&online).await, [(1, true)]);
        for _ in 0..100 {
            drop(online.attend(&ann()));
            tokio::time::advance(JUST_BEFORE).await;
            assert_eq!(turns(&online).await, []);
        }
        tokio::time::advance(LASTS).await;
        assert_eq!(turns(&online).await, [(1, false)]);
        // Who has come and gone before anybody was told has made no turn.
        drop(online.attend(&ann()));
        tokio::time::advance(LASTS).await;
        assert_eq!(turns(&online).await, []);
    }

    #[tokio::test(start_paused = true)]
    async fn turns_that_could_not_be_told_are_told_later_or_not_at_all() {
        let online = Online::default();
        let stays = online.attend(&ann());
        let untold = online.turns().await;
        online.untold(untold);
        assert_eq!(turns(&online).await, [(1, true)]);
        drop(stays);
        tokio::time::advance(LASTS).await;
        let untold = online.turns().await;
        let _back = online.attend(&ann());
        online.untold(untold);
        assert_eq!(turns(&online).await, [], "they are as they were told");
    }

    #[tokio::test(start_paused = true)]
    async fn many_waits_of_one_person_are_remembered_once() {
        let online = Online::default();
        let remembered = || online.0.state().left.len();
        for _ in 0..10_000 {
            drop(online.attend(&ann()));
        }
        assert_eq!(remembered(), 1);
        tokio::time::advance(LASTS / 2).await;
        drop(online.attend(&ann()));
        tokio::time::advance(LASTS / 2).await;
        assert!(
            online.is_online(PersonId::new(1)),
            "they left half a minute ago"
        );
        assert_eq!(remembered(), 1);
        let stays = online.attend(&ann());
        tokio::time::advance(LASTS).await;
        assert!(online.is_online(PersonId::new(1)));
        assert_eq!(remembered(), 0);
        drop(stays);
        tokio::time::advance(LASTS).await;
        assert!(!online.is_online(PersonId::new(1)));
        assert_eq!(remembered(), 0);
    }

    #[tokio::test(start_paused = true)]
    async fn guests_of_live_support_make_no_turns() {
        let online = Online::default();
        let _guest = online.attend(&person(2, PersonKind::Guest));
        assert_eq!(turns(&online).await, []);
        assert!(online.is_online(PersonId::new(2)));
    }
}
