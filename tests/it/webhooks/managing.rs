//! Webhooks are registered, listed, changed, replayed and deleted, alike in each API, and by nobody else.

use parlance::{dialect::DIALECTS, model::WebhookKind};
use serde_json::{Value, json};

use crate::{
    support::actor::Told,
    support::administration::{acts, administrator},
    support::receiver::Receiver,
    support::tenants::sign_in,
    support::webhooks::{App, Hooks, SETTINGS},
    support::world::World,
};

/// Every request that manages a webhook, with a body that is right.
fn requests(id: &Value) -> Vec<(&'static str, String, Value)> {
    let below = |end: &str| format!("/{id}{end}");
    vec![
        (
            "POST",
            String::new(),
            json!({"url": "https://127.0.0.1:9/"}),
        ),
        ("GET", String::new(), Value::Null),
        ("GET", below(""), Value::Null),
        ("PATCH", below(""), json!({"kinds": ["chat.read"]})),
        ("POST", below("/secret"), json!({})),
        ("GET", below("/deliveries"), Value::Null),
        ("POST", below("/replay"), json!({"position": 0})),
        ("POST", below("/enable"), json!({})),
        ("DELETE", below(""), json!({})),
    ]
}

async fn everywhere(world: &World) -> [Hooks; 3] {
    let root = administrator(world, "root").await;
    let owner = world.owner("localhost").await;
    let admin = sign_in(world).await;
    let app = App::make(world, &admin, "shop").await;
    [
        Hooks::of_home(&root),
        Hooks::of_site(&owner.token),
        Hooks::of_app(&app.key),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn a_webhook_is_managed_alike_in_each_api_and_its_secret_told_once() {
    let world = World::with(SETTINGS).await;
    let receiver = Receiver::start().await;
    for hooks in everywhere(&world).await {
        let made = hooks
            .register(&world, &receiver, json!({"kinds": ["chat.read"]}))
            .await;
        let secret = made["secret"].as_str().expect("a secret");
        assert!(
            secret.starts_with("whsec_") && secret.len() > 40,
            "{secret}"
        );
        assert!(made["old_secret_until"].is_null());
        let path = format!("/{}", made["id"]);
        let mut shown = made.clone();
        let without = shown.as_object_mut().expect("an object");
        without.remove("secret");
        without.remove("old_secret_until");
        assert_eq!(hooks.told(&world, "GET", &path, &Value::Null).await, shown);
        let list = hooks.told(&world, "GET", "", &Value::Null).await;
        assert_eq!(list["webhooks"], json!([shown]));
        let kinds =
            json!({"kinds": ["message.created", "chat.read"], "url": "https://127.0.0.1:9/new"});
        let changed = hooks.told(&world, "PATCH", &path, &kinds).await;
        assert_eq!(changed["url"], "https://127.0.0.1:9/new");
        assert_eq!(changed["kinds"], json!(["chat.read", "message.created"]));
        let rotated = hooks
            .told(&world, "POST", &format!("{path}/secret"), &json!({}))
            .await;
        assert_ne!(rotated["secret"], made["secret"]);
        assert!(rotated["old_secret_until"].is_string());
        assert!(hooks.deliveries(&world, &made["id"]).await.is_empty());
        hooks
            .ask(&world, "DELETE", &path, &json!({}))
            .await
            .with(200);
        hooks
            .ask(&world, "GET", &path, &Value::Null)
            .await
            .with(404);
        hooks
            .ask(&world, "DELETE", &path, &json!({}))
            .await
            .with(404);
    }
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn strangers_and_other_tenants_manage_nothing() {
    let world = World::with(SETTINGS).await;
    let receiver = Receiver::start().await;
    let all = everywhere(&world).await;
    let mut made = Vec::new();
    for hooks in &all {
        made.push(hooks.register(&world, &receiver, json!({})).await);
    }
    let eve = world.actor("eve").await;
    let other = world.owner("other.example").await;
    let admin = sign_in(&world).await;
    let others = App::make(&world, &admin, "other").await;
    let strangers = [
        (0, Hooks::of_home(&eve), 403),
        (
            0,
            Hooks {
                headers: Vec::new(),
                ..all[0].clone()
            },
            401,
        ),
        (
            1,
            Hooks {
                headers: Vec::new(),
                ..all[1].clone()
            },
            401,
        ),
        (1, Hooks::of_site(&eve.token), 401),
        (1, Hooks::of_site(&others.token), 401),
        (
            2,
            Hooks {
                headers: Vec::new(),
                ..all[2].clone()
            },
            422,
        ),
        (
            2,
            Hooks::of_app("6f1c2a9e-6c34-4b2e-9f7a-0d5b8f1f2c11"),
            404,
        ),
    ];
    for (place, stranger, status) in strangers {
        for (method, path, body) in requests(&made[place]["id"]) {
            let told = stranger.ask(&world, method, &path, &body).await;
            assert_eq!(
                told.status, status,
                "{stranger:?} {method} {path}: {}",
                told.body
            );
        }
    }
    // Who manages webhooks of their own finds none of another tenant's.
    for (place, other) in [
        (1, Hooks::of_site(&other.token)),
        (2, Hooks::of_app(&others.key)),
        (2, all[1].clone()),
        (1, all[0].clone()),
    ] {
        for (method, path, body) in requests(&made[place]["id"]).into_iter().skip(2) {
            let told = other.ask(&world, method, &path, &body).await;
            assert_eq!(told.status, 404, "{other:?} {method} {path}: {}", told.body);
        }
    }
    for (hooks, made) in all.iter().zip(&made) {
        let told = hooks.told(&world, "GET", "", &Value::Null).await;
        assert_eq!(told["webhooks"][0]["id"], made["id"]);
        assert_eq!(told["webhooks"][0]["kinds"], json!([]));
    }
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_makes_no_webhook_is_refused_by_its_field() {
    let world = World::with(SETTINGS).await;
    let [home, site, app] = everywhere(&world).await;
    let right = "https://127.0.0.1:9/";
    for (hooks, status) in [(&home, 400), (&site, 400), (&app, 422)] {
        for (body, field) in [
            (json!({}), "url"),
            (json!({"url": "ftp://example.com/"}), "url"),
            (json!({"url": "https://a:b@example.com/"}), "url"),
            (json!({"url": "example.com"}), "url"),
            (json!({"url": right, "kinds": ["message"]}), "kinds"),
            (json!({"url": right, "kinds": 7}), "kinds"),
            (json!({"url": right, "dialect": "latin"}), "dialect"),
            // What that API has no word for.
            (
                json!({"url": right, "dialect": "embed", "kinds": ["chat.read", "chat.changed"]}),
                "chat.changed",
            ),
            (
                json!({"url": right, "dialect": "support", "kinds": "message.edited"}),
                "message.edited",
            ),
            (
                json!({"url": right, "dialect": "service", "kinds": ["member.joined"]}),
                "member.joined",
            ),
        ] {
            let told: Told = hooks.ask(&world, "POST", "", &body).await.with(status);
            assert!(told.body.contains(field), "{body}: {}", told.body);
        }
        let everything = json!({"url": right, "dialect": "messenger", "kinds": WebhookKind::WORDS});
        let all = hooks.told(&world, "POST", "", &everything).await;
        let kinds = json!({"url": right, "dialect": "embed", "kinds": ["member.joined"]});
        let made = hooks.told(&world, "POST", "", &kinds).await;
        let path = format!("/{}", made["id"]);
        let wrong = json!({"kinds": ["reaction.added"]});
        let told = hooks.ask(&world, "PATCH", &path, &wrong).await;
        let told = told.with(status);
        assert!(told.body.contains("reaction.added"), "{}", told.body);
        let more = json!({"kinds": ["member.joined", "member.left"]});
        hooks.told(&world, "PATCH", &path, &more).await;
        for webhook in [all, made] {
            let path = format!("/{}", webhook["id"]);
            let deleted = hooks.ask(&world, "DELETE", &path, &json!({})).await;
            deleted.with(200);
        }
        let made = hooks.told(&world, "POST", "", &json!({"url": right})).await;
        for position in [json!(1_000_000), json!(-1), json!("x"), Value::Null] {
            let path = format!("/{}/replay", made["id"]);
            let body = json!({"position": position});
            let told = hooks.ask(&world, "POST", &path, &body).await.with(status);
            assert!(told.body.contains("position"), "{}", told.body);
        }
        for _ in 1..50 {
            hooks.told(&world, "POST", "", &json!({"url": right})).await;
        }
        // Live support has no status of its own for a conflict.
        let refused = if hooks.base == "/owner/webhooks" {
            400
        } else {
            409
        };
        let one_more = json!({"url": right});
        let told = hooks.ask(&world, "POST", "", &one_more).await;
        told.with(refused);
    }
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_webhook_is_told_once_more_from_a_position_and_signed_by_both_secrets_for_a_while() {
    let world = World::with(SETTINGS).await;
    let root = administrator(&world, "root").await;
    let hooks = Hooks::of_home(&root);
    let mut receiver = Receiver::start().await;
    let kinds = json!({"kinds": ["message.created"]});
    let made = hooks.register(&world, &receiver, kinds).await;
    let chat = root.make("tea").await;
    let mut messages = Vec::new();
    for number in 0..5 {
        messages.push(root.say(chat, &number.to_string()).await);
        receiver.takes().await;
    }
    // What is under way when somebody changes a webhook is told again.
    hooks
        .comes_to(&world, &made["id"], |it| it["position"] == messages[4])
        .await;
    let path = format!("/{}", made["id"]);
    let rotated = hooks
        .told(&world, "POST", &format!("{path}/secret"), &json!({}))
        .await;
    let secrets = [&made, &rotated].map(|it| it["secret"].as_str().expect("a secret"));
    let body = json!({"position": messages[1]});
    hooks
        .told(&world, "POST", &format!("{path}/replay"), &body)
        .await;
    for message in &messages[2..] {
        let told = receiver.next().await;
        assert_eq!(told.id(), format!("msg_{}_{message}", made["id"]));
        assert!(secrets.iter().all(|secret| told.is_signed_by(secret)));
        told.answer(200);
    }
    hooks
        .comes_to(&world, &made["id"], |it| it["position"] == messages[4])
        .await;
    let mut beside = world.place.beside().await;
    beside.run("update webhooks set old_secret_until = 1").await;
    drop(beside);
    root.say(chat, "5").await;
    let told = receiver.next().await;
    assert!(told.is_signed_by(secrets[1]) && !told.is_signed_by(secrets[0]));
    told.answer(200);
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_administrators_do_with_webhooks_is_written_down() {
    let world = World::with(SETTINGS).await;
    let root = administrator(&world, "root").await;
    let hooks = Hooks::of_home(&root);
    let url = "https://127.0.0.1:9/";
    let made = hooks.told(&world, "POST", "", &json!({"url": url})).await;
    for (method, path, body) in requests(&made["id"]).into_iter().skip(1) {
        hooks.ask(&world, method, &path, &body).await.with(200);
    }
    let expected = json!([
        ["root", "create_webhook", "webhook", url, null],
        ["root", "change_webhook", "webhook", url, "changed"],
        ["root", "change_webhook", "webhook", url, "secret"],
        ["root", "change_webhook", "webhook", url, "replay"],
        ["root", "change_webhook", "webhook", url, "enabled"],
        ["root", "delete_webhook", "webhook", url, null],
    ]);
    assert_eq!(Value::from(acts(&root).await), expected);
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_last_hundred_deliveries_are_kept() {
    let world = World::with(SETTINGS).await;
    let root = administrator(&world, "root").await;
    let hooks = Hooks::of_home(&root);
    let mut receiver = Receiver::start().await;
    let kinds = json!({"kinds": ["message.created"]});
    let made = hooks.register(&world, &receiver, kinds).await;
    let chat = root.make("tea").await;
    let mut last = 0;
    for number in 0..105 {
        last = root.say(chat, &number.to_string()).await;
        receiver.takes().await;
    }
    hooks
        .comes_to(&world, &made["id"], |it| it["position"] == last)
        .await;
    let kept = hooks.deliveries(&world, &made["id"]).await;
    assert_eq!(kept.len(), 100);
    assert_eq!(kept[0]["position"], last);
    world.stop().await;
}

#[test]
fn the_document_says_which_api_has_a_word_for_which_kind() {
    let text = include_str!("../../../docs/webhooks.md");
    let lines: Vec<_> = text.lines().collect();
    let head = lines.iter().find(|line| line.starts_with("| type |"));
    let head: Vec<_> = head.expect("a table").split('|').map(str::trim).collect();
    for word in WebhookKind::WORDS {
        let start = format!("| `{word}` |");
        let row = lines.iter().find(|line| line.starts_with(&start));
        let row = row.unwrap_or_else(|| panic!("nothing is said of {word}"));
        let row: Vec<_> = row.split('|').map(str::trim).collect();
        let kind = WebhookKind::from_stored(word).expect("a kind");
        for dialect in DIALECTS.iter() {
            let name = format!("`{}`", dialect.name());
            let place = head.iter().position(|cell| *cell == name);
            let cell = row[place.expect("a column")].trim_matches('`');
            assert_eq!(dialect.tells(kind), !cell.is_empty(), "{word} {name}");
            let is_known = cell.is_empty()
                || dialect
                    .described()
                    .pushes
                    .iter()
                    .any(|push| push.name == cell);
            assert!(is_known, "{name} has no {cell}");
        }
    }
}
