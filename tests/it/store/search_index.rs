//! The search index: filled behind the log, taken up again after a restart, and built for messages that were there
//! before it.

use parlance::{
    chat::search::{self, Search},
    model::search::Query,
};

use crate::{
    support::actor::{Actor, list},
    support::old_database::database_of,
    support::place::{Beside, Place},
    support::world::World,
};

/// How many messages are found, over all pages: a search that takes long gives what it has, and goes on.
async fn count(who: &Actor, words: &str) -> usize {
    let mut found = 0;
    let mut before = String::new();
    loop {
        let mut query = vec![("query", words), ("limit", "200")];
        if !before.is_empty() {
            query.push(("before", &before));
        }
        let page = who.search(&query).await.with(200).json();
        found += list(&page, "hits").len();
        match &page["before"] {
            serde_json::Value::Null => return found,
            next => before = next.to_string(),
        }
    }
}

/// What the index has, and how far it has come.
async fn progress(beside: &mut Beside) -> (i64, i64, i64) {
    (
        beside.number("select count(*) from message_terms").await,
        beside
            .number("select indexed_to from search_progress")
            .await,
        beside
            .number("select indexed_from from search_progress")
            .await,
    )
}

#[rocket::async_test]
async fn after_a_restart_the_index_goes_on_where_it_was() {
    let world = World::new().await;
    let ann = world.actor("ann").await;
    let chat = ann.make("tea").await;
    for _ in 0..3 {
        ann.say(chat, "before").await;
    }
    search::catch_up(world.services())
        .await
        .expect("it is filled");
    let place = world.stop().await;
    let mut beside = place.beside().await;
    let (kept, to, _) = progress(&mut beside).await;
    assert_eq!(kept, 3);
    let url = place.url();
    let world = World::on(place, &url, "").await;
    let ann = ann.at(&world);
    ann.say(chat, "before and after").await;
    assert_eq!(count(&ann, "before").await, 4);
    search::catch_up(world.services())
        .await
        .expect("it is filled");
    let (kept, further, _) = progress(&mut beside).await;
    assert_eq!(kept, 4);
    assert!(further > to);
    assert_eq!(count(&ann, "before").await, 4);
    world.stop().await;
}

/// A database of the version before the index, with a chat and so many messages.
async fn old(messages: i64) -> Place {
    old_that_says(
        messages,
        "case when n % 100 = 0 then 'rare ' else '' end || 'word ' || n",
    )
    .await
}

/// The same with what each message says, in SQL by its number.
async fn old_that_says(messages: i64, content: &str) -> Place {
    let (place, mut beside) = database_of(8).await;
    let numbers = match &beside {
        Beside::Sqlite(_) => format!(
            "(with recursive up (n) as (select 1 union all select n + 1 from up where n < {messages}) select n from up)"
        ),
        Beside::Postgres(_) => format!("(select n from generate_series(1, {messages}) as n)"),
    };
    for sql in [
        "insert into log (id, head, floor, epoch) values (1, 0, 0, 'epochish')".to_owned(),
        "insert into tenants (id, kind, name, application_id, created_at, updated_at) \
         values (1, 'home', 'home', 'x', 0, 0)"
            .to_owned(),
        "insert into people (id, tenant_id, kind, name, name_key, created_at, updated_at) \
         values (100, 1, 'person', 'p', 'p', 0, 0)"
            .to_owned(),
        "insert into chats (id, tenant_id, kind, title, title_key, created_by, created_at, updated_at, \
         members_count, last_seq, last_position) values (100, 1, 'open', 'old', 'old', 100, 0, 0, 1, 0, 1)"
            .to_owned(),
        format!(
            "insert into messages (id, tenant_id, chat_id, seq, sender_id, kind, content, created_at) \
             select n, 1, 100, n, 100, 'text', {content}, 0 \
             from {numbers} as x"
        ),
        format!(
            "insert into changes (position, tenant_id, chat_id, kind, audience, actor_id, target_id, at) \
             select n, 1, 100, 'message', 'members', 100, n, 0 from {numbers} as x"
        ),
        format!("update log set head = {messages}"),
    ] {
        beside.run(&sql).await;
    }
    place
}

#[rocket::async_test]
async fn messages_from_before_the_index_are_found_while_it_is_built_and_after() {
    let place = old(3_000).await;
    let url = place.url();
    let world = World::on(place, &url, "").await;
    let ann = world.actor("ann").await;
    ann.join(100).await;
    ann.say(100, "a rare new word").await;
    // Whatever the index has by now.
    assert_eq!(count(&ann, "rare").await, 31);
    assert_eq!(count(&ann, "2999").await, 1);
    search::catch_up(world.services())
        .await
        .expect("it is filled");
    let mut beside = world.place.beside().await;
    let (kept, _, from) = progress(&mut beside).await;
    assert_eq!((kept, from), (3_001, 1));
    assert_eq!(count(&ann, "rare").await, 31);
    assert_eq!(count(&ann, "2999").await, 1);
    assert_eq!(count(&ann, "\"word 1\"").await, 1);
    world.stop().await;
}

#[rocket::async_test]
async fn an_index_of_other_terms_is_built_again() {
    let world = World::new().await;
    let ann = world.actor("ann").await;
    let chat = ann.make("tea").await;
    for _ in 0..3 {
        ann.say(chat, "before").await;
    }
    search::catch_up(world.services())
        .await
        .expect("it is filled");
    let mut beside = world.place.beside().await;
    beside.run("update search_progress set version = 0").await;
    let world = world.restart().await;
    let ann = ann.at(&world);
    assert_eq!(count(&ann, "before").await, 3);
    search::catch_up(world.services())
        .await
        .expect("it is filled");
    assert_eq!(count(&ann, "before").await, 3);
    let version = beside.number("select version from search_progress").await;
    assert!(version > 0);
    assert_eq!(progress(&mut beside).await.0, 3);
    world.stop().await;
}

/// What the index takes under a term is given back newest first without reading what it has besides.
#[rocket::async_test]
async fn an_index_is_asked_by_its_terms() {
    let place = old(20_000).await;
    let url = place.url();
    let world = World::on(place, &url, "").await;
    search::catch_up(world.services())
        .await
        .expect("it is filled");
    let mut beside = world.place.beside().await;
    let sql = match &beside {
        Beside::Sqlite(_) => {
            "select rowid from message_terms where message_terms match '(\"x4\") AND (\"wrare\") AND (\"c100\")' \
             and rowid < 20000 and rowid >= 16384 order by rowid desc limit 10"
        }
        Beside::Postgres(_) => {
            beside.run("analyze message_terms").await;
            "select message_id from (select message_id from message_terms \
             where terms @@ cast((select cast('(''x4'')' as text)) as tsquery) \
             and terms @@ cast((select cast('(''wrare'')' as text)) as tsquery) \
             and terms @@ cast((select cast('(''c100'')' as text)) as tsquery) offset 0) found \
             where message_id < 20000 and message_id >= 16384 order by message_id desc limit 10"
        }
    };
    let plan = beside.plan(sql).await;
    match &beside {
        // The number says: the text, descending, bounded on both sides.
        Beside::Sqlite(_) => assert!(
            plan.contains("VIRTUAL TABLE INDEX") && !plan.contains("TEMP B-TREE"),
            "{plan}"
        ),
        Beside::Postgres(_) => assert!(plan.contains("message_terms_by_term"), "{plan}"),
    }
    assert_eq!(beside.numbers(sql).await[..2], [19_900, 19_800]);
    world.stop().await;
}

/// All that a search finds, in as many steps as it takes with no budget for any; and how many those were.
async fn found_in_steps(world: &World, who: &Actor, query: &str) -> (Vec<i64>, usize) {
    let caller = world.caller(who.id, &who.token).await;
    let (mut found, mut steps, mut before) = (Vec::new(), 0, None);
    loop {
        let search = Search {
            query: Query::parse(query).expect("a query"),
            chat: None,
            from: None,
            before,
            limit: 20,
        };
        let told = search::search_within(world.services(), &caller, &search, 0).await;
        let told = told.expect("an answer");
        steps += 1;
        found.extend(told.hits.iter().map(|hit| hit.message.id.get()));
        assert!(told.before.is_none() || told.before < before || before.is_none());
        before = told.before;
        if before.is_none() {
            return (found, steps);
        }
    }
}

#[rocket::async_test]
async fn words_that_never_stand_together_are_sought_in_steps_of_a_bounded_size() {
    let content = "case when n = 3 then 'alpha omega' when n % 2 = 0 then 'alpha' else 'omega' end";
    let place = old_that_says(20_000, content).await;
    let url = place.url();
    let world = World::on(place, &url, "").await;
    let ann = world.actor("ann").await;
    ann.join(100).await;
    search::catch_up(world.services())
        .await
        .expect("it is filled");
    let (found, steps) = found_in_steps(&world, &ann, "alpha \"omega\"").await;
    assert_eq!(found, [3]);
    // The newest range of the smallest size, and what is before it.
    assert_eq!(steps, 2);
    assert_eq!(count(&ann, "alpha \"omega\"").await, 1);
    world.stop().await;
}

/// Makes whatever is written of the index fail.
async fn freeze(beside: &mut Beside) {
    let statements: &[&str] = match &beside {
        Beside::Sqlite(_) => &["create trigger frozen before update on search_progress \
             begin select raise(abort, 'frozen'); end"],
        Beside::Postgres(_) => &[
            // A full disk, as it reports that.
            "create function frozen() returns trigger language plpgsql as $$ begin \
             raise exception 'frozen' using errcode = '53100'; end $$",
            "create trigger frozen before update on search_progress \
             for each row execute function frozen()",
        ],
    };
    for sql in statements {
        beside.run(sql).await;
    }
}

#[rocket::async_test]
async fn what_was_edited_is_found_however_far_the_index_lags_behind() {
    const EDITED: i64 = 2_500;
    let place = old(3_000).await;
    let url = place.url();
    let world = World::on(place, &url, "").await;
    let ann = world.actor("ann").await;
    ann.join(100).await;
    search::catch_up(world.services())
        .await
        .expect("it is filled");
    let place = world.stop().await;
    let mut beside = place.beside().await;
    freeze(&mut beside).await;
    for sql in [
        format!(
            "insert into changes (position, tenant_id, chat_id, kind, audience, actor_id, target_id, at) \
             select (select head from log) + id, 1, 100, 'edited', 'members', 100, id, 0 from messages \
             where id <= {EDITED}"
        ),
        format!(
            "update messages set content = 'edited ' || id, edited_at = 1 where id <= {EDITED}"
        ),
        format!("update log set head = head + {EDITED}"),
    ] {
        beside.run(&sql).await;
    }
    let world = World::on(place, &url, "").await;
    let ann = ann.at(&world);
    let (mut found, mut place) = (Vec::new(), String::new());
    loop {
        let mut fields = vec![("query", "edited"), ("limit", "200")];
        if !place.is_empty() {
            fields.push(("before", &place));
        }
        let told = ann.search(&fields).await.with(200).json();
        let hits = list(&told, "hits");
        let ids = hits.iter().map(|hit| hit["message"]["id"].as_i64());
        found.extend(ids.map(|id| id.expect("an id")));
        if told["has_more"] == false {
            break;
        }
        place = told["before"].to_string();
    }
    assert_eq!(found, (1..=EDITED).rev().collect::<Vec<_>>());
    assert_eq!(count(&ann, "\"word 2499\"").await, 0);
    assert_eq!(count(&ann, "\"word 2501\"").await, 1);
    let (found, steps) = found_in_steps(&world, &ann, "\"edited 7\"").await;
    assert_eq!(found, [7]);
    assert!(steps >= 2, "{steps} steps");
    world.stop().await;
}

#[rocket::async_test]
async fn an_index_that_cannot_be_written_stops_nobody_else() {
    let world = World::new().await;
    let ann = world.actor("ann").await;
    let chat = ann.make("tea").await;
    let mut beside = world.place.beside().await;
    match &beside {
        // The list of the index's segments says nothing that makes sense.
        Beside::Sqlite(_) => {
            let nonsense = "ff".repeat(32);
            let sql = format!("update message_terms_data set block = x'{nonsense}' where id = 10");
            beside.run(&sql).await;
        }
        Beside::Postgres(_) => freeze(&mut beside).await,
    }
    ann.say(chat, "one").await;
    for number in 0..3 {
        let failed = search::catch_up(world.services()).await;
        let failed = failed.expect_err("nothing of it can be written");
        assert_eq!(failed.kind(), parlance::Kind::Unavailable, "{failed:?}");
        world.store().writes_work().expect("everything else can");
        ann.say(chat, &format!("said after {number}")).await;
    }
    world.stop().await;
}
