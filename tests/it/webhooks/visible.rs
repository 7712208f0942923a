//! Which changes a webhook is told of: what its tenant may see, and of other tenants nothing.

use serde_json::{Value, json};

use crate::{
    support::administration::administrator,
    support::receiver::Receiver,
    support::tenants::{House, developer, sign_in},
    support::webhooks::{App, Hooks, SETTINGS},
    support::world::World,
};

/// Everything that is told up to a message with this text, and not that.
async fn until(receiver: &mut Receiver, text: &str) -> Vec<Value> {
    let mut told = Vec::new();
    loop {
        let next = receiver.takes().await;
        if next["data"].to_string().contains(text) {
            return told;
        }
        told.push(next);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn administrators_are_told_of_open_chats_and_nothing_of_private_and_direct_ones() {
    let world = World::with(SETTINGS).await;
    let root = administrator(&world, "root").await;
    let (ann, bo) = world.ann_and_bo().await;
    let mut receiver = Receiver::start().await;
    Hooks::of_home(&root)
        .register(&world, &receiver, json!({}))
        .await;
    let open = ann.make("tea").await;
    let private = ann.make_private("sesame club", &[&bo]).await;
    let message = ann.say(private, "sesame seeds").await;
    ann.edit(private, message, "sesame oil").await.with(200);
    bo.react(private, message, "\u{1f44d}").await.with(200);
    bo.read(private, message).await;
    let form = [("members", bo.id.to_string())];
    let form: Vec<_> = form
        .iter()
        .map(|(name, value)| (*name, value.as_str()))
        .collect();
    let direct = ann.post("/api/chats", &form).await.with(201);
    let direct = direct
        .header("Location")
        .rsplit('/')
        .next()
        .map(str::to_owned);
    let direct: i64 = direct.and_then(|it| it.parse().ok()).expect("where it is");
    ann.say(direct, "sesame bread").await;
    // An open chat that is closed: what was said there is not told any more.
    let closed = ann.make("open sesame").await;
    let settings = format!("/api/chats/{open}/settings");
    ann.patch(&settings, &[("pinned", "true")]).await.with(200);
    let path = format!("/api/chats/{closed}");
    ann.patch(&path, &[("private", "true"), ("title", "sesame")])
        .await
        .with(200);
    ann.say(closed, "sesame paste").await;
    ann.say(open, "the end").await;
    let told = until(&mut receiver, "the end").await;
    for one in &told {
        // That there was an open chat is everybody's to know; what it is called since is not.
        assert!(
            !one.to_string()
                .replace("open sesame", "")
                .contains("sesame"),
            "{one}"
        );
        assert_ne!(one["data"]["type"], "settings");
        assert_ne!(one["data"]["chat_id"], private, "{one}");
        assert_ne!(one["data"]["chat_id"], direct, "{one}");
    }
    let kinds: Vec<_> = told.iter().filter_map(|it| it["type"].as_str()).collect();
    assert!(kinds.contains(&"chat.changed"), "{kinds:?}");
    assert!(kinds.contains(&"member.joined"), "{kinds:?}");
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_site_is_told_of_its_conversations_and_not_of_what_its_agents_say_among_themselves() {
    let world = World::with(SETTINGS).await;
    let owner = world.owner("localhost").await;
    let id = i64::from_str_radix(&owner.id, 16).expect("a number");
    let agent = world
        .actor("nobody")
        .await
        .with_login("owner", id, owner.token.clone());
    let mut receiver = Receiver::start().await;
    let more = json!({"dialect": "messenger"});
    Hooks::of_site(&owner.token)
        .register(&world, &receiver, more)
        .await;
    let guest = world.guest("localhost").await;
    let private = agent.make_private("sesame", &[]).await;
    agent.say(private, "sesame").await;
    let say = |what: &str| json!({"chatId": guest.chat, "token": guest.token, "message": what});
    world.said("newMessage", say("help")).await;
    world.said("newMessage", say("the end")).await;
    let told = until(&mut receiver, "the end").await;
    let kinds: Vec<_> = told.iter().filter_map(|it| it["type"].as_str()).collect();
    assert!(kinds.contains(&"conversation.waiting"), "{kinds:?}");
    assert!(kinds.contains(&"message.created"), "{kinds:?}");
    assert!(
        !told.iter().any(|it| it.to_string().contains("sesame")),
        "{told:?}"
    );
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_app_is_told_of_all_its_rooms_and_nobody_of_another_tenant() {
    let world = World::with(SETTINGS).await;
    let root = administrator(&world, "root").await;
    let admin = sign_in(&world).await;
    let (mut home, mut apps) = (Receiver::start().await, Receiver::start().await);
    Hooks::of_home(&root)
        .register(&world, &home, json!({}))
        .await;
    let app = App::make(&world, &admin, "shop").await;
    let more = json!({"dialect": "messenger"});
    Hooks::of_app(&app.key).register(&world, &apps, more).await;
    let eve = developer(&world, &admin, "eve@example.com").await;
    let house = House::build(&world, &eve, "sesame", 1).await;
    app.say(&world, "the end").await;
    let bo = world.actor("bo").await;
    let chat = bo.make("tea").await;
    bo.say(chat, "the end").await;
    for receiver in [&mut home, &mut apps] {
        for one in until(receiver, "the end").await {
            assert!(!house.is_told_by(&one.to_string()), "{one}");
        }
        assert!(!receiver.has_more());
    }
    world.stop().await;
}
