//! The examples of requests in the description, sent to a server; and that every field of them is read.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::{SystemTime, UNIX_EPOCH},
};

use reqwest::Method;
use serde_json::{Map, Value, json};
use totp_rs::{Builder, Secret};

use crate::{
    support::actor::{Actor, PASSWORD, Told, text},
    support::administration::{administrator, link_token},
    support::asks::percent,
    support::conformity::document,
    support::world::World,
};

const SETTINGS: &str = r#"
    admin_email = "admin@example.com"
    admin_password = "correct horse"
"#;

/// An operation of the document.
struct Described {
    method: Method,
    path: String,
    operation: &'static Value,
}

fn described() -> BTreeMap<&'static str, Described> {
    let paths = document()["paths"].as_object().expect("paths");
    let operations = paths.iter().flat_map(|(path, methods)| {
        methods
            .as_object()
            .expect("methods")
            .iter()
            .map(move |(method, operation)| {
                let id = operation["operationId"].as_str().expect("a name");
                let method = method.to_uppercase().parse().expect("a method");
                let path = path.clone();
                let described = Described {
                    method,
                    path,
                    operation,
                };
                (id, described)
            })
    });
    operations.collect()
}

impl Described {
    /// The names of all fields of its body, those too that its example leaves out.
    fn fields(&self) -> Vec<String> {
        let place = "/requestBody/content/application~1json/schema/$ref";
        let schema = self.operation.pointer(place).and_then(Value::as_str);
        let schema = schema.and_then(|name| document().pointer(name.trim_start_matches('#')));
        let properties = schema.and_then(|schema| schema["properties"].as_object());
        properties
            .into_iter()
            .flatten()
            .map(|(name, _)| name.clone())
            .collect()
    }

    fn example(&self) -> Option<Map<String, Value>> {
        let content = self.operation.pointer("/requestBody/content")?;
        let example = content["application/json"].get("example")?;
        example.as_object().cloned()
    }
}

/// What differs from the example here: the ids, tokens and codes of this server; a field that is null is
/// left out.
fn with(example: Map<String, Value>, others: &Value) -> Map<String, Value> {
    let mut body = example;
    for (name, value) in others.as_object().into_iter().flatten() {
        if value.is_null() {
            body.remove(name);
        } else {
            body.insert(name.clone(), value.clone());
        }
    }
    body
}

/// A server, and the parts of paths that exist there.
struct Stage {
    world: World,
    described: BTreeMap<&'static str, Described>,
    parts: BTreeMap<&'static str, String>,
    played: BTreeSet<&'static str>,
    token: Option<String>,
    /// The secret of an app.
    app: Option<String>,
}

impl Stage {
    async fn new() -> Self {
        Self {
            world: World::with(SETTINGS).await,
            described: described(),
            parts: BTreeMap::new(),
            played: BTreeSet::new(),
            token: None,
            app: None,
        }
    }

    fn path(&self, id: &str) -> String {
        let mut path = self.described[id].path.clone();
        for (name, value) in &self.parts {
            path = path.replace(&format!("{{{name}}}"), &percent(value.as_bytes()));
        }
        path
    }

    async fn send(&self, id: &str, who: Option<&Actor>, body: &Value) -> Told {
        let (method, path) = (self.described[id].method.clone(), self.path(id));
        let mut request = match who {
            Some(actor) => actor.request(method, &path),
            None => self
                .world
                .http
                .request(method, format!("{}{path}", self.world.base())),
        };
        if let Some(token) = &self.token {
            request = request.bearer_auth(token);
        }
        if let Some(app) = &self.app {
            request = request.header("appId", app);
        }
        Told::of(request.json(body)).await
    }

    /// Sends an operation's example, which must succeed.
    async fn play(&mut self, id: &'static str, who: Option<&Actor>, others: Value) -> Told {
        let example = self.described[id].example().expect("it has an example");
        let body = Value::Object(with(example, &others));
        let told = self.send(id, who, &body).await;
        assert!(
            matches!(told.status, 200 | 201),
            "{id} {body}: {} {}",
            told.status,
            told.body
        );
        self.played.insert(id);
        told
    }
}

fn code_of(secret: &str) -> String {
    let now = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .expect("a time");
    let secret = Secret::try_from_base32(secret).expect("a secret is in base 32");
    let totp = Builder::new().with_secret(secret).build_noncompliant();
    totp.generate(now.as_secs()).to_string()
}

fn last_part(told: &Told) -> String {
    let location = told.header("Location").rsplit('/').next();
    location.expect("where it is").to_owned()
}

async fn chats_and_messages(stage: &mut Stage, ann: &Actor, bo: &Actor) {
    let made = stage
        .play("create_chat", Some(ann), json!({"members": [bo.id]}))
        .await;
    stage.parts.insert("chat", last_part(&made));
    let chat: i64 = last_part(&made).parse().expect("a number");
    let first = ann.say(chat, "the first").await;
    stage.parts.insert("message", first.to_string());
    let cy = stage.world.actor("cy").await;
    stage
        .play("send_message", Some(ann), json!({"reply_to": first}))
        .await;
    stage.play("edit_message", Some(ann), json!({})).await;
    stage.play("change_chat", Some(ann), json!({})).await;
    stage
        .play("change_chat_settings", Some(ann), json!({}))
        .await;
    stage
        .play("add_members", Some(ann), json!({"members": [cy.id]}))
        .await;
    let hook = stage.play("create_hook", Some(ann), json!({})).await;
    let url = text(&hook.json(), "url");
    stage
        .parts
        .insert("secret", url["/hooks/".len()..].to_owned());
    let payload = json!({"text": null, "payload": r#"{"text": "The build is green."}"#});
    stage.play("say_by_hook", None, payload).await;
    stage
        .play(
            "say_by_hook",
            None,
            json!({"payload": null, "client_id": "another"}),
        )
        .await;
    stage.parts.insert("person", bo.id.to_string());
    stage.play("change_member", Some(ann), json!({})).await;
    stage.play("create_invite", Some(ann), json!({})).await;
    stage
        .play("mark_read", Some(ann), json!({"up_to": first}))
        .await;
    stage.play("typing", Some(ann), json!({})).await;
}

async fn accounts(stage: &mut Stage, ann: &Actor, bo: &Actor) {
    stage
        .play("change_me", Some(ann), json!({"name": "ann"}))
        .await;
    let begun = stage
        .play("begin_second_factor", Some(ann), json!({}))
        .await;
    let code = code_of(&text(&begun.json(), "secret"));
    stage
        .play("confirm_second_factor", Some(ann), json!({"code": code}))
        .await;
    stage
        .play("renew_recovery_codes", Some(ann), json!({}))
        .await;
    stage.play("end_second_factor", Some(ann), json!({})).await;
    stage.play("create_token", Some(ann), json!({})).await;
    let other = Actor::sign_in(&stage.world, "ann", PASSWORD).await;
    let logins = other.get("/api/logins").await.with(200).json();
    let logins = logins["logins"].as_array().expect("logins");
    let theirs = logins.iter().find(|login| login["current"] == false);
    let theirs = theirs.expect("another login")["id"].to_string();
    stage.parts.insert("login", theirs);
    stage.play("end_login", Some(&other), json!({})).await;
    stage.play("change_password", Some(&other), json!({})).await;
    stage.play("sign_out_everywhere", Some(bo), json!({})).await;
    let bo = Actor::sign_in(&stage.world, "bo", PASSWORD).await;
    stage.play("delete_me", Some(&bo), json!({})).await;
}

/// Where nobody listens.
fn nowhere() -> Value {
    json!({"url": "https://127.0.0.1:9/hook"})
}

/// Registers, changes and replays a webhook, by the operations of these names.
async fn webhooks(stage: &mut Stage, who: Option<&Actor>, names: [&'static str; 3]) {
    let [create, change, replay] = names;
    let made = stage.play(create, who, nowhere()).await.json();
    let made = made.get("data").unwrap_or(&made);
    stage.parts.insert("webhook", made["id"].to_string());
    stage.play(change, who, nowhere()).await;
    stage.play(replay, who, json!({})).await;
}

async fn administration_of(stage: &mut Stage, root: &Actor) {
    let made = stage
        .play("admin_create_person", Some(root), json!({"name": "dora"}))
        .await;
    stage.parts.insert("person", last_part(&made));
    stage
        .play(
            "admin_change_person",
            Some(root),
            json!({"name": "dorothea"}),
        )
        .await;
    let link = stage
        .play("admin_create_password_link", Some(root), json!({}))
        .await;
    let token = link_token(&link, "password");
    stage
        .play("password_link", None, json!({"token": token}))
        .await;
    stage
        .play("use_password_link", None, json!({"token": token}))
        .await;
    stage
        .play("admin_choose_registration", Some(root), json!({}))
        .await;
    let names = [
        "admin_create_webhook",
        "admin_change_webhook",
        "admin_replay_webhook",
    ];
    webhooks(stage, Some(root), names).await;
}

async fn live_support(stage: &mut Stage) {
    stage.play("register_owner", None, json!({})).await;
    let signed_in = stage.play("sign_owner_in", None, json!({})).await.json();
    let token = text(&signed_in["data"], "token");
    let other = json!({"token": token, "domain": "other.example"});
    stage.play("add_domain", None, other.clone()).await;
    stage.play("remove_domain", None, other).await;
    stage.token = Some(token.clone());
    let names = [
        "owner_create_webhook",
        "owner_change_webhook",
        "owner_replay_webhook",
    ];
    webhooks(stage, None, names).await;
    stage.token = None;
    let colleague = json!({"token": token, "email": "colleague@example.com"});
    stage.play("register_owner", None, colleague).await;
    stage
        .play("sign_owner_out", None, json!({"token": token}))
        .await;
}

async fn chat_service(stage: &mut Stage) {
    let admin = json!({"email": "admin@example.com"});
    let signed_in = stage.play("sign_developer_in", None, admin).await.json();
    stage.token = Some(text(&signed_in, "token"));
    stage.play("register_developer", None, json!({})).await;
    let app = stage.play("create_app", None, json!({})).await.json();
    let app = json!({"appId": app["applicationId"]});
    stage.play("put_user", None, app.clone()).await;
    for id in ["create_room", "remove_users", "add_users"] {
        stage.play(id, None, app.clone()).await;
    }
    stage.app = Some(text(&app, "appId"));
    let names = [
        "app_create_webhook",
        "app_change_webhook",
        "app_replay_webhook",
    ];
    webhooks(stage, None, names).await;
    (stage.token, stage.app) = (None, None);
}

#[tokio::test(flavor = "multi_thread")]
async fn every_example_of_a_request_is_accepted() {
    let mut stage = Stage::new().await;
    let root = administrator(&stage.world, "root").await;
    let bo = stage.world.actor("bo").await;
    let invited = stage
        .play("admin_create_invitation", Some(&root), json!({}))
        .await;
    let code = link_token(&invited, "invited");
    let ann = json!({"name": "ann", "invite": code});
    stage.play("sign_up", None, ann).await;
    stage.play("sign_in", None, json!({"name": "ann"})).await;
    let ann = Actor::sign_in(&stage.world, "ann", PASSWORD).await;
    chats_and_messages(&mut stage, &ann, &bo).await;
    accounts(&mut stage, &ann, &bo).await;
    administration_of(&mut stage, &root).await;
    live_support(&mut stage).await;
    chat_service(&mut stage).await;
    let with_examples = stage
        .described
        .iter()
        .filter(|(_, it)| it.example().is_some());
    let all: BTreeSet<_> = with_examples.map(|(id, _)| *id).collect();
    assert_eq!(
        all.difference(&stage.played).collect::<Vec<_>>(),
        Vec::<&&str>::new()
    );
    stage.world.stop().await;
}

/// Fields that may hold any JSON.
const ANYTHING: [(&str, &str); 1] = [("create_room", "extra")];

#[tokio::test(flavor = "multi_thread")]
async fn every_field_of_a_body_is_read() {
    let mut stage = Stage::new().await;
    let root = administrator(&stage.world, "root").await;
    let chat = root.make("general").await;
    let message = root.say(chat, "hello").await;
    for (part, id) in [
        ("chat", chat),
        ("message", message),
        ("person", root.id),
        ("login", 1),
        ("webhook", 1),
    ] {
        stage.parts.insert(part, id.to_string());
    }
    let admin = json!({"email": "admin@example.com"});
    let signed_in = stage.play("sign_developer_in", None, admin).await.json();
    stage.token = Some(text(&signed_in, "token"));
    let app = stage.play("create_app", None, json!({})).await.json();
    stage.token = None;
    let ids: Vec<_> = stage.described.keys().copied().collect();
    let mut count = 0;
    for id in ids {
        let Some(example) = stage.described[id].example() else {
            continue;
        };
        // A second factor is confirmed by the code alone, once it was begun.
        if id == "confirm_second_factor" {
            root.post("/api/me/second-factor", &[("password", PASSWORD)])
                .await
                .with(200);
        }
        let tags = &stage.described[id].operation["tags"];
        stage.token = (tags[0] == "service").then(|| text(&signed_in, "token"));
        let fields = stage.described[id].fields();
        for field in fields
            .iter()
            .filter(|field| !ANYTHING.contains(&(id, field)))
        {
            let mut body = with(example.clone(), &json!({}));
            if body.contains_key("appId") {
                body.insert("appId".to_owned(), app["applicationId"].clone());
            }
            // Nothing else stands in the way of that field.
            let alone = matches!((id, field.as_str()), ("admin_change_person", _));
            body.retain(|name, _| !alone || name == field);
            body.insert(field.clone(), json!({"neither": {"text": "nor a number"}}));
            let told = stage.send(id, Some(&root), &Value::Object(body)).await;
            assert!(
                matches!(told.status, 400 | 422),
                "{id} {field}: {} {}",
                told.status,
                told.body
            );
            assert!(
                told.body.contains(field.as_str()),
                "{id} {field}: {}",
                told.body
            );
            count += 1;
        }
    }
    assert!(count > 80, "{count} fields");
    stage.world.stop().await;
}

/// Parameters of events that are read where another one asks for it.
const CONDITIONAL: [&str; 4] = ["room", "user", "appId", "twin"];

#[tokio::test(flavor = "multi_thread")]
async fn every_parameter_of_a_query_is_read() {
    let mut stage = Stage::new().await;
    let root = administrator(&stage.world, "root").await;
    let chat = root.make("general").await;
    stage.parts.insert("chat", chat.to_string());
    let message = root.say(chat, "hello").await;
    stage.parts.insert("message", message.to_string());
    stage.parts.insert("emoji", "👍".to_owned());
    let mut count = 0;
    for (id, it) in &stage.described {
        // Those of the service are single values of which a wrong one is refused, see its own tests.
        if it.operation["tags"][0] == "service" || it.method != Method::GET {
            continue;
        }
        let parameters = it.operation["parameters"].as_array().expect("parameters");
        let asked = parameters.iter().filter(|it| it["in"] == "query");
        for name in asked.filter_map(|it| it["name"].as_str()) {
            if it.operation["tags"][0] == "events" && CONDITIONAL.contains(&name) {
                continue;
            }
            let needed = if *id == "search" && name != "query" {
                "&query=hello"
            } else {
                ""
            };
            // What is read as one value is refused where it comes twice.
            let path = format!("{}?{name}=1&{name}=1{needed}", stage.path(id));
            let told = root.get(&path).await.refused(400, "bad_request");
            assert!(told.body.contains(name), "{path}: {}", told.body);
            count += 1;
        }
    }
    assert!(count > 30, "{count} parameters");
    stage.world.stop().await;
}
