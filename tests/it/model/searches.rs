//! For random histories: a search answers what reading every message would.

use std::collections::BTreeMap;

use parlance::{
    chat::{Caller, messages, search},
    model::{ChatId, Content, MessageId, PersonId, search::Query},
};
use proptest::{
    collection::vec,
    prelude::{Just, Strategy, any, prop_oneof},
    test_runner::{Config, TestRunner},
};
use tokio::runtime::Runtime;

use crate::{
    support::actor::{Actor, list},
    support::world::World,
};

const CHATS: usize = 3;
const WORDS: [&str; 8] = [
    "tea",
    "team",
    "Tee",
    "TEAMWORKER",
    "teamworkers",
    "ä",
    "a",
    "x",
];
const QUERIES: [&str; 14] = [
    "tea",
    "tea ",
    "team tee",
    "\"tea team\"",
    "\"tea tea\"",
    "te* x",
    "teamworkers",
    "teamworker",
    "\"x\"",
    "a tea",
    "\"team x",
    "A* tee",
    "\"a a\" tea",
    "zz",
];

#[derive(Debug, Clone)]
enum Action {
    Say(usize, usize, Vec<usize>),
    Edit(u8, Vec<usize>),
    Delete(u8),
    Leave(usize),
    Join(usize),
    Index,
    Search(usize, usize, Option<usize>, Pages),
}

fn action() -> impl Strategy<Value = Action> {
    let text = || vec(0..WORDS.len(), 1..5);
    prop_oneof![
        6 => (0..2_usize, 0..CHATS, text()).prop_map(|(who, chat, text)| Action::Say(who, chat, text)),
        2 => (any::<u8>(), text()).prop_map(|(which, text)| Action::Edit(which, text)),
        1 => any::<u8>().prop_map(Action::Delete),
        1 => (0..CHATS).prop_map(Action::Leave),
        1 => (0..CHATS).prop_map(Action::Join),
        2 => Just(Action::Index),
        4 => (0..2_usize, 0..QUERIES.len(), proptest::option::of(0..2_usize), pages())
            .prop_map(|(who, query, from, pages)| Action::Search(who, query, from, pages)),
    ]
}

/// How many hits a page has, and what it may cost; none: what the server lets it cost.
#[derive(Debug, Clone, Copy)]
struct Pages {
    limit: usize,
    budget: Option<i64>,
}

fn pages() -> impl Strategy<Value = Pages> {
    let budget = proptest::option::of(prop_oneof![Just(0), 0..2_000_i64]);
    (1..4_usize, budget).prop_map(|(limit, budget)| Pages { limit, budget })
}

/// A message as the test knows it.
struct Said {
    chat: usize,
    sender: usize,
    text: String,
}

/// The two people, their chats and everything they have said. The second leaves chats and joins them.
struct Stage {
    people: [Actor; 2],
    callers: [Caller; 2],
    chats: Vec<i64>,
    member: [bool; CHATS],
    said: BTreeMap<i64, Said>,
}

impl Stage {
    async fn set(world: &World, number: u32) -> Self {
        let ann = world.actor(&format!("ann {number}")).await;
        let bo = world.actor(&format!("bo {number}")).await;
        let mut chats = Vec::new();
        for chat in 0..CHATS {
            let id = ann.make(&format!("chat {chat} of {number}")).await;
            bo.join(id).await;
            chats.push(id);
        }
        let callers = [
            world.caller(ann.id, &ann.token).await,
            world.caller(bo.id, &bo.token).await,
        ];
        Self {
            people: [ann, bo],
            callers,
            chats,
            member: [true; CHATS],
            said: BTreeMap::new(),
        }
    }

    fn which(&self, which: u8) -> Option<i64> {
        let count = self.said.len();
        (count > 0).then(|| {
            *self
                .said
                .keys()
                .nth(usize::from(which) % count)
                .expect("one")
        })
    }

    async fn act(&mut self, world: &World, action: &Action) {
        match action {
            Action::Say(who, chat, words) => {
                let text = text(words);
                let id = self.people[*who].say(self.chats[*chat], &text).await;
                self.member[*chat] |= *who == 1;
                self.said.insert(
                    id,
                    Said {
                        chat: *chat,
                        sender: *who,
                        text,
                    },
                );
            }
            Action::Edit(which, words) => {
                let Some(id) = self.which(*which) else { return };
                let said = self.said.get_mut(&id).expect("it was said");
                if !(said.sender == 0 || self.member[said.chat]) {
                    return;
                }
                said.text = text(words);
                let content = Content::parse(said.text.clone()).expect("a text");
                let chat = ChatId::new(self.chats[said.chat]);
                let caller = &self.callers[said.sender];
                let message = MessageId::new(id);
                let edited = messages::edit(world.services(), caller, chat, message, content);
                edited.await.expect("it is its sender's");
            }
            Action::Delete(which) => {
                let Some(id) = self.which(*which) else { return };
                let said = &self.said[&id];
                if !(said.sender == 0 || self.member[said.chat]) {
                    return;
                }
                let chat = ChatId::new(self.chats[said.chat]);
                let caller = &self.callers[said.sender];
                let deleted = messages::delete(world.services(), caller, chat, MessageId::new(id));
                deleted.await.expect("it is its sender's");
                self.said.remove(&id);
            }
            Action::Leave(chat) if self.member[*chat] => {
                self.people[1].leave(self.chats[*chat]).await;
                self.member[*chat] = false;
            }
            Action::Join(chat) if !self.member[*chat] => {
                self.people[1].join(self.chats[*chat]).await;
                self.member[*chat] = true;
            }
            Action::Leave(_) | Action::Join(_) => {}
            Action::Index => search::catch_up(world.services())
                .await
                .expect("it is filled"),
            Action::Search(who, query, from, pages) => {
                let expected = self.read(*who, QUERIES[*query], *from);
                let asked = (*who, QUERIES[*query], *from);
                let found = match pages.budget {
                    None => self.search(asked, pages.limit).await,
                    Some(budget) => {
                        self.search_within(world, asked, (pages.limit, budget))
                            .await
                    }
                };
                assert_eq!(
                    found, expected,
                    "{:?} by {who} from {from:?}",
                    QUERIES[*query]
                );
            }
        }
    }

    /// What somebody who reads everything finds, newest first.
    fn read(&self, who: usize, query: &str, from: Option<usize>) -> Vec<i64> {
        let found = self.said.iter().rev().filter(|(_, said)| {
            (who == 0 || self.member[said.chat])
                && from.is_none_or(|from| from == said.sender)
                && naive(query, &said.text)
        });
        found.map(|(id, _)| *id).collect()
    }

    /// What the server finds, page by page.
    async fn search(
        &self,
        (who, query, from): (usize, &str, Option<usize>),
        most: usize,
    ) -> Vec<i64> {
        let (mut found, mut before) = (Vec::new(), None::<i64>);
        loop {
            let limit = most.to_string();
            let from = from.map(|from| self.people[from].id.to_string());
            let place = before.map(|before| before.to_string());
            let mut fields = vec![("query", query), ("limit", &limit)];
            fields.extend(from.as_deref().map(|from| ("from", from)));
            fields.extend(place.as_deref().map(|before| ("before", before)));
            let json = self.people[who].search(&fields).await.with(200).json();
            let page = list(&json, "hits");
            assert!(page.len() <= most);
            found.extend(
                page.iter()
                    .map(|hit| hit["message"]["id"].as_i64().expect("an id")),
            );
            before = json["before"].as_i64();
            if before.is_none() {
                return found;
            }
        }
    }

    /// The same with a budget for each page.
    async fn search_within(
        &self,
        world: &World,
        (who, query, from): (usize, &str, Option<usize>),
        (limit, budget): (usize, i64),
    ) -> Vec<i64> {
        let mut search = search::Search {
            query: Query::parse(query).expect("a query"),
            chat: None,
            from: from.map(|from| PersonId::new(self.people[from].id)),
            before: None,
            limit,
        };
        let mut found = Vec::new();
        loop {
            let (services, caller) = (world.services(), &self.callers[who]);
            let page = search::search_within(services, caller, &search, budget).await;
            let page = page.expect("an answer");
            assert!(page.hits.len() <= limit);
            found.extend(page.hits.iter().map(|hit| hit.message.id.get()));
            assert!(page.before.is_some() || page.looked_back_to.is_none());
            if page.before.is_none() {
                return found;
            }
            search.before = page.before;
        }
    }
}

fn text(words: &[usize]) -> String {
    let words: Vec<_> = words.iter().map(|word| WORDS[*word]).collect();
    words.join(", ")
}

/// The meaning of a query, written down once more and plainly.
fn naive(query: &str, text: &str) -> bool {
    let fold = |word: &str| word.to_lowercase().replace('ä', "a");
    let words: Vec<String> = text.split(", ").map(fold).collect();
    let parts: Vec<&str> = query.split('"').collect();
    let open = parts.len().is_multiple_of(2);
    let mut clauses: Vec<(Vec<String>, bool)> = Vec::new();
    for (index, part) in parts.iter().enumerate() {
        if index % 2 == 1 {
            let is_last = open && index == parts.len() - 1;
            clauses.push((part.split_whitespace().map(fold).collect(), is_last));
        } else {
            for word in part.split_whitespace() {
                let is_last = index == parts.len() - 1 && part.trim_end().ends_with(word);
                let star = word.ends_with('*');
                clauses.push((vec![fold(word.trim_end_matches('*'))], star || is_last));
            }
        }
    }
    clauses.iter().all(|(asked, prefix)| {
        words.windows(asked.len()).any(|window| {
            let last = asked.len() - 1;
            (0..asked.len()).all(|at| {
                window[at] == asked[at]
                    || (at == last && *prefix && window[at].starts_with(&asked[at]))
            })
        })
    })
}

#[test]
fn a_search_answers_what_reading_everything_would() {
    let runtime = Runtime::new().expect("a runtime");
    let world = runtime.block_on(World::new());
    let numbers = std::cell::Cell::new(0);
    let config = Config {
        cases: 40,
        failure_persistence: None,
        max_shrink_iters: 100,
        ..Config::default()
    };
    let tried = TestRunner::new(config).run(&vec(action(), 1..40), |history| {
        numbers.set(numbers.get() + 1);
        runtime.block_on(async {
            let mut stage = Stage::set(&world, numbers.get()).await;
            for action in &history {
                stage.act(&world, action).await;
            }
            for query in 0..QUERIES.len() {
                stage
                    .act(
                        &world,
                        &Action::Search(
                            query % 2,
                            query,
                            None,
                            Pages {
                                limit: 3,
                                budget: None,
                            },
                        ),
                    )
                    .await;
            }
        });
        Ok(())
    });
    runtime.block_on(world.stop());
    tried.expect("no history breaks it");
}
