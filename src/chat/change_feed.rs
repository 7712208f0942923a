//! Waiting: what is new after a position, and if nothing is, until something is.
//!
//! Long-polls and streams wait with a [`ChangeFeed`]. A socket waits for several people at once, for its
//! outbox and for signals, so it has a loop of its own; what it is told comes from the same
//! [`Subscription`].

use std::{pin::pin, sync::Arc, time::Duration};

use tokio::sync::futures::Notified;

use crate::{
    chat::{
        Caller, Services, access,
        bus::{Event, NamedWait},
        change_filter::ChangeFilter,
        limits::wait_limit::WaitPermit,
        online::Attendance,
        subscription::Subscription,
    },
    error::{Error, Kind, Result},
    model::{Change, ChangeKind, ChatId, Cursor, EpochMark, Lane, LoginId, Position, TenantId},
    pubsub::{Backlog, Published, PublishedSignal, Subscriber},
};

/// How many windows are searched before the caller is asked to come again.
const WINDOWS: usize = 16;

/// Some changes, ascending.
#[derive(Debug)]
pub struct Batch {
    /// The changes; empty when the time was up.
    pub changes: Vec<Arc<Published>>,
    /// What others signalled meanwhile. It has no position: who does not wait at that moment misses it.
    pub signals: Vec<Arc<PublishedSignal>>,
    /// Everything up to here has been seen.
    pub cursor: Position,
    /// Whether there is more already.
    pub more: bool,
    /// Why the wait ended early, if it did.
    pub end: Option<End>,
}

/// Why a wait ended early.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// A newer wait took over.
    Superseded,
    /// The server is stopping.
    Closing,
    /// The caller's tenant goes on in another lane: who comes back listens there.
    Moved,
}

/// What a client subscribes to, and up to which position it has received it.
pub struct ChangeFeed {
    services: Arc<Services>,
    caller: Caller,
    source: Source,
    waiting: Option<WaitPermit>,
    filter: ChangeFilter,
    /// The epoch in which it began: it ends with it.
    epoch: EpochMark,
    /// The lane in which it listens: it ends when its tenant leaves that.
    lane: Lane,
    /// Where the log ended when it began.
    began: Position,
    after: Position,
}

/// What is listened to.
enum Source {
    /// Everything that the caller receives.
    Person(Subscription),
    /// The messages of one chat.
    Chat {
        subscriber: Subscriber,
        chat: ChatId,
        _attendance: Attendance,
    },
}

impl ChangeFeed {
    /// Subscribes to everything that the caller receives after a place.
    pub async fn person(
        services: &Arc<Services>,
        caller: &Caller,
        filter: ChangeFilter,
        after: impl Future<Output = Result<Position>>,
    ) -> Result<Self> {
        let epoch = services.epoch();
        let after = after.await?;
        let mut subscription = Subscription::open(services, caller.person()).await?;
        if filter.wants_presence() {
            subscription.hear_presence();
        }
        let lane = subscription.lane();
        let source = Source::Person(subscription);
        let epoch = (epoch, lane);
        Ok(Self::new(services, caller, source, (epoch, after, filter)))
    }

    /// Listens to the new messages of one chat, if the caller may read it, after a place that is found
    /// once that is known.
    pub async fn chat(
        services: &Arc<Services>,
        caller: &Caller,
        chat: ChatId,
        after: impl Future<Output = Result<Position>>,
    ) -> Result<Self> {
        let epoch = services.epoch();
        let (subscriber, lane) = access::subscribe(services, caller, chat).await?;
        let after = epoch.cursor_at(after.await?);
        let unknown = || Error::new(Kind::Gone, "there is no such message yet");
        let follower = &services.follower;
        let after = follower.reach(caller.tenant(), &after, unknown).await?;
        let source = Source::Chat {
            subscriber,
            chat,
            _attendance: services.online.attend(caller.person()),
        };
        Ok(Self::new(
            services,
            caller,
            source,
            ((epoch, lane), after, ChangeFilter::ALL),
        ))
    }

    fn new(
        services: &Arc<Services>,
        caller: &Caller,
        source: Source,
        ((epoch, lane), after, filter): ((EpochMark, Lane), Position, ChangeFilter),
    ) -> Self {
        let (services, caller) = (Arc::clone(services), caller.clone());
        Self {
            began: services.head(caller.tenant()),
            services,
            caller,
            source,
            waiting: None,
            filter,
            epoch,
            lane,
            after,
        }
    }

    /// Takes a place among those who wait, before there is anything to wait for: a stream does so,
    /// and with a `name` a newer wait takes over at once. Any other takes its place when it has to wait.
    pub fn admit(&mut self, name: Option<&str>) -> Result<()> {
        self.waiting = Some(take_place(&self.services, &self.caller, name)?);
        Ok(())
    }

    /// Everything up to here has been seen.
    pub fn seen(&self) -> Position {
        self.after
    }

    /// Whose it is.
    pub fn tenant(&self) -> TenantId {
        self.caller.tenant()
    }

    /// The cursor of a position that it has told.
    pub fn cursor_at(&self, position: Position) -> Cursor {
        self.epoch.cursor_at(position)
    }

    /// At most `limit` changes, now if there are any, else as soon as there are, else none when
    /// `timeout` is over. Fails with [`Kind::Unauthenticated`] as soon as the login ends, and with
    /// [`Kind::Gone`] as soon as the epoch does.
    pub async fn next(&mut self, limit: usize, timeout: Duration) -> Result<Batch> {
        // A stream may always find something: it is to end all the same.
        if let Some(end) = self.waiting.as_ref().and_then(|place| self.end_of(place)) {
            return Ok(self.ended(end));
        }
        let mut deadline = pin!(tokio::time::sleep(timeout));
        loop {
            let mut changed = pin!(self.source.changed());
            changed.as_mut().enable();
            let (changes, cursor, more) = self.poll(limit).await?;
            self.services.refuse_ended(&self.epoch)?;
            self.after = cursor;
            if self.caller.is_gone() {
                return Err(self.caller.proof().refusal());
            }
            if changes.iter().any(|p| self.ends_caller(&p.change)) {
                return Err(Error::unauthenticated());
            }
            let signals = self.signals();
            if more || !changes.is_empty() || !signals.is_empty() {
                return Ok(Batch {
                    changes,
                    signals,
                    cursor,
                    more,
                    end: None,
                });
            }
            if self.services.lane_of(self.tenant()) != self.lane {
                return Ok(self.ended(End::Moved));
            }
            if self.waiting.is_none() && !timeout.is_zero() {
                self.waiting = Some(take_place(&self.services, &self.caller, None)?);
            }
            let superseded = async {
                match &self.waiting {
                    Some(waiting) => waiting.superseded.cancelled().await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                biased;
                () = self.caller.gone() => return Err(self.caller.proof().refusal()),
                () = superseded => return Ok(self.ended(End::Superseded)),
                () = self.services.closing.cancelled() => return Ok(self.ended(End::Closing)),
                () = changed => {}
                () = &mut deadline => return Ok(self.nothing(None)),
            }
        }
    }

    fn end_of(&self, place: &WaitPermit) -> Option<End> {
        if place.superseded.is_cancelled() {
            return Some(End::Superseded);
        }
        self.services.closing.is_cancelled().then_some(End::Closing)
    }

    fn ended(&self, end: End) -> Batch {
        self.nothing(Some(end))
    }

    fn nothing(&self, end: Option<End>) -> Batch {
        Batch {
            changes: Vec::new(),
            signals: Vec::new(),
            cursor: self.after,
            more: false,
            end,
        }
    }

    /// What others have signalled since this was last asked.
    fn signals(&self) -> Vec<Arc<PublishedSignal>> {
        let Source::Person(subscription) = &self.source else {
            return Vec::new();
        };
        let mut signals = subscription.signals();
        signals.retain(|published| self.filter.matches_signal(&published.signal.kind));
        signals
    }

    /// What there is after the last position seen, and up to where that is complete.
    async fn poll(&self, limit: usize) -> Result<(Vec<Arc<Published>>, Position, bool)> {
        match &self.source {
            Source::Person(subscription) => self.poll_person(subscription, limit).await,
            Source::Chat {
                subscriber, chat, ..
            } => match subscriber.backlog(self.after) {
                Backlog::Complete(found, head) => {
                    if found.iter().any(|p| self.may_end(&p.change)) {
                        access::reader(&self.services, &self.caller, *chat).await?;
                    }
                    let messages = found.into_iter().filter(brings_message).collect();
                    Ok(truncate(messages, limit, head))
                }
                Backlog::Lagged => {
                    access::reader(&self.services, &self.caller, *chat).await?;
                    self.read_messages(*chat, limit).await
                }
            },
        }
    }

    /// Reads the messages of a chat from the log.
    async fn read_messages(
        &self,
        chat: ChatId,
        limit: usize,
    ) -> Result<(Vec<Arc<Published>>, Position, bool)> {
        let head = self.services.head(self.tenant());
        let ask = i64::try_from(limit).unwrap_or(i64::MAX - 1) + 1;
        let key = (self.caller.tenant(), chat);
        let told = self.services.store.messages_told(key, self.after, ask);
        // What was committed but not yet published is told when it is.
        let found = told.await?.into_iter();
        let found = found.filter(|change| change.position <= head);
        let found = found.map(Published::new).map(Arc::new).collect();
        Ok(truncate(found, limit, head))
    }

    /// Catches up window by window, until something is wanted or everything has been seen.
    async fn poll_person(
        &self,
        subscription: &Subscription,
        limit: usize,
    ) -> Result<(Vec<Arc<Published>>, Position, bool)> {
        let head = self.services.head(self.tenant());
        let mut after = self.after;
        for _ in 0..WINDOWS {
            // One more than fits shows whether there are more.
            let ask = limit.saturating_add(1);
            let caught_up = subscription.catch_up(&self.services, after, ask).await?;
            let (complete, is_from_log) = (caught_up.complete, caught_up.is_from_log);
            let wanted = |p: &Arc<Published>| self.filter.matches(&p.change.what);
            let kept: Vec<_> = caught_up.changes.into_iter().filter(wanted).collect();
            if !kept.is_empty() || !is_from_log || complete >= head {
                let (kept, cursor, more) = truncate(kept, limit, complete);
                return Ok((kept, cursor, more || (is_from_log && cursor < head)));
            }
            after = complete;
        }
        Ok((Vec::new(), after, true))
    }

    /// Whether a change says that the caller is gone: it may be published before their login is known to have ended. One
    /// from before says nothing, as a tenant may bring back who was gone.
    fn ends_caller(&self, change: &Change) -> bool {
        let is_gone = matches!(&change.what, ChangeKind::Person(person) if person.gone);
        is_gone && change.actor.id == self.caller.id() && change.position > self.began
    }

    /// Whether a change may take the caller's right to read the chat: whether it does is asked anew.
    fn may_end(&self, change: &Change) -> bool {
        match &change.what {
            ChangeKind::Chat(_) => true,
            ChangeKind::Left => change.actor.id == self.caller.id(),
            ChangeKind::Message(_)
            | ChangeKind::Edited(_)
            | ChangeKind::Deleted(_)
            | ChangeKind::Reaction(_)
            | ChangeKind::Joined(_)
            | ChangeKind::Role(_)
            | ChangeKind::Settings(_)
            | ChangeKind::Read(_)
            | ChangeKind::Conversation(..)
            | ChangeKind::Person(_) => false,
        }
    }
}

/// Whether a change added a message: what a feed of one chat is about.
fn brings_message(published: &Arc<Published>) -> bool {
    matches!(published.change.what, ChangeKind::Message(_))
}

impl Source {
    fn changed(&self) -> Notified<'_> {
        match self {
            Self::Person(subscription) => subscription.changed(),
            Self::Chat { subscriber, .. } => subscriber.changed(),
        }
    }
}

fn take_place(services: &Services, caller: &Caller, name: Option<&str>) -> Result<WaitPermit> {
    // People for whom their tenant's server acts count as having one login, of no other's number.
    let own = LoginId::new(-caller.id().get());
    let login = caller.login().map_or(own, |login| login.login.id);
    let permit = services.wait_limit.admit(login, caller.id(), name)?;
    if let Some(name) = name {
        services.bus.tell(Event::Waits(NamedWait {
            person: caller.id(),
            login,
            name: name.to_owned(),
            since: services.clock.now(),
        }));
    }
    Ok(permit)
}

/// At most `limit` changes: what is cut off is there next time.
fn truncate(
    mut changes: Vec<Arc<Published>>,
    limit: usize,
    complete: Position,
) -> (Vec<Arc<Published>>, Position, bool) {
    if changes.len() <= limit {
        return (changes, complete, false);
    }
    changes.truncate(limit);
    let cursor = changes
        .last()
        .map_or(complete, |published| published.change.position);
    (changes, cursor, true)
}
