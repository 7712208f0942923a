//! The hub: the one place where changes are published, and the registry of topics and their subscribers.

use std::{
    collections::VecDeque,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicI64, AtomicU64, AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use tokio::sync::{Notify, watch};

use epochs::Epochs;

use crate::{
    model::{
        Audience, Change, ChangeKind, ChatId, Epoch, PersonId, Position, Presence, Signal,
        SignalKind, TenantId, ids::IdMap,
    },
    pubsub::{
        Published,
        published::PublishedSignal,
        topic::Topic,
        topic_log::{Backlog, Subscriber, TopicLog},
        visibility::{changes_rights, drop_deleted, is_visible_to},
        waker::Noted,
    },
};

/// The most changes that the tail holds.
const TAIL_CHANGES: usize = 4096;
/// About the most bytes the tail holds.
const TAIL_BYTES: usize = 16 << 20;

/// Delivers every change to the topics it concerns, in position order.
#[derive(Debug)]
pub struct Hub {
    state: Mutex<State>,
    /// The newest position up to which every topic has its changes.
    head: AtomicI64,
    /// Notified when the head has moved.
    moved: Notify,
    /// How many signals every topic has.
    signals: AtomicU64,
    epochs: Arc<Epochs>,
    /// Notified of each batch, while somebody follows all of them.
    followers: watch::Sender<()>,
    /// How many subscribers hear presence.
    pub(super) presence_listeners: AtomicUsize,
}

/// Topics with changes of one batch, whose subscribers are not woken yet.
#[derive(Default)]
#[must_use = "subscribers wait for it"]
pub struct Unnotified(Vec<Arc<TopicLog>>);

impl Unnotified {
    /// Wakes the subscribers of the topics, each once, and delivers to those who take it.
    pub(crate) fn notify(self) {
        let mut noted = Noted::default();
        for topic_log in self.0 {
            topic_log.notify(&mut noted);
        }
        noted.deliver();
    }
}

type TopicLogs = IdMap<PersonId, Arc<TopicLog>>;

/// Guarded by the hub's lock: the tail and the topics.
#[derive(Debug, Default)]
struct State {
    /// The newest changes without gaps, ending at the head.
    tail: VecDeque<Arc<Published>>,
    tail_bytes: usize,
    people: TopicLogs,
    chats: IdMap<ChatId, Arc<TopicLog>>,
    /// Topics of people, by the chats they are in.
    members: IdMap<ChatId, TopicLogs>,
    /// Topics of people, by their tenant.
    tenants: IdMap<TenantId, TopicLogs>,
    /// Topics of people who are agents of their tenant.
    agents: IdMap<TenantId, TopicLogs>,
    /// How many batches were published.
    batches: u64,
    /// How many signals were published.
    signals: u64,
}

impl Hub {
    /// A hub without changes before `head`, in an epoch.
    pub fn new(head: Position, epoch: Epoch) -> Arc<Self> {
        Self::with_epochs(head, Epochs::new(epoch))
    }

    /// The hub of another lane, which is always in the same epoch.
    pub fn beside(&self, head: Position) -> Arc<Self> {
        Self::with_epochs(head, Arc::clone(&self.epochs))
    }

    fn with_epochs(head: Position, epochs: Arc<Epochs>) -> Arc<Self> {
        Arc::new(Self {
            state: Mutex::default(),
            head: AtomicI64::new(head.get()),
            moved: Notify::new(),
            signals: AtomicU64::new(0),
            epochs,
            followers: watch::Sender::new(()),
            presence_listeners: AtomicUsize::new(0),
        })
    }

    /// The newest published position.
    pub fn head(&self) -> Position {
        Position::new(self.head.load(Ordering::Acquire))
    }

    /// How many signals were published: a subscriber that has looked since then has missed none.
    pub fn signals(&self) -> u64 {
        self.signals.load(Ordering::Acquire)
    }

    /// Whether anybody hears who comes online and who goes.
    pub fn hears_presence(&self) -> bool {
        self.presence_listeners.load(Ordering::Acquire) > 0
    }

    /// How many topics receive the changes of a chat.
    pub fn listening(&self, chat: ChatId) -> usize {
        let state = self.state();
        let people = state.members.get(&chat).map_or(0, IdMap::len);
        people + usize::from(state.chats.contains_key(&chat))
    }

    /// Publishes changes, see [`Hub::begin_publish`], and wakes the subscribers.
    pub(crate) fn publish(&self, changes: impl IntoIterator<Item = Change>) {
        self.begin_publish(changes).notify();
    }

    /// Appends changes to the topics they concern, in ascending order, without gaps. Changes that were published
    /// before are skipped, so that a reader of the log may start at any position. Readers find them
    /// now; the subscribers are woken by [`Unnotified::notify`].
    pub(crate) fn begin_publish(&self, changes: impl IntoIterator<Item = Change>) -> Unnotified {
        let mut unnotified = Unnotified::default();
        let mut state = self.state();
        state.batches += 1;
        for change in changes {
            let position = change.position;
            let head = self.head();
            if position <= head {
                continue;
            }
            if position != head.plus(1) {
                tracing::error!(
                    head = head.get(),
                    position = position.get(),
                    "Changes are missing between the head and what is published: subscribers read the log instead."
                );
                state.restart(Position::new(position.get() - 1), &mut unnotified);
            }
            state.append(Arc::new(Published::new(change)), &mut unnotified);
            self.head.store(position.get(), Ordering::Release);
        }
        drop(state);
        self.moved.notify_waiters();
        self.wake_followers();
        unnotified
    }

    /// Fills the tail with changes up to the head, so that a reconnecting client is served from memory. Those before a
    /// gap are left out: a place in the tail is found by counting.
    pub(super) fn fill(&self, changes: Vec<Change>) {
        let mut state = self.state();
        let head = self.head();
        let last = changes.last().map(|last| last.position);
        if !state.tail.is_empty() || last != Some(head) {
            return;
        }
        let gap = changes
            .windows(2)
            .rposition(|pair| pair[1].position != pair[0].position.plus(1));
        let whole = gap.map_or(0, |gap| gap + 1);
        for change in changes.into_iter().skip(whole) {
            state.remember(Arc::new(Published::new(change)));
        }
    }

    /// Subscribes to a topic.
    pub fn subscribe(self: &Arc<Self>, topic: Topic) -> Subscriber {
        let mut state = self.state();
        let head = self.head();
        let topic_log = match topic {
            Topic::Person(person) => {
                let (id, tenant, agent) = (person.id, person.tenant, person.is_agent());
                let guest = person.is_guest();
                let topic_log = state
                    .people
                    .entry(id)
                    .or_insert_with(|| Arc::new(TopicLog::new(Topic::Person(person), head)))
                    .clone();
                if !guest {
                    state
                        .tenants
                        .entry(tenant)
                        .or_default()
                        .insert(id, Arc::clone(&topic_log));
                }
                if agent {
                    state
                        .agents
                        .entry(tenant)
                        .or_default()
                        .insert(id, Arc::clone(&topic_log));
                }
                topic_log
            }
            Topic::Chat(tenant, chat) => state
                .chats
                .entry(chat)
                .or_insert_with(|| Arc::new(TopicLog::new(Topic::Chat(tenant, chat), head)))
                .clone(),
        };
        topic_log.join();
        Subscriber::new(topic_log, Arc::downgrade(self), state.signals)
    }

    /// Subscribes to a chat's topic if it exists: it has a subscriber, or had one a moment ago.
    pub fn subscribe_known(self: &Arc<Self>, chat: ChatId) -> Option<Subscriber> {
        let state = self.state();
        let topic_log = Arc::clone(state.chats.get(&chat)?);
        topic_log.join();
        Some(Subscriber::new(
            topic_log,
            Arc::downgrade(self),
            state.signals,
        ))
    }

    /// Publishes a signal: typing to the members of its chat and to the agents of its tenant, presence to those who
    /// share one of its chats with its actor. It is not stored: it reaches present subscribers only.
    pub fn signal(&self, signal: Signal) {
        let mut noted = Noted::default();
        let mut state = self.state();
        state.signals += 1;
        let published = Arc::new(PublishedSignal::new(signal, state.signals));
        match &published.signal.kind {
            SignalKind::Typing(typing) => {
                let members = state.members.get(&typing.chat);
                let agents = state.agents.get(&published.signal.tenant);
                let agents = agents.filter(|_| typing.to_agents);
                for topic_log in recipients(members, agents) {
                    topic_log.push_signal(&published, &mut noted);
                }
            }
            SignalKind::Presence(presence) => {
                for topic_log in state.presence_listeners(published.signal.actor.id, presence) {
                    topic_log.push_signal(&published, &mut noted);
                }
            }
        }
        self.signals.store(published.number, Ordering::Release);
        drop(state);
        // The caller may hold locks.
        noted.deliver_later();
    }

    /// Drops topics that have had no subscriber for `linger`.
    pub fn sweep(&self, linger: Duration) {
        let Some(since) = Instant::now().checked_sub(linger) else {
            return;
        };
        let mut state = self.state();
        let idle: Vec<_> = state
            .people
            .values()
            .chain(state.chats.values())
            .filter(|topic_log| topic_log.is_idle(since))
            .cloned()
            .collect();
        for topic_log in idle {
            state.forget(&topic_log);
        }
    }

    /// Drops the topics of a tenant, which goes on in another lane. Their subscribers are woken to learn of it.
    pub(crate) fn drop_tenant(&self, tenant: TenantId) -> Unnotified {
        let mut state = self.state();
        let all = state.people.values().chain(state.chats.values());
        let theirs = all.filter(|topic_log| topic_log.topic.tenant() == tenant);
        let theirs: Vec<_> = theirs.cloned().collect();
        for topic_log in &theirs {
            state.forget(topic_log);
        }
        Unnotified(theirs)
    }

    pub(super) fn seed_memberships(
        &self,
        topic_log: &Arc<TopicLog>,
        memberships: Vec<(ChatId, Position)>,
    ) {
        self.state()
            .seed_memberships(topic_log, memberships, self.head());
    }

    /// Sets the chats of somebody who is nowhere before a position, as the tail tells them. Whether it reaches back
    /// so far.
    pub(super) fn seed_newcomer(&self, topic_log: &Arc<TopicLog>, since: Position) -> bool {
        let Topic::Person(person) = &topic_log.topic else {
            return false;
        };
        let mut state = self.state();
        let head = self.head();
        let Some(newer) = state.after(since, head) else {
            return false;
        };
        let mut chats = IdMap::default();
        for published in newer.filter(|published| published.change.actor.id == person.id) {
            let change = &published.change;
            if let ChangeKind::Joined(_) = change.what {
                chats.entry(change.chat).or_insert(change.position);
            } else if let ChangeKind::Left = change.what {
                chats.remove(&change.chat);
            }
        }
        state.seed_memberships(topic_log, chats.into_iter().collect(), head);
        true
    }

    /// The changes of the tail after a position that concern a topic.
    pub(super) fn backlog_from_tail(&self, topic_log: &TopicLog, after: Position) -> Backlog {
        let state = self.state();
        let head = self.head();
        let Some(newer) = state.after(after, head) else {
            return Backlog::Lagged;
        };
        let newer = newer.filter(|p| is_visible_to(topic_log, &p.change));
        let mut changes = newer.cloned().collect();
        drop_deleted(topic_log, &mut changes);
        Backlog::Complete(changes, head)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// The changes after a position, if the tail reaches back so far.
    fn after(
        &self,
        after: Position,
        head: Position,
    ) -> Option<impl Iterator<Item = &Arc<Published>>> {
        let first = self.tail.front();
        let reaches = first.is_some_and(|first| first.change.position <= after.plus(1));
        if !reaches && after < head {
            return None;
        }
        // The tail has no gaps, so a position's index in it is a subtraction.
        let newer = usize::try_from(head.get() - after.get())
            .unwrap_or(0)
            .min(self.tail.len());
        Some(self.tail.range(self.tail.len() - newer..))
    }

    fn seed_memberships(
        &mut self,
        topic_log: &Arc<TopicLog>,
        memberships: Vec<(ChatId, Position)>,
        head: Position,
    ) {
        let Topic::Person(person) = &topic_log.topic else {
            return;
        };
        let known = topic_log.seed_memberships(memberships, head);
        for chat in known.into_iter().flatten() {
            let members = self.members.entry(chat).or_default();
            members.insert(person.id, Arc::clone(topic_log));
        }
    }

    /// Appends a change to the topics it concerns.
    fn append(&mut self, published: Arc<Published>, unnotified: &mut Unnotified) {
        let change = &published.change;
        let actor = self.people.get(&change.actor.id).cloned();
        if let (ChangeKind::Joined(_), Some(topic_log)) = (&change.what, &actor) {
            topic_log.note_membership(change.chat, Some(change.position));
            self.members
                .entry(change.chat)
                .or_default()
                .insert(change.actor.id, Arc::clone(topic_log));
        }
        let acquaintances = self.acquaintances(change);
        let (members, agents) = match change.audience {
            Audience::Acquaintances => (Some(&acquaintances), None),
            Audience::Members => (self.members.get(&change.chat), None),
            Audience::Agents => (
                self.members.get(&change.chat),
                self.agents.get(&change.tenant),
            ),
            // Also to members: whether they are told is decided when they read, as the store does, since they may
            // have left by then.
            Audience::Tenant | Audience::Others => (self.tenants.get(&change.tenant), None),
            Audience::Actor => (None, None),
        };
        let batch = self.batches;
        let mut push = |topic_log: &Arc<TopicLog>| {
            if topic_log.push(&published, batch) {
                unnotified.0.push(Arc::clone(topic_log));
            }
        };
        let mut reached_actor = false;
        for topic_log in recipients(members, agents) {
            reached_actor |= actor
                .as_ref()
                .is_some_and(|actor| Arc::ptr_eq(actor, topic_log));
            push(topic_log);
        }
        if let Some(topic_log) = &actor
            && !reached_actor
            && is_visible_to(topic_log, change)
        {
            push(topic_log);
        }
        if let Some(topic_log) = self.chats.get(&change.chat) {
            if changes_rights(&change.what) {
                topic_log.forget_rights();
            }
            if is_visible_to(topic_log, change) {
                push(topic_log);
            }
        }
        if let ChangeKind::Left = change.what {
            if let Some(topic_log) = &actor {
                topic_log.note_membership(change.chat, None);
            }
            self.remove_member(change.chat, change.actor.id);
        }
        self.remember(published);
    }

    /// The topics of the actor's acquaintances, where it is they who receive a change.
    fn acquaintances(&self, change: &Change) -> TopicLogs {
        match change.audience {
            Audience::Acquaintances => self.beside(change.chats()),
            Audience::Members
            | Audience::Agents
            | Audience::Tenant
            | Audience::Others
            | Audience::Actor => TopicLogs::default(),
        }
    }

    /// The topics of those who are in one of these chats, each once.
    fn beside(&self, chats: &[ChatId]) -> TopicLogs {
        let mut beside = TopicLogs::default();
        for members in chats.iter().filter_map(|chat| self.members.get(chat)) {
            let members = members.iter();
            beside.extend(members.map(|(person, topic_log)| (*person, Arc::clone(topic_log))));
            if beside.len() == self.people.len() {
                break;
            }
        }
        beside
    }

    /// The topics of those who share one of the chats with a person, and hear presence.
    fn presence_listeners(&self, person: PersonId, presence: &Presence) -> Vec<Arc<TopicLog>> {
        let own = self.people.get(&person);
        let chats = presence.chats.iter().copied();
        let shared: Vec<_> = chats
            .filter(|chat| own.is_none_or(|own| !own.has_left(*chat)))
            .collect();
        let mut others = self.beside(&shared);
        others.remove(&person);
        let others = others.into_values();
        let hears = |topic: &Arc<TopicLog>| topic.presence_listeners.load(Ordering::Acquire) > 0;
        others.filter(hears).collect()
    }

    fn remember(&mut self, published: Arc<Published>) {
        self.tail_bytes += published.weight();
        self.tail.push_back(published);
        while self.tail.len() > TAIL_CHANGES || self.tail_bytes > TAIL_BYTES {
            let Some(oldest) = self.tail.pop_front() else {
                break;
            };
            self.tail_bytes -= oldest.weight();
        }
    }

    /// Clears the tail and all topics after a gap.
    fn restart(&mut self, at: Position, unnotified: &mut Unnotified) {
        self.tail.clear();
        self.tail_bytes = 0;
        for topic_log in self.people.values().chain(self.chats.values()) {
            if topic_log.restart(at, self.batches) {
                unnotified.0.push(Arc::clone(topic_log));
            }
        }
    }

    fn forget(&mut self, topic_log: &TopicLog) {
        match &topic_log.topic {
            Topic::Chat(_, chat) => {
                self.chats.remove(chat);
            }
            Topic::Person(person) => {
                self.people.remove(&person.id);
                for chat in topic_log.chats() {
                    self.remove_member(chat, person.id);
                }
                for register in [&mut self.tenants, &mut self.agents] {
                    if let Some(topics) = register.get_mut(&person.tenant) {
                        topics.remove(&person.id);
                        if topics.is_empty() {
                            register.remove(&person.tenant);
                        }
                    }
                }
            }
        }
    }

    fn remove_member(&mut self, chat: ChatId, person: PersonId) {
        if let Some(topics) = self.members.get_mut(&chat) {
            topics.remove(&person);
            if topics.is_empty() {
                self.members.remove(&chat);
            }
        }
    }
}

/// The members of a chat and the agents of its tenant, each once.
fn recipients<'a>(
    members: Option<&'a TopicLogs>,
    agents: Option<&'a TopicLogs>,
) -> impl Iterator<Item = &'a Arc<TopicLog>> {
    let others = agents
        .into_iter()
        .flatten()
        .filter(move |(person, _)| !members.is_some_and(|members| members.contains_key(person)));
    members
        .into_iter()
        .flatten()
        .chain(others)
        .map(|(_, topic_log)| topic_log)
}

mod epochs;
mod following;
mod progress;
#[cfg(test)]
mod tests;
