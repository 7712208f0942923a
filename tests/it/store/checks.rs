//! What `parlance check` finds: nothing in what a server has written, and each kind of damage by name.

use parlance::{
    chat::search,
    store::{
        Options,
        check::{self, Checked},
    },
};

use crate::{
    support::actor::Actor,
    support::place::{Beside, Place},
    support::world::World,
};

/// What is wrong, by name.
async fn wrong(options: &Options) -> Vec<&'static str> {
    let checked = check::check_all(options).await.expect("it is read");
    assert!(checked.len() > 12, "{checked:?}");
    let wrong = checked.iter().filter(|checked| !checked.wrong.is_empty());
    wrong.map(|Checked { what, .. }| *what).collect()
}

/// A database with something of everything.
async fn filled() -> Place {
    let world = World::new().await;
    let (ann, bo) = world.ann_and_bo().await;
    let chat = ann.make("tea").await;
    bo.join(chat).await;
    let first = ann.say(chat, "one @bo").await;
    let second = bo.reply(chat, first, "two").await;
    ann.edit(chat, first, "one and a half @bo").await.ok(200);
    ann.react(chat, second, "👍").await.ok(200);
    bo.unsay(chat, bo.say(chat, "three").await).await.ok(200);
    ann.read(chat, second).await;
    let other = ann.make_private("quiet", &[&bo]).await;
    bo.say(other, "hush").await;
    bo.leave(other).await;
    let silent = ann.make("silent").await;
    bo.join(silent).await;
    search::catch_up(world.services())
        .await
        .expect("it is indexed");
    world.stop().await
}

/// Damage, how it is undone, and what finds it.
type Damage = (String, String, &'static str);

fn damages(place: &Place, (first, chat): (i64, i64)) -> Vec<Damage> {
    let update = |table: &str, column: &str, key: (&str, i64), value: &str, what| {
        let (name, id) = key;
        let set = format!("update {table} set {column} = {value} where {name} = {id}");
        (set, what)
    };
    let shifted = |table: &str, column: &str, key: (&str, i64), what| {
        let more = update(table, column, key, &format!("{column} + 1"), what);
        let less = update(table, column, key, &format!("{column} - 1"), what);
        (more.0, less.0, what)
    };
    let (add_term, drop_term) = match place {
        Place::Sqlite(_) => (
            "insert into message_terms (rowid, terms) values (999999, 'x')",
            "delete from message_terms where rowid = 999999",
        ),
        Place::Postgres { .. } => (
            "insert into message_terms (message_id, terms) values (999999, 'x'::tsvector)",
            "delete from message_terms where message_id = 999999",
        ),
    };
    let named = |table: &str, column: &str, key: (&str, i64), from: &str, to: &str, what| {
        let there = update(table, column, key, to, what);
        let back = update(table, column, key, from, what);
        (there.0, back.0, what)
    };
    vec![
        (
            "update changes set position = 999999 where position = 1".to_owned(),
            "update changes set position = 1 where position = 999999".to_owned(),
            "positions have no gaps",
        ),
        shifted("log", "head", ("id", 1), "the head is the last position"),
        (
            "update changes set target_id = target_id + 999999 where kind = 'edited'".to_owned(),
            "update changes set target_id = target_id - 999999 where kind = 'edited'".to_owned(),
            "what the log says of messages is about messages",
        ),
        (
            format!("update messages set seq = seq + 10 where chat_id = {chat}"),
            format!("update messages set seq = seq - 10 where chat_id = {chat}"),
            "the messages of a chat are numbered without gaps",
        ),
        shifted(
            "chats",
            "last_seq",
            ("id", chat),
            "chats know how many messages they have",
        ),
        (
            format!("update chats set last_message_id = {first} + 1 where id = {chat}"),
            format!(
                "update chats set last_message_id = (select max(m.id) from messages m \
                 where m.chat_id = {chat}) where id = {chat}"
            ),
            "chats know their last message",
        ),
        shifted(
            "chats",
            "last_sender_id",
            ("id", chat),
            "chats know who sent their last message",
        ),
        shifted(
            "chats",
            "members_count",
            ("id", chat),
            "chats know how many members they have",
        ),
        (
            format!("update members set read_seq = read_seq + 100 where chat_id = {chat}"),
            format!("update members set read_seq = read_seq - 100 where chat_id = {chat}"),
            "nobody has read further than a chat goes",
        ),
        named(
            "messages",
            "reactions",
            ("id", first),
            "null",
            "'x 1'",
            "messages know whether they have reactions",
        ),
        (
            "update search_progress set indexed_to = indexed_to + 999".to_owned(),
            "update search_progress set indexed_to = indexed_to - 999".to_owned(),
            "the search index is no further than the log",
        ),
        (
            add_term.to_owned(),
            drop_term.to_owned(),
            "the search index has nothing else",
        ),
        named(
            "messages",
            "reply_to",
            ("id", first),
            "null",
            "999999",
            "everything that is named is there",
        ),
    ]
}

#[rocket::async_test]
async fn damage_of_each_kind_is_named_and_nothing_else_is() {
    let place = filled().await;
    let options = place.options();
    assert_eq!(wrong(&options).await, [""; 0]);
    let mut beside = place.beside().await;
    let first = beside.number("select min(id) from messages").await;
    let chat = beside.number("select min(id) from chats").await;
    for (damage, undo, what) in damages(&place, (first, chat)) {
        beside.run(&damage).await;
        let found = wrong(&options).await;
        assert!(found.contains(&what), "{damage}: {found:?}");
        assert!(found.len() <= 2, "{damage}: {found:?}");
        beside.run(&undo).await;
        assert_eq!(wrong(&options).await, [""; 0], "{undo}");
    }
    let key = match &beside {
        Beside::Sqlite(_) => "rowid",
        Beside::Postgres(_) => "message_id",
    };
    let sql = format!("delete from message_terms where {key} = {first}");
    beside.run(&sql).await;
    assert_eq!(
        wrong(&options).await,
        ["the search index has every message"]
    );
}

#[rocket::async_test]
async fn a_position_that_no_epoch_gave_is_no_gap() {
    let place = filled().await;
    let options = place.options();
    parlance::store::backup::renew_epoch(&options)
        .await
        .expect("it begins");
    parlance::store::backup::renew_epoch(&options)
        .await
        .expect("and another");
    let world = World::on(place, &options.url, "").await;
    let ann = Actor::sign_in(&world, "ann", crate::support::actor::PASSWORD).await;
    let chat = ann.make("after").await;
    ann.say(chat, "far on").await;
    search::catch_up(world.services())
        .await
        .expect("it is indexed");
    assert_eq!(wrong(&options).await, [""; 0], "beside a running server");
    let hit = ann.search(&[("query", "far")]).await.with(200).json();
    assert_eq!(hit["hits"].as_array().map(Vec::len), Some(1), "{hit}");
    let hit = ann.search(&[("query", "hush")]).await.with(200).json();
    assert_eq!(hit["hits"].as_array().map(Vec::len), Some(1), "{hit}");
    let place = world.stop().await;
    place
        .beside()
        .await
        .run("update epochs set head = head - 1")
        .await;
    let found = wrong(&options).await;
    assert!(
        found.contains(&"the head is the last position"),
        "{found:?}"
    );
}

#[rocket::async_test]
async fn a_file_that_is_not_sound_is_said_to_be() {
    let place = filled().await;
    let Place::Sqlite(_) = &place else {
        return;
    };
    let options = place.options();
    let mut beside = place.beside().await;
    let page = beside
        .number("select rootpage from sqlite_schema where name = 'messages_by_chat'")
        .await;
    let size = beside.number("pragma page_size").await;
    let file = options.sqlite_file().expect("an address").expect("a file");
    let Beside::Sqlite(beside) = beside else {
        return;
    };
    sqlx::Connection::close(beside).await.expect("it closes");
    let mut open = std::fs::OpenOptions::new()
        .write(true)
        .open(&file)
        .expect("it opens");
    let at = u64::try_from((page - 1) * size).expect("a place");
    std::io::Seek::seek(&mut open, std::io::SeekFrom::Start(at)).expect("there");
    std::io::Write::write_all(&mut open, &[0xa5; 2000]).expect("written");
    drop(open);
    let found = wrong(&options).await;
    assert!(found.contains(&"the file is sound"), "{found:?}");
}
