//! Searches through histories whose ids are far apart, in ranges of every size: what is found, and what a request may
//! cost.

use std::collections::BTreeMap;

use parlance::{
    chat::{
        Caller,
        search::{self, Hits, Search},
    },
    model::{
        MessageId,
        search::{IndexRange, Query},
    },
};
use proptest::{
    collection::vec,
    prelude::{Just, Strategy, any, prop_oneof},
    sample::subsequence,
    test_runner::{Config, TestRunner},
};
use tokio::runtime::Runtime;

use crate::{
    support::actor::{Actor, list},
    support::place::Beside,
    support::world::World,
};

const WORDS: [&str; 4] = ["alpha", "omega", "alphabet", "beta"];
const QUERIES: [&str; 6] = [
    "\"alpha\"",
    "alpha",
    "alpha omega",
    "\"alpha\" \"omega\" beta",
    "\"alpha omega\"",
    "\"beta alpha\" omega",
];
/// More chats than are asked for one by one.
const MANY: usize = 270;
/// No id is beyond: two of the largest ranges.
const LAST: i64 = 1_500_000;

/// A message that comes some ids after the one before: the chat that it is in, and what it says.
#[derive(Debug, Clone)]
struct Said {
    gap: Gap,
    chat: usize,
    words: Vec<&'static str>,
}

#[derive(Debug, Clone, Copy)]
enum Gap {
    Ids(i64),
    /// To the next id that is in a sample.
    Sample,
}

fn said() -> impl Strategy<Value = Said> {
    let gap = prop_oneof![
        6 => (1..4_i64).prop_map(Gap::Ids),
        2 => (1..3_000_i64).prop_map(Gap::Ids),
        1 => (1..60_000_i64).prop_map(Gap::Ids),
        4 => Just(Gap::Sample),
    ];
    let words = subsequence(WORDS.to_vec(), 1..=3).prop_shuffle();
    (gap, 0..3_usize, words).prop_map(|(gap, chat, words)| Said { gap, chat, words })
}

/// What is searched for, by how many hits a page, with what budget.
#[derive(Debug, Clone, Copy)]
struct Asked {
    query: usize,
    limit: usize,
    budget: i64,
}

fn asked() -> impl Strategy<Value = Asked> {
    let budget = prop_oneof![Just(0), 0..2_000_i64, 2_000..30_000_i64, Just(i64::MAX)];
    (0..QUERIES.len(), 1..8_usize, budget).prop_map(|(query, limit, budget)| Asked {
        query,
        limit,
        budget,
    })
}

/// Puts messages into chats past the server, which must not be running: each with its id, its chat and its words.
async fn insert(beside: &mut Beside, sender: i64, messages: &[(i64, i64, String)]) {
    let rows: Vec<_> = messages
        .iter()
        .map(|(id, chat, text)| {
            format!("({id}, 1, {chat}, {id}, {sender}, 'text', '{text}', {id})")
        })
        .collect();
    for rows in rows.chunks(500) {
        let rows = rows.join(", ");
        beside
            .run(&format!(
                "insert into messages (id, tenant_id, chat_id, seq, sender_id, kind, content, created_at) \
                 values {rows}"
            ))
            .await;
    }
    let last = messages.last().expect("there are some").0;
    beside.run(&format!("update log set head = {last}")).await;
}

/// A server with an index of these messages: some in a chat that the searcher is in, some in another, and some in a chat
/// of others; by the number of their chat. The searcher is in many more chats, if so asked.
async fn indexed(many: bool, messages: &[(i64, usize, String)]) -> (World, Actor) {
    let world = World::new().await;
    let (ann, bo) = world.ann_and_bo().await;
    let mut chats = Vec::new();
    for (who, title) in [(&ann, "one"), (&ann, "two"), (&bo, "other")] {
        chats.push(who.make(title).await);
    }
    if many {
        for number in 0..MANY {
            ann.make(&format!("chat {number}")).await;
        }
    }
    let place = world.stop().await;
    let mut beside = place.beside().await;
    let messages = messages.iter();
    let messages: Vec<_> = messages
        .map(|(id, chat, text)| (*id, chats[*chat], text.clone()))
        .collect();
    insert(&mut beside, ann.id, &messages).await;
    let url = place.url();
    let world = World::on(place, &url, "").await;
    search::catch_up(world.services())
        .await
        .expect("it is filled");
    let ann = ann.at(&world);
    (world, ann)
}

async fn page(
    world: &World,
    caller: &Caller,
    (query, before): (&str, Option<MessageId>),
    (limit, budget): (usize, i64),
) -> Hits {
    let search = Search {
        query: Query::parse(query).expect("a query"),
        chat: None,
        from: None,
        before,
        limit,
    };
    let found = search::search_within(world.services(), caller, &search, budget).await;
    found.expect("an answer")
}

/// All that a search finds, page by page; and what the dearest of those cost, and how many they were.
async fn follow(
    world: &World,
    caller: &Caller,
    query: &str,
    (limit, budget): (usize, i64),
) -> (Vec<i64>, i64, usize) {
    let (mut found, mut dearest, mut pages, mut before) = (Vec::new(), 0, 0, None);
    loop {
        let page = page(world, caller, (query, before), (limit, budget)).await;
        pages += 1;
        dearest = dearest.max(page.spent);
        found.extend(page.hits.iter().map(|hit| hit.message.id.get()));
        if let Some(next) = page.before {
            assert!(
                before.is_none_or(|before| next < before),
                "it comes further"
            );
            let sent = page.looked_back_to.map(parlance::model::Timestamp::get);
            assert!(
                sent.is_none_or(|time| time >= next.get()),
                "{sent:?} {next:?}"
            );
        }
        before = page.before;
        if before.is_none() {
            return (found, dearest, pages);
        }
    }
}

/// What reading everything finds, newest first.
fn read(messages: &BTreeMap<i64, (usize, String)>, query: &str) -> Vec<i64> {
    let query = Query::parse(query).expect("a query");
    let found = messages.iter().rev().filter(|(_, (chat, text))| {
        // The third chat is one of others.
        *chat < 2 && query.find(text).is_some()
    });
    found.map(|(id, _)| *id).collect()
}

async fn compare(history: &[Said], searches: &[Asked], many: bool) {
    let mut messages = BTreeMap::new();
    let mut id = 1_000;
    for said in history {
        id += match said.gap {
            Gap::Ids(gap) => gap,
            Gap::Sample => {
                let sampled = |id: &i64| IndexRange::terms_of(*id).any(|it| it.starts_with('u'));
                (id + 1..i64::MAX).find(sampled).expect("there is one") - id
            }
        };
        if id > LAST {
            break;
        }
        messages.insert(id, (said.chat, said.words.join(" ")));
    }
    let rows = messages.iter();
    let rows: Vec<_> = rows
        .map(|(id, (chat, text))| (*id, *chat, text.clone()))
        .collect();
    let (world, ann) = indexed(many, &rows).await;
    let caller = world.caller(ann.id, &ann.token).await;
    for asked in searches {
        let query = QUERIES[asked.query];
        let pages = (asked.limit, asked.budget);
        let (found, ..) = follow(&world, &caller, query, pages).await;
        assert_eq!(found, read(&messages, query), "{query} {asked:?}");
    }
    world.stop().await;
}

#[test]
fn following_a_search_to_its_end_finds_what_reading_everything_would() {
    let runtime = Runtime::new().expect("a runtime");
    let config = Config {
        cases: 8,
        failure_persistence: None,
        max_shrink_iters: 20,
        ..Config::default()
    };
    let histories = (vec(said(), 50..400), vec(asked(), 10), any::<bool>());
    let tried = TestRunner::new(config).run(&histories, |(history, searches, many)| {
        runtime.block_on(compare(&history, &searches, many));
        Ok(())
    });
    tried.expect("no history breaks it");
}

/// What a request may cost beyond its budget: its last step, and the same once more where that found what others say, or
/// more than PostgreSQL sorts.
const STEP: i64 = 35_000;
const BUDGET: i64 = 12_000;
/// How far apart the ids are: the messages are in three ranges of the middle size.
const APART: i64 = 6;

#[rocket::async_test]
async fn a_request_costs_so_much_and_no_more_whatever_is_sought() {
    // Each word is in half of the messages or in a tenth of them, in one part of the history or in all of it.
    let messages = (2_000..22_000_i64).map(|id| {
        let half = ["alpha", "omega"][usize::from(id % 2 == 0)];
        let tenth = ["tenth", "decade", "x", "x", "x", "x", "x", "x", "x", "x"];
        let tenth = tenth[usize::try_from(id % 10).expect("small")];
        let old = if id < 10_000 { "early" } else { "late" };
        let rare = if id == 2_008 { "needle" } else { "hay" };
        // Every message of others has all.
        let chat = usize::from(id % 3 == 0) * 2;
        let text = if chat == 2 {
            "alpha omega tenth decade early late".to_owned()
        } else {
            format!("{half} {tenth} {old} {rare}")
        };
        (id * APART, chat, text)
    });
    let messages: Vec<_> = messages.collect();
    for many in [false, true] {
        let (world, ann) = indexed(many, &messages).await;
        let caller = world.caller(ann.id, &ann.token).await;
        for query in [
            "alpha \"omega\"",
            "tenth \"decade\"",
            "tenth decade alpha omega",
            "early \"late\"",
            "early omega \"late\"",
        ] {
            let (found, dearest, pages) = follow(&world, &caller, query, (20, BUDGET)).await;
            assert_eq!(found, [] as [i64; 0], "{query}");
            assert!(dearest < BUDGET + STEP, "{query}: {dearest} of {pages}");
        }
        // In one page, though it is at the other end.
        let hits = page(&world, &caller, ("needle", None), (20, BUDGET)).await;
        assert_eq!(hits.hits.len(), 1);
        assert_eq!(hits.before, None);
        let answer = ann.search(&[("query", "alpha \"omega\"")]).await.with(200);
        let answer = answer.json();
        assert_eq!(list(&answer, "hits").len(), 0);
        assert_eq!(answer["has_more"], true);
        let before = answer["before"].as_i64().expect("where to go on");
        let first = (before + APART - 1) / APART * APART;
        let sent = parlance::model::Timestamp::new(first).to_rfc3339();
        assert_eq!(
            answer["looked_back_to"], sent,
            "the first one from there on was sent then"
        );
        world.stop().await;
    }
}
