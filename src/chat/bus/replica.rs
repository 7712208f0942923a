//! What this server knows of another one's facts.
//!
//! Datagrams are numbered. One that is late or comes twice is passed over, and after one that is missing the other server
//! is asked for a snapshot; so it is after a digest that says otherwise than what is known. Until the snapshot is here,
//! what is known is what was known, and what is told meanwhile.

use std::{collections::HashMap, time::Duration};

use tokio::time::Instant;

use super::{
    fact::{Fact, Key},
    line::{Event, Line, Sum},
};
use crate::model::Signal;

/// A server is asked for a snapshot again after so long.
const ASK_AGAIN: Duration = Duration::from_secs(1);

/// What somebody here may have to be told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum News {
    /// A fact has come to be.
    Begins(Fact),
    /// A fact is no more.
    Ends(Fact),
    /// A signal was sent.
    Signal(Signal),
    /// Something happened.
    Event(Event),
}

/// What came of a datagram.
#[derive(Debug, Default)]
pub(super) struct Received {
    pub(super) news: Vec<News>,
    /// The server that it is of is to be asked for a snapshot.
    pub(super) asks: bool,
    /// These servers are asked for one; nothing means all.
    pub(super) asked: Vec<Option<String>>,
}

/// See the module.
#[derive(Debug)]
pub(super) struct Replica {
    /// The number of the last datagram.
    number: u64,
    facts: Facts,
    /// Whether a datagram is missing, or a digest says otherwise.
    is_behind: bool,
    /// A snapshot of which the beginning is here.
    snapshot: Option<Facts>,
    /// When the server was asked for one.
    asked_at: Option<Instant>,
    /// When the last datagram came.
    pub(super) heard_at: Instant,
}

/// Facts, each by what it is about.
#[derive(Debug, Default)]
pub(super) struct Facts {
    by_key: HashMap<Key, Fact>,
    sum: Sum,
}

impl Facts {
    /// Puts a fact in place of one of the same key, which it returns.
    pub(super) fn begin(&mut self, fact: Fact) -> Option<Fact> {
        let key = fact.key()?;
        self.sum.add(&fact);
        let before = self.by_key.insert(key, fact);
        if let Some(before) = &before {
            self.sum.take(before);
        }
        before
    }

    pub(super) fn end(&mut self, key: &Key) -> Option<Fact> {
        let fact = self.by_key.remove(key)?;
        self.sum.take(&fact);
        Some(fact)
    }

    pub(super) fn sum(&self) -> Sum {
        self.sum
    }

    pub(super) fn all(&self) -> impl Iterator<Item = &Fact> {
        self.by_key.values()
    }
}

impl Replica {
    /// Nothing is known of a server that is heard of for the first time.
    pub(super) fn new(now: Instant) -> Self {
        Self {
            number: 0,
            facts: Facts::default(),
            is_behind: true,
            snapshot: None,
            asked_at: None,
            heard_at: now,
        }
    }

    /// Takes a datagram of the server.
    pub(super) fn receive(&mut self, number: u64, lines: &[String], now: Instant) -> Received {
        let mut received = Received::default();
        self.heard_at = now;
        if number <= self.number {
            return received;
        }
        if number != self.number + 1 {
            self.is_behind = true;
            self.snapshot = None;
        }
        self.number = number;
        for line in lines.iter().filter_map(|line| Line::read(line)) {
            self.take(line, &mut received);
        }
        let is_patient = self.asked_at.is_some_and(|at| now - at < ASK_AGAIN);
        if self.is_behind && self.snapshot.is_none() && !is_patient {
            self.asked_at = Some(now);
            received.asks = true;
        }
        received
    }

    fn take(&mut self, line: Line, received: &mut Received) {
        match line {
            Line::Begins(fact) => match &mut self.snapshot {
                Some(snapshot) => drop(snapshot.begin(fact)),
                None => self.begin(fact, &mut received.news),
            },
            Line::Ends(key) => {
                let ended = self.facts.end(&key);
                received.news.extend(ended.map(News::Ends));
            }
            Line::Typing(signal, lasts) => {
                let fact = Fact::Types(signal.clone());
                if lasts {
                    self.facts.begin(fact);
                } else if let Some(key) = fact.key() {
                    self.facts.end(&key);
                }
                received.news.push(News::Signal(signal));
            }
            Line::SnapshotBegins => self.snapshot = Some(Facts::default()),
            Line::SnapshotEnds => {
                if let Some(snapshot) = self.snapshot.take() {
                    self.replace(snapshot, &mut received.news);
                    self.is_behind = false;
                }
            }
            Line::Digest(sum) => self.is_behind = sum != self.facts.sum(),
            Line::Ask(node) => received.asked.push(node),
            Line::Event(event) => received.news.push(News::Event(event)),
        }
    }

    fn begin(&mut self, fact: Fact, news: &mut Vec<News>) {
        let before = self.facts.begin(fact.clone());
        if before.as_ref() != Some(&fact) {
            news.extend(before.map(News::Ends));
            news.push(News::Begins(fact));
        }
    }

    fn replace(&mut self, mut facts: Facts, news: &mut Vec<News>) {
        std::mem::swap(&mut self.facts, &mut facts);
        let is_same = |facts: &Facts, key: &Key, fact: &Fact| facts.by_key.get(key) == Some(fact);
        let (now, before) = (&self.facts, &facts);
        let ended = before.by_key.iter();
        let ended = ended.filter(|(key, fact)| !is_same(now, key, fact));
        news.extend(ended.map(|(_, fact)| News::Ends(fact.clone())));
        let begun = now.by_key.iter();
        let begun = begun.filter(|(key, fact)| !is_same(before, key, fact));
        news.extend(begun.map(|(_, fact)| News::Begins(fact.clone())));
    }

    /// The server is gone, and its facts with it.
    pub(super) fn end(mut self) -> Vec<News> {
        let mut news = Vec::new();
        self.replace(Facts::default(), &mut news);
        news
    }
}

#[cfg(test)]
mod tests;
