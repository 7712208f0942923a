//! Fair queueing in front of the writer: whose work goes into the next transaction.
//!
//! # Why
//! There is one writer, so a flow that fills its transactions delays all others. Work is weighed by
//! what it costs, where a short message is one, and taken in two levels of round robin: between
//! tenants, and between the people of a tenant. A connection that speaks for many people, as a tenant's server
//! does, may have many messages under way: together they have one person's turn and share. While others are active a tenant, and a person, gets
//! a bounded share of each transaction, even if no other happens to wait just then: the next to
//! arrive waits for the transaction that is under way. Large work is written by itself.
//!
//! Shares alone would still let one tenant's transactions follow each other without a gap. So the one that
//! had most of a long transaction pauses, while others are active, for as long as it took: the
//! writer is free at least half of the time for those who write little.
//!
//! One person's work keeps its order, by whatever connections it comes.
//!
//! Time is passed in, so that all of this can be tested without waiting.

use std::{collections::VecDeque, time::Duration};

use tokio::time::Instant;

use crate::model::{PersonId, TenantId, ids::IdMap};

/// Work that weighs more than this is written by itself.
pub(super) const LARGE: usize = 64;
/// The share of one tenant, and of one person, in a transaction while others are active.
const SHARE: usize = 32;
/// Who had most of a transaction and at least this much of it pauses while others are active.
const NOTICED: usize = 8;
/// How long a flow counts as active after its last command.
const ACTIVE: Duration = Duration::from_secs(1);
/// After large work the writer belongs to others for this many times as long as it took.
const PAUSE_FACTOR: u32 = 2;
/// The longest pause.
const LONGEST_PAUSE: Duration = Duration::from_secs(2);
/// The most weight that one tenant may have waiting; a single piece of work may exceed it.
const TENANT_WEIGHT: usize = 1 << 16;

/// Whose work is kept in order: a tenant's person.
pub(super) type Flow = (TenantId, PersonId);

/// Where work comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Origin {
    pub(super) flow: Flow,
    /// The connection that it came by, if that speaks for several people.
    pub(super) connection: Option<u64>,
}

/// Who has one share of a transaction, and one turn: a tenant's person, or a connection that speaks for several.
type Sharer = (TenantId, Party);

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Party {
    Person(PersonId),
    Connection(u64),
}

impl Origin {
    fn sharer(self) -> Sharer {
        let (tenant, person) = self.flow;
        let party = self
            .connection
            .map_or(Party::Person(person), Party::Connection);
        (tenant, party)
    }
}

/// A piece of work that waits.
#[derive(Debug)]
struct Piece<J> {
    sharer: Sharer,
    weight: usize,
    command: J,
}

/// How much the queue holds, and how much of it one transaction takes.
#[derive(Debug, Clone, Copy)]
pub(super) struct Capacity {
    /// The most weight in one transaction.
    pub(super) batch: usize,
    /// The most pieces of work that wait.
    pub(super) queue: usize,
}

/// What is to be done next.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Next<J> {
    /// Write these together, and then report how long it took, see [`FairQueue::finished`]. What is
    /// large comes by itself.
    Batch(Vec<J>),
    /// What waits has to pause until then.
    Pause(Instant),
    /// Nothing waits.
    Idle,
}

/// The weight of what was taken for a transaction, and how much of it is whose.
#[derive(Debug, Default)]
struct Taken {
    total: usize,
    tenants: IdMap<TenantId, usize>,
    sharers: IdMap<Sharer, usize>,
}

/// See the module.
#[derive(Debug)]
pub(super) struct FairQueue<J> {
    capacity: Capacity,
    /// What waits, in the order in which each person handed it in.
    flows: IdMap<Flow, VecDeque<Piece<J>>>,
    /// The flows whose first piece of work fits in a share, and those whose first does not.
    small: RoundRobin,
    large: RoundRobin,
    /// How many pieces of work each tenant has waiting, and their weight.
    waiting: IdMap<TenantId, (usize, usize)>,
    length: usize,
    /// Who was active lately.
    tenants: Recent<TenantId>,
    people: Recent<Sharer>,
    /// Who lately handed in what fits in a share.
    small_senders: Recent<Sharer>,
    /// When large work may be taken again while others are active.
    large_resumes_at: Option<Instant>,
    /// Whether large work was taken last: small work that waits comes next, whatever the time.
    large_was_last: bool,
    /// What was taken for the transaction under way.
    taken: Taken,
    /// Who had most of the transaction under way.
    tenant_at_work: Option<TenantId>,
    sharer_at_work: Option<Sharer>,
    /// Who pauses after the last one while others are active, and until when.
    paused_tenant: Option<(TenantId, Instant)>,
    paused_sharer: Option<(Sharer, Instant)>,
}

impl<J> FairQueue<J> {
    pub(super) fn new(capacity: Capacity) -> Self {
        Self {
            capacity,
            flows: IdMap::default(),
            small: RoundRobin::default(),
            large: RoundRobin::default(),
            waiting: IdMap::default(),
            length: 0,
            tenants: Recent::default(),
            people: Recent::default(),
            small_senders: Recent::default(),
            large_resumes_at: None,
            large_was_last: false,
            taken: Taken::default(),
            tenant_at_work: None,
            sharer_at_work: None,
            paused_tenant: None,
            paused_sharer: None,
        }
    }

    /// How many pieces of work wait.
    pub(super) fn waiting(&self) -> usize {
        self.length
    }

    /// Adds work; gives it back when the queue is full, or when the tenant has too much in it.
    pub(super) fn push(
        &mut self,
        origin: Origin,
        weight: usize,
        command: J,
        now: Instant,
    ) -> Option<J> {
        let (flow, sharer) = (origin.flow, origin.sharer());
        let (commands, held) = self.waiting.get(&flow.0).copied().unwrap_or_default();
        // The rest is kept free for other tenants.
        let of_one_tenant = (self.capacity.queue - self.capacity.queue / 4).max(1);
        let too_heavy = commands > 0 && held + weight > TENANT_WEIGHT;
        if self.length >= self.capacity.queue.max(1) || commands >= of_one_tenant || too_heavy {
            return Some(command);
        }
        self.tenants.note(flow.0, now);
        self.people.note(sharer, now);
        if weight <= LARGE {
            self.small_senders.note(sharer, now);
        }
        self.length += 1;
        self.waiting.insert(flow.0, (commands + 1, held + weight));
        let queue = self.flows.entry(flow).or_default();
        queue.push_back(Piece {
            sharer,
            weight,
            command,
        });
        if queue.len() == 1 {
            self.enlist(flow);
        }
        None
    }

    /// Takes what the next transaction writes. Draining the queue ignores pauses.
    pub(super) fn take(&mut self, now: Instant, draining: bool) -> Next<J> {
        if draining {
            (
                self.large_resumes_at,
                self.paused_tenant,
                self.paused_sharer,
            ) = (None, None, None);
        }
        self.taken = Taken::default();
        if let Some(command) = self.take_large(now) {
            return Next::Batch(vec![command]);
        }
        let batch = self.collect(now);
        if !batch.is_empty() {
            self.large_was_last = false;
            return Next::Batch(batch);
        }
        let small = [
            self.paused_tenant.map(|(_, resumes_at)| resumes_at),
            self.paused_sharer.map(|(_, resumes_at)| resumes_at),
        ];
        let small = small.into_iter().filter(|_| !self.small.is_empty());
        let large = (!self.large.is_empty()).then_some(self.large_resumes_at);
        let resumes_at = small
            .chain(large)
            .flatten()
            .filter(|resumes_at| *resumes_at > now);
        resumes_at.min().map_or(Next::Idle, Next::Pause)
    }

    /// Takes what has come since for the transaction under way, up to the same bounds and shares.
    pub(super) fn take_more(&mut self, now: Instant) -> Vec<J> {
        if self.large_was_last {
            return Vec::new();
        }
        self.collect(now)
    }

    /// After a transaction that took so long, the one that had most of it leaves the writer to others for
    /// a while.
    pub(super) fn finished(&mut self, took: Duration, now: Instant) {
        if self.large_was_last {
            self.large_resumes_at = Some(now + (took * PAUSE_FACTOR).min(LONGEST_PAUSE));
        }
        let resumes_at = now + took.min(LONGEST_PAUSE);
        // A short transaction of another flow ends no pause.
        if let Some(tenant) = self.tenant_at_work.take() {
            self.paused_tenant = Some((tenant, resumes_at));
        }
        if let Some(sharer) = self.sharer_at_work.take() {
            self.paused_sharer = Some((sharer, resumes_at));
        }
    }

    fn take_large(&mut self, now: Instant) -> Option<J> {
        let (sharer, flow) = self.large.front()?;
        let its_time = self
            .large_resumes_at
            .is_none_or(|resumes_at| resumes_at <= now)
            || !self.small_senders.others(&sharer, now);
        let its_turn = !self.large_was_last || self.small.is_empty();
        if !its_time || !its_turn {
            return None;
        }
        self.large_was_last = true;
        self.large.next();
        self.pop(flow)
    }

    fn tenant_pauses(&self, tenant: TenantId, now: Instant) -> bool {
        self.paused_tenant
            .is_some_and(|(who, resumes_at)| who == tenant && now < resumes_at)
            && self.tenants.others(&tenant, now)
    }

    fn sharer_pauses(&self, sharer: Sharer, now: Instant) -> bool {
        self.paused_sharer
            .is_some_and(|(who, resumes_at)| who == sharer && now < resumes_at)
            && self.people.others(&sharer, now)
    }

    /// Takes out everything.
    pub(super) fn clear(&mut self) -> Vec<J> {
        let pieces = std::mem::take(&mut self.flows).into_values().flatten();
        let commands = pieces.map(|piece| piece.command).collect();
        *self = Self::new(self.capacity);
        commands
    }

    fn collect(&mut self, now: Instant) -> Vec<J> {
        let mut batch = Vec::new();
        let mut of = std::mem::take(&mut self.taken);
        let mut spent = Vec::new();
        let (tenants, sharers) = (
            self.waiting.len(),
            self.small.sharers() + self.large.sharers(),
        );
        while let Some((sharer, flow)) = self.small.front() {
            if self.tenant_pauses(flow.0, now) {
                self.small.set_aside();
                continue;
            }
            if self.sharer_pauses(sharer, now) {
                self.small.next();
                spent.push(flow);
                continue;
            }
            let weight = self.first_weight(flow);
            if of.total > 0 && of.total + weight > self.capacity.batch {
                break;
            }
            let taken = of.tenants.get(&flow.0).copied().unwrap_or_default();
            if taken > 0 && taken + weight > self.share_of_tenant(flow.0, tenants, now) {
                self.small.set_aside();
                continue;
            }
            self.small.next();
            let own = of.sharers.entry(sharer).or_default();
            if *own > 0 && *own + weight > self.share_of(sharer, sharers, now) {
                spent.push(flow);
                continue;
            }
            *own += weight;
            of.tenants.insert(flow.0, taken + weight);
            of.total += weight;
            batch.extend(self.pop(flow));
        }
        self.small.resume();
        for flow in spent {
            self.enlist(flow);
        }
        self.tenant_at_work = most_of(&of.tenants, of.total);
        self.sharer_at_work = most_of(&of.sharers, of.total);
        self.taken = of;
        batch
    }

    fn share_of_tenant(&self, tenant: TenantId, waiting: usize, now: Instant) -> usize {
        if waiting > 1 || self.tenants.others(&tenant, now) {
            SHARE
        } else {
            usize::MAX
        }
    }

    fn share_of(&self, sharer: Sharer, waiting: usize, now: Instant) -> usize {
        if waiting > 1 || self.people.others(&sharer, now) {
            SHARE
        } else {
            usize::MAX
        }
    }

    /// Takes the first of a flow that was taken from its round robin, and puts the flow where its
    /// next piece of work belongs.
    fn pop(&mut self, flow: Flow) -> Option<J> {
        let queue = self.flows.get_mut(&flow)?;
        let taken = queue.pop_front()?;
        if queue.is_empty() {
            self.flows.remove(&flow);
        } else {
            self.enlist(flow);
        }
        self.length -= 1;
        if let Some((commands, held)) = self.waiting.get_mut(&flow.0) {
            *commands -= 1;
            *held -= taken.weight;
            if *commands == 0 {
                self.waiting.remove(&flow.0);
            }
        }
        Some(taken.command)
    }

    fn first(&self, flow: Flow) -> Option<&Piece<J>> {
        self.flows.get(&flow).and_then(VecDeque::front)
    }

    fn first_weight(&self, flow: Flow) -> usize {
        self.first(flow).map_or(0, |first| first.weight)
    }

    /// Has a flow wait for the turn of the person for whom its first piece of work is counted.
    fn enlist(&mut self, flow: Flow) {
        let Some((sharer, weight)) = self.first(flow).map(|first| (first.sharer, first.weight))
        else {
            return;
        };
        if weight > LARGE {
            self.large.add(sharer, flow);
        } else {
            self.small.add(sharer, flow);
        }
    }
}

/// Who has most of a transaction that weighs so much, and enough of it to be noticed.
fn most_of<K: Copy>(weights: &IdMap<K, usize>, total: usize) -> Option<K> {
    let most = weights.iter().max_by_key(|(_, weight)| **weight);
    most.filter(|(_, weight)| **weight >= NOTICED && **weight * 2 > total)
        .map(|(who, _)| *who)
}

/// Flows that take turns: tenants first, within each those who have a share, and within these their people.
#[derive(Debug, Default)]
struct RoundRobin {
    turn: VecDeque<TenantId>,
    /// Never empty for a tenant that has an entry.
    parties: IdMap<TenantId, VecDeque<Party>>,
    /// Never empty for one who has an entry.
    people: IdMap<Sharer, VecDeque<PersonId>>,
    /// The tenants that have had their share of this transaction.
    aside: Vec<TenantId>,
}

impl RoundRobin {
    fn is_empty(&self) -> bool {
        self.people.is_empty()
    }

    /// How many who have a share wait.
    fn sharers(&self) -> usize {
        self.people.len()
    }

    /// Whose turn it is.
    fn front(&self) -> Option<(Sharer, Flow)> {
        let tenant = *self.turn.front()?;
        let sharer = (tenant, *self.parties.get(&tenant)?.front()?);
        let person = *self.people.get(&sharer)?.front()?;
        Some((sharer, (tenant, person)))
    }

    /// Takes out the flow at the front; its tenant's next one has to wait for the other tenants.
    fn next(&mut self) {
        let Some(tenant) = self.turn.pop_front() else {
            return;
        };
        let Some(parties) = self.parties.get_mut(&tenant) else {
            return;
        };
        if let Some(party) = parties.pop_front()
            && let Some(people) = self.people.get_mut(&(tenant, party))
        {
            people.pop_front();
            if people.is_empty() {
                self.people.remove(&(tenant, party));
            } else {
                parties.push_back(party);
            }
        }
        if parties.is_empty() {
            self.parties.remove(&tenant);
        } else {
            self.turn.push_back(tenant);
        }
    }

    /// Adds a flow behind all others that have the same share, and that behind all others of its tenant unless it waits
    /// already.
    fn add(&mut self, sharer: Sharer, (tenant, person): Flow) {
        let people = self.people.entry(sharer).or_default();
        people.push_back(person);
        if people.len() > 1 {
            return;
        }
        let parties = self.parties.entry(tenant).or_default();
        if parties.is_empty() {
            self.turn.push_back(tenant);
        }
        parties.push_back(sharer.1);
    }

    /// Passes over the tenant at the front until [`RoundRobin::resume`].
    fn set_aside(&mut self) {
        self.aside.extend(self.turn.pop_front());
    }

    fn resume(&mut self) {
        self.turn.extend(self.aside.drain(..));
    }
}

/// The last who was active, and the last who was so beside them: enough to know of anybody whether
/// somebody else was.
#[derive(Debug)]
struct Recent<K> {
    last: Option<(K, Instant)>,
    other: Option<(K, Instant)>,
}

impl<K> Default for Recent<K> {
    fn default() -> Self {
        Self {
            last: None,
            other: None,
        }
    }
}

impl<K: Copy + PartialEq> Recent<K> {
    fn note(&mut self, who: K, now: Instant) {
        if self.last.is_some_and(|(last, _)| last != who) {
            self.other = self.last;
        }
        self.last = Some((who, now));
    }

    /// Whether somebody other than this one was active lately.
    fn others(&self, who: &K, now: Instant) -> bool {
        [self.last, self.other]
            .into_iter()
            .flatten()
            .any(|(other, at)| other != *who && now.saturating_duration_since(at) < ACTIVE)
    }
}

#[cfg(test)]
mod tests;
