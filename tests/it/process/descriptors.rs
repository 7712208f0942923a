//! What happens when the process may open no further file.

use std::{net::TcpStream, process::Command};

use crate::support::binary::{Started, parlance};

/// So few files that the test need not open many connections.
const FILES: usize = 96;

#[test]
fn connections_that_cannot_be_accepted_are_one_line_in_the_log_and_wait() {
    let folder = tempfile::tempdir().expect("a folder");
    let bare = parlance(folder.path());
    let mut limited = Command::new("sh");
    limited
        .arg("-c")
        .arg(format!("ulimit -n {FILES}; exec \"$0\""))
        .arg(bare.get_program())
        .current_dir(folder.path());
    for (name, value) in bare.get_envs() {
        match value {
            Some(value) => limited.env(name, value),
            None => limited.env_remove(name),
        };
    }
    // More than there are files for, or it would stop at its own bound.
    limited.env("ROCKET_CONNECTIONS_MAX", "1000");
    let mut server = Started::begin(limited);
    let open = || TcpStream::connect(server.address()).expect("the system takes it");
    let connections: Vec<_> = (0..2 * FILES).map(|_| open()).collect();
    let told = "No connection can be accepted";
    server.says(told);
    drop(connections);
    // A client that connects now is behind those in the queue, and is answered.
    assert!(server.get("/health/live").starts_with("HTTP/1.0 200"));
    let rest = server.stop();
    assert!(
        !rest.contains(told) && !rest.contains("accept error"),
        "{rest}"
    );
}
