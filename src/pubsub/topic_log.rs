//! A topic's latest changes and signals, shared by all its subscribers.

use std::{
    collections::{HashSet, VecDeque},
    fmt,
    sync::{
        Arc, Mutex, PoisonError, Weak,
        atomic::{AtomicU64, AtomicUsize, Ordering},
    },
    time::Instant,
};

use tokio::sync::{Notify, futures::Notified};

use crate::{
    model::{ChatId, PersonId, Position, ids::IdMap},
    pubsub::{
        Hub, Published,
        presence::PresenceListener,
        published::PublishedSignal,
        topic::Topic,
        visibility::{drop_deleted, is_visible_to},
        waker::{Noted, Waker},
    },
};

/// How many changes a topic keeps. A subscriber that missed more reads the log.
const RETAINED_CHANGES: usize = 64;
/// How many signals a topic keeps. A slower subscriber misses some.
const RETAINED_SIGNALS: usize = 16;
/// For how many people a chat's topic caches that they may read it.
const RETAINED_RIGHTS: usize = 4096;

/// The latest changes and signals of a topic.
pub(super) struct TopicLog {
    pub(super) topic: Topic,
    /// How many subscribers hear presence.
    pub(super) presence_listeners: AtomicUsize,
    wake: Notify,
    state: Mutex<State>,
}

/// Guarded by the topic's lock. Lock order: the hub's lock first; both are held briefly.
struct State {
    changes: VecDeque<Arc<Published>>,
    /// The last batch that had changes of this topic.
    batch: u64,
    /// The ring buffer holds all changes of the topic after this position.
    complete_after: Position,
    /// The person's chats, each with the position of their joining; `None` until read from the store.
    chats: Option<IdMap<ChatId, Position>>,
    /// Changes of the person's memberships while these are read from the store.
    pending_memberships: Vec<(ChatId, Option<Position>)>,
    /// A cache of the people who may read the chat. It is cleared by every change that may take the right
    /// away.
    rights: HashSet<PersonId>,
    /// How often that cache was cleared.
    rights_version: u64,
    /// The latest signals.
    signals: VecDeque<Arc<PublishedSignal>>,
    /// Wakers to notify of changes, by the number of their subscriber.
    wakers: Vec<(u64, Arc<dyn Waker>)>,
    next_waker: u64,
    subscribers: usize,
    /// When the last subscriber left.
    idle_since: Instant,
}

/// The changes of a topic after a position.
#[derive(Debug)]
pub enum Backlog {
    /// All changes after the position asked, up to the position returned.
    Complete(Vec<Arc<Published>>, Position),
    /// The buffer does not reach back that far: read the log.
    Lagged,
}

impl fmt::Debug for TopicLog {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.topic.fmt(f)
    }
}

impl State {
    fn forget_rights(&mut self) {
        self.rights.clear();
        self.rights_version += 1;
    }
}

/// The moment before a right to read was looked up in the store.
#[derive(Debug, Clone, Copy)]
pub struct RightsVersion(u64);

impl TopicLog {
    pub(super) fn new(topic: Topic, head: Position) -> Self {
        Self {
            topic,
            presence_listeners: AtomicUsize::new(0),
            wake: Notify::new(),
            state: Mutex::new(State {
                changes: VecDeque::new(),
                batch: 0,
                complete_after: head,
                chats: None,
                pending_memberships: Vec::new(),
                rights: HashSet::new(),
                rights_version: 0,
                signals: VecDeque::new(),
                wakers: Vec::new(),
                next_waker: 0,
                subscribers: 0,
                idle_since: Instant::now(),
            }),
        }
    }

    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Appends a change of a batch. Returns whether it is the first one: the subscribers are to be woken once for
    /// all of them, see [`TopicLog::notify`].
    pub(super) fn push(&self, published: &Arc<Published>, batch: u64) -> bool {
        let mut state = self.state();
        if state.changes.len() == RETAINED_CHANGES
            && let Some(oldest) = state.changes.pop_front()
        {
            state.complete_after = oldest.change.position;
        }
        state.changes.push_back(Arc::clone(published));
        std::mem::replace(&mut state.batch, batch) != batch
    }

    /// Wakes the subscribers, once the head covers the new changes; `noted` are to be delivered to.
    pub(super) fn notify(&self, noted: &mut Noted) {
        let state = self.state();
        for (_, waker) in &state.wakers {
            noted.note(waker);
        }
        drop(state);
        self.wake.notify_waiters();
    }

    /// Appends a signal and wakes the subscribers.
    pub(super) fn push_signal(&self, signal: &Arc<PublishedSignal>, noted: &mut Noted) {
        let mut state = self.state();
        if state.signals.len() == RETAINED_SIGNALS {
            state.signals.pop_front();
        }
        state.signals.push_back(Arc::clone(signal));
        drop(state);
        self.notify(noted);
    }

    /// Clears the cache of who may read the chat; the next lookup reads the store.
    pub(super) fn forget_rights(&self) {
        self.state().forget_rights();
    }

    /// Drops all changes up to a position, because earlier ones were not delivered to this topic. Returns whether
    /// its subscribers have yet to be woken for the batch.
    pub(super) fn restart(&self, at: Position, batch: u64) -> bool {
        let mut state = self.state();
        state.changes.clear();
        state.complete_after = at;
        state.forget_rights();
        std::mem::replace(&mut state.batch, batch) != batch
    }

    /// Records that the person joined or left a chat.
    pub(super) fn note_membership(&self, chat: ChatId, joined: Option<Position>) {
        let mut state = self.state();
        let Some(chats) = &mut state.chats else {
            state.pending_memberships.push((chat, joined));
            return;
        };
        match joined {
            Some(position) => {
                chats.entry(chat).or_insert(position);
            }
            None => {
                chats.remove(&chat);
            }
        }
    }

    /// Sets the memberships read from the store, with the changes since then applied. Returns the
    /// chats, or `None` if memberships were set before.
    pub(super) fn seed_memberships(
        &self,
        memberships: Vec<(ChatId, Position)>,
        head: Position,
    ) -> Option<Vec<ChatId>> {
        let mut state = self.state();
        if state.chats.is_some() {
            return None;
        }
        let mut chats: IdMap<ChatId, Position> = memberships.into_iter().collect();
        for (chat, joined) in std::mem::take(&mut state.pending_memberships) {
            match joined {
                Some(position) => {
                    chats.entry(chat).or_insert(position);
                }
                None => {
                    chats.remove(&chat);
                }
            }
        }
        let known = chats.keys().copied().collect();
        state.chats = Some(chats);
        state.changes.clear();
        state.complete_after = head;
        Some(known)
    }

    pub(super) fn chats(&self) -> Vec<ChatId> {
        self.state()
            .chats
            .iter()
            .flatten()
            .map(|(chat, _)| *chat)
            .collect()
    }

    /// Whether the person is in one of these chats, and was when this position was taken.
    pub(super) fn is_in_any(&self, chats: &[ChatId], at: Position) -> bool {
        let state = self.state();
        let Some(own) = &state.chats else {
            return false;
        };
        let mut joined = chats.iter().filter_map(|chat| own.get(chat));
        joined.any(|joined| *joined <= at)
    }

    /// Whether the person is known to be in a chat no more.
    pub(super) fn has_left(&self, chat: ChatId) -> bool {
        let state = self.state();
        let chats = state.chats.as_ref();
        chats.is_some_and(|chats| !chats.contains_key(&chat))
    }

    pub(super) fn is_idle(&self, since: Instant) -> bool {
        let state = self.state();
        state.subscribers == 0 && state.idle_since <= since
    }

    pub(super) fn join(&self) {
        self.state().subscribers += 1;
    }
}

/// A subscription to a topic; dropping it ends the subscription.
#[derive(Debug)]
pub struct Subscriber {
    topic_log: Arc<TopicLog>,
    hub: Weak<Hub>,
    waker: Option<u64>,
    presence: Option<PresenceListener>,
    /// The newest signal that this subscriber has received.
    signals: AtomicU64,
}

impl Subscriber {
    pub(super) fn new(topic_log: Arc<TopicLog>, hub: Weak<Hub>, signals: u64) -> Self {
        Self {
            topic_log,
            hub,
            waker: None,
            presence: None,
            signals: AtomicU64::new(signals),
        }
    }

    /// Notifies `waker` of every new change and signal. One waker may serve many subscribers.
    pub fn wake_with(&mut self, waker: Arc<dyn Waker>) {
        let mut state = self.topic_log.state();
        let number = state.next_waker;
        state.next_waker += 1;
        state.wakers.push((number, waker));
        self.waker = Some(number);
    }

    /// From now on hears who comes online and who goes.
    pub fn hear_presence(&mut self) {
        let listen = || PresenceListener::new(Arc::clone(&self.topic_log), Weak::clone(&self.hub));
        self.presence.get_or_insert_with(listen);
    }

    /// The signals since the last call.
    pub fn signals(&self) -> Vec<Arc<PublishedSignal>> {
        let state = self.topic_log.state();
        // Read and written under the lock: two that look at once receive each signal once.
        let received = self.signals.load(Ordering::Relaxed);
        let signals = state.signals.iter();
        let newer: Vec<_> = signals
            .filter(|signal| signal.number > received)
            .cloned()
            .collect();
        if let Some(last) = newer.last() {
            self.signals.store(last.number, Ordering::Relaxed);
        }
        drop(state);
        newer
    }

    /// A future that is ready after the next change. Create and `enable` it before reading the backlog.
    pub fn changed(&self) -> Notified<'_> {
        self.topic_log.wake.notified()
    }

    /// Whether the person is known to have the right to read this subscriber's chat. Else the version to pass
    /// to [`Subscriber::keep_right`] after the store was read.
    pub fn right(&self, person: PersonId) -> Result<(), RightsVersion> {
        let state = self.topic_log.state();
        if state.rights.contains(&person) {
            Ok(())
        } else {
            Err(RightsVersion(state.rights_version))
        }
    }

    /// Caches that a person has the right to read this chat, unless something has happened to the
    /// chat or to its members since before the store was read.
    pub fn keep_right(&self, person: PersonId, before: RightsVersion) {
        let mut state = self.topic_log.state();
        if state.rights_version == before.0 && state.rights.len() < RETAINED_RIGHTS {
            state.rights.insert(person);
        }
    }

    /// Whether the person's chats have yet to be read from the store, see [`Subscriber::seed_memberships`].
    pub fn needs_memberships(&self) -> bool {
        matches!(self.topic_log.topic, Topic::Person(_)) && self.topic_log.state().chats.is_none()
    }

    /// Sets the person's chats, as read from the store after this subscriber was created.
    pub fn seed_memberships(&self, memberships: Vec<(ChatId, Position)>) {
        if let Some(hub) = self.hub.upgrade() {
            hub.seed_memberships(&self.topic_log, memberships);
        }
    }

    /// Sets the chats of a person who was in none when the head was at a position, as memory tells them. Whether it
    /// reaches back so far: else they have to be read.
    pub fn seed_newcomer(&self, since: Position) -> bool {
        let hub = self.hub.upgrade();
        hub.is_some_and(|hub| hub.seed_newcomer(&self.topic_log, since))
    }

    /// The changes after a position.
    pub fn backlog(&self, after: Position) -> Backlog {
        let Some(hub) = self.hub.upgrade() else {
            return Backlog::Lagged;
        };
        // Read the head first: all changes up to it have been delivered to every topic.
        let head = hub.head();
        let state = self.topic_log.state();
        if after < state.complete_after {
            drop(state);
            return hub.backlog_from_tail(&self.topic_log, after);
        }
        // From the back, where the few new ones are: the others are no longer in the processor's cache. Changes
        // beyond the head are left for later: a cursor beyond the head could not be resumed from, and the next
        // read with the old head would go backwards.
        let newest = state.changes.iter().rev();
        let newest = newest.skip_while(|published| published.change.position > head);
        let newer = newest.take_while(|published| published.change.position > after);
        let mut changes: Vec<_> = newer.cloned().collect();
        drop(state);
        changes.reverse();
        // A person who has left since gets no earlier changes, neither from memory nor from the log.
        changes.retain(|published| is_visible_to(&self.topic_log, &published.change));
        drop_deleted(&self.topic_log, &mut changes);
        Backlog::Complete(changes, head.max(after))
    }
}

impl Drop for Subscriber {
    fn drop(&mut self) {
        let mut state = self.topic_log.state();
        if let Some(number) = self.waker {
            state.wakers.retain(|(waker, _)| *waker != number);
        }
        state.subscribers = state.subscribers.saturating_sub(1);
        state.idle_since = Instant::now();
    }
}
