//! A replica over a bus that loses, doubles and reorders.

use rand::{RngExt, SeedableRng, rngs::StdRng};

use super::*;
use crate::{
    chat::bus::fact::OnlineFact,
    model::{PersonId, TenantId},
};

/// What the server does next, and what the bus does with the datagram that tells of it.
#[derive(Debug, Clone, Copy)]
enum Step {
    Begins(i64, bool),
    Ends(i64),
    Digest,
}

#[derive(Debug, Clone, Copy)]
enum Fate {
    Arrives,
    Lost,
    Doubled,
    /// After so many later ones.
    Late(usize),
}

fn online(person: i64, has_presence: bool) -> Fact {
    Fact::Online(OnlineFact {
        person: PersonId::new(person),
        tenant: TenantId::new(1),
        has_presence,
    })
}

/// The server itself.
#[derive(Default)]
struct Server {
    facts: Facts,
    number: u64,
}

impl Server {
    fn datagram(&mut self, lines: &[Line]) -> (u64, Vec<String>) {
        self.number += 1;
        (self.number, lines.iter().map(Line::encode).collect())
    }

    fn does(&mut self, step: Step) -> (u64, Vec<String>) {
        let line = match step {
            Step::Begins(person, has_presence) => {
                let fact = online(person, has_presence);
                self.facts.begin(fact.clone());
                Line::Begins(fact)
            }
            Step::Ends(person) => {
                let key = Key::Online(PersonId::new(person));
                self.facts.end(&key);
                Line::Ends(key)
            }
            Step::Digest => Line::Digest(self.facts.sum()),
        };
        self.datagram(&[line])
    }

    /// All facts, in several datagrams.
    fn snapshot(&mut self) -> Vec<(u64, Vec<String>)> {
        let facts: Vec<_> = self.facts.all().cloned().map(Line::Begins).collect();
        let mut told = vec![self.datagram(&[Line::SnapshotBegins])];
        told.extend(facts.chunks(2).map(|some| self.datagram(some)));
        told.push(self.datagram(&[Line::SnapshotEnds]));
        told
    }
}

/// The replica, and what those know who hear its news.
struct Follows {
    replica: Replica,
    mirror: HashMap<Key, Fact>,
    now: Instant,
}

impl Follows {
    fn new() -> Self {
        let now = Instant::now();
        Self {
            replica: Replica::new(now),
            mirror: HashMap::new(),
            now,
        }
    }

    /// Whether it asks for a snapshot.
    fn hears(&mut self, (number, lines): &(u64, Vec<String>)) -> bool {
        self.now += Duration::from_millis(100);
        let received = self.replica.receive(*number, lines, self.now);
        for news in received.news {
            match news {
                News::Begins(fact) => {
                    let key = fact.key().expect("it has one");
                    assert_eq!(self.mirror.insert(key, fact), None, "it begins once");
                }
                News::Ends(fact) => {
                    let key = fact.key().expect("it has one");
                    assert_eq!(self.mirror.remove(&key), Some(fact), "it ends once");
                }
                News::Signal(_) | News::Event(_) => {}
            }
        }
        assert_eq!(self.mirror, self.replica.facts.by_key);
        received.asks
    }
}

fn any_step(random: &mut StdRng) -> Step {
    let person = random.random_range(0..5_i64);
    match random.random_range(0..9) {
        0..4 => Step::Begins(person, random.random()),
        4..8 => Step::Ends(person),
        _ => Step::Digest,
    }
}

fn any_fate(random: &mut StdRng) -> Fate {
    match random.random_range(0..7) {
        0..4 => Fate::Arrives,
        4 => Fate::Lost,
        5 => Fate::Doubled,
        _ => Fate::Late(random.random_range(1..4)),
    }
}

/// What arrives of datagrams, in the order in which it does.
fn mangled(told: Vec<((u64, Vec<String>), Fate)>) -> Vec<(u64, Vec<String>)> {
    let mut arrives = Vec::new();
    for (index, (datagram, fate)) in told.into_iter().enumerate() {
        match fate {
            Fate::Arrives => arrives.push((index, datagram)),
            Fate::Lost => {}
            Fate::Doubled => {
                arrives.push((index, datagram.clone()));
                arrives.push((index + 2, datagram));
            }
            Fate::Late(by) => arrives.push((index + by, datagram)),
        }
    }
    arrives.sort_by_key(|(index, _)| *index);
    arrives.into_iter().map(|(_, datagram)| datagram).collect()
}

/// One history of a server, over a bus that does what chance says.
fn comes_right(seed: u64) {
    let mut random = StdRng::seed_from_u64(seed);
    let mut server = Server::default();
    let mut follows = Follows::new();
    let mut told = Vec::new();
    for _ in 0..random.random_range(0..40) {
        let datagram = server.does(any_step(&mut random));
        told.push((datagram, any_fate(&mut random)));
    }
    for datagram in mangled(told) {
        follows.hears(&datagram);
    }
    // A snapshot that is mangled changes nothing that is not so.
    let snapshot = server.snapshot().into_iter();
    let snapshot = snapshot.map(|datagram| (datagram, any_fate(&mut random)));
    for datagram in mangled(snapshot.collect()) {
        follows.hears(&datagram);
    }
    follows.now += ASK_AGAIN;
    if follows.hears(&server.does(Step::Digest)) {
        for datagram in server.snapshot() {
            assert!(!follows.hears(&datagram), "it is being answered: {seed}");
        }
    }
    let known = &follows.replica.facts.by_key;
    assert_eq!(known, &server.facts.by_key, "{seed}");
    let again = follows.hears(&server.does(Step::Digest));
    assert!(!again, "nothing is missing: {seed}");
}

#[test]
fn however_the_bus_mangles_the_next_digest_and_snapshot_make_it_right() {
    (0..1_000).for_each(comes_right);
}

#[test]
fn what_is_late_or_comes_twice_is_passed_over() {
    let (mut server, mut follows) = (Server::default(), Follows::new());
    follows.hears(&server.does(Step::Digest));
    let begins = server.does(Step::Begins(1, true));
    let ends = server.does(Step::Ends(1));
    for datagram in [&begins, &ends, &begins, &ends] {
        assert!(!follows.hears(datagram));
    }
    assert!(follows.mirror.is_empty());
}

#[test]
fn after_a_gap_a_snapshot_is_asked_for_once_a_second_and_until_it_is_here() {
    let (mut server, mut follows) = (Server::default(), Follows::new());
    assert!(
        !follows.hears(&server.does(Step::Digest)),
        "it has no facts"
    );
    server.does(Step::Begins(1, true));
    assert!(follows.hears(&server.does(Step::Begins(2, true))));
    assert!(!follows.hears(&server.does(Step::Begins(3, true))));
    follows.now += ASK_AGAIN;
    assert!(follows.hears(&server.does(Step::Begins(4, true))));
    for datagram in server.snapshot() {
        follows.hears(&datagram);
    }
    assert_eq!(follows.mirror.len(), 4);
    follows.now += ASK_AGAIN;
    assert!(!follows.hears(&server.does(Step::Digest)));
}

#[test]
fn a_digest_that_says_otherwise_is_asked_about() {
    let (mut server, mut follows) = (Server::default(), Follows::new());
    follows.hears(&server.does(Step::Begins(1, true)));
    assert!(!follows.hears(&server.does(Step::Digest)));
    server.facts.begin(online(2, true));
    follows.now += ASK_AGAIN;
    assert!(follows.hears(&server.does(Step::Digest)));
}

#[test]
fn what_ends_with_its_server_is_told_to_end() {
    let (mut server, mut follows) = (Server::default(), Follows::new());
    for person in 0..3 {
        follows.hears(&server.does(Step::Begins(person, true)));
    }
    let ended = follows.replica.end();
    assert_eq!(ended.len(), 3);
    assert!(ended.iter().all(|news| matches!(news, News::Ends(_))));
}
