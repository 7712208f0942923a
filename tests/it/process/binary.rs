//! The binary: it starts in any folder with the defaults, reports errors, and stops gracefully.

use std::{
    fs,
    path::Path,
    process::{Command, Stdio},
};

use crate::support::binary::{Started, parlance, refused};

#[test]
fn it_starts_in_an_empty_folder_with_the_defaults_and_stops_in_peace() {
    let folder = tempfile::tempdir().expect("a folder");
    let server = Started::begin(parlance(folder.path()));
    let [file, warning, listens] = &server.lines[..] else {
        panic!("{:?}", server.lines)
    };
    let file = file["message"].as_str().expect("a sentence");
    assert!(file.contains("no Rocket.toml"), "{file}");
    let warning = warning["message"].as_str().expect("a sentence");
    assert!(warning.contains("embed_open"), "{warning}");
    assert_eq!(listens["address"], "127.0.0.1");
    assert!(server.get("/health").starts_with("HTTP/1.0 200"));
    assert!(server.get("/").starts_with("HTTP/1.0 200"));
    let figures = server.get("/metrics");
    assert!(figures.contains("\nparlance_head_position{lane=\"1\"} "));
    assert!(folder.path().join("data/parlance.db").exists());
    assert!(server.stop().contains("The server is stopping."));
}

#[test]
fn it_reads_the_file_then_the_environment_and_warns_of_what_it_does_not_know() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = "[default]\nmetrics_tokn = 'x'\nlog_filter = 'error'\n\
        [default.databases.chat]\nurl = 'sqlite://elsewhere/chat.db'\n";
    fs::write(folder.path().join("Rocket.toml"), file).expect("written");
    let mut command = parlance(folder.path());
    command.env("ROCKET_LOG_FILTER", "info");
    let server = Started::begin(command);
    let said = server.lines[0]["message"].as_str().expect("a text");
    assert!(said.contains("metrics_tokn"), "{said}");
    assert!(said.contains("Rocket.toml"), "{said}");
    assert!(said.ends_with("did you mean metrics_token?"), "{said}");
    assert!(folder.path().join("elsewhere/chat.db").exists());
    let said = server.lines[1]["message"].as_str().expect("a text");
    assert!(
        said.contains(&folder.path().join("Rocket.toml").display().to_string()),
        "{said}"
    );
    server.stop();
}

#[test]
fn the_file_is_looked_for_here_then_beside_the_binary() {
    let built = Path::new(env!("CARGO_BIN_EXE_parlance"));
    let beside = tempfile::tempdir_in(built.parent().expect("a folder")).expect("a folder");
    let binary = beside.path().join("parlance");
    fs::hard_link(built, &binary).expect("linked");
    let file = |folder: &Path, name: &str| {
        let text = format!("[default.databases.chat]\nurl = 'sqlite://{name}.db'\n");
        fs::write(folder.join("Rocket.toml"), text).expect("written");
    };
    let folder = tempfile::tempdir().expect("a folder");
    let start = |config: Option<&str>| {
        let mut command = Command::new(&binary);
        command.current_dir(folder.path()).stdin(Stdio::null());
        command.env_clear().env("ROCKET_SOCKET_PORT", "0");
        command.envs(config.map(|name| ("ROCKET_CONFIG", name)));
        let server = Started::begin(command);
        let said = server.lines[0].to_string();
        server.stop();
        said
    };

    file(beside.path(), "beside");
    let said = start(None);
    assert!(
        said.contains(&beside.path().display().to_string()),
        "{said}"
    );
    assert!(folder.path().join("beside.db").exists());

    file(folder.path(), "here");
    let said = start(None);
    assert!(
        said.contains(&folder.path().display().to_string()),
        "{said}"
    );
    assert!(folder.path().join("here.db").exists());

    let said = start(Some("elsewhere.toml"));
    assert!(said.contains("There is no elsewhere.toml"), "{said}");
    assert!(folder.path().join("data/parlance.db").exists());
}

#[test]
fn help_and_version_are_said_and_a_wrong_word_is_told() {
    let folder = tempfile::tempdir().expect("a folder");
    let run = |argument: &str| {
        let output = parlance(folder.path())
            .arg(argument)
            .output()
            .expect("it runs");
        let text = |bytes| String::from_utf8(bytes).expect("text");
        (
            output.status.code(),
            text(output.stdout),
            text(output.stderr),
        )
    };
    let (code, said, complained) = run("--help");
    assert_eq!((code, complained.as_str()), (Some(0), ""));
    assert!(said.starts_with("usage: parlance"), "{said}");
    let (code, said, complained) = run("--version");
    assert_eq!((code, complained.as_str()), (Some(0), ""));
    assert_eq!(said, format!("parlance {}\n", env!("CARGO_PKG_VERSION")));
    let (code, said, complained) = run("--port=9000");
    assert_eq!((code, said.as_str()), (Some(2), ""));
    assert!(
        complained.contains("\"--port=9000\"; see parlance --help"),
        "{complained}"
    );
    assert!(!folder.path().join("data").exists());
}

#[test]
fn it_tells_every_mistake_at_once_and_does_not_start() {
    let folder = tempfile::tempdir().expect("a folder");
    let told = refused(
        folder.path(),
        &[
            ("ROCKET_BCRYPT_COST", "99"),
            ("ROCKET_PORT", "eighty"),
            ("ROCKET_DATABASES", "{chat={max_connections=0}}"),
        ],
    );
    let named: Vec<_> = told
        .lines()
        .filter_map(|line| line.split(' ').next())
        .collect();
    assert_eq!(
        named,
        ["bcrypt_cost", "databases.chat.max_connections", "port"]
    );
    assert!(told.contains(
        "bcrypt_cost must be between 4 and 31, it is 99: set it in Rocket.toml or \
         ROCKET_BCRYPT_COST"
    ));
    assert!(!folder.path().join("data").exists());

    let told = refused(folder.path(), &[("ROCKET_LOG_FILTER", "parlance=loud")]);
    assert!(told.contains("ROCKET_LOG_FILTER"), "{told}");
}

#[test]
fn a_port_that_is_taken_is_said_plainly() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = taken.local_addr().expect("an address").port().to_string();
    let folder = tempfile::tempdir().expect("a folder");
    let told = refused(folder.path(), &[("ROCKET_PORT", &port)]);
    assert!(told.contains("the server cannot start"), "{told}");
    assert!(told.contains(&format!("127.0.0.1:{port}")), "{told}");
    assert!(
        told.contains("port in Rocket.toml or ROCKET_PORT"),
        "{told}"
    );
    assert!(!told.contains("panicked"), "{told}");
}

#[test]
fn a_second_port_that_is_taken_is_a_warning() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = taken.local_addr().expect("an address").port().to_string();
    let folder = tempfile::tempdir().expect("a folder");
    let mut command = parlance(folder.path());
    command.env("ROCKET_SOCKET_PORT", &port);
    let server = Started::begin(command);
    assert!(server.get("/health").starts_with("HTTP/1.0 200"));
    let said: Vec<_> = server.lines.iter().map(ToString::to_string).collect();
    let said = format!("{}{}", said.join("\n"), server.stop());
    assert!(said.contains("socket_port"), "{said}");
}

#[test]
fn who_polls_and_holds_no_poll_is_told_that_the_server_stops() {
    let folder = tempfile::tempdir().expect("a folder");
    let server = Started::begin(parlance(folder.path()));
    let polling = "/socket.io/?EIO=4&transport=polling";
    let open = server.get(polling);
    let sid = open
        .split("\"sid\":\"")
        .nth(1)
        .expect("a session has an id");
    let sid = &sid[..20];
    server.signal();
    // On a new connection. The signal may not have been handled yet.
    loop {
        let told = server.get(&format!("{polling}&sid={sid}"));
        assert!(told.starts_with("HTTP/1.0 200"), "{told}");
        if told.ends_with("6\u{1e}1") || told.ends_with("\r\n\r\n1") {
            break;
        }
    }
    assert!(server.ended().contains("The server is stopping."));
}

#[test]
fn before_it_stops_health_says_so_and_all_else_goes_on_until_a_second_signal() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut command = parlance(folder.path());
    command.env("ROCKET_DRAIN_WAIT", "10m");
    let server = Started::begin(command);
    server.signal();
    for path in ["/health", "/health/ready"] {
        while !server.get(path).starts_with("HTTP/1.0 503") {
            // The signal has not been handled yet.
        }
    }
    let open = server.get("/socket.io/?EIO=4&transport=polling");
    assert!(open.starts_with("HTTP/1.0 200"), "{open}");
    // This one asks whether it is alive first.
    server.signal();
    assert!(server.ended().contains("The server is stopping."));
}

#[test]
fn a_settings_file_that_cannot_be_read_is_a_sentence() {
    let folder = tempfile::tempdir().expect("a folder");
    fs::write(folder.path().join("Rocket.toml"), "[default\nport = 1\n").expect("written");
    let output = parlance(folder.path())
        .env_remove("ROCKET_CONFIG")
        .stdin(Stdio::null())
        .output()
        .expect("it runs");
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(!said.contains("panicked"), "{said}");
    assert!(said.contains("Rocket.toml"), "{said}");
}
