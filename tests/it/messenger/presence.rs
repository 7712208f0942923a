//! Presence: who comes online is told to those who may know it, and to nobody else.

use serde_json::{Value, json};

use crate::{
    support::actor::{Actor, Told, list, text},
    support::poll::{answer, hold, hold_as_asked},
    support::stream::{Block, Events},
    support::world::World,
};

/// Somebody has a wait, if only for a moment.
async fn comes_online(who: &Actor) {
    who.get("/api/events?timeout=0").await.with(200);
}

/// Hears who comes, and what is said.
async fn stream(who: &Actor) -> Events {
    let mut stream = Events::open(who, "/api/events?types=presence,message", None).await;
    stream.next().await.expect("a beginning");
    stream
}

fn is_presence_of(block: &Block, who: &Actor) {
    let told = block.json();
    assert_eq!(
        json!([told["type"], told["person_id"], told["online"]]),
        json!(["presence", who.id, true])
    );
    assert!(text(&told, "last_seen").ends_with('Z'));
    let keys: Vec<_> = told.as_object().expect("an object").keys().collect();
    assert_eq!(keys, ["last_seen", "online", "person_id", "type"]);
    assert_eq!(
        (block.event.as_deref(), &block.id),
        (Some("presence"), &None)
    );
}

/// The next event that is not of the presence of one who may be known.
async fn next_but(stream: &mut Events, known: Option<&Actor>) -> Value {
    loop {
        let event = stream.event().await.json();
        let is_known = known.is_some_and(|known| event["person_id"] == known.id);
        if event["type"] != "presence" || !is_known {
            return event;
        }
    }
}

/// All that somebody is told is what is said now, twice: a batch tells what is said before what was signalled.
async fn is_told_nothing(
    stream: &mut Events,
    (sender, chat): (&Actor, i64),
    known: Option<&Actor>,
) {
    for content in ["one", "two"] {
        sender.say(chat, content).await;
        let event = next_but(stream, known).await;
        assert_eq!(event["message"]["content"], content, "{event}");
    }
}

/// From now on the chat counts as one of more than so many people.
async fn make_large(world: &World, chat: i64) {
    let mut beside = world.place.beside().await;
    let sql = format!("update chats set members_count = 51 where id = {chat}");
    beside.run(&sql).await;
}

#[rocket::async_test]
async fn who_shares_a_small_chat_is_told_at_once_who_comes() {
    let world = World::new().await;
    let (ann, bo) = world.ann_and_bo().await;
    let cy = world.actor("cy").await;
    let chat = ann.make_private("tea", &[&bo]).await;
    let open = cy.make("open").await;
    ann.join(open).await;
    make_large(&world, open).await;
    let since = ann.now().await;
    let mut hears = stream(&ann).await;
    let mut stranger = stream(&cy).await;
    let path = format!("/api/events?after={since}&timeout=50");
    let (all, wanted) = (
        hold_as_asked(&ann, &path),
        hold(&ann, &format!("{path}&types=presence")),
    );
    let unwanted = hold(&ann, &format!("{path}&types=typing,message"));
    world.waiting(5).await;
    let own = hold_as_asked(&bo, &format!("/api/events?after={since}&timeout=50"));
    is_presence_of(&hears.event().await, &bo);
    for held in [all, wanted] {
        let told = answer(held).await.with(200).json();
        let events = list(&told, "events");
        assert_eq!(events.len(), 1, "{events:?}");
        assert_eq!(
            json!([
                events[0]["type"],
                events[0]["person_id"],
                events[0]["online"]
            ]),
            json!(["presence", bo.id, true])
        );
        assert_eq!(told["cursor"], since.as_str(), "a signal has no position");
    }
    // It is told once, however often they come back, and never to themselves.
    ann.say(chat, "hello").await;
    let told = answer(unwanted).await.with(200).json();
    let events = list(&told, "events");
    assert_eq!((events.len(), &events[0]["type"]), (1, &json!("message")));
    let told = answer(own).await.with(200).json();
    let events = list(&told, "events");
    assert!(
        events.iter().all(|it| it["person_id"] != bo.id),
        "{events:?}"
    );
    comes_online(&bo).await;
    assert_eq!(hears.event().await.json()["message"]["content"], "hello");
    is_told_nothing(&mut hears, (&cy, open), None).await;
    for content in ["one", "two"] {
        assert_eq!(stranger.event().await.json()["message"]["content"], content);
    }
    is_told_nothing(&mut stranger, (&ann, open), None).await;
}

#[rocket::async_test]
async fn in_a_larger_chat_and_after_a_removal_nobody_is_told() {
    let world = World::new().await;
    let (ann, bo) = world.ann_and_bo().await;
    let (cy, dee) = (world.actor("cy").await, world.actor("dee").await);
    let (large, small) = (
        ann.make_private("large", &[&bo, &cy]).await,
        ann.make_private("small", &[&bo, &dee]).await,
    );
    let of_two = ann.make_private("of two", &[&bo]).await;
    make_large(&world, large).await;
    let (mut of_ann, mut of_bo) = (stream(&ann).await, stream(&bo).await);
    is_presence_of(&of_ann.event().await, &bo);
    comes_online(&cy).await;
    let path = format!("/api/chats/{small}/members/{}", bo.id);
    ann.delete(&path).await.ok(200);
    comes_online(&dee).await;
    is_presence_of(&of_ann.event().await, &dee);
    is_told_nothing(&mut of_bo, (&ann, of_two), Some(&ann)).await;
}

#[rocket::async_test]
async fn guests_of_live_support_neither_hear_of_it_nor_are_told_of() {
    let world = World::new().await;
    let owner = world.owner("localhost").await;
    let guest = owner.conversation(&world).await;
    let events = |token: &str| {
        let url = format!("{}/api/events?types=presence,message", world.base());
        world.http.get(url).bearer_auth(token.to_owned())
    };
    let mut of_owner = Events::of(events(&owner.token), None).await;
    of_owner.next().await.expect("a beginning");
    let mut of_guest = Events::of(events(&guest.token), None).await;
    of_guest.next().await.expect("a beginning");
    for text in ["one", "two"] {
        guest.says(&world, text).await;
        for stream in [&mut of_owner, &mut of_guest] {
            assert_eq!(stream.event().await.json()["message"]["content"], text);
        }
    }
}

#[rocket::async_test]
async fn presence_is_read_of_several_people_at_once() {
    let world = World::new().await;
    let (ann, bo) = world.ann_and_bo().await;
    let cy = world.actor("cy").await;
    ann.make_private("tea", &[&bo]).await;
    comes_online(&bo).await;
    let ids = format!("{},{},{},999999", cy.id, bo.id, ann.id);
    let told = ann
        .get(&format!("/api/people?ids={ids}"))
        .await
        .with(200)
        .json();
    let people: Vec<Value> = list(&told, "people")
        .iter()
        .map(|person| json!([person["name"], person["online"]]))
        .collect();
    assert_eq!(
        people,
        [
            json!(["ann", false]),
            json!(["bo", true]),
            json!(["cy", null])
        ]
    );
    assert_eq!(told["has_more"], false);
    let many = vec!["1"; 201].join(",");
    for wrong in [
        "ids=",
        "ids=x",
        "ids=1,",
        "ids=1&query=a",
        "ids=1&limit=5",
        &format!("ids={many}"),
    ] {
        let told = ann.get(&format!("/api/people?{wrong}")).await;
        told.refused(400, "bad_request");
    }
    world
        .get("/api/people?ids=1")
        .await
        .refused(401, "unauthenticated");
    let owner = world.owner("localhost").await;
    let guest = world.guest("localhost").await;
    let url = format!("{}/api/people?ids={}", world.base(), owner.id);
    let cookies = format!("user_id={}; token={}", guest.id, guest.token);
    Told::of(world.http.get(&url).header("Cookie", cookies))
        .await
        .refused(403, "forbidden");
    // Of another tenant.
    let told = ann
        .get(&format!("/api/people?ids={}", owner.id))
        .await
        .with(200)
        .json();
    assert_eq!(told["people"], json!([]));
}
