//! The rules on small samples: each one must be able to fail.

use super::{
    rules::{Workspace, breaches, tests_stand_alone},
    source::Source,
};

fn workspace() -> Workspace {
    Workspace {
        crates: [
            "rocket",
            "serde",
            "serde_json",
            "sqlx",
            "rusqlite",
            "tokio",
            "time",
            "rocket_db_pools",
        ]
        .map(String::from)
        .into(),
        dialects: ["messenger", "support"].map(String::from).into(),
    }
}

/// What is wrong with `code` at `path`, without the reasons.
fn wrong(path: &str, code: &str) -> Vec<String> {
    let text = format!("//! A sample of code.\n//!\n//! # Why\n{code}");
    breaches(&workspace(), &Source::new(path, &text))
        .iter()
        .map(|breach| {
            let (place, why) = breach.split_once(": ").expect("a reason");
            assert!(!why.is_empty());
            place.strip_prefix(path).expect("a place").to_owned()
        })
        .collect()
}

fn right(path: &str, code: &str) {
    assert_eq!(wrong(path, code), Vec::<String>::new(), "{path}: {code}");
}

#[test]
fn a_wall_stands_however_it_is_climbed() {
    for code in [
        "use rocket::Request;",
        "use rocket as framework;",
        "use ::rocket::Request;",
        "pub use {std::fmt, rocket::{http::Status, Request}};",
        "fn f() { rocket::tokio::spawn(f); }",
        "fn f(_: &rocket::Request<'_>) {}",
        "#[rocket::async_trait]\nimpl X for Y {}",
        "macro_rules! m { () => { rocket::x() } }",
    ] {
        let found = wrong("src/chat/messages.rs", code);
        assert_eq!(found, [":4 names rocket, which chat may not"], "{code}");
    }
    for code in [
        "use crate::http::Fields;",
        "use crate::{error::Error, http};",
        "use super::http::Fields;",
        "use super::super::http::Fields;",
        "fn f() { crate::http::configure() }",
    ] {
        let path = if code.starts_with("use super::http") {
            "src/model/mod.rs"
        } else {
            "src/model/text.rs"
        };
        let found = wrong(path, code);
        assert_eq!(
            found,
            [":4 names crate::http, which model may not"],
            "{code}"
        );
    }
}

#[test]
fn each_part_has_its_own_wall() {
    for (path, code, name) in [
        (
            "src/error.rs",
            "use crate::model::PersonId;",
            "crate::model",
        ),
        ("src/model/mod.rs", "use serde::Serialize;", "serde"),
        (
            "src/store/messages.rs",
            "use serde_json::json;",
            "serde_json",
        ),
        (
            "src/store/messages.rs",
            "use crate::chat::Caller;",
            "crate::chat",
        ),
        (
            "src/pubsub/hub.rs",
            "use crate::store::Store;",
            "crate::store",
        ),
        ("src/pubsub/hub.rs", "use serde::Serialize;", "serde"),
        (
            "src/chat/mod.rs",
            "use crate::dialect::LIST;",
            "crate::dialect",
        ),
        ("src/chat/mod.rs", "use sqlx::Row;", "sqlx"),
        (
            "src/dialect/support/wire.rs",
            "use rocket::Route;",
            "rocket",
        ),
        ("src/dialect/support/routes.rs", "use sqlx::Row;", "sqlx"),
        (
            "src/dialect/support/events.rs",
            "use crate::chat;",
            "crate::chat",
        ),
        (
            "src/http/health.rs",
            "use crate::store::Store;",
            "crate::store",
        ),
        (
            "src/socketio/server.rs",
            "use parlance::http::Fields;",
            "crate::http",
        ),
        (
            "src/chat/mod.rs",
            "use parlance_socketio::SocketIo;",
            "crate::socketio",
        ),
        ("src/config/mod.rs", "use crate::http;", "crate::http"),
        ("src/telemetry/mod.rs", "use crate::chat;", "crate::chat"),
    ] {
        let found = wrong(path, code);
        assert_eq!(found.len(), 1, "{path} {code} {found:?}");
        assert!(found[0].starts_with(&format!(":4 names {name}, which")));
    }
}

#[test]
fn what_is_allowed_passes() {
    right("src/model/time.rs", "use time::OffsetDateTime;");
    right(
        "src/store/open.rs",
        "use rocket_db_pools::Pool; use rocket::figment::Figment;",
    );
    right("src/pubsub/log_tail.rs", "use crate::store::Store;");
    right(
        "src/chat/mod.rs",
        "use crate::{pubsub::Hub, model, store::Store, Error, Result};",
    );
    right(
        "src/chat/mod.rs",
        "use super::chat::Caller; use self::access::Reader;",
    );
    right(
        "src/dialect/support/routes/mod.rs",
        "use rocket::get; use crate::http::Fields;",
    );
    right(
        "src/server.rs",
        "use rocket::Build; use crate::{chat, http, store};",
    );
    right("src/main.rs", "use parlance::Server;");
    // Inside the library `crate` is the library.
    right(
        "src/socketio/server/mod.rs",
        "use crate::engine::Session; use super::packet::Args; fn f() { crate::packet::f() }",
    );
    right("src/gateway/mod.rs", "use parlance_socketio::SocketIo;");
    // Imported names are not crates of the same name.
    right(
        "src/pubsub/hub.rs",
        "use tokio::time; fn f() { time::sleep(s) }",
    );
}

#[test]
fn comments_texts_and_unit_tests_are_no_code() {
    right(
        "src/chat/mod.rs",
        "// use rocket::Request;\n/* rocket::x /* rocket::y */ */",
    );
    right(
        "src/chat/mod.rs",
        "/// [`rocket::Request`]\nconst A: &str = \"rocket::Request\";",
    );
    right(
        "src/chat/mod.rs",
        "const A: &str = r#\"\"rocket::x\"#; const B: char = '\"';",
    );
    right(
        "src/chat/mod.rs",
        "#[cfg(test)]\nmod tests { use rocket::X; fn f() {} }",
    );
    right("src/chat/mod.rs", "fn f<'a>(a: &'a str) -> char { '\\'' }");
    let after = "#[cfg(test)]\nmod tests { fn f() {} }\nuse rocket::X;";
    assert_eq!(wrong("src/chat/mod.rs", after).len(), 1);
    let after = "const A: char = '\\'';\nconst B: &str = \"\\\"\";\nuse rocket::X;";
    assert_eq!(
        wrong("src/chat/mod.rs", after),
        [":6 names rocket, which chat may not"]
    );
}

#[test]
fn the_environment_is_read_in_config_alone() {
    for code in [
        "use std::env;",
        "use std::{env::var, fmt};",
        "fn f() { std::env::args(); }",
    ] {
        let found = wrong("src/chat/mod.rs", code);
        assert_eq!(found, [":4 reads the environment outside config"]);
        assert_eq!(wrong("src/main.rs", code).len(), 1);
        right("src/config/mod.rs", code);
        right("src/socketio/examples/echo.rs", code);
    }
    right(
        "src/chat/mod.rs",
        "const V: &str = env!(\"CARGO_PKG_VERSION\");",
    );
}

#[test]
fn only_the_writer_and_the_log_tail_publish() {
    let code = "fn f(hub: &Hub) { hub.publish(changes); }";
    for path in ["src/chat/messages.rs", "src/http/mod.rs", "src/server.rs"] {
        assert_eq!(wrong(path, code).len(), 1);
    }
    for code in [
        "fn f() { Hub::publish(hub) }",
        "fn f(hub: &Hub) { hub.begin_publish(changes).notify(); }",
    ] {
        assert_eq!(wrong("src/pubsub/topic_log.rs", code).len(), 1);
    }
    for path in [
        "src/chat/writer/mod.rs",
        "src/pubsub/log_tail.rs",
        "src/pubsub/hub.rs",
    ] {
        right(path, code);
    }
    right(
        "src/chat/messages.rs",
        "fn f(p: Published) { p.published() }",
    );
}

#[test]
fn tenants_take_turns_at_writing() {
    let code = "async fn f(store: &Store) { store.write_anyway(work).await; }";
    for path in ["src/chat/people.rs", "src/chat/throttle/mod.rs"] {
        assert_eq!(wrong(path, code).len(), 1);
        right(path, "async fn f() { store.write(tenant, work).await; }");
    }
    for path in ["src/chat/writer/mod.rs", "src/http/shutdown.rs"] {
        right(path, code);
    }
}

#[test]
fn events_are_pure() {
    for code in ["async fn f() {}", "fn f() { g().await }"] {
        assert_eq!(wrong("src/dialect/support/events.rs", code).len(), 1);
        right("src/dialect/support/routes.rs", code);
    }
}

#[test]
fn no_dialects_name_is_known_outside_its_folder() {
    for code in [
        "fn f(a: Messenger) {}",
        "const MESSENGER: u8 = 1;",
        "fn f() { of(\"support\") }",
    ] {
        for path in [
            "src/chat/mod.rs",
            "src/socketio/server.rs",
            "src/gateway/mod.rs",
            "src/http/mod.rs",
            "src/telemetry/metrics.rs",
        ] {
            assert_eq!(wrong(path, code).len(), 1, "{code}");
        }
        right("src/config/settings.rs", code);
    }
    right(
        "src/chat/mod.rs",
        "const A: &str = \"we support many\"; fn supported() {}",
    );
}

#[test]
fn files_have_a_shape() {
    let of = |path: &str, text: &str| breaches(&workspace(), &Source::new(path, text));
    assert_eq!(of("src/chat/a.rs", "use std::fmt;\n").len(), 1);
    assert_eq!(of("src/chat/a.rs", "//!\n").len(), 1);
    assert_eq!(of("src/chat/a.rs", "//! What this file holds.\n").len(), 0);
    assert_eq!(
        of("src/chat/mod.rs", "//! What this file holds.\n").len(),
        1
    );
    let long = format!("//! What this file holds.\n{}", "\n".repeat(600));
    assert_eq!(of("src/chat/a.rs", &long).len(), 1);
    let fits = format!("//! What this file holds.\n{}", "\n".repeat(599));
    assert_eq!(of("src/chat/a.rs", &fits).len(), 0);
}

#[test]
fn no_endpoint_reaches_past_the_verbs() {
    for code in [
        "fn f(services: &Services) { services.store.people() }",
        "async fn f(session: &Session) { session.services.writer.act(a).await }",
        "fn f(services: &Services) { let hub = &services.hub; }",
        "use crate::chat::writer::ActionRequest;",
        "use crate::{chat::{Caller, writer}, error::Error};",
        "fn f(hub: &crate::pubsub::Hub) {}",
        "use crate::pubsub::{Published, Topic};",
    ] {
        for path in ["src/dialect/support/handlers.rs", "src/http/feed.rs"] {
            assert_eq!(wrong(path, code).len(), 1, "{path}: {code}");
        }
        right("src/chat/messages.rs", code);
    }
    for code in [
        "async fn f(services: &Services) { services.ready().await }",
        "fn f(a: A) { feed(services, a) }",
        "use crate::{chat::{Services, chats}, pubsub::Published};",
    ] {
        right("src/gateway/http/emit.rs", code);
    }
}

#[test]
fn the_services_are_closed() {
    let of = |fields: &str| format!("pub struct Services {{ {fields} }}\npub fn f() {{}}");
    let path = "src/chat/services.rs";
    for open in ["pub store: Store", "pub(crate) store: Store"] {
        let fields = format!("pub(super) hub: Hub, {open}");
        assert_eq!(
            wrong(path, &of(&fields)),
            [":4 opens a field of Services"],
            "{open}"
        );
    }
    right(path, &of("pub(super) hub: Hub, clock: Clock"));
    assert_eq!(wrong(path, "struct Other;").len(), 1);
}

#[test]
fn verbs_speak_no_dialects_sentences() {
    for text in [
        "Room Not Found",
        "Users {} not registered",
        "verifyUrl is bad",
    ] {
        let code = format!("fn f() {{ Error::not_found(\"{text}\") }}");
        assert_eq!(wrong("src/chat/rooms.rs", &code).len(), 1, "{text}");
        right("src/dialect/support/routes.rs", &code);
    }
    for code in [
        "fn f() { Error::not_found(\"there is no such room\") }",
        "fn f() { tracing::warn!(\"A commit was not confirmed.\") }",
        "fn f() { x.expect(\"Ed25519 takes any key\") }",
    ] {
        right("src/chat/rooms.rs", code);
    }
}

#[test]
fn a_test_that_imports_another_is_found() {
    let names = |path: &str, code: &str| {
        let text = format!("//! A sample.\n{code}");
        tests_stand_alone(&Source::new(path, &text)).len()
    };
    for code in [
        "use crate::events::poll::hold;",
        "use super::poll::hold;",
        "use super::{poll::hold, stream};",
        "fn f() { crate::events::poll::hold() }",
    ] {
        assert_ne!(names("tests/it/events/ends.rs", code), 0, "{code}");
    }
    for code in [
        "use crate::support::poll::hold;",
        "use crate::{support::world::World, with_tls};",
        "use crate::events::ends::Part;",
        "use parlance::events;",
    ] {
        assert_eq!(names("tests/it/events/ends.rs", code), 0, "{code}");
    }
    let world = "tests/it/support/world.rs";
    assert_ne!(names(world, "use crate::events::poll::hold;"), 0);
    assert_eq!(names(world, "use super::poll::hold;"), 0);
    assert_eq!(
        names("tests/it/stories/play.rs", "use super::script::Script;"),
        0
    );
}
