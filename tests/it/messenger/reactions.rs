//! Reactions: set and taken back, counted, told as events.

use futures_util::future::join_all;
use reqwest::Method;
use serde_json::{Value, json};

use crate::{
    support::actor::{Actor, Told, list},
    support::asks::percent,
    support::support_world::Guest,
    support::world::World,
};

const TEA: &str = "\u{1f375}";
const HEART: &str = "\u{2764}\u{fe0f}";

/// What a message shows of its reactions, wherever its reader sees it.
async fn seen(who: &Actor, chat: i64, message: i64) -> Value {
    let one = who.message(chat, message).await["reactions"].clone();
    for path in [
        format!("/api/chats/{chat}"),
        format!("/api/chats/{chat}?around={message}"),
        format!("/api/chats/{chat}?before={}", message + 1),
    ] {
        let page = who.get(&path).await.with(200).json();
        let found = list(&page, "messages");
        let found = found.iter().find(|listed| listed["id"] == message);
        assert_eq!(found.expect("it is there")["reactions"], one, "{path}");
    }
    one
}

#[rocket::async_test]
async fn reactions_are_counted_and_one_knows_ones_own() {
    let world = World::new().await;
    let (ann, bo) = world.ann_and_bo().await;
    let chat = ann.make("tea").await;
    bo.join(chat).await;
    let message = ann.say(chat, "tea?").await;
    assert_eq!(seen(&ann, chat, message).await, json!([]));
    ann.react(chat, message, TEA).await.ok(200);
    bo.react(chat, message, HEART).await.ok(200);
    bo.react(chat, message, TEA).await.ok(200);
    let both = |mine: bool| json!([{"emoji": TEA, "count": 2, "me": true}, {"emoji": HEART, "count": 1, "me": mine}]);
    assert_eq!(seen(&ann, chat, message).await, both(false));
    assert_eq!(seen(&bo, chat, message).await, both(true));
    // One's own are taken back, and nobody else's.
    ann.unreact(chat, message, HEART).await.ok(200);
    assert_eq!(seen(&bo, chat, message).await, both(true));
    ann.unreact(chat, message, TEA).await.ok(200);
    bo.unreact(chat, message, HEART).await.ok(200);
    assert_eq!(
        seen(&ann, chat, message).await,
        json!([{"emoji": TEA, "count": 1, "me": false}])
    );
    // An edit leaves them, a deletion takes them.
    ann.edit(chat, message, "coffee?").await.ok(200);
    assert_eq!(seen(&bo, chat, message).await[0]["me"], true);
    let path = format!("/api/chats/{chat}/messages/{message}");
    let request = bo.request(Method::GET, &path);
    assert_eq!(Told::of(request).await.json()["reactions"][0]["count"], 1);
    ann.unsay(chat, message).await.ok(200);
    assert_eq!(seen(&bo, chat, message).await, json!([]));
    let mut beside = world.place.beside().await;
    assert_eq!(beside.number("select count(*) from reactions").await, 0);
    bo.react(chat, message, TEA).await.refused(409, "conflict");
    bo.unreact(chat, message, TEA).await.ok(200);
}

#[rocket::async_test]
async fn each_change_of_a_reaction_is_told_once() {
    let world = World::new().await;
    let (ann, bo) = world.ann_and_bo().await;
    let chat = ann.make("tea").await;
    bo.join(chat).await;
    let message = ann.say(chat, "tea?").await;
    let since = ann.now().await;
    for _ in 0..2 {
        bo.react(chat, message, TEA).await.ok(200);
    }
    ann.react(chat, message, TEA).await.ok(200);
    for _ in 0..2 {
        bo.unreact(chat, message, TEA).await.ok(200);
    }
    let (events, _) = ann.events(&since, 0).await;
    let told: Vec<_> = events
        .iter()
        .map(|event| {
            let keys = [
                "type",
                "chat_id",
                "message_id",
                "person_id",
                "emoji",
                "added",
                "count",
            ];
            Value::from(keys.map(|key| event[key].clone()).to_vec())
        })
        .collect();
    let event = |who: &Actor, added: bool, count: i64| {
        json!(["reaction", chat, message, who.id, TEA, added, count])
    };
    assert_eq!(
        told,
        [
            event(&bo, true, 1),
            event(&ann, true, 2),
            event(&bo, false, 1)
        ]
    );
    assert!(events.iter().all(|event| event["position"].is_i64()));
    // What comes from the log is how it is now: who applies it all comes to the same.
    let world = world.restart().await;
    let ann = ann.at(&world);
    let (events, _) = ann.events(&since, 0).await;
    let counts: Vec<_> = events.iter().map(|event| event["count"].clone()).collect();
    assert_eq!(counts, [1, 1, 1]);
    let path = format!("/api/events?after={since}&timeout=0&types=reaction");
    let told = ann.get(&path).await.with(200).json();
    assert_eq!(list(&told, "events"), events);
    let path = format!("/api/events?after={since}&timeout=0&types=message,edited");
    let told = ann.get(&path).await.with(200).json();
    assert_eq!(list(&told, "events"), [] as [Value; 0]);
}

#[rocket::async_test]
async fn exactly_one_emoji_is_a_reaction() {
    let world = World::new().await;
    let ann = world.actor("ann").await;
    let chat = ann.make("tea").await;
    let message = ann.say(chat, "hi").await;
    for wrong in [
        "a",
        "+1",
        ":tea:",
        "\u{1f375}\u{1f375}",
        "\u{1f375} ",
        "\u{1f3fd}",
        "%",
    ] {
        ann.react(chat, message, wrong)
            .await
            .refused(400, "bad_request");
        ann.unreact(chat, message, wrong)
            .await
            .refused(400, "bad_request");
    }
    let path = format!("/api/chats/{chat}/messages/{message}/reactions/%FF%FE");
    let told = Told::of(ann.request(Method::PUT, &path)).await;
    told.refused(400, "bad_request");
    // However a keyboard writes it, it is one reaction.
    ann.react(chat, message, "\u{2764}").await.ok(200);
    ann.react(chat, message, HEART).await.ok(200);
    let family = "\u{1f468}\u{200d}\u{1f469}\u{200d}\u{1f467}\u{200d}\u{1f466}";
    ann.react(chat, message, family).await.ok(200);
    let emoji: Vec<_> = seen(&ann, chat, message)
        .await
        .as_array()
        .expect("a list")
        .iter()
        .map(|reaction| reaction["emoji"].clone())
        .collect();
    assert_eq!(emoji, [HEART, family]);
    for nothing in [0, message + 999] {
        ann.react(chat, nothing, TEA)
            .await
            .refused(404, "not_found");
        ann.unreact(chat, nothing, TEA)
            .await
            .refused(404, "not_found");
    }
    let other = ann.make("other").await;
    ann.react(other, message, TEA)
        .await
        .refused(404, "not_found");
}

#[rocket::async_test]
async fn a_message_takes_twenty_different_reactions() {
    let world = World::new().await;
    let (ann, bo) = world.ann_and_bo().await;
    let chat = ann.make("tea").await;
    bo.join(chat).await;
    let message = ann.say(chat, "hi").await;
    let emoji: Vec<_> = ('\u{1f600}'..='\u{1f614}').map(String::from).collect();
    let told = join_all(emoji.iter().map(|emoji| ann.react(chat, message, emoji))).await;
    let taken = told.iter().filter(|told| told.status == 200).count();
    let refused = told.into_iter().find(|told| told.status != 200);
    refused
        .expect("the twenty-first is refused")
        .refused(409, "conflict");
    assert_eq!(taken, 20);
    let set = seen(&bo, chat, message).await;
    let set = set.as_array().expect("a list");
    assert_eq!(set.len(), 20);
    // One that is there is taken from anybody, and room that was made is there for another.
    let first = set[0]["emoji"].as_str().expect("an emoji").to_owned();
    bo.react(chat, message, &first).await.ok(200);
    bo.react(chat, message, TEA).await.refused(409, "conflict");
    ann.unreact(chat, message, &first).await.ok(200);
    bo.react(chat, message, TEA).await.refused(409, "conflict");
    bo.unreact(chat, message, &first).await.ok(200);
    bo.react(chat, message, TEA).await.ok(200);
}

/// Tries to react and to take a reaction back, and expects these refusals.
async fn is_refused(who: &Actor, (chat, message): (i64, i64), (status, code): (u16, &str)) {
    who.react(chat, message, TEA).await.refused(status, code);
    who.unreact(chat, message, TEA).await.refused(status, code);
}

#[rocket::async_test]
async fn strangers_guests_and_who_is_out_do_not_react() {
    let world = World::new().await;
    let (ann, bo) = world.ann_and_bo().await;
    let cy = world.actor("cy").await;
    let open = ann.make("tea").await;
    let private = ann.make_private("secret", &[&bo]).await;
    bo.join(open).await;
    let (in_open, in_private) = (ann.say(open, "hi").await, ann.say(private, "psst").await);
    bo.react(private, in_private, TEA).await.ok(200);
    is_refused(&cy, (open, in_open), (403, "forbidden")).await;
    is_refused(&cy, (private, in_private), (404, "not_found")).await;
    bo.leave(open).await;
    is_refused(&bo, (open, in_open), (403, "forbidden")).await;
    let path = format!("/api/chats/{private}/members/{}", bo.id);
    ann.delete(&path).await.ok(200);
    is_refused(&bo, (private, in_private), (404, "not_found")).await;
    world.owner("localhost").await;
    let guest = Guest::arrive(&world).await;
    let cookies = format!("user_id={}; token={}", guest.id, guest.token);
    let tea = percent(TEA.as_bytes());
    let path = format!("/api/chats/{open}/messages/{in_open}/reactions/{tea}");
    let url = format!("{}{path}", world.base());
    for request in [world.http.put(&url), world.http.delete(&url)] {
        let stranger = request.try_clone().expect("it has no body");
        Told::of(stranger).await.refused(401, "unauthenticated");
        let guest = request.header("Cookie", &cookies);
        Told::of(guest).await.refused(404, "not_found");
    }
    assert_eq!(ann.message(open, in_open).await["reactions"], json!([]));
    // Who left has not taken back what they had set.
    let left = ann.message(private, in_private).await;
    assert_eq!(
        left["reactions"],
        json!([{"emoji": TEA, "count": 1, "me": false}])
    );
}

#[rocket::async_test]
async fn other_apis_have_no_word_for_a_reaction() {
    let world = World::new().await;
    let owner = world.owner("localhost").await;
    let guest = Guest::arrive(&world).await;
    guest.says(&world, "hi").await;
    let mut beside = world.place.beside().await;
    let message = beside.number("select max(id) from messages").await;
    let since = world.cursor().to_string();
    let chat = i64::from_str_radix(&guest.chat, 16).expect("a hex number");
    let tea = percent(TEA.as_bytes());
    let path = format!("/api/chats/{chat}/messages/{message}/reactions/{tea}");
    let cookies = format!("user_id={}; token={}", owner.id, owner.token);
    let request = world.http.put(format!("{}{path}", world.base()));
    Told::of(request.header("Cookie", cookies)).await.ok(200);
    for (dialect, token) in [
        ("support", &guest.token),
        ("embed", &owner.token),
        ("service", &owner.token),
    ] {
        let path = format!("/api/events?dialect={dialect}&token={token}&after={since}&timeout=0");
        let told = world.get(&path).await.with(200).json();
        assert_eq!(told["events"], json!([]), "{dialect}");
        assert_ne!(told["cursor"], since.as_str(), "it is past it");
    }
}

/// Who has set an emoji, as somebody is told, page by page.
async fn reactors(who: &Actor, message: &str, emoji: &str) -> Vec<i64> {
    let (mut found, mut before) = (Vec::new(), String::new());
    loop {
        let path = format!(
            "{message}/reactions/{}?limit=2{before}",
            percent(emoji.as_bytes())
        );
        let told = who.get(&path).await.with(200).json();
        let people = list(&told, "people");
        found.extend(people.iter().filter_map(|person| person["id"].as_i64()));
        if told["has_more"] == false {
            return found;
        }
        before = format!("&before={}", people[people.len() - 1]["id"]);
    }
}

#[rocket::async_test]
async fn who_may_read_a_message_sees_who_reacted() {
    let world = World::new().await;
    let (ann, bo) = world.ann_and_bo().await;
    let chat = ann.make("tea").await;
    bo.join(chat).await;
    let mut all = vec![ann.id, bo.id];
    let message = ann.say(chat, "tea?").await;
    for who in [&bo, &ann] {
        who.react(chat, message, TEA).await.ok(200);
    }
    for name in ["cy", "dee", "eve"] {
        let who = world.actor(name).await;
        who.join(chat).await;
        who.react(chat, message, TEA).await.ok(200);
        all.push(who.id);
    }
    bo.react(chat, message, HEART).await.ok(200);
    let path = format!("/api/chats/{chat}/messages/{message}");
    // Who looks in may know as well.
    let fay = world.actor("fay").await;
    for who in [&ann, &fay] {
        assert_eq!(reactors(who, &path, TEA).await, all);
        assert_eq!(reactors(who, &path, HEART).await, [bo.id]);
        assert_eq!(reactors(who, &path, "\u{1f44d}").await, [] as [i64; 0]);
    }
    let told = ann
        .get(&format!("{path}/reactions/{}", percent(HEART.as_bytes())))
        .await;
    assert_eq!(
        told.with(200).json()["people"],
        json!([{"id": bo.id, "name": "bo"}])
    );
    bo.unreact(chat, message, TEA).await.ok(200);
    all.retain(|id| *id != bo.id);
    assert_eq!(reactors(&ann, &path, TEA).await, all);
    for wrong in ["x", "%F0%9F%8D%B5%F0%9F%8D%B5"] {
        let told = ann.get(&format!("{path}/reactions/{wrong}")).await;
        told.refused(400, "bad_request");
    }
    let tea = percent(TEA.as_bytes());
    let missing = format!("/api/chats/{chat}/messages/999999/reactions/{tea}");
    ann.get(&missing).await.refused(404, "not_found");
    // A message of another chat, and chats that are not for everybody.
    let private = ann.make_private("secret", &[&bo]).await;
    let hidden = ann.say(private, "shh").await;
    bo.react(private, hidden, TEA).await.ok(200);
    let elsewhere = format!("/api/chats/{chat}/messages/{hidden}/reactions/{tea}");
    ann.get(&elsewhere).await.refused(404, "not_found");
    let path = format!("/api/chats/{private}/messages/{hidden}");
    assert_eq!(reactors(&bo, &path, TEA).await, [bo.id]);
    let path = format!("{path}/reactions/{tea}");
    fay.get(&path).await.refused(404, "not_found");
    world.get(&path).await.refused(401, "unauthenticated");
    let removed = format!("/api/chats/{private}/members/{}", bo.id);
    ann.delete(&removed).await.ok(200);
    bo.get(&path).await.refused(404, "not_found");
    // A deletion takes them.
    let deleted = format!("/api/chats/{private}/messages/{hidden}");
    ann.delete(&deleted).await.ok(200);
    assert_eq!(reactors(&ann, &deleted, TEA).await, [] as [i64; 0]);
}
