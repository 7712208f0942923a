//! The rows of where the server listens, and of its connections.

use super::{DAY, SECONDS};
use crate::config::setting::{
    Kind::{Length, Number, Rocket},
    Preset, Setting,
};

pub(super) const CONNECTIONS: &[Setting] = &[
    Setting::new(
        "keep_alive",
        Preset::Number(75),
        SECONDS,
        "After how long a connection is closed on which no further request begins; 0: each is closed after its answer.",
    )
    .more(
        "Let it be longer than the proxy keeps a connection for the next request (60 seconds are \
         common), so that the proxy is the one who closes: no request then meets a connection that is just \
         being closed.",
    ),
    Setting::new(
        "header_timeout",
        Preset::Text("15s"),
        Length(1..=DAY),
        "How long the head of a request may take, from the connection's begin or the head's first byte.",
    )
    .more("Long-polls, event streams and WebSockets are not bounded by this and the next three."),
    Setting::new(
        "body_idle_timeout",
        Preset::Text("15s"),
        Length(1..=DAY),
        "How long no more of a request's body may come.",
    ),
    Setting::new(
        "body_timeout",
        Preset::Text("1m"),
        Length(1..=DAY),
        "How long a request's body may take in all.",
    ),
    Setting::new(
        "write_timeout",
        Preset::Text("30s"),
        Length(1..=DAY),
        "How long a client may take nothing of its answer.",
    ),
    Setting::new(
        "connections_max",
        Preset::Number(0),
        Number(0..=10_000_000, ""),
        "Most open connections on all ports, who comes then waits; 0: seven eighths of the files that the process may have open.",
    ),
];

pub(super) const LISTENING: &[Setting] = &[
    Setting::new(
        "address",
        Preset::Text("127.0.0.1"),
        Rocket("an IP address"),
        "Where to listen.",
    )
    .more("Run it behind a proxy that ends TLS to serve others than this machine."),
    Setting::new(
        "port",
        Preset::Number(8000),
        Rocket("0 to 65535"),
        "On which port; 0: any that is free.",
    ),
    Setting::new(
        "ip_header",
        Preset::Flag(false),
        Rocket("a name such as `\"X-Real-IP\"`, or `false`"),
        "The header in which a proxy tells the client's address; read \"Running it for others\" in the README before setting it.",
    )
    .more(
        "Only set it when every request comes through a proxy that overwrites that \
         header: otherwise anybody can claim any address. It decides throttling by address and who may \
         read /metrics.",
    ),
    Setting::new(
        "ident",
        Preset::Flag(false),
        Rocket("text or `false`"),
        "The `Server` header; `false` sends none.",
    ),
    Setting::new(
        "workers",
        Preset::Machine("cores", "2"),
        Rocket("1 and more"),
        "Threads that answer requests. The default is the number of cores.",
    ),
    Setting::new(
        "max_blocking",
        Preset::Number(512),
        Rocket("1 and more"),
        "Most threads for blocking work such as hashing passwords.",
    ),
    Setting::new(
        "temp_dir",
        Preset::Machine("the system's", "\"/tmp\""),
        Rocket("a folder"),
        "Where Rocket may put temporary files. The default is the system's own folder.",
    ),
];
