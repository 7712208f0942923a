//! Read marks: forward only, and what is unread after them.

use crate::{support::actor::Actor, support::world::World};

#[rocket::async_test]
async fn read_marks_go_forward_only() {
    let world = World::new().await;
    let (ann, bo) = world.ann_and_bo().await;
    let (chat, other) = (ann.make("tea").await, ann.make("other").await);
    bo.join(chat).await;
    let mut ids = Vec::new();
    for number in 0..4 {
        ids.push(ann.say(chat, &format!("m{number}")).await);
        ann.say(other, "elsewhere").await;
    }
    let unread = async |who: &Actor| who.chat(chat).await["unread"].clone();
    assert_eq!(unread(&bo).await, 4);
    assert_eq!(unread(&ann).await, 0, "who sends has read");
    let since = ann.now().await;
    let up_to = async || {
        let (events, _) = ann.events(&since, 0).await;
        events
            .iter()
            .map(|event| event["up_to"].as_i64().expect("a mark"))
            .collect::<Vec<_>>()
    };
    for (mark, left) in [
        (ids[1], 2),
        (ids[0], 2),
        (ids[1], 2),
        (ids[1] + 1, 2),
        (ids[2] + 1, 1),
        (999_999, 0),
        (ids[0], 0),
    ] {
        bo.read(chat, mark).await;
        assert_eq!(unread(&bo).await, left, "after reading up to {mark}");
    }
    assert_eq!(
        up_to().await,
        [ids[1], ids[2], ids[3]],
        "a mark that stays is not told"
    );
    bo.say(chat, "mine").await;
    assert_eq!(unread(&bo).await, 0);
    assert_eq!(unread(&ann).await, 1);
}

#[rocket::async_test]
async fn what_a_read_mark_refuses() {
    let world = World::new().await;
    let (ann, bo) = world.ann_and_bo().await;
    let chat = ann.make("tea").await;
    let path = format!("/api/chats/{chat}/read");
    for wrong in ["", "0", "-1", "x", "1.5", "99999999999999999999", "1,2"] {
        ann.post(&path, &[("up_to", wrong)])
            .await
            .refused(400, "bad_request");
    }
    ann.post(&path, &[]).await.refused(400, "bad_request");
    ann.post(&path, &[("up_to", "5")]).await.ok(200);
    bo.post(&path, &[("up_to", "5")])
        .await
        .refused(403, "forbidden");
    bo.post("/api/chats/999999/read", &[("up_to", "5")])
        .await
        .refused(404, "not_found");
    world
        .post(&path, &[("up_to", "5")])
        .await
        .refused(401, "unauthenticated");
}

#[rocket::async_test]
async fn who_comes_back_has_nothing_unread() {
    let world = World::new().await;
    let (ann, bo) = world.ann_and_bo().await;
    let chat = ann.make("tea").await;
    bo.join(chat).await;
    ann.say(chat, "one").await;
    bo.leave(chat).await;
    ann.say(chat, "two").await;
    bo.join(chat).await;
    assert_eq!(bo.chat(chat).await["unread"], 0);
    ann.say(chat, "three").await;
    assert_eq!(bo.chat(chat).await["unread"], 1);
}

#[rocket::async_test]
async fn who_sends_the_last_message_has_read_it_without_a_row_of_their_own() {
    let world = World::new().await;
    let (ann, bo) = world.ann_and_bo().await;
    let chat = ann.make("tea").await;
    bo.join(chat).await;
    let mut beside = world.place.beside().await;
    let mut stored = async |who: &Actor| {
        let of = format!(
            "from members where chat_id = {chat} and person_id = {}",
            who.id
        );
        beside.number(&format!("select read_id {of}")).await
    };
    let marks = async || {
        let told = ann.get(&format!("/api/chats/{chat}/reads")).await;
        let told = told.with(200).json();
        let marks = told["reads"].as_array().expect("a list").iter();
        let marks = marks.map(|mark| (mark["person_id"].clone(), mark["up_to"].clone()));
        marks.collect::<Vec<_>>()
    };
    let read =
        |one: i64, other: i64| vec![(ann.id.into(), one.into()), (bo.id.into(), other.into())];
    let before = stored(&ann).await;
    let first = ann.say(chat, "one").await;
    let second = ann.say(chat, "two").await;
    assert_eq!(stored(&ann).await, before, "nothing is written for it");
    assert_eq!(ann.chat(chat).await["unread"], 0);
    assert_eq!(
        ann.chat(chat).await["first_unread"],
        serde_json::Value::Null
    );
    bo.read(chat, first).await;
    assert_eq!(marks().await, read(second, first));
    // What they have read is no change, and the mark that is stored stays.
    let since = ann.now().await;
    ann.read(chat, first).await;
    ann.read(chat, second).await;
    assert_eq!(
        ann.events(&since, 0).await.0,
        Vec::<serde_json::Value>::new()
    );
    let third = bo.say(chat, "three").await;
    assert_eq!(stored(&ann).await, second, "now their row says so");
    assert_eq!(marks().await, read(second, third));
    assert_eq!(ann.chat(chat).await["unread"], 1);
    assert_eq!(ann.chat(chat).await["first_unread"], third);
    // What is deleted is not unread, for who sent it and for who did not.
    bo.unsay(chat, third).await.with(200);
    assert_eq!(ann.chat(chat).await["unread"], 0);
    assert_eq!(bo.chat(chat).await["unread"], 0);
    bo.leave(chat).await;
    ann.say(chat, "four").await;
    assert_eq!(stored(&bo).await, third);
    bo.join(chat).await;
    let fifth = ann.say(chat, "five").await;
    assert_eq!(bo.chat(chat).await["first_unread"], fifth);
}

#[rocket::async_test]
async fn people_who_speak_by_turns_in_one_batch_have_read_what_they_sent() {
    let world = World::new().await;
    let (ann, bo) = world.ann_and_bo().await;
    let chat = ann.make("tea").await;
    bo.join(chat).await;
    let both = (0..40).map(|number| {
        let who = if number % 2 == 0 { &ann } else { &bo };
        async move {
            let id = who.say(chat, "hi").await;
            if number % 5 == 0 {
                who.read(chat, id).await;
            }
            (id, who.id)
        }
    });
    let mut sent = futures_util::future::join_all(both).await;
    sent.sort_unstable();
    for (who, other) in [(&ann, &bo), (&bo, &ann)] {
        let own = sent.iter().rev().find(|(_, sender)| *sender == who.id);
        let (own, _) = own.expect("they sent some");
        let later = sent
            .iter()
            .filter(|(id, sender)| id > own && *sender == other.id);
        let unread = later.clone().count();
        let listed = who.chat(chat).await;
        assert_eq!(listed["unread"], unread);
        let first = later.map(|(id, _)| *id).next();
        assert_eq!(listed["first_unread"].as_i64(), first);
    }
}
