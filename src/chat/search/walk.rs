//! A search on its way from the newest message back: through what is newer than the index, the index, and what is
//! older than it.

use std::collections::VecDeque;

use super::{
    Search, after,
    budget::Budget,
    strides::{Stride, Strides},
};
use crate::{
    error::Result,
    model::{
        Message, MessageId, Person, PersonName, Position,
        search::{Match, TermSets, of_chat, of_sender},
    },
    store::{IndexProgress, Store},
};

/// How many messages are read at a time where there is no index, and among how many ids.
const READ_AT_ONCE: i64 = 256;
const READ_AMONG: i64 = 4_096;
/// How many candidates are asked for at a time, first and at most.
const CANDIDATES: i64 = 64;
const MOST_CANDIDATES: i64 = 1_024;
/// In how many chats one may be for the index to be asked for those alone.
const CHATS: i64 = 256;
/// How many messages that were edited since the index was are looked at at a time.
const EDITS: i64 = 256;
/// A message in which everything was found.
type Found = (Message, PersonName, Vec<Match>);

/// What was found, newest first.
pub(super) struct Walked {
    pub(super) found: Vec<Found>,
    /// Everything from this message on was searched; none: everything.
    pub(super) before: Option<MessageId>,
    /// What that cost.
    pub(super) spent: i64,
}

/// A part of the log that is searched: what a tenant wrote in one lane.
pub(super) struct Part {
    /// How far the index of the lane has come.
    pub(super) progress: IndexProgress,
    /// It begins after this position.
    pub(super) after: Position,
    /// Where it ends.
    pub(super) head: Position,
    /// How far the index has come in this lane and in later ones, where messages of this one may have been edited.
    pub(super) edited_since: Vec<Position>,
}

/// See the module.
pub(super) struct Walk<'a> {
    store: &'a Store,
    person: &'a Person,
    search: &'a Search,
    /// The parts that were not begun, the newest last.
    parts: Vec<Part>,
    progress: IndexProgress,
    /// The first message that there may be in this part.
    least: i64,
    edited_since: Vec<Position>,
    found: Vec<Found>,
    /// Found in messages that were edited since the index was, newest first.
    edited: VecDeque<Found>,
    /// All such messages from this one on were looked at.
    edited_from: i64,
    /// Everything from this message on was searched.
    place: i64,
    /// How many positions the index is behind.
    lag: i64,
    budget: Budget,
}

impl<'a> Walk<'a> {
    pub(super) fn new(
        store: &'a Store,
        person: &'a Person,
        search: &'a Search,
        parts: Vec<Part>,
        budget: i64,
    ) -> Self {
        let nothing = IndexProgress {
            to: Position::START,
            from: MessageId::new(1),
        };
        Self {
            store,
            person,
            search,
            parts,
            progress: nothing,
            least: 1,
            edited_since: Vec::new(),
            found: Vec::new(),
            edited: VecDeque::new(),
            edited_from: 0,
            place: 1,
            lag: 0,
            budget: Budget::new(budget),
        }
    }

    /// Begins a part.
    fn begin(&mut self, part: Part) {
        let before = self.search.before.map_or(i64::MAX, MessageId::get);
        let (progress, head) = (part.progress, part.head);
        self.least = after(part.after);
        self.place = before.min(after(head)).max(self.least);
        self.lag = (head.get() - progress.to.get()).max(0);
        let may_be_edited = head > progress.to || part.edited_since.len() > 1;
        self.edited_from = if may_be_edited { self.place } else { 0 };
        self.edited_since = part.edited_since;
        self.edited.clear();
        self.progress = progress;
    }

    /// Searches until the page is full, everything was searched, or the budget is spent.
    pub(super) async fn run(mut self) -> Result<Walked> {
        let mut ended = true;
        while ended && let Some(part) = self.parts.pop() {
            self.begin(part);
            let (newer, least) = (after(self.progress.to), self.least);
            let oldest = self.progress.from.get();
            ended = self.read_down_to(newer.max(least)).await?
                && self.ask_down_to(oldest.max(least)).await?
                && self.read_down_to(least).await?;
            if ended {
                self.place = least;
            }
            self.take_edited();
        }
        let limit = self.search.limit;
        let is_full = self.found.len() > limit;
        self.found.truncate(limit);
        let before = if is_full {
            self.found.last().map(|(message, ..)| message.id)
        } else {
            (!ended).then(|| MessageId::new(self.place))
        };
        Ok(Walked {
            found: self.found,
            before,
            spent: self.budget.spent(),
        })
    }

    fn is_full(&self) -> bool {
        self.found.len() > self.search.limit
    }

    /// Looks at messages before the place that the index has under an earlier text, from `from` on; returns from which on
    /// all of them were looked at, which is later where they are many.
    async fn read_edited(&mut self, from: i64) -> Result<i64> {
        if self.edited_from <= from {
            return Ok(from);
        }
        let before = self.edited_from;
        self.edited_from = 0;
        let mut edited = Vec::new();
        for since in &self.edited_since {
            let found = self.store.edited_since(*since, before, EDITS).await?;
            self.budget.ask(self.lag);
            let is_part = found.len() >= usize::try_from(EDITS).unwrap_or(usize::MAX);
            let last = found.last().filter(|_| is_part);
            self.edited_from = last.map_or(self.edited_from, |id| self.edited_from.max(id.get()));
            edited.extend(found);
        }
        if self.edited_since.len() > 1 {
            // What is older is looked at when all of it is known.
            edited.retain(|id| id.get() >= self.edited_from);
            edited.sort_unstable_by(|one, other| other.cmp(one));
            edited.dedup();
        }
        if !edited.is_empty() {
            let messages = self.look_up(&edited).await?;
            let found: Vec<_> = messages
                .into_iter()
                .filter_map(|it| self.test(it))
                .collect();
            self.edited.extend(found);
        }
        Ok(from.max(self.edited_from))
    }

    /// Reads messages themselves; whether they are all searched.
    async fn read_down_to(&mut self, least: i64) -> Result<bool> {
        while self.place > least {
            if self.is_full() {
                return Ok(false);
            }
            let from = least.max(self.place - READ_AMONG);
            let from = self.read_edited(from).await?;
            let only = (self.search.chat, self.search.from);
            let range = (from, self.place);
            let messages = self
                .store
                .found_within(self.person, range, only, READ_AT_ONCE);
            let messages = messages.await?;
            self.budget.ask(self.place - from);
            self.budget.read(messages.len(), bytes_of(&messages));
            let is_part = messages.len() >= usize::try_from(READ_AT_ONCE).unwrap_or_default();
            let last = messages
                .last()
                .map_or(from, |(message, _)| message.id.get());
            self.add(messages);
            self.place = if is_part { last } else { from };
            if self.place > least && self.budget.is_spent() {
                return Ok(false);
            }
        }
        Ok(!self.is_full())
    }

    /// Asks the index; whether all that it has is searched.
    async fn ask_down_to(&mut self, least: i64) -> Result<bool> {
        if self.place <= least {
            return Ok(true);
        }
        let mut sets = self.sets();
        let mut all_chats = self.search.chat.is_none();
        let end = after(self.progress.to);
        let first = self.search.before.is_none();
        let mut strides = Strides::new(self.store, (least, end), first);
        let mut most = CANDIDATES;
        let mut is_further = false;
        while self.place > least {
            if self.is_full() {
                return Ok(false);
            }
            let stride = strides.next(&mut sets, (self.place, is_further), &mut self.budget);
            let Some(Stride { range, cost }) = stride.await? else {
                return Ok(false);
            };
            let from = self.read_edited(least.max(range.first())).await?;
            let bounds = (from, self.place);
            let ids = self.store.indexed_under(&sets, range, bounds, most).await?;
            self.budget.ask(cost);
            let Some(ids) = ids else {
                strides.shorten(range);
                continue;
            };
            let number = i64::try_from(ids.len()).unwrap_or(i64::MAX);
            let is_part = number >= most;
            if number >= CANDIDATES && (is_part || range.size() == 0) {
                strides.stay_small();
            }
            let messages = self.look_up(&ids).await?;
            self.add(messages);
            if let Some(last) = ids.last().filter(|_| is_part) {
                self.place = last.get();
                most = self.budget.messages().clamp(1, MOST_CANDIDATES);
                // What is rare is found without them, and faster.
                let more = if std::mem::take(&mut all_chats) {
                    self.chats(least).await?
                } else {
                    None
                };
                // The next question asks for the same again, but for what others say.
                is_further = more.is_none();
                if let Some(chats) = more {
                    sets.insert(0, chats);
                    strides.forget();
                }
            } else {
                self.place = from;
                is_further = true;
            }
            if is_further && self.place > least && self.budget.is_spent() {
                return Ok(false);
            }
        }
        Ok(!self.is_full())
    }

    /// What the index is asked for at first: one chat, the sender, the words.
    fn sets(&self) -> TermSets {
        let mut sets = TermSets::new();
        sets.extend(self.search.chat.map(|chat| vec![of_chat(chat)]));
        sets.extend(self.search.from.map(|sender| vec![of_sender(sender)]));
        sets.extend(self.search.query.terms());
        sets
    }

    /// Reads those of these messages that the searcher may find.
    async fn look_up(&mut self, ids: &[MessageId]) -> Result<Vec<(Message, PersonName)>> {
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        let messages = self.store.found_among(self.person, ids).await?;
        self.budget.ask(0);
        self.budget.read(ids.len(), bytes_of(&messages));
        Ok(messages)
    }

    /// The terms of the chats that somebody is in, if they are few. Who is in none has searched everything.
    async fn chats(&mut self, least: i64) -> Result<Option<Vec<String>>> {
        let chats = self.store.some_chats_of(self.person, CHATS + 1).await?;
        let few = chats.len() <= usize::try_from(CHATS).unwrap_or_default();
        if chats.is_empty() {
            self.place = least;
        }
        Ok(few.then(|| chats.into_iter().map(of_chat).collect()))
    }

    /// Takes messages in which everything is found.
    fn add(&mut self, messages: Vec<(Message, PersonName)>) {
        for message in messages {
            if self.is_full() {
                return;
            }
            let id = message.0.id;
            while let Some((edited, ..)) = self.edited.front()
                && edited.id >= id
                && !self.is_full()
            {
                self.found.extend(self.edited.pop_front());
            }
            let is_last = self.found.last().is_some_and(|(last, ..)| last.id == id);
            if !is_last
                && !self.is_full()
                && let Some(found) = self.test(message)
            {
                self.found.push(found);
            }
        }
    }

    /// Takes what was edited and is not older than what was searched.
    fn take_edited(&mut self) {
        while let Some((edited, ..)) = self.edited.front()
            && edited.id.get() >= self.place
            && !self.is_full()
        {
            self.found.extend(self.edited.pop_front());
        }
    }

    fn test(&self, (message, sender): (Message, PersonName)) -> Option<Found> {
        let Search { chat, from, .. } = self.search;
        let fits = chat.is_none_or(|chat| chat == message.chat)
            && from.is_none_or(|from| from == message.sender);
        let matches = self.search.query.find(&message.content).filter(|_| fits)?;
        Some((message, sender, matches))
    }
}

/// How much text there is to compare.
fn bytes_of(messages: &[(Message, PersonName)]) -> usize {
    messages.iter().map(|(it, _)| it.content.len()).sum()
}
