//! Receivers that are down, slow, wrong or gone, and servers that stop: nothing is lost, and repeats have the same id.

use serde_json::{Value, json};

use crate::{
    support::actor::Actor,
    support::administration::administrator,
    support::receiver::Receiver,
    support::tenants::{send, sign_in},
    support::webhooks::{App, Hooks, SETTINGS},
    support::world::{World, soon_holds},
};

/// A server, a chat of home where Bo speaks, and a webhook that is told of it.
struct Ground {
    world: World,
    bo: Actor,
    chat: i64,
    hooks: Hooks,
    receiver: Receiver,
    id: Value,
}

impl Ground {
    async fn with(settings: &str) -> Self {
        let world = World::with(settings).await;
        let root = administrator(&world, "root").await;
        let bo = world.actor("bo").await;
        let chat = bo.make("tea").await;
        let hooks = Hooks::of_home(&root);
        let receiver = Receiver::start().await;
        let kinds = json!({"kinds": ["message.created"]});
        let made = hooks.register(&world, &receiver, kinds).await;
        Self {
            id: made["id"].clone(),
            world,
            bo,
            chat,
            hooks,
            receiver,
        }
    }

    async fn say(&self, from: usize, to: usize) {
        for number in from..to {
            self.bo.say(self.chat, &number.to_string()).await;
        }
    }

    /// The messages of these numbers are told, in order.
    async fn is_told(&mut self, from: usize, to: usize) {
        for number in from..to {
            let told = self.receiver.takes().await;
            assert_eq!(told["data"]["message"]["content"], number.to_string());
        }
    }

    async fn comes_to(&self, holds: impl Fn(&Value) -> bool) {
        self.hooks.comes_to(&self.world, &self.id, holds).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_answered_with_500_is_told_again_with_the_same_id_before_anything_else() {
    let mut ground = Ground::with(SETTINGS).await;
    ground.say(0, 3).await;
    ground.is_told(0, 1).await;
    let failing = ground.receiver.next().await;
    let id = failing.id().to_owned();
    failing.answer(500);
    ground.comes_to(|it| it["failures"] == 1).await;
    let path = format!("/{}", ground.id);
    let stands = ground
        .hooks
        .told(&ground.world, "GET", &path, &Value::Null)
        .await;
    assert!(stands["failing_since"].is_string() && stands["next_attempt_at"].is_string());
    assert!(stands["disabled_at"].is_null(), "{stands}");
    ground.hooks.enable(&ground.world, &ground.id).await;
    let again = ground.receiver.next().await;
    assert_eq!(again.id(), id);
    again.answer(200);
    ground.is_told(2, 3).await;
    ground
        .comes_to(|it| it["failures"] == 0 && it["failing_since"].is_null())
        .await;
    soon_holds(async || {
        let attempts = ground.hooks.deliveries(&ground.world, &ground.id);
        attempts.await.len() == 4
    })
    .await;
    let attempts = ground.hooks.deliveries(&ground.world, &ground.id).await;
    let statuses: Vec<_> = attempts.iter().map(|it| it["status"].clone()).collect();
    assert_eq!(statuses, [204, 200, 500, 204]);
    assert_eq!(attempts[1]["id"], attempts[2]["id"]);
    ground.world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_receiver_that_was_down_is_told_everything_in_order() {
    let mut ground = Ground::with(SETTINGS).await;
    let receiver = std::mem::replace(&mut ground.receiver, Receiver::start().await);
    let address = receiver.stop().await;
    ground.say(0, 20).await;
    ground
        .comes_to(|it| it["failures"].as_i64() >= Some(1))
        .await;
    let attempts = ground.hooks.deliveries(&ground.world, &ground.id).await;
    assert_eq!(attempts[0]["failure"], "unreachable", "{attempts:?}");
    assert!(attempts[0]["status"].is_null());
    ground.receiver = Receiver::again(address).await;
    ground.hooks.enable(&ground.world, &ground.id).await;
    ground.is_told(0, 20).await;
    ground.world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_stops_in_between_repeats_what_was_under_way_and_loses_nothing() {
    let mut ground = Ground::with(SETTINGS).await;
    ground.say(0, 10).await;
    ground.is_told(0, 4).await;
    let under_way = ground.receiver.next().await;
    let id = under_way.id().to_owned();
    ground.world = ground.world.restart().await;
    under_way.answer(200);
    let again = ground.receiver.next().await;
    assert_eq!(again.id(), id);
    again.answer(200);
    ground.is_told(5, 10).await;
    ground.bo = ground.bo.at(&ground.world);
    ground.say(10, 12).await;
    ground.is_told(10, 12).await;
    assert!(!ground.receiver.has_more());
    ground.world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_receiver_that_is_gone_is_told_nothing_more_until_it_is_enabled() {
    let mut ground = Ground::with(SETTINGS).await;
    ground.say(0, 2).await;
    ground.receiver.next().await.answer(410);
    ground
        .comes_to(|it| it["disabled_reason"] == "gone" && it["disabled_at"].is_string())
        .await;
    ground.hooks.enable(&ground.world, &ground.id).await;
    ground.is_told(0, 2).await;
    ground.comes_to(|it| it["disabled_reason"].is_null()).await;
    ground.world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn only_2xx_counts_and_no_redirect_is_followed() {
    let mut ground = Ground::with(SETTINGS).await;
    let mut elsewhere = Receiver::start().await;
    ground.say(0, 1).await;
    for status in [302, 307, 404, 429, 503] {
        let next = ground.receiver.next().await;
        next.answer_with(status, &format!("Location: {}\r\n", elsewhere.url()));
        ground.comes_to(|it| it["failures"] == 1).await;
        let attempts = ground.hooks.deliveries(&ground.world, &ground.id).await;
        assert_eq!(attempts[0]["status"], status);
        assert_eq!(attempts[0]["received"], false);
        ground.hooks.enable(&ground.world, &ground.id).await;
    }
    ground.is_told(0, 1).await;
    assert!(!elsewhere.has_more());
    ground.world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_sent_into_the_operators_network() {
    let settings = SETTINGS.replace("127.0.0.0/8", "192.0.2.0/24");
    let mut ground = Ground::with(&settings).await;
    ground.say(0, 1).await;
    ground.comes_to(|it| it["failures"] == 1).await;
    let attempts = ground.hooks.deliveries(&ground.world, &ground.id).await;
    assert_eq!(attempts[0]["failure"], "not_allowed", "{attempts:?}");
    assert!(!ground.receiver.has_more());
    ground.world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_app_that_is_suspended_is_told_nothing_until_it_goes_on_and_a_deleted_one_never() {
    let world = World::with(SETTINGS).await;
    let root = administrator(&world, "root").await;
    let admin = sign_in(&world).await;
    let (app, other) = (
        App::make(&world, &admin, "shop").await,
        App::make(&world, &admin, "other").await,
    );
    let (mut receiver, mut others) = (Receiver::start().await, Receiver::start().await);
    let kinds = json!({"kinds": ["message.created"], "dialect": "embed"});
    let hooks = Hooks::of_app(&app.key);
    let made = hooks.register(&world, &receiver, kinds.clone()).await;
    Hooks::of_app(&other.key)
        .register(&world, &others, kinds)
        .await;
    app.say(&world, "0").await;
    receiver.takes().await;
    app.say(&world, "1").await;
    let under_way = receiver.next().await;
    let tenants = root.get("/api/admin/tenants").await.with(200).json();
    let tenants = tenants["tenants"].as_array().expect("a list");
    let shop = tenants
        .iter()
        .find(|it| it["name"] == "shop")
        .expect("it is there");
    let path = |what: &str| format!("/api/admin/tenants/{}/{what}", shop["id"]);
    app.say(&world, "2").await;
    root.post(&path("suspend"), &[]).await.ok(200);
    under_way.answer(500);
    other.say(&world, "3").await;
    others.takes().await;
    assert!(!receiver.has_more());
    hooks.ask(&world, "GET", "", &Value::Null).await.with(403);
    root.post(&path("resume"), &[]).await.ok(200);
    hooks.enable(&world, &made["id"]).await;
    for number in ["1", "2"] {
        assert_eq!(receiver.takes().await["data"]["msg"], number);
    }
    let headers = [("Authorization", admin)];
    let path = format!("/app/{}", shop["id"]);
    send(&world, "DELETE", &path, &headers, &Value::Null)
        .await
        .with(200);
    hooks.ask(&world, "GET", "", &Value::Null).await.with(404);
    other.say(&world, "4").await;
    others.takes().await;
    assert!(!receiver.has_more());
    world.stop().await;
}
