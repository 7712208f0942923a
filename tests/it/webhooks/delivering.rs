//! What is sent: every change once, in order, signed, in the shape of the API that was asked for.

use serde_json::{Value, json};

use crate::{
    support::administration::administrator,
    support::receiver::Receiver,
    support::tenants::sign_in,
    support::webhooks::{App, Hooks, SETTINGS},
    support::world::World,
};

/// The position in a webhook's id.
fn position(id: &str) -> i64 {
    let last = id.rsplit('_').next().expect("it has parts");
    last.parse().expect("the last part is a number")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_is_told_signed_and_as_the_messengers_own_events_tell_it() {
    let world = World::with(SETTINGS).await;
    let root = administrator(&world, "root").await;
    let mut receiver = Receiver::start().await;
    let hooks = Hooks::of_home(&root);
    let bo = world.actor("bo").await;
    let chat = bo.make("tea").await;
    let after = bo.get("/api/events?timeout=0").await.with(200).json();
    let made = hooks
        .register(&world, &receiver, json!({"kinds": ["message.created"]}))
        .await;
    let message = bo.say(chat, "hello \u{1f375}").await;
    let told = receiver.next().await;
    let secret = made["secret"].as_str().expect("it is told once");
    assert!(told.is_signed_by(secret), "{:?}", told.headers);
    assert!(!told.is_signed_by("whsec_bm9ib2R5"));
    assert_eq!(told.id(), format!("msg_{}_{message}", made["id"]));
    assert_eq!(told.headers["content-type"], "application/json");
    let body = told.json();
    told.answer(200);
    let path = format!(
        "/api/events?timeout=0&types=message&after={}",
        after["cursor"].as_str().expect("a cursor")
    );
    let events = bo.get(&path).await.with(200).json();
    assert_eq!(body["data"], events["events"][0]);
    assert_eq!(body["type"], "message.created");
    assert_eq!(body["timestamp"], body["data"]["message"]["time"]);
    hooks
        .comes_to(&world, &made["id"], |it| it["position"] == message)
        .await;
    let deliveries = hooks.deliveries(&world, &made["id"]).await;
    assert_eq!(deliveries.len(), 1);
    let first = &deliveries[0];
    assert_eq!(first["id"], format!("msg_{}_{message}", made["id"]));
    assert_eq!(
        (
            &first["received"],
            &first["status"],
            &first["attempt"],
            &first["failure"]
        ),
        (&json!(true), &json!(200), &json!(1), &Value::Null)
    );
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_change_is_told_once_in_the_order_of_the_log_and_of_the_kinds_that_are_wanted() {
    let world = World::with(SETTINGS).await;
    let root = administrator(&world, "root").await;
    let (mut all, mut some) = (Receiver::start().await, Receiver::start().await);
    let hooks = Hooks::of_home(&root);
    hooks.register(&world, &all, json!({})).await;
    let kinds = json!({"kinds": "message.edited,message.deleted"});
    hooks.register(&world, &some, kinds).await;
    let bo = world.actor("bo").await;
    let chat = bo.make("tea").await;
    let mut expected = Vec::new();
    for number in 0..60 {
        let message = bo.say(chat, &format!("number {number}")).await;
        expected.push(("message.created", message));
    }
    let first = expected[0].1;
    bo.edit(chat, first, "number nought").await.with(200);
    bo.react(chat, first, "\u{1f44d}").await.with(200);
    bo.unreact(chat, first, "\u{1f44d}").await.with(200);
    bo.unsay(chat, first).await.with(200);
    // What a chat tells when it is made depends on nothing that is tested here.
    let mut next = all.next().await;
    let mut before = 0;
    while next.json()["type"] != "message.created" {
        before = position(next.id());
        next.answer(200);
        next = all.next().await;
    }
    for (kind, message) in expected {
        assert_eq!(next.json()["type"], kind);
        assert_eq!(position(next.id()), message, "in order");
        assert!(message > before);
        before = message;
        next.answer(200);
        next = all.next().await;
    }
    let mut first = Some(next);
    for kind in [
        "message.edited",
        "reaction.added",
        "reaction.removed",
        "message.deleted",
    ] {
        let next = match first.take() {
            Some(next) => next,
            None => all.next().await,
        };
        assert_eq!(next.json()["type"], kind);
        assert!(position(next.id()) > before, "in order");
        before = position(next.id());
        next.answer(200);
    }
    for kind in ["message.edited", "message.deleted"] {
        assert_eq!(some.takes().await["type"], kind);
    }
    bo.say(chat, "the last").await;
    let last = all.takes().await;
    assert_eq!(last["data"]["message"]["content"], "the last");
    assert!(!some.has_more() && !all.has_more());
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn each_api_tells_in_its_own_shape_and_another_when_asked() {
    let world = World::with(SETTINGS).await;
    let admin = sign_in(&world).await;
    let app = App::make(&world, &admin, "shop").await;
    let hooks = Hooks::of_app(&app.key);
    let (mut own, mut embed) = (Receiver::start().await, Receiver::start().await);
    let kinds = json!({"kinds": ["message.created"]});
    let made = hooks.register(&world, &own, kinds).await;
    assert_eq!(made["dialect"], "service");
    let other = json!({"kinds": ["message.created"], "dialect": "embed"});
    hooks.register(&world, &embed, other).await;
    app.say(&world, "hi").await;
    let told = own.takes().await;
    assert_eq!(told["type"], "message.created");
    // The document's messages are base64.
    assert_eq!(told["data"]["message"], "aGk=", "{told}");
    let told = embed.takes().await;
    assert_eq!(told["data"]["msg"], "hi", "{told}");

    let owner = world.owner("localhost").await;
    let site = Hooks::of_site(&owner.token);
    let mut desk = Receiver::start().await;
    site.register(&world, &desk, json!({})).await;
    let guest = world.guest("localhost").await;
    let argument = json!({"chatId": guest.chat, "token": guest.token, "message": "help"});
    world.said("newMessage", argument).await;
    let mut told = desk.takes().await;
    while told["type"] != "message.created" {
        told = desk.takes().await;
    }
    assert_eq!(told["data"]["chatId"], guest.chat, "{told}");
    assert_eq!(told["data"]["message"]["message"], "help");
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_request_is_under_way_at_a_time_and_a_slow_receiver_holds_up_no_other() {
    let world = World::with(SETTINGS).await;
    let root = administrator(&world, "root").await;
    let (mut slow, mut prompt) = (Receiver::start().await, Receiver::start().await);
    let hooks = Hooks::of_home(&root);
    let kinds = json!({"kinds": ["message.created"]});
    hooks.register(&world, &slow, kinds.clone()).await;
    hooks.register(&world, &prompt, kinds).await;
    let bo = world.actor("bo").await;
    let chat = bo.make("tea").await;
    bo.say(chat, "0").await;
    let held = slow.next().await;
    for number in 1..30 {
        bo.say(chat, &number.to_string()).await;
    }
    for number in 0..30 {
        let told = prompt.takes().await;
        assert_eq!(told["data"]["message"]["content"], number.to_string());
    }
    // The other one has been told everything: if this one were told two at a time, it would be by now.
    assert!(!slow.has_more());
    held.answer(200);
    for number in 1..30 {
        let told = slow.takes().await;
        assert_eq!(told["data"]["message"]["content"], number.to_string());
    }
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hundred_receivers_that_never_answer_do_not_hold_up_a_good_one() {
    let world = World::with(SETTINGS).await;
    let admin = sign_in(&world).await;
    let mut deaf = Receiver::start().await;
    let kinds = json!({"kinds": ["message.created"]});
    let mut apps = Vec::new();
    for name in ["one", "two"] {
        let app = App::make(&world, &admin, name).await;
        let hooks = Hooks::of_app(&app.key);
        for _ in 0..50 {
            hooks.register(&world, &deaf, kinds.clone()).await;
        }
        app.say(&world, "anybody?").await;
        apps.push(app);
    }
    let mut held = Vec::new();
    for _ in 0..100 {
        held.push(deaf.next().await);
    }
    let good = App::make(&world, &admin, "good").await;
    let mut receiver = Receiver::start().await;
    Hooks::of_app(&good.key)
        .register(
            &world,
            &receiver,
            json!({"kinds": ["message.created"], "dialect": "embed"}),
        )
        .await;
    for number in 0..20 {
        good.say(&world, &number.to_string()).await;
        let told = receiver.takes().await;
        assert_eq!(told["data"]["msg"], number.to_string());
    }
    assert_eq!(held.len(), 100, "all of them still wait for their answers");
    drop(held);
    world.stop().await;
}
