//! The search index: filled behind the log, taken up again after a restart, and built for messages that were there
//! before it.

use parlance::chat::search;

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
             select n, 1, 100, n, 100, 'text', case when n % 100 = 0 then 'rare ' else '' end || 'word ' || n, 0 \
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
            "select rowid from message_terms where message_terms match '(\"wrare\") AND (\"c100\")' \
             and rowid < 20000 and rowid >= 1 order by rowid desc limit 10"
        }
        Beside::Postgres(_) => {
            beside.run("analyze message_terms").await;
            "select message_id from (select message_id from message_terms \
             where terms @@ cast(cast('(''wrare'') & (''c100'') & (''x4'' | ''x3'')' as text) as tsquery) offset 0) found \
             where message_id < 20000 and message_id >= 15904 order by message_id desc limit 10"
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
