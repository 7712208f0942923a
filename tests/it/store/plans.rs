//! Query plans: the most frequent queries use an index, however large the tables are.

use crate::support::place::{Beside, Place};

const SQLITE: &str = include_str!("../../../src/store/batch/sqlite.rs");
const POSTGRES: &str = include_str!("../../../src/store/batch/postgres.rs");
const LOG: &str = include_str!("../../../src/store/log.rs");
const MESSAGES: &str = include_str!("../../../src/store/messages.rs");

/// A SQL text as the store has it, taken from its source so that the two cannot drift apart.
fn text_of(source: &str, name: &str) -> String {
    text_after(source, &format!("const {name}: &str = \""))
}

/// The same of a text that each engine has one of.
fn text_for(source: &str, name: &str, engine: &str) -> String {
    let begin = format!("const {name}: EngineSql");
    let (_, rest) = source.split_once(&begin).expect("the store has this query");
    text_after(rest, &format!("{engine}: \""))
}

fn text_after(source: &str, begin: &str) -> String {
    let (_, rest) = source.split_once(begin).expect("the store has this query");
    let (text, _) = rest.split_once('"').expect("a text ends");
    text.lines()
        .map(|line| line.trim().trim_end_matches('\\'))
        .collect::<Vec<_>>()
        .join(" ")
}

/// A page of a chat, with the condition as the store has it.
fn page(condition: &str) -> String {
    assert!(MESSAGES.contains(condition), "the store asks otherwise now");
    format!(
        "select m.id, m.content, p.name from messages m join people p on p.id = m.sender_id \
         where m.tenant_id = $2 and {condition}"
    )
}

/// A database with 40 chats, of which one has most of 30,000 messages, every third under a key.
async fn crowded() -> (Place, Beside) {
    let place = Place::make().await;
    place.store().await.close().await;
    let mut beside = place.beside().await;
    let numbers = |most: i64| match &beside {
        Beside::Sqlite(_) => format!(
            "(with recursive up (n) as (select 1 union all select n + 1 from up where n < {most}) select n from up)"
        ),
        Beside::Postgres(_) => format!("(select n from generate_series(1, {most}) as n)"),
    };
    let (few, many) = (numbers(40), numbers(30_000));
    for sql in [
        format!(
            "insert into people (id, tenant_id, kind, name, name_key, created_at, updated_at) \
             select n, 1, 'person', 'p', 'p', 0, 0 from {few} as x"
        ),
        format!(
            "insert into chats (id, tenant_id, kind, title, title_key, created_by, created_at, updated_at, \
             members_count, last_seq, last_position) \
             select n, 1, 'open', 'c' || n, 'c' || n, 1, 0, 0, 1, 0, n from {few} as x"
        ),
        format!(
            "insert into messages (id, tenant_id, chat_id, seq, sender_id, kind, content, client_id, created_at) \
             select n, 1, case when n % 10 = 0 then 1 + n % 40 else 7 end, n, 1 + n % 40, 'text', 'hi', \
             case when n % 3 = 0 then 'k' || n end, 0 from {many} as x"
        ),
        format!(
            "insert into members (chat_id, person_id, tenant_id, role, standing, joined_at, joined_position, \
             read_id, read_seq) select n, n, 1, 'admin', 'in', 0, 0, 0, 0 from {few} as x"
        ),
        "analyze".to_owned(),
    ] {
        beside.run(&sql).await;
    }
    (place, beside)
}

/// The generic plan of a statement, as a server prepares it.
async fn plan(beside: &mut Beside, sql: &str) -> String {
    match beside {
        Beside::Sqlite(_) => beside.plan(sql).await,
        Beside::Postgres(_) => {
            beside.run("set plan_cache_mode = force_generic_plan").await;
            beside.run(&format!("prepare asked as {sql}")).await;
            let unknown = (1..)
                .take_while(|n| sql.contains(&format!("${n}")))
                .map(|_| "null");
            let unknown = unknown.collect::<Vec<_>>().join(", ");
            let plan = beside.plan(&format!("execute asked ({unknown})")).await;
            beside.run("deallocate asked").await;
            plan
        }
    }
}

#[rocket::async_test]
async fn a_key_is_looked_up_in_the_index_of_keys() {
    let (_place, mut beside) = crowded().await;
    let sql = match &beside {
        Beside::Sqlite(_) => text_of(SQLITE, "LOOK_UP_SEND"),
        Beside::Postgres(_) => {
            // As the writer's own connections are set.
            beside.run("set enable_seqscan = off").await;
            text_of(POSTGRES, "LOOK_UP_SENDS")
        }
    };
    let plan = plan(&mut beside, &sql).await;
    assert!(plan.contains("messages_by_client_id"), "{plan}");
    let messages = plan.lines().filter(|line| line.contains("essages"));
    assert_eq!(
        messages.count(),
        1,
        "messages are looked up in no other way: {plan}"
    );
}

#[rocket::async_test]
async fn a_read_mark_finds_its_message_in_the_index_of_its_chat() {
    let (_place, mut beside) = crowded().await;
    let sql = match &beside {
        Beside::Sqlite(_) => text_of(SQLITE, "LOOK_UP_READ"),
        Beside::Postgres(_) => {
            beside.run("set enable_seqscan = off").await;
            text_of(POSTGRES, "LOOK_UP_READS")
        }
    };
    let plan = plan(&mut beside, &sql).await;
    assert!(plan.contains("messages_by_chat"), "{plan}");
    assert!(
        !plan.contains("SCAN m") && !plan.contains("Seq Scan on messages"),
        "{plan}"
    );
}

#[rocket::async_test]
async fn a_page_of_a_chat_is_read_from_the_index_of_its_chat_in_order() {
    let (_place, mut beside) = crowded().await;
    let (condition, by) = match &beside {
        Beside::Sqlite(_) => (
            "m.chat_id = $1 and m.id < $3 order by m.id desc limit $4",
            "messages_by_chat (chat_id=? AND id<?)",
        ),
        Beside::Postgres(_) => (
            "(m.chat_id, m.id) < ($1, $3) and m.chat_id >= $1 order by m.chat_id desc, m.id desc limit $4",
            "messages_by_chat",
        ),
    };
    let plan = plan(&mut beside, &page(condition)).await;
    assert!(plan.contains(by), "{condition}: {plan}");
    assert!(
        !plan.contains("TEMP B-TREE") && !plan.contains("Sort"),
        "{condition}: {plan}"
    );
    assert!(
        !plan.contains("Seq Scan on messages"),
        "{condition}: {plan}"
    );
}

#[rocket::async_test]
async fn the_log_is_read_by_position() {
    let (_place, mut beside) = crowded().await;
    beside
        .run(
            "insert into changes (position, tenant_id, chat_id, kind, audience, actor_id, target_id, at) \
             select id + 100000, 1, chat_id, 'edited', 'members', sender_id, id, 0 from messages",
        )
        .await;
    beside.run("analyze").await;
    let messages = LOG
        .split_once("macro_rules! message_changes")
        .expect("it is there")
        .1;
    let messages = text_after(messages, "        \"");
    for (from, by) in [
        (
            "changes n",
            ["SEARCH n USING INTEGER PRIMARY KEY", "changes_pkey"],
        ),
        (
            &messages,
            ["SEARCH t USING INTEGER PRIMARY KEY", "messages_pkey"],
        ),
    ] {
        let sql = format!(
            "select n.position, n.audience from {from} join people p on p.id = n.actor_id \
             left join messages m on m.id = n.target_id \
             where n.position > $2 and n.audience = 'members' order by n.position limit $1"
        );
        let plan = plan(&mut beside, &sql).await;
        assert!(by.iter().any(|by| plan.contains(by)), "{plan}");
        assert!(
            !plan.contains("TEMP B-TREE") && !plan.contains("Sort"),
            "{plan}"
        );
    }
}

#[rocket::async_test]
async fn many_members_at_once_are_found_by_their_key_however_many_a_chat_has() {
    const MEMBERS: &str = include_str!("../../../src/store/batch/members.rs");
    let (_place, mut beside) = crowded().await;
    for name in ["MEMBERS", "END", "MISSING"] {
        let (sql, by) = match &beside {
            Beside::Sqlite(_) => (
                text_for(MEMBERS, name, "sqlite"),
                [
                    "SEARCH members USING PRIMARY KEY (chat_id=? AND person_id=?)",
                    "SEARCH p USING INTEGER PRIMARY KEY (rowid=?)",
                ],
            ),
            Beside::Postgres(_) => {
                beside.run("set enable_seqscan = off").await;
                let sql = text_for(MEMBERS, name, "postgres");
                (sql, ["members_pkey", "people_pkey"])
            }
        };
        let plan = plan(&mut beside, &sql).await;
        assert!(plan.contains(by[usize::from(name == "MISSING")]), "{plan}");
        assert!(
            !plan.contains("SCAN members")
                && !plan.contains("SCAN p")
                && !plan.contains("Seq Scan"),
            "{plan}"
        );
    }
}
