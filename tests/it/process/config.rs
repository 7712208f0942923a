//! Settings: the file lists every key at its default, and mistakes say what to change.

use std::time::Duration;

use parlance::config::{
    Defaults, Kind, Registration, SECTIONS, SameSite, Settings, WebOrigin, parse_length,
};
use rocket::figment::{
    Figment,
    providers::{Format, Toml},
    value::Value,
};

const FILE: &str = include_str!("../../../Rocket.toml");

fn defaults() -> Figment {
    Figment::from(rocket::Config::default())
        .merge(Defaults)
        .select(rocket::Config::DEFAULT_PROFILE)
}

fn with(toml: &str) -> Figment {
    defaults().merge(Toml::string(toml))
}

fn mistakes(toml: &str) -> String {
    Settings::read(&with(toml))
        .expect_err("these settings are wrong")
        .to_string()
}

#[test]
fn the_file_and_the_defaults_agree_in_every_profile() {
    for profile in ["debug", "release"] {
        let without = defaults().select(profile);
        let with_file = defaults()
            .merge(Toml::string(FILE).nested())
            .select(profile);
        assert_eq!(Settings::read(&without), Settings::read(&with_file));
        assert_eq!(
            rocket::Config::try_from(&without),
            rocket::Config::try_from(&with_file)
        );
    }
}

#[test]
fn reading_the_defaults_gives_the_defaults_and_no_warning() {
    assert_eq!(
        Settings::read(&defaults()),
        Ok((Settings::default(), Vec::new()))
    );
}

/// A figment with one key set, such as `databases.chat.url`.
fn with_value(key: &str, value: impl Into<Value>) -> Figment {
    defaults().merge((key.to_owned(), value.into()))
}

/// What `kind` takes at most extreme, and what is just outside.
fn extremes(kind: &Kind) -> (Vec<Value>, Vec<Value>) {
    match kind {
        Kind::Flag => (vec![true.into(), false.into()], vec!["x".into()]),
        Kind::Number(range, _) => {
            let (low, high) = (*range.start(), *range.end());
            let outside = [low - 1, high + 1].map(Value::from);
            (vec![low.into(), high.into()], outside.into())
        }
        Kind::Seconds(range) | Kind::Length(range) => {
            let (low, high) = (*range.start(), *range.end());
            // Nothing is less than no time.
            let outside = [low.checked_sub(1), high.checked_add(1)];
            let outside = outside.into_iter().flatten().map(Value::from);
            (vec![low.into(), high.into()], outside.collect())
        }
        Kind::Choice(words) => {
            let words = words.iter().map(|word| Value::from(*word));
            (words.collect(), vec!["x".into()])
        }
        Kind::FlagOr(word) => {
            let values = vec![(*word).into(), true.into(), false.into()];
            (values, vec!["x".into()])
        }
        Kind::Text(_) | Kind::OptionalText => (vec!["x".into()], vec![7.into()]),
        Kind::Form { example, .. } => (vec![(*example).into()], vec!["no such".into(), 7.into()]),
        Kind::List(..) => (vec![Vec::<String>::new().into()], vec!["no/such".into()]),
        Kind::DatabaseUrl => (vec!["postgres://host/name".into()], vec!["x".into()]),
        Kind::Rocket(_) => (Vec::new(), Vec::new()),
    }
}

#[test]
fn every_value_that_the_table_allows_is_read_and_none_beside() {
    for section in SECTIONS {
        for setting in section.settings {
            let key = section.key(setting);
            let (allowed, refused) = extremes(&setting.kind);
            for value in allowed {
                // Together with another setting it may be wrong, but never by itself.
                if let Err(mistakes) = Settings::read(&with_value(&key, value.clone())) {
                    let told = mistakes.to_string();
                    assert!(
                        told.contains("must be no ")
                            || told.contains("together")
                            || told.contains("must be true when"),
                        "{key} = {value:?}: {told}"
                    );
                }
            }
            for value in refused {
                let told = Settings::read(&with_value(&key, value.clone()))
                    .expect_err(&key)
                    .to_string();
                assert!(
                    told.starts_with(&format!("{key} must ")),
                    "{value:?}: {told}"
                );
                assert_eq!(told.lines().count(), 1, "{told}");
            }
        }
    }
}

#[test]
fn a_mistake_says_what_to_change() {
    assert_eq!(
        mistakes("bcrypt_cost = 99"),
        "bcrypt_cost must be between 4 and 31, it is 99: set it in Rocket.toml or \
         ROCKET_BCRYPT_COST"
    );
    assert_eq!(
        mistakes("databases.chat.max_connections = 1"),
        "databases.chat.max_connections must be between 2 and 10000, it is 1: set it in \
         Rocket.toml or ROCKET_DATABASES='{chat={max_connections=…}}'"
    );
}

#[test]
fn every_mistake_is_told_at_once() {
    let text = mistakes(
        r#"
        bcrypt_cost = "high"
        cookie_secure = "perhaps"
        cookie_same_site = "Lax"
        allowed_origins = ["https://a.example/path"]
        registration = true
        login_idle = "2 fortnights"
        poll_timeout_max = 0
        write_batch_max = 0
        log_format = "xml"
        metrics_token = 12
        port = 70000
        "#,
    );
    let named: Vec<_> = text
        .lines()
        .filter_map(|line| line.split(' ').next())
        .collect();
    assert_eq!(
        named,
        [
            "registration",
            "bcrypt_cost",
            "login_idle",
            "cookie_secure",
            "cookie_same_site",
            "allowed_origins",
            "poll_timeout_max",
            "write_batch_max",
            "metrics_token",
            "log_format",
            "port",
        ]
    );
}

#[test]
fn settings_that_contradict_each_other_are_refused() {
    assert!(mistakes("cookie_same_site = 'none'").starts_with("cookie_secure must be true"));
    assert!(mistakes("login_max = '1d'").starts_with("login_max must be no shorter"));
    assert!(mistakes("write_queue = 5").starts_with("write_queue must be no smaller"));
}

#[test]
fn a_wrong_database_address_is_refused_without_repeating_it() {
    let text = mistakes("databases.chat.url = 'mysql://root:secret@host/db'");
    assert!(text.starts_with("databases.chat.url must begin with sqlite:// or postgres://"));
    assert!(!text.contains("secret"));
}

#[test]
fn settings_are_read_with_their_units() {
    let (settings, warnings) = Settings::read(&with(
        r#"
        login_idle = "12h"
        login_max = 86400
        poll_timeout_max = 20
        cookie_secure = true
        cookie_same_site = "none"
        registration = "closed"
        allowed_origins = "https://A.example, http://b.example:3000"
        metrics_token = "s3cret"
        databases.chat.url = "postgres://localhost/parlance"
        "#,
    ))
    .expect("these settings are fine");
    assert_eq!(settings.login_idle, Duration::from_hours(12));
    assert_eq!(settings.login_max, Duration::from_hours(24));
    assert_eq!(settings.poll_timeout_max, Duration::from_secs(20));
    assert_eq!(settings.cookie_same_site, SameSite::None);
    assert_eq!(settings.registration, Registration::Closed);
    assert_eq!(settings.metrics_token.as_deref(), Some("s3cret"));
    assert_eq!(settings.database.url, "postgres://localhost/parlance");
    assert_eq!(settings.database.max_connections, 16);
    let origins: Vec<_> = settings
        .allowed_origins
        .iter()
        .map(ToString::to_string)
        .collect();
    assert_eq!(origins, ["https://a.example", "http://b.example:3000"]);
    assert_eq!(warnings, Vec::<String>::new());
}

#[test]
fn an_unknown_key_warns_with_the_one_that_was_probably_meant() {
    let (_, warnings) = Settings::read(&with(
        r#"
        bcrypt_cots = 10
        prot = 80
        something_else_entirely = 1
        tls = { certs = "chain.pem", key = "key.pem" }
        databases.chat.ulr = "sqlite://x"
        limits.avatar = "1MiB"
        "#,
    ))
    .expect("unknown keys never refuse");
    let endings: Vec<_> = warnings
        .iter()
        .map(|warning| {
            let (start, end) = warning.split_once(" (in ").expect("it says where");
            let hint = end.split_once(": did").map_or("", |(_, hint)| hint);
            format!("{start}{hint}")
        })
        .collect();
    assert_eq!(
        endings,
        [
            "the setting bcrypt_cots you mean bcrypt_cost?",
            "the setting databases.chat.ulr you mean databases.chat.url?",
            "the setting prot you mean port?",
            "the setting something_else_entirely",
            "the setting tls",
        ]
    );
}

#[test]
fn lengths_of_time_have_units() {
    let seconds = |text| parse_length(text).map(|length| length.as_secs());
    assert_eq!(seconds("90"), Some(90));
    assert_eq!(seconds("90s"), Some(90));
    assert_eq!(seconds(" 15 m "), Some(900));
    assert_eq!(seconds("12h"), Some(43_200));
    assert_eq!(seconds("30d"), Some(2_592_000));
    for wrong in [
        "",
        "d",
        "-1s",
        "1.5h",
        "1w",
        "+3",
        "99999999999999999999d",
        "1 2s",
    ] {
        assert_eq!(seconds(wrong), None, "{wrong:?}");
    }
}

#[test]
fn an_origin_is_scheme_host_and_port_alone() {
    let spelled = |text| WebOrigin::parse(text).map(|origin| origin.to_string());
    assert_eq!(
        spelled("HTTPS://Chat.Example:443"),
        Some("https://chat.example".into())
    );
    assert_eq!(
        spelled("http://[::1]:8000"),
        Some("http://[::1]:8000".into())
    );
    for wrong in [
        "null",
        "",
        "https://",
        "ftp://a.example",
        "https://a.example/",
        "https://me@a.example",
        "https://a.example:x",
        "https://a.example:70000",
        "https://a b",
    ] {
        assert_eq!(spelled(wrong), None, "{wrong:?}");
    }
    let origin = WebOrigin::parse("http://chat.example").expect("an origin");
    assert!(origin.is_served_by("chat.example"));
    assert!(origin.is_served_by("Chat.Example:80"));
    assert!(!origin.is_served_by("chat.example:8000"));
    assert!(!origin.is_served_by("chat.example.evil"));
}
