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
