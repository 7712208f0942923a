//! Spans: a line of the log tells which request, which event or which batch it belongs to, and no secrets.

use parlance::{
    config::{LogFormat, Settings},
    telemetry,
};
use serde_json::{Value, json};

use crate::{
    support::actor::{Actor, Told},
    support::log::Kept,
    support::support_world::Guest,
    support::world::World,
};

/// Lines as JSON, kept for as long as the guard lives; the test's runtime has one thread, so that they are
/// all of its own server.
fn kept(filter: &str) -> (Kept, tracing::subscriber::DefaultGuard) {
    let settings = Settings {
        log_filter: filter.to_owned(),
        log_format: LogFormat::Json,
        ..Settings::default()
    };
    let kept = Kept::default();
    let subscriber =
        telemetry::subscriber(&settings, kept.clone(), false).expect("the filter is right");
    (kept, tracing::subscriber::set_default(subscriber))
}

/// The lines of a level.
fn lines(kept: &Kept, level: &str) -> Vec<Value> {
    let text = kept.text();
    let lines = text
        .lines()
        .map(|line| serde_json::from_str(line).expect("a line is JSON"));
    lines
        .filter(|line: &Value| line["level"] == level)
        .collect()
}

/// The span of that name around a line.
fn span<'a>(line: &'a Value, name: &str) -> &'a Value {
    let spans = line["spans"].as_array().expect("spans");
    let found = spans.iter().find(|span| span["name"] == name);
    found.unwrap_or_else(|| panic!("no span {name} around {line}"))
}

/// A server whose messages cannot be read, and who was there before.
async fn broken() -> (World, Actor, Guest) {
    let world =
        World::with("admin_email = \"admin@example.com\"\nadmin_password = \"correct horse\"")
            .await;
    let ann = world.actor("ann").await;
    let guest = world.guest_of_new_site().await;
    guest.says(&world, "a text that nobody logs").await;
    let mut beside = world.place.beside().await;
    beside.run("alter table messages rename to elsewhere").await;
    beside
        .run("alter table domains rename to elsewhere_too")
        .await;
    // Other tests change their threads' subscribers meanwhile. A span that is used for the first time in that
    // moment may be taken for one that nobody wants; by now all of ours have been used.
    tracing::callsite::rebuild_interest_cache();
    (world, ann, guest)
}

#[tokio::test]
async fn a_fault_of_ours_is_one_line_at_every_endpoint() {
    let (kept, _guard) = kept("info");
    let (world, ann, guest) = broken().await;
    let begin = lines(&kept, "ERROR").len();
    assert_eq!(begin, 0, "{}", kept.text());
    let mut seen = 0;
    let mut one_more = |endpoint: &str| {
        let found = lines(&kept, "ERROR");
        assert_eq!(found.len(), seen + 1, "{endpoint}: {}", kept.text());
        seen += 1;
        found[seen - 1].clone()
    };

    let chat = i64::from_str_radix(&guest.chat, 16).expect("an id");
    let told = ann.get(&format!("/api/chats/{chat}")).await;
    assert_eq!(told.status, 404, "it is not ann's");

    // A route of live support.
    let told = world.get("/owner/domains/localhost").await;
    assert_eq!(told.status, 500, "{}", told.body);
    let line = one_more("support route");
    let request = span(&line, "request");
    assert_eq!(request["route"], "/owner/domains/<host>");
    assert_eq!(request["id"], told.header("X-Request-Id"));

    // An event by plain HTTP.
    let argument = json!({"chatId": guest.chat, "token": guest.token, "limit": 5});
    let url = format!(
        "{}/api/events/getChatMessages?dialect=support",
        world.base()
    );
    let told = Told::of(world.http.post(url).json(&argument)).await;
    assert_eq!(told.status, 500);
    let line = one_more("event by plain HTTP");
    assert_eq!(span(&line, "request")["id"], told.header("X-Request-Id"));
    let event = span(&line, "event");
    assert_eq!(event["dialect"], "support");
    assert_eq!(event["event"], "getChatMessages");
    assert_eq!(
        event["caller"],
        i64::from_str_radix(&guest.id, 16).expect("an id")
    );

    // The same on a socket.
    let mut ws = world.websocket("", &[]).await;
    ws.send("40").await;
    ws.text_after("40{").await;
    ws.send(&format!("421{}", json!(["getChatMessages", argument])))
        .await;
    let answer = ws.text_after("431").await;
    assert!(answer.contains("500"), "{answer}");
    let line = one_more("event on a socket");
    assert_eq!(span(&line, "event")["connection"], 1);
    assert_eq!(
        span(&line, "event")["caller"],
        i64::from_str_radix(&guest.id, 16).expect("an id")
    );

    // A message that cannot be written is the batch's line, not each sender's.
    let said = json!({"chatId": guest.chat, "token": guest.token, "message": "lost"});
    let (status, _) = world.say("newMessage", said).await;
    assert!(status >= 500, "{status}");
    let line = one_more("a batch");
    assert_eq!(span(&line, "batch")["size"], 1);

    let text = kept.text();
    for secret in [
        ann.token.as_str(),
        &guest.token,
        "nobody logs",
        "lost",
        "correct horse",
    ] {
        assert!(!text.contains(secret), "{secret} is logged: {text}");
    }
    world.stop().await;
}

#[tokio::test]
async fn a_refusal_is_a_line_for_whoever_debugs_with_its_caller() {
    let (kept, _guard) = kept("debug");
    let world = World::new().await;
    let ann = world.actor("ann").await;
    ann.get("/api/me").await.with(200);
    let told = world.get("/owner/domains/%FF").await;
    assert!(told.status >= 400);
    let refused = lines(&kept, "DEBUG");
    let found = refused.iter().any(|line| {
        line["message"] == "Something was refused."
            && span(line, "request")["id"] == told.header("X-Request-Id")
    });
    assert!(found, "{}", kept.text());
    assert!(!kept.text().contains(&ann.token));
    world.stop().await;
}
