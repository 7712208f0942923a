//! What one line of a datagram says.

use super::{
    fact::{Fact, Key, read_signal, with_signal},
    fields::{Fields, Reader},
    outcome::{read_outcome, with_outcome},
};
use crate::{
    chat::limits::login_throttle::Outcome,
    model::{LoginId, PersonId, Signal, Timestamp},
};

/// A line of a datagram.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Line {
    /// This is so from now on.
    Begins(Fact),
    /// This is so no more.
    Ends(Key),
    /// Somebody types, or has stopped; and whether that they type is a fact afterwards.
    Typing(Signal, bool),
    /// All facts of the server follow.
    SnapshotBegins,
    /// Those were all.
    SnapshotEnds,
    /// How many facts the server has, and what they come to.
    Digest(Sum),
    /// A server is asked for all its facts; without one, each is.
    Ask(Option<String>),
    /// Something that is over when it is told.
    Event(Event),
}

/// What some facts come to: the same for the same facts.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Sum {
    pub(super) count: usize,
    /// The hashes of all of them, one upon the other, so that a fact is taken out as it was put in.
    hash: u64,
}

impl Sum {
    pub(super) fn add(&mut self, fact: &Fact) {
        self.count += 1;
        self.hash ^= fact.hash();
    }

    pub(super) fn take(&mut self, fact: &Fact) {
        self.count = self.count.saturating_sub(1);
        self.hash ^= fact.hash();
    }
}

/// Something that happened at one server, of which others hear if they can.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::chat) enum Event {
    /// Somebody waits under a name.
    Waits(NamedWait),
    /// A Socket.IO connection of that public id has come back.
    Returned(String),
    /// What a dialect tells the connections in a room.
    Room(RoomEvent),
    /// Somebody has tried to prove who they are, or has made an account or a conversation.
    Attempted(Outcome),
}

/// A wait that takes over from older ones of the same name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::chat) struct NamedWait {
    pub(in crate::chat) person: PersonId,
    pub(in crate::chat) login: LoginId,
    pub(in crate::chat) name: String,
    pub(in crate::chat) since: Timestamp,
}

/// An event for the connections in a room, as a dialect has encoded it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RoomEvent {
    /// The room of connections.
    pub room: String,
    /// The event's name.
    pub name: String,
    /// Its argument, in JSON.
    pub data: String,
}

impl Line {
    pub(super) fn encode(&self) -> String {
        match self {
            Self::Begins(fact) => fact.encode(),
            Self::Ends(key) => key.encode(),
            Self::Typing(signal, lasts) => with_signal(Fields::of('t').flag(*lasts), signal).end(),
            Self::SnapshotBegins => Fields::of('[').end(),
            Self::SnapshotEnds => Fields::of(']').end(),
            Self::Digest(Sum { count, hash }) => Fields::of('d').number(count).number(hash).end(),
            Self::Ask(node) => Fields::of('a').optional(node.as_deref()).end(),
            Self::Event(Event::Waits(wait)) => {
                let fields = Fields::of('w').number(wait.person).number(wait.login);
                fields.text(&wait.name).number(wait.since.get()).end()
            }
            Self::Event(Event::Returned(id)) => Fields::of('c').text(id).end(),
            Self::Event(Event::Room(event)) => {
                let fields = Fields::of('r').text(&event.room).text(&event.name);
                fields.text(&event.data).end()
            }
            Self::Event(Event::Attempted(outcome)) => with_outcome(Fields::of('g'), outcome).end(),
        }
    }

    /// Reads a line; nothing if this version does not know it.
    pub(super) fn read(line: &str) -> Option<Self> {
        let (what, mut fields) = Reader::of(line)?;
        let fields = &mut fields;
        let event = match what {
            't' => {
                let lasts = fields.flag()?;
                return read_signal(fields).map(|signal| Self::Typing(signal, lasts));
            }
            '[' => return Some(Self::SnapshotBegins),
            ']' => return Some(Self::SnapshotEnds),
            'd' => {
                let (count, hash) = (fields.number()?, fields.number()?);
                return Some(Self::Digest(Sum { count, hash }));
            }
            'a' => return fields.optional().ok().map(Self::Ask),
            'w' => Event::Waits(NamedWait {
                person: PersonId::new(fields.number()?),
                login: LoginId::new(fields.number()?),
                name: fields.text()?,
                since: Timestamp::new(fields.number()?),
            }),
            'c' => Event::Returned(fields.text()?),
            'r' => Event::Room(RoomEvent {
                room: fields.text()?,
                name: fields.text()?,
                data: fields.text()?,
            }),
            'g' => Event::Attempted(read_outcome(fields)?),
            other => {
                let fact = Fact::read(other, fields).map(Self::Begins);
                return fact.or_else(|| Key::read(other, fields).map(Self::Ends));
            }
        };
        Some(Self::Event(event))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        chat::bus::{
            fact::{OnlineFact, PresentFact},
            outcome::tests::outcomes,
        },
        model::{ChatId, Names, Person, PersonKind, SignalKind, TenantId, Typing, fixture::person},
    };

    fn signal() -> Signal {
        let actor = Person {
            name: "a\tb\nc\\".into(),
            names: Names {
                first: Some(String::new()),
                ..Names::default()
            },
            photo: Some("https://a.example/\\-".to_owned()),
            ..Person::clone(&person(7, PersonKind::Owner))
        };
        Signal {
            tenant: TenantId::new(3),
            actor: actor.into(),
            origin: Some(Signal::ELSEWHERE),
            kind: SignalKind::Typing(Typing {
                chat: ChatId::new(9),
                to_agents: true,
                typing: true,
                sent: "{\"a\":\"\\n\"}".to_owned(),
            }),
        }
    }

    fn lines() -> Vec<Line> {
        let online = Fact::Online(OnlineFact {
            person: PersonId::new(1),
            tenant: TenantId::new(2),
            has_presence: true,
        });
        let present = Fact::Present(PresentFact {
            chat: ChatId::new(1),
            person: PersonId::new(2),
            name: "name".to_owned(),
            since: Timestamp::new(3),
        });
        let types = Fact::Types(signal());
        let facts = [online, present, types];
        let ends: Vec<_> = facts.iter().filter_map(Fact::key).map(Line::Ends).collect();
        let mut sum = Sum::default();
        for fact in &facts {
            sum.add(fact);
        }
        let others = [
            Line::Typing(signal(), false),
            Line::SnapshotBegins,
            Line::SnapshotEnds,
            Line::Digest(sum),
            Line::Ask(None),
            Line::Ask(Some("node".to_owned())),
            Line::Event(Event::Waits(NamedWait {
                person: PersonId::new(1),
                login: LoginId::new(-1),
                name: "a tab\t".to_owned(),
                since: Timestamp::new(5),
            })),
            Line::Event(Event::Returned("id".to_owned())),
            Line::Event(Event::Room(RoomEvent {
                room: "service/1".to_owned(),
                name: "seen_by".to_owned(),
                data: "{}".to_owned(),
            })),
        ];
        let facts = facts.into_iter().map(Line::Begins);
        let outcomes = outcomes()
            .into_iter()
            .map(|it| Line::Event(Event::Attempted(it)));
        let lines = facts.chain(ends).chain(others);
        lines.chain(outcomes).collect()
    }

    #[test]
    fn every_line_is_read_as_it_was_written() {
        for line in lines() {
            let text = line.encode();
            assert!(!text.contains('\n'), "{text}");
            assert_eq!(Line::read(&text), Some(line), "{text}");
        }
    }

    #[test]
    fn a_line_that_is_cut_or_unknown_is_none_or_another_and_never_a_panic() {
        for line in lines() {
            let text = line.encode();
            for (end, _) in text.char_indices() {
                assert_ne!(Line::read(&text[..end]), Some(line.clone()), "{text}");
            }
        }
        for unknown in ["", "?", "z\t1", "\t"] {
            assert_eq!(Line::read(unknown), None, "{unknown}");
        }
    }

    #[test]
    fn a_sum_is_that_of_what_is_left() {
        let facts = lines().into_iter().filter_map(|line| match line {
            Line::Begins(fact) => Some(fact),
            _ => None,
        });
        let facts: Vec<_> = facts.collect();
        let mut sum = Sum::default();
        for fact in &facts {
            sum.add(fact);
        }
        for fact in &facts[1..] {
            sum.take(fact);
        }
        let mut alone = Sum::default();
        alone.add(&facts[0]);
        assert_eq!(sum, alone);
        assert_ne!(sum, Sum::default());
    }
}
