//! The unit of systemd, the container file and the one of three servers say what the binary does: it is started with their
//! settings.

use std::{fs, path::Path, process::Command};

use crate::{
    support::binary::{Started, parlance},
    support::place::Place,
};

fn read(path: &str) -> String {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    fs::read_to_string(file).expect("it is there")
}

/// The values of a key, in their order, in a file whose lines are a key, a mark and a value.
fn values<'t>(text: &'t str, key: &str, mark: char) -> Vec<&'t str> {
    text.lines()
        .filter_map(|line| line.strip_prefix(key)?.strip_prefix(mark))
        .collect()
}

/// The one value of a key.
fn value<'t>(text: &'t str, key: &str, mark: char) -> &'t str {
    let found = values(text, key, mark);
    let [one] = found[..] else {
        panic!("{key}: {found:?}");
    };
    one
}

/// Settings as `NAME=value`, in single quotes around all of it or around the value where it has other quotes.
fn with_settings(mut command: Command, settings: &[&str]) -> Command {
    for setting in settings {
        let (name, value) = setting
            .trim_matches('\'')
            .split_once('=')
            .expect("a setting");
        assert!(setting.contains('\'') == value.contains('"'), "{setting}");
        command.env(name, value.trim_matches('\''));
    }
    command
}

/// Starts the server with these settings; it warns of nothing.
fn start(command: Command) -> Started {
    let server = Started::begin(command);
    let warnings: Vec<_> = server
        .lines
        .iter()
        .filter(|line| line["level"] == "WARN")
        .map(|line| line["message"].as_str().unwrap_or_default().to_owned())
        .filter(|said| !said.contains("no Rocket.toml"))
        .collect();
    assert!(warnings.is_empty(), "{warnings:?}");
    server
}

#[test]
fn the_unit_of_systemd_starts_and_stops_the_server() {
    let unit = read("docs/parlance.service");
    let words: Vec<_> = value(&unit, "ExecStart", '=').split(' ').collect();
    assert_eq!(words[0], "/usr/local/bin/parlance");
    let folder = tempfile::tempdir().expect("a folder");
    let mut command = parlance(folder.path());
    command.args(&words[1..]);
    let server = start(with_settings(command, &values(&unit, "Environment", '=')));
    assert!(server.get("/health").starts_with("HTTP/1.0 200"));
    assert!(
        folder.path().join("parlance.db").exists(),
        "its folder is its state's"
    );
    assert_eq!(value(&unit, "WorkingDirectory", '='), "/var/lib/parlance");
    assert_eq!(value(&unit, "StateDirectory", '='), "parlance");
    assert_eq!(value(&unit, "DynamicUser", '='), "yes");
    assert_eq!(value(&unit, "KillSignal", '='), "SIGTERM");
    let stop: u32 = value(&unit, "TimeoutStopSec", '=')
        .parse()
        .expect("seconds");
    assert!(stop > 20, "the README says how long a stop may take");
    // The signal of the unit.
    server.stop();
}

#[test]
fn the_container_file_starts_the_server_and_its_health_check_asks_it() {
    let file = read("Containerfile");
    assert!(file.contains("cargo build --locked --release --bin parlance"));
    let settings = values(&file, "ENV", ' ');
    let database = settings
        .iter()
        .find_map(|setting| setting.strip_prefix("ROCKET_DATABASES="))
        .expect("it says where the database is");
    let data = value(&file, "VOLUME", ' ');
    assert!(
        database.contains(&format!("sqlite://{data}/")),
        "{database}"
    );
    assert!(settings.contains(&format!("ROCKET_PORT={}", value(&file, "EXPOSE", ' ')).as_str()));
    assert!(!value(&file, "USER", ' ').starts_with('0'), "not as root");
    assert_eq!(value(&file, "STOPSIGNAL", ' '), "SIGTERM");
    assert_eq!(
        value(&file, "ENTRYPOINT", ' '),
        "[\"/usr/local/bin/parlance\"]"
    );
    let folder = tempfile::tempdir().expect("a folder");
    let own = database
        .trim_matches('\'')
        .replace(data, &folder.path().display().to_string());
    let mut command = with_settings(parlance(folder.path()), &settings);
    command.env("ROCKET_DATABASES", own);
    let server = start(command);
    let check = value(&file, "HEALTHCHECK", ' ');
    let (_, check) = check.split_once("CMD ").expect("a command");
    let words: Vec<String> = serde_json::from_str(check).expect("a list of words");
    let asks = |port: u64| {
        let words = words
            .iter()
            .map(|word| word.replace("/8000", &format!("/{port}")));
        let words: Vec<_> = words.collect();
        let mut check = Command::new(&words[0]);
        let ended = check.args(&words[1..]).output().expect("it runs");
        ended.status.success()
    };
    assert!(asks(server.port));
    let port = server.port;
    server.stop();
    assert!(!asks(port), "nobody is there");
}

/// The lines of a block of YAML, without their indentation.
fn block<'t>(text: &'t str, head: &str) -> Vec<&'t str> {
    let mut lines = text.lines().skip_while(|line| line.trim() != head);
    let head = lines.next().expect("the block is there");
    let indent = |line: &str| line.len() - line.trim_start().len();
    lines
        .take_while(|line| line.is_empty() || indent(line) > indent(head))
        .map(str::trim)
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_file_of_three_servers_starts_three_on_one_database() {
    let file = read("docs/compose.yaml");
    let settings: Vec<_> = block(&file, "x-settings: &settings")
        .iter()
        .filter_map(|line| line.split_once(": "))
        .map(|(name, value)| (name.to_owned(), value.trim_matches('\'').to_owned()))
        .collect();
    let of = |name: &str| {
        let found = settings.iter().find(|(key, _)| key == name);
        found.expect("it is set").1.clone()
    };
    let services = ["one", "two", "three"];
    let balancer = block(&file, "content: |");
    for service in services {
        let own = block(&file, &format!("{service}:"));
        assert!(own.contains(&"<<: *settings"), "{own:?}");
        let address = format!("ROCKET_NODE_ADDRESS: {service}");
        assert!(own.contains(&address.as_str()), "{own:?}");
        let upstream = format!("server {service}:{} ", of("ROCKET_PORT"));
        let is_named = balancer.iter().any(|line| line.starts_with(&upstream));
        assert!(is_named, "{balancer:?}");
    }
    for key in ["POSTGRES_USER", "POSTGRES_PASSWORD"] {
        assert_eq!(
            value(&file, &format!("      {key}"), ':').trim(),
            "parlance"
        );
    }
    let url = "postgres://parlance:parlance@database/parlance";
    assert!(of("ROCKET_DATABASES").contains(url));
    // The name of its header is what the balancer sets.
    let header = format!("proxy_set_header {} $$remote_addr;", of("ROCKET_IP_HEADER"));
    assert!(balancer.contains(&header.as_str()), "{balancer:?}");

    let place = Place::make().await;
    if let Place::Sqlite(_) = &place {
        return;
    }
    let (address, folder) = (place.url(), tempfile::tempdir().expect("a folder"));
    let start = services.map(|service| {
        let mut command = parlance(folder.path());
        command.envs(settings.clone());
        command.env("ROCKET_NODE_ADDRESS", service);
        command.env(
            "ROCKET_DATABASES",
            of("ROCKET_DATABASES").replace(url, &address),
        );
        command
    });
    let started = tokio::task::spawn_blocking(move || {
        let servers = start.map(Started::begin);
        for server in servers {
            assert!(server.get("/health").starts_with("HTTP/1.0 200"));
            server.stop();
        }
    });
    started.await.expect("they start and stop");
    drop(folder);
}
