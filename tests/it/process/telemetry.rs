//! Log lines: Rocket is quiet at the default level, and every line is text or JSON as asked.

use std::io;

use parlance::{
    config::{LogFormat, Settings},
    telemetry,
};
use rocket::log::private::{Level, Log, Record};
use tracing_log::LogTracer;

use crate::support::log::Kept;

fn lines(settings: &Settings, speak: impl FnOnce()) -> String {
    let kept = Kept::default();
    let subscriber =
        telemetry::subscriber(settings, kept.clone(), false).expect("the filter is right");
    tracing::subscriber::with_default(subscriber, speak);
    kept.text()
}

fn with_filter(filter: &str) -> Settings {
    Settings {
        log_filter: filter.to_owned(),
        ..Settings::default()
    }
}

/// Speaks through the bridge that a process installs once; here other tests' servers came first.
fn speak_as_rocket() {
    let bridge = LogTracer::new();
    for (level, target, text) in [
        (Level::Info, "rocket::launch", "configured for debug"),
        (Level::Warn, "rocket::launch", "Rocket has launched"),
        (Level::Error, "rocket::server::_", "No matching routes"),
        (Level::Warn, "parlance::http::pages::_", "Data guard failed"),
        (Level::Info, "rocket::server", "GET /?token=secret:"),
        (Level::Trace, "rocket::form::parser", "field: secret"),
        (Level::Error, "rocket_db_pools::database", "no database"),
    ] {
        bridge.log(
            &Record::builder()
                .level(level)
                .target(target)
                .args(format_args!("{text}"))
                .build(),
        );
    }
}

#[test]
fn rocket_is_quiet_at_the_default_level_but_for_errors_at_start() {
    let text = lines(&Settings::default(), || {
        speak_as_rocket();
        tracing::info!(port = 8000, "The server listens.");
        tracing::debug!("Answered a request.");
    });
    let said: Vec<_> = text.lines().collect();
    assert_eq!(said.len(), 2, "{text}");
    assert!(said[0].contains("ERROR") && said[0].contains("no database"));
    assert!(said[1].contains("INFO") && said[1].contains("The server listens. port=8000"));
}

#[test]
fn rocket_speaks_when_the_filter_names_it() {
    let text = lines(&with_filter("warn,rocket=info"), speak_as_rocket);
    assert_eq!(text.lines().count(), 4, "{text}");
}

#[test]
fn no_filter_makes_rocket_print_requests_whole() {
    for filter in ["trace", "trace,rocket=trace", "rocket::server=trace"] {
        let text = lines(&with_filter(filter), || {
            speak_as_rocket();
            tracing::info!("The server listens.");
        });
        assert!(!text.contains("secret"), "{filter}: {text}");
    }
}

#[test]
fn json_lines_are_one_object_each() {
    let settings = Settings {
        log_format: LogFormat::Json,
        ..with_filter("debug")
    };
    let text = lines(&settings, || {
        tracing::debug!(request_id = "7", status = 200, "Answered a request.");
    });
    let line: serde_json::Value = serde_json::from_str(&text).expect("one object");
    assert_eq!(line["message"], "Answered a request.");
    assert_eq!(line["request_id"], "7");
    assert_eq!(line["status"], 200);
    assert_eq!(line["level"], "DEBUG");
}

#[test]
fn a_wrong_filter_says_what_to_change() {
    let refusal = telemetry::subscriber(&with_filter("parlance=loud"), io::sink, false)
        .err()
        .expect("loud is no level");
    assert!(refusal.text().ends_with("ROCKET_LOG_FILTER"));
}
