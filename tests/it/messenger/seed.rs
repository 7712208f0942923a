//! The seven requests of the messenger's document, to the letter, in every encoding of a body.

use reqwest::{Method, RequestBuilder, multipart};
use serde_json::{Value, json};

use crate::{
    support::actor::{Actor, PASSWORD, Told, list, text},
    support::world::World,
};

/// The ways to send the same fields.
#[derive(Debug, Clone, Copy)]
enum Body {
    Urlencoded,
    UrlencodedWithCharset,
    Json,
    JsonWithCharset,
    Multipart,
}

const BODIES: [Body; 5] = [
    Body::Urlencoded,
    Body::UrlencodedWithCharset,
    Body::Json,
    Body::JsonWithCharset,
    Body::Multipart,
];

impl Body {
    fn put(self, request: RequestBuilder, fields: &[(&str, &str)]) -> RequestBuilder {
        let typed =
            |request: RequestBuilder, kind: &'static str| request.header("Content-Type", kind);
        let object = || {
            let pairs = fields.iter().map(|(name, value)| (*name, *value));
            serde_json::to_string(&pairs.collect::<std::collections::BTreeMap<_, _>>())
                .expect("text is JSON")
        };
        match self {
            Self::Urlencoded => request.form(fields),
            Self::UrlencodedWithCharset => {
                // The first Content-Type stays: reqwest sets its own only where there is none.
                let kind = "application/x-www-form-urlencoded; charset=UTF-8";
                typed(request, kind).form(fields)
            }
            Self::Json => typed(request, "application/json").body(object()),
            Self::JsonWithCharset => {
                typed(request, "application/json; charset=utf-8").body(object())
            }
            Self::Multipart => request.multipart(
                fields
                    .iter()
                    .fold(multipart::Form::new(), |form, (name, value)| {
                        form.text((*name).to_owned(), (*value).to_owned())
                    }),
            ),
        }
    }

    async fn post(self, world: &World, path: &str, fields: &[(&str, &str)]) -> Told {
        let request = world.http.post(format!("{}{path}", world.base()));
        Told::of(self.put(request, fields)).await
    }

    async fn post_as(self, actor: &Actor, path: &str, fields: &[(&str, &str)]) -> Told {
        Told::of(self.put(actor.request(Method::POST, path), fields)).await
    }
}

/// Checks the cookies of a fresh login and says whose it is.
#[track_caller]
fn signed_in(told: &Told) -> (i64, String) {
    let (id, attributes) = told.cookie("user_id").expect("user_id is set");
    assert!(attributes.contains(&"Path=/".to_owned()), "{attributes:?}");
    assert!(
        !attributes.contains(&"HttpOnly".to_owned()),
        "pages read user_id"
    );
    let (token, attributes) = told.cookie("token").expect("token is set");
    for attribute in ["HttpOnly", "SameSite=Lax", "Path=/"] {
        assert!(attributes.contains(&attribute.to_owned()), "{attributes:?}");
    }
    assert!(
        attributes
            .iter()
            .any(|attribute| attribute.starts_with("Max-Age="))
    );
    assert!(
        !attributes.contains(&"Secure".to_owned()),
        "this server has no TLS"
    );
    assert!(token.len() >= 43, "256 bits");
    (id.parse().expect("a number"), token)
}

#[rocket::async_test]
async fn registration_is_as_the_document_says() {
    let world = World::new().await;
    for body in BODIES {
        let name = format!("Ann {body:?}");
        let fields = [
            ("name", name.as_str()),
            ("password", "пароль дня"),
            ("email", "ann@example.com"),
        ];
        let told = body.post(&world, "/api/reg", &fields).await.ok(201);
        assert_eq!(told.header("Location"), "/api/chats");
        signed_in(&told);
        let again = body
            .post(&world, "/api/reg", &fields)
            .await
            .refused(400, "bad_request");
        assert_eq!(again.json()["error"], "that name is taken");
        assert!(again.cookie("token").is_none());
        for missing in ["name", "password", "email"] {
            let fields: Vec<_> = fields
                .iter()
                .filter(|(name, _)| *name != missing)
                .copied()
                .collect();
            body.post(&world, "/api/reg", &fields)
                .await
                .refused(400, "bad_request");
        }
    }
}

#[rocket::async_test]
async fn what_registration_refuses() {
    let world = World::new().await;
    world.actor("Ann Lee").await;
    let long_password = "x".repeat(1025);
    let long_name = "я".repeat(65);
    for (name, password, email) in [
        ("cy", "secret", "nobody"),
        ("cy", "secret", "a@b@c"),
        ("cy", "secret", ""),
        ("cy", "short", "a@example.com"),
        ("cy", "", "a@example.com"),
        ("cy", long_password.as_str(), "a@example.com"),
        ("", "secret", "a@example.com"),
        ("   ", "secret", "a@example.com"),
        ("c\ny", "secret", "a@example.com"),
        ("c\0y", "secret", "a@example.com"),
        (long_name.as_str(), "secret", "a@example.com"),
        ("ann lee", "secret", "a@example.com"),
        (" ANN   LEE ", "secret", "a@example.com"),
    ] {
        let form = [("name", name), ("password", password), ("email", email)];
        let told = world
            .post("/api/reg", &form)
            .await
            .refused(400, "bad_request");
        assert!(told.cookie("user_id").is_none() && told.cookie("token").is_none());
    }
    let longest = "x".repeat(1024);
    let form = [
        ("name", "cy"),
        ("password", longest.as_str()),
        ("email", "a@example.com"),
    ];
    world.post("/api/reg", &form).await.ok(201);
}

#[rocket::async_test]
async fn one_name_is_given_once_however_many_ask_at_once() {
    let world = World::new().await;
    let form = [
        ("name", "ann"),
        ("password", PASSWORD),
        ("email", "a@example.com"),
    ];
    let told = futures_util::future::join_all((0..12).map(|_| world.post("/api/reg", &form))).await;
    let made = told.iter().filter(|told| told.status == 201).count();
    assert_eq!(made, 1);
    for told in told.into_iter().filter(|told| told.status != 201) {
        told.refused(400, "bad_request");
    }
}

#[rocket::async_test]
async fn authorization_is_as_the_document_says() {
    let world = World::new().await;
    let ann = world.actor("Ann").await;
    for body in BODIES {
        let fields = [("name", "Ann"), ("password", PASSWORD)];
        let told = body.post(&world, "/api/login", &fields).await.ok(200);
        assert_eq!(told.header("Location"), "/api/chats");
        let (id, token) = signed_in(&told);
        assert_eq!(id, ann.id);
        assert_ne!(token, ann.token, "every login has a token of its own");
        let mut sentences = Vec::new();
        for fields in [
            [("name", "Ann"), ("password", "wrong horse")],
            [("name", "nobody"), ("password", PASSWORD)],
            [("name", ""), ("password", PASSWORD)],
            [("name", "Ann"), ("password", "")],
        ] {
            let told = body
                .post(&world, "/api/login", &fields)
                .await
                .refused(400, "bad_request");
            assert!(told.cookie("token").is_none());
            sentences.push(text(&told.json(), "error"));
        }
        sentences.dedup();
        assert_eq!(
            sentences.len(),
            1,
            "one text for an unknown name and a wrong password"
        );
        for fields in [[("name", "Ann")], [("password", PASSWORD)]] {
            body.post(&world, "/api/login", &fields)
                .await
                .refused(400, "bad_request");
        }
    }
    Actor::sign_in(&world, "  ANN ", PASSWORD).await;
}

#[rocket::async_test]
async fn deauthorization_is_as_the_document_says() {
    let world = World::new().await;
    world.actor("ann").await;
    for method in [Method::GET, Method::POST] {
        let ann = Actor::sign_in(&world, "ann", PASSWORD).await;
        let told = Told::of(ann.request(method.clone(), "/api/logout"))
            .await
            .ok(200);
        assert_eq!(told.header("Location"), "/api/login");
        for name in ["user_id", "token"] {
            let (value, attributes) = told.cookie(name).expect("both cookies are emptied");
            assert_eq!(value, "");
            for attribute in [
                "Max-Age=0",
                "Path=/",
                "Expires=Thu, 01 Jan 1970 00:00:00 GMT",
            ] {
                assert!(attributes.contains(&attribute.to_owned()), "{attributes:?}");
            }
        }
        ann.get("/api/chats").await.refused(401, "unauthenticated");
        Told::of(ann.request(method, "/api/logout"))
            .await
            .refused(401, "unauthenticated");
    }
    world
        .get("/api/logout")
        .await
        .refused(401, "unauthenticated");
}

#[rocket::async_test]
async fn the_chats_page_is_as_the_document_says() {
    let world = World::new().await;
    let (ann, bo) = world.ann_and_bo().await;
    let (quiet, busy) = (ann.make("Quiet").await, ann.make(" Busy  place ").await);
    bo.say(busy, "hi, ann").await;
    let listed = ann.get("/api/chats").await.with(200).json();
    let chats = list(&listed, "chats");
    let shown = |chat: &Value| {
        let keys = ["id", "last_message", "sender_id", "title"];
        json!(keys.map(|key| chat[key].clone()))
    };
    assert_eq!(
        chats.iter().map(shown).collect::<Vec<_>>(),
        [
            json!([busy, "hi, ann", bo.id, "Busy  place"]),
            json!([quiet, null, null, "Quiet"]),
        ]
    );
    let time = text(&chats[0], "last_message_time");
    assert!(
        time.len() == 24 && time.ends_with('Z') && time.as_bytes()[19] == b'.',
        "{time}"
    );
    assert_eq!(chats[1]["last_message_time"], Value::Null);
    world
        .get("/api/chats")
        .await
        .refused(401, "unauthenticated");
}

#[rocket::async_test]
async fn creating_a_chat_is_as_the_document_says() {
    let world = World::new().await;
    let ann = world.actor("ann").await;
    for body in BODIES {
        let title = format!("Über {body:?}");
        let told = body
            .post_as(&ann, "/api/chats", &[("title", &title)])
            .await
            .ok(201);
        let id: i64 = told
            .header("Location")
            .strip_prefix("/api/chats/")
            .and_then(|id| id.parse().ok())
            .expect("Location is the chat's path");
        assert_eq!(ann.chat(id).await["title"], title.as_str());
        for same in [
            title.clone(),
            title.to_uppercase(),
            format!("  {}  ", title.replace(' ', "   ")),
        ] {
            body.post_as(&ann, "/api/chats", &[("title", &same)])
                .await
                .refused(409, "conflict");
        }
        for wrong in [
            String::new(),
            "  ".into(),
            "a\nb".into(),
            "a\0b".into(),
            "я".repeat(256),
        ] {
            body.post_as(&ann, "/api/chats", &[("title", &wrong)])
                .await
                .refused(400, "bad_request");
        }
        body.post_as(&ann, "/api/chats", &[])
            .await
            .refused(400, "bad_request");
        let longest = format!("{}{body:?}", "я".repeat(200));
        body.post_as(&ann, "/api/chats", &[("title", &longest)])
            .await
            .ok(201);
        body.post(&world, "/api/chats", &[("title", "x")])
            .await
            .refused(401, "unauthenticated");
    }
}

#[rocket::async_test]
async fn a_chats_messages_are_as_the_document_says() {
    let world = World::new().await;
    let (ann, bo) = world.ann_and_bo().await;
    let chat = ann.make("tea").await;
    let empty = bo.get(&format!("/api/chats/{chat}")).await.with(200).json();
    assert_eq!(empty["messages"], json!([]));
    let first = ann.say(chat, "one").await;
    let second = bo.say(chat, " two\r\n<b>&\"'\u{1F375} ").await;
    let messages = list(
        &ann.get(&format!("/api/chats/{chat}"))
            .await
            .with(200)
            .json(),
        "messages",
    );
    let shown = |message: &Value| json!([message["content"], message["id"], message["sender_id"]]);
    assert_eq!(
        messages.iter().map(shown).collect::<Vec<_>>(),
        [
            json!(["one", first, ann.id]),
            json!([" two\r\n<b>&\"'\u{1F375} ", second, bo.id]),
        ]
    );
    for message in &messages {
        let time = text(message, "time");
        assert!(time.len() == 24 && time.ends_with('Z'), "{time}");
    }
    world
        .get(&format!("/api/chats/{chat}"))
        .await
        .refused(401, "unauthenticated");
    for nothing in [
        "/api/chats/999999",
        "/api/chats/0",
        "/api/chats/9007199254740991",
    ] {
        ann.get(nothing).await.refused(404, "not_found");
    }
}

#[rocket::async_test]
async fn sending_a_message_is_as_the_document_says() {
    let world = World::new().await;
    let ann = world.actor("ann").await;
    let chat = ann.make("tea").await;
    let path = format!("/api/chats/{chat}");
    let longest = "я".repeat(8192);
    for body in BODIES {
        for content in [
            "hi",
            " kept to the letter \n",
            "50% + 1 & =",
            longest.as_str(),
        ] {
            let told = body
                .post_as(&ann, &path, &[("content", content)])
                .await
                .ok(201);
            let id = told.header("X-Message-Id").to_owned();
            assert_eq!(told.header("Location"), format!("{path}/messages/{id}"));
            let one = ann
                .get(&format!("{path}/messages/{id}"))
                .await
                .with(200)
                .json();
            assert_eq!(one["content"], content, "{body:?}");
            assert_eq!(told.header("X-Message-Time"), text(&one, "time"));
        }
        for wrong in [
            String::new(),
            " \n\t".into(),
            "a\0b".into(),
            "я".repeat(8193),
        ] {
            body.post_as(&ann, &path, &[("content", &wrong)])
                .await
                .refused(400, "bad_request");
        }
        body.post_as(&ann, &path, &[])
            .await
            .refused(400, "bad_request");
        let elsewhere = [("content", "hi")];
        body.post_as(&ann, "/api/chats/999999", &elsewhere)
            .await
            .refused(404, "not_found");
        body.post(&world, &path, &elsewhere)
            .await
            .refused(401, "unauthenticated");
    }
}
