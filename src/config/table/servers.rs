//! The rows of what several servers of one PostgreSQL have to do with each other.

use crate::config::{
    nats::{NatsAddresses, is_subject},
    setting::{
        Kind::{Form, OptionalText},
        Preset, Setting,
    },
};

pub(super) const SERVERS: &[Setting] = &[
    Setting::new(
        "node_address",
        Preset::Text(""),
        OptionalText,
        "Where other servers of the same PostgreSQL reach this one: a host, with a port if it is not `port`; empty: `address`.",
    )
    .more(
        "They pass on to it what belongs to its Socket.IO sessions, so that the balancer need not send a client that \
         polls to the same server again. Nothing is passed on if it is empty and address is 127.0.0.1 or 0.0.0.0.",
    ),
    Setting::new(
        "nats_url",
        Preset::Text(""),
        Form {
            what: "addresses with commas between them, or nothing",
            example: "nats://user:password@host:4222",
            is_one: |text| NatsAddresses::parse(text).is_some(),
        },
        "NATS, by which servers of the same PostgreSQL tell each other what is new; empty: they do so by PostgreSQL's notifications.",
    )
    .more(
        "tls://host:4222 insists on TLS, and nats://token@host:4222 signs in by a token. Set it alike at all servers; while \
         NATS is away they look at the log several times a second, as they do without it.",
    ),
    Setting::new(
        "nats_credentials",
        Preset::Text(""),
        OptionalText,
        "A file by which servers sign in at NATS: credentials (`.creds`) or the seed of an nkey; empty: none.",
    ),
    Setting::new(
        "nats_ca",
        Preset::Text(""),
        OptionalText,
        "A PEM file with the certificates that NATS servers' own are signed by; empty: the public authorities.",
    ),
    Setting::new(
        "nats_prefix",
        Preset::Text("parlance"),
        Form {
            what: "words of letters, digits, `-` and `_` with dots between them",
            example: "chat.parlance",
            is_one: is_subject,
        },
        "By what subjects at NATS begin. The database's identity follows, so that several share a NATS.",
    )
    .more("A database that was copied file by file has the same identity: its servers need another prefix."),
];
