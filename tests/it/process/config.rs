//! Settings: the file lists every key at its default, and mistakes say what to change.

use std::time::Duration;

use parlance::config::{Defaults, Registration, SameSite, Settings, WebOrigin, parse_length};
use rocket::figment::{
    Figment, Profile, Provider,
    providers::{Format, Toml},
    value::{Dict, Value},
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

#[test]
fn the_file_lists_every_key_and_no_other() {
    fn keys(prefix: &str, dict: &Dict, into: &mut Vec<String>) {
        for (key, value) in dict {
            match value {
                Value::Dict(_, inner) => keys(&format!("{prefix}{key}."), inner, into),
                _ => into.push(format!("{prefix}{key}")),
            }
        }
    }
    let data = |provider: &dyn Fn() -> Dict| {
        let mut listed = Vec::new();
        keys("", &provider(), &mut listed);
        listed.sort();
        listed
    };
    let of = |map: rocket::figment::value::Map<Profile, Dict>| {
        map.get(&Profile::Default).cloned().unwrap_or_default()
    };
    let in_file = data(&|| of(Toml::string(FILE).nested().data().expect("the file parses")));
    let in_code = data(&|| of(Defaults.data().expect("the defaults are plain data")));
    assert_eq!(in_file, in_code);
    for depends_on_the_machine in ["# workers = ", "# temp_dir = "] {
        assert!(FILE.contains(depends_on_the_machine));
    }
}

#[test]
fn every_key_in_the_file_has_a_comment() {
    let mut explained = false;
    for line in FILE.lines() {
        if line.starts_with('#') {
            explained = true;
        } else if line.is_empty() || line.starts_with("[default.limits]") {
            explained = line.starts_with('[');
        } else if !line.starts_with('[') {
            assert!(explained, "nothing explains `{line}`");
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
            "cookie_secure",
            "cookie_same_site",
            "allowed_origins",
            "login_idle",
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
