//! What admins decide about a chat, and what a member sets for themselves.

use serde_json::{Value, json};

use crate::{
    support::actor::{Actor, PASSWORD},
    support::mirror::Mirror,
    support::poll::{answer, hold},
    support::world::World,
};

/// The chat events that somebody was told since a cursor: open, title, description, and whether it is deleted.
async fn chat_events(actor: &Actor, since: &str) -> Vec<Value> {
    let (events, _) = actor.events(since, 0).await;
    let chats = events.iter().filter(|event| event["type"] == "chat");
    let short = |event: &Value| {
        let chat = &event["chat"];
        let is_deleted = !chat["deleted_at"].is_null();
        json!([chat["open"], chat["title"], chat["description"], is_deleted])
    };
    chats.map(short).collect()
}

fn path(chat: i64) -> String {
    format!("/api/chats/{chat}")
}

#[rocket::async_test]
async fn an_admin_renames_and_describes_and_those_who_may_read_it_are_told() {
    let world = World::new().await;
    let (ann, bo) = world.ann_and_bo().await;
    let cy = world.actor("cy").await;
    let (open, private) = (
        ann.make("tea").await,
        ann.make_private("plans", &[&bo]).await,
    );
    let since = ann.now().await;
    for chat in [open, private] {
        let edit = [("title", " Cake "), ("description", "Of all\nkinds")];
        ann.patch(&path(chat), &edit).await.ok(200);
        ann.patch(&path(chat), &edit).await.ok(200);
        let listed = ann.chat(chat).await;
        assert_eq!(
            (&listed["title"], &listed["description"]),
            (&json!("Cake"), &json!("Of all\nkinds"))
        );
        ann.patch(&path(chat), &[("description", "")]).await.ok(200);
        assert_eq!(ann.chat(chat).await["description"], Value::Null);
    }
    let told = |open: bool| {
        [
            json!([open, "Cake", "Of all\nkinds", false]),
            json!([open, "Cake", null, false]),
        ]
    };
    let heard = chat_events(&bo, &since).await;
    assert_eq!(heard[2..], told(false), "a member is told");
    assert_eq!(heard.len(), 4, "what changes nothing is not told");
    assert_eq!(chat_events(&cy, &since).await.len(), 2, "the open one's");
    let world = world.restart().await;
    assert_eq!(chat_events(&bo.at(&world), &since).await.len(), 4);

    let (ann, bo, cy) = (ann.at(&world), bo.at(&world), cy.at(&world));
    for wrong in [
        &[][..],
        &[("title", " ")],
        &[("description", "a\0b")],
        &[("open", "true"), ("private", "true")],
        &[("open", "perhaps")],
    ] {
        ann.patch(&path(open), wrong)
            .await
            .refused(400, "bad_request");
    }
    let edit = [("title", "mine")];
    bo.patch(&path(private), &edit)
        .await
        .refused(403, "forbidden");
    bo.patch(&path(open), &edit).await.refused(403, "forbidden");
    cy.patch(&path(private), &edit)
        .await
        .refused(404, "not_found");
    bo.delete(&path(private)).await.refused(403, "forbidden");
    cy.delete(&path(private)).await.refused(404, "not_found");
    world.stop().await;
}

#[rocket::async_test]
async fn the_description_is_there_from_the_start_and_part_of_what_a_key_stands_for() {
    let world = World::new().await;
    let ann = world.actor("ann").await;
    let form = |about| [("title", "tea"), ("description", about), ("client_id", "k")];
    let since = ann.now().await;
    let made = ann.post("/api/chats", &form("Green")).await.ok(201);
    let again = ann.post("/api/chats", &form("Green")).await.ok(201);
    assert_eq!(again.header("Location"), made.header("Location"));
    for other in ["Black", ""] {
        ann.post("/api/chats", &form(other))
            .await
            .refused(422, "idempotency_mismatch");
    }
    assert_eq!(ann.chats().await.0[0]["description"], "Green");
    assert_eq!(
        chat_events(&ann, &since).await,
        [json!([true, "tea", "Green", false])]
    );
    world.stop().await;
}

#[rocket::async_test]
async fn an_open_title_is_taken_once_whichever_way_a_chat_comes_to_it() {
    let world = World::new().await;
    let (ann, bo) = world.ann_and_bo().await;
    ann.make("Tea").await;
    let (other, private) = (bo.make("cake").await, bo.make_private("TEA", &[]).await);
    bo.patch(&path(other), &[("title", " tea")])
        .await
        .refused(409, "conflict");
    bo.patch(&path(private), &[("open", "true")])
        .await
        .refused(409, "conflict");
    // Private titles need not be unique, and its own title is nobody else's.
    bo.patch(&path(private), &[("title", "cake")]).await.ok(200);
    bo.patch(&path(other), &[("title", "CAKE")]).await.ok(200);
    let both = [("title", "free"), ("private", "false")];
    bo.patch(&path(private), &both).await.ok(200);
    assert_eq!(ann.chat(private).await["open"], true);
    bo.patch(&path(other), &[("private", "true")]).await.ok(200);
    ann.make("cake").await;
    world.stop().await;
}

#[rocket::async_test]
async fn who_closes_a_chat_closes_it_to_all_who_are_not_in_it() {
    let world = World::new().await;
    let (ann, bo) = world.ann_and_bo().await;
    let cy = world.actor("cy").await;
    let before = ann.now().await;
    let chat = ann.make("tea").await;
    bo.join(chat).await;
    ann.say(chat, "hi").await;
    let since = cy.now().await;
    let held = [
        hold(&cy, &format!("/api/events?after={since}&timeout=50")),
        hold(&cy, &format!("{}?after={since}&timeout=50", path(chat))),
        hold(&bo, &format!("{}?after={since}&timeout=50", path(chat))),
    ];
    world.waiting(3).await;
    ann.patch(&path(chat), &[("private", "true")]).await.ok(200);
    let [events, strangers, members] = held;
    let told = answer(events).await.with(200).json();
    let told = &told["events"][0];
    let shown = ["id", "open", "title", "members_count"].map(|key| told["chat"][key].clone());
    assert_eq!(json!(shown), json!([chat, false, null, 0]));
    answer(strangers).await.refused(404, "not_found");
    cy.get(&path(chat)).await.refused(404, "not_found");
    cy.post(&format!("{}/join", path(chat)), &[])
        .await
        .refused(404, "not_found");
    assert_eq!(cy.chats().await.0, Vec::<Value>::new());
    // A member goes on waiting, and hears what comes.
    ann.say(chat, "among ourselves").await;
    let told = answer(members).await.with(200).json();
    assert_eq!(told["messages"][0]["content"], "among ourselves");
    ann.patch(&path(chat), &[("title", "secret")]).await.ok(200);
    assert_eq!(
        chat_events(&bo, &since).await,
        [
            json!([false, "tea", null, false]),
            json!([false, "secret", null, false])
        ]
    );
    // The log tells the others no more than what they may know, however far back they ask.
    let closed = json!([false, null, null, false]);
    assert_eq!(
        chat_events(&cy, &since).await,
        std::slice::from_ref(&closed)
    );
    let world = world.restart().await;
    let (ann, bo, cy) = (ann.at(&world), bo.at(&world), cy.at(&world));
    let heard = chat_events(&cy, &before).await;
    assert_eq!(heard, [closed.clone(), closed]);
    assert_eq!(chat_events(&bo, &since).await.len(), 2);
    // Opened again it is everybody's.
    ann.patch(&path(chat), &[("open", "true")]).await.ok(200);
    assert_eq!(
        chat_events(&cy, &since).await.last(),
        Some(&json!([true, "secret", null, false]))
    );
    assert_eq!(cy.said(chat).await, ["hi", "among ourselves"]);
    world.stop().await;
}

#[rocket::async_test]
async fn a_deleted_chat_is_gone_at_once_and_its_title_is_free() {
    let world = World::new().await;
    let (ann, bo) = world.ann_and_bo().await;
    let cy = world.actor("cy").await;
    let (open, private) = (
        ann.make("tea").await,
        ann.make_private("plans", &[&bo]).await,
    );
    bo.join(open).await;
    let said = ann.say(open, "hi").await;
    for chat in [open, private] {
        let since = bo.now().await;
        let held =
            [&ann, &bo].map(|who| hold(who, &format!("{}?after={since}&timeout=50", path(chat))));
        world.waiting(2).await;
        ann.delete(&path(chat)).await.ok(200);
        for held in held {
            answer(held).await.refused(404, "not_found");
        }
        let title = if chat == open { "tea" } else { "plans" };
        let gone = json!([chat == open, title, null, true]);
        assert_eq!(chat_events(&bo, &since).await, [gone]);
        let heard = chat_events(&cy, &since).await.len();
        assert_eq!(heard, usize::from(chat == open));
        for who in [&ann, &bo] {
            let chat = path(chat);
            for path in ["", "/members", &format!("/messages/{said}")] {
                who.get(&format!("{chat}{path}"))
                    .await
                    .refused(404, "not_found");
            }
            for path in ["", "/join", "/leave", "/read", "/members"] {
                let form = [("content", "hi"), ("up_to", "1"), ("members", "1")];
                who.post(&format!("{chat}{path}"), &form)
                    .await
                    .refused(404, "not_found");
            }
            for path in ["", "/settings"] {
                let form = [("title", "x"), ("pinned", "true")];
                who.patch(&format!("{chat}{path}"), &form)
                    .await
                    .refused(404, "not_found");
            }
            who.delete(&chat).await.refused(404, "not_found");
        }
    }
    bo.make("tea").await;
    assert_eq!(ann.chats().await.0.len(), 1);
    world.stop().await;
}

#[rocket::async_test]
async fn settings_are_mine_alone_and_told_to_my_other_logins() {
    let world = World::new().await;
    let (ann, bo) = world.ann_and_bo().await;
    let chat = ann.make_private("plans", &[&bo]).await;
    let settings = format!("{}/settings", path(chat));
    let shown =
        |listed: &Value| json!(["notify", "pinned", "muted_until"].map(|key| listed[key].clone()));
    assert_eq!(shown(&bo.chat(chat).await), json!(["all", false, null]));
    let since = bo.now().await;
    let phone = Actor::sign_in(&world, "bo", PASSWORD).await;
    let held = hold(&phone, &format!("/api/events?after={since}&timeout=50"));
    world.waiting(1).await;
    let form = [
        ("notify", "mentions"),
        ("pinned", "true"),
        ("muted_until", "2099-01-31T09:30:00+01:00"),
    ];
    bo.patch(&settings, &form).await.ok(200);
    bo.patch(&settings, &form).await.ok(200);
    let told = answer(held).await.with(200).json();
    let set = json!(["mentions", true, "2099-01-31T08:30:00.000Z"]);
    assert_eq!(told["events"][0]["type"], "settings");
    assert_eq!(shown(&told["events"][0]["settings"]), set);
    assert_eq!(shown(&phone.chat(chat).await), set);
    let (events, _) = bo.events(&since, 0).await;
    assert_eq!(events.len(), 1, "what changes nothing is not told");
    assert_eq!(ann.events(&since, 0).await.0, Vec::<Value>::new());
    assert_eq!(shown(&ann.chat(chat).await), json!(["all", false, null]));
    let chosen = phone
        .get(&format!(
            "/api/events?after={since}&timeout=0&types=settings"
        ))
        .await;
    assert_eq!(
        chosen.with(200).json()["events"].as_array().map(Vec::len),
        Some(1)
    );
    for part in [("pinned", "false"), ("muted_until", "")] {
        bo.patch(&settings, &[part]).await.ok(200);
    }
    let world = world.restart().await;
    let (ann, bo) = (ann.at(&world), bo.at(&world));
    assert_eq!(
        shown(&bo.chat(chat).await),
        json!(["mentions", false, null])
    );
    assert_eq!(bo.events(&since, 0).await.0.len(), 3);
    assert_eq!(ann.events(&since, 0).await.0, Vec::<Value>::new());

    for wrong in [
        &[][..],
        &[("notify", "some")],
        &[("pinned", "maybe")],
        &[("muted_until", "tomorrow")],
        &[("muted_until", "1893456000")],
    ] {
        bo.patch(&settings, wrong).await.refused(400, "bad_request");
    }
    let cy = world.actor("cy").await;
    let pinned = [("pinned", "true")];
    cy.patch(&settings, &pinned).await.refused(404, "not_found");
    let open = ann.make("tea").await;
    let settings = format!("{}/settings", path(open));
    cy.patch(&settings, &pinned).await.refused(403, "forbidden");
    assert_eq!(shown(&cy.chat(open).await), json!([null, false, null]));
    world.stop().await;
}

#[rocket::async_test]
async fn in_larger_chats_one_is_notified_of_mentions_unless_one_says_otherwise() {
    let world = World::new().await;
    let ann = world.actor("ann").await;
    let mut people = Vec::new();
    for number in 0..20 {
        people.push(world.actor(&format!("guest {number}")).await);
    }
    let few: Vec<_> = people.iter().take(19).collect();
    let chat = ann.make_private("plans", &few).await;
    assert_eq!(ann.chat(chat).await["notify"], "all");
    let settings = format!("{}/settings", path(chat));
    people[0]
        .patch(&settings, &[("notify", "all")])
        .await
        .ok(200);
    let mut beside = world.place.beside().await;
    let mut mirrors = [
        Mirror::take(&ann, &mut beside).await,
        Mirror::take(&people[0], &mut beside).await,
    ];
    // Who follows the events knows the same as who asks anew, on both sides of the size.
    for (number, (default, chosen)) in [("mentions", "all"), ("all", "all")].iter().enumerate() {
        let members = format!("{}/members", path(chat));
        if number == 0 {
            let id = people[19].id.to_string();
            ann.post(&members, &[("members", id.as_str())])
                .await
                .ok(200);
        } else {
            ann.delete(&format!("{members}/{}", people[19].id))
                .await
                .ok(200);
        }
        for (mirror, (who, notify)) in mirrors
            .iter_mut()
            .zip([(&ann, default), (&people[0], chosen)])
        {
            assert_eq!(who.chat(chat).await["notify"], *notify);
            while mirror.follow(who, 100, &mut beside).await {}
            mirror.agrees_with_the_list(who).await;
        }
    }
    world.stop().await;
}
