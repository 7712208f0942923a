//! The table of settings: a row for each, with its key, default, bounds, unit and sentence.
//!
//! The reader, the defaults, the messages about values out of bounds and the suggestions for unknown
//! keys come from it. `Rocket.toml` and the table of the README are written from it by a test
//! (`PARLANCE_BLESS=1`), which compares them otherwise.

mod accounts;
mod listening;
mod servers;

use super::{
    WebOrigin,
    setting::{
        Kind::{
            Choice, DatabaseUrl, Flag, FlagOr, Length, List, Number, OptionalText, Rocket, Seconds,
            Text,
        },
        Preset, Section, Setting,
    },
    settings::Network,
};

const DAY: u64 = 86_400;

/// Most bytes of a body, whatever its form: 16,384 bytes of Cyrillic are 98,304 when urlencoded.
const BODY: Preset = Preset::Text("128KiB");
const SIZE: super::Kind = Rocket("a size");
const SECONDS: super::Kind = Rocket("seconds");
const RATE: super::Kind = Number(0..=1_000_000, "a second");

/// Every setting, in the order of `Rocket.toml`.
pub const SECTIONS: &[Section] = &[
    Section {
        title: "Listening",
        table: "",
        settings: listening::LISTENING,
    },
    Section {
        title: "Connections",
        table: "",
        settings: listening::CONNECTIONS,
    },
    Section {
        title: "Accounts",
        table: "",
        settings: accounts::ACCOUNTS,
    },
    Section {
        title: "Browsers",
        table: "",
        settings: BROWSERS,
    },
    Section {
        title: "Messages",
        table: "",
        settings: MESSAGES,
    },
    Section {
        title: "Sockets",
        table: "",
        settings: SOCKETS,
    },
    Section {
        title: "Several servers",
        table: "",
        settings: servers::SERVERS,
    },
    Section {
        title: "Live support",
        table: "",
        settings: SUPPORT,
    },
    Section {
        title: "Chat inside another product",
        table: "",
        settings: EMBED,
    },
    Section {
        title: "Chat as a service",
        table: "",
        settings: SERVICE,
    },
    Section {
        title: "Operations",
        table: "",
        settings: OPERATIONS,
    },
    Section {
        title: "The database",
        table: "databases.chat",
        settings: DATABASE,
    },
    Section {
        title: "Bodies",
        table: "limits",
        settings: LIMITS,
    },
    Section {
        title: "Stopping",
        table: "shutdown",
        settings: SHUTDOWN,
    },
];

const BROWSERS: &[Setting] = &[
    Setting::new(
        "cookie_secure",
        Preset::Flag(false),
        Flag,
        "Cookies are sent over TLS only; set it when people reach the server by https.",
    )
    .more("Browsers are then told to insist on https."),
    Setting::new(
        "cookie_host_prefix",
        Preset::Flag(false),
        Flag,
        "Cookies are named `__Host-…`, so that no other host of the domain can set them; needs `cookie_secure`.",
    )
    .more("They are read by both names. Clients that look for `user_id` and `token` must look for the others then."),
    Setting::new(
        "hsts_subdomains",
        Preset::Flag(false),
        Flag,
        "Browsers are told to insist on https for all hosts below this one too; needs `cookie_secure`.",
    ),
    Setting::new(
        "external_photos",
        Preset::Flag(true),
        Flag,
        "The messenger's page shows people's photos from the https addresses that they gave.",
    )
    .more("The host of a photo learns the network address and the browser of everybody who sees it. Without it people are their initials."),
    Setting::new(
        "cookie_same_site",
        Preset::Text("lax"),
        Choice(&["lax", "strict", "none"]),
        "When browsers send cookies along from other sites; `none` needs `cookie_secure`.",
    ),
    Setting::new(
        "allowed_origins",
        Preset::Texts(&[]),
        List("origins such as \"https://chat.example.com\"", |text| {
            WebOrigin::parse(text).is_some()
        }),
        "Origins beside our own whose pages may use our cookies.",
    ),
    Setting::new(
        "static_dir",
        Preset::Text(""),
        OptionalText,
        "A folder to serve pages from while working on them, instead of those in the binary.",
    ),
];

const MESSAGES: &[Setting] = &[
    Setting::new(
        "poll_timeout_max",
        Preset::Number(55),
        Length(1..=600),
        "The longest wait of a long-poll. Keep it below the proxy's own limit.",
    ),
    Setting::new(
        "write_batch_max",
        Preset::Number(512),
        Number(1..=1_000, "messages"),
        "Most messages, or what costs as much as so many, in one transaction.",
    ),
    Setting::new(
        "write_queue",
        Preset::Number(4_096),
        Number(1..=1_000_000, "messages"),
        "Most messages waiting to be written; those of one tenant take three quarters at most.",
    )
    .more("What is more is answered 503 with Retry-After."),
];

const SOCKETS: &[Setting] = &[
    Setting::new(
        "socket_port",
        Preset::Number(8080),
        Number(0..=65_535, ""),
        "A second port that serves the same: clients of the support API look for sockets there; 0: none.",
    )
    .more("A port that is taken only warns."),
    Setting::new(
        "socket_ping_interval",
        Preset::Text("25s"),
        Length(1..=DAY),
        "How often a Socket.IO connection is pinged.",
    ),
    Setting::new(
        "socket_ping_timeout",
        Preset::Text("20s"),
        Length(1..=DAY),
        "How long its client has for the pong.",
    ),
    Setting::new(
        "drain_wait",
        Preset::Text("0s"),
        Length(0..=600),
        "How long the server goes on after a signal to stop while `/health` says that it stops, for a balancer to notice.",
    )
    .more("A second signal ends it."),
    Setting::new(
        "drain_spread",
        Preset::Text("0s"),
        Length(0..=600),
        "Over how long Socket.IO connections are closed after that, each at a moment of its own, so that not all come back at once.",
    ),
];

const SUPPORT: &[Setting] = &[
    Setting::new(
        "owner_registration",
        Preset::Text("open"),
        Choice(&["open", "closed"]),
        "Who may register a site with live support: anybody or nobody.",
    ),
    Setting::new(
        "support_push",
        Preset::Text("v2"),
        Choice(&["v1", "v2"]),
        "The shape of pushed support messages: `v2` with the sender, `v1` with text and chat alone.",
    ),
    Setting::new(
        "support_resume_by_email",
        Preset::Flag(false),
        Flag,
        "Whether a guest's e-mail address alone reopens their chat.",
    )
    .more(
        "It lets anybody who knows the address read the chat: leave it off unless old clients need it.",
    ),
];

const EMBED: &[Setting] = &[
    Setting::new(
        "embed_open",
        Preset::Text("loopback"),
        FlagOr("loopback"),
        "Who may embed chat without a key: everybody, nobody, or who is on this machine.",
    )
    .more(
        "They all share a tenant of their own. \"loopback\", for trying things out, is for who asks for \
         localhost from this machine while the server listens on a loopback address and no proxy is in \
         front. Behind a proxy on this machine set it to false.",
    ),
    Setting::new(
        "embed_twin",
        Preset::Text("asked"),
        Choice(&["asked", "always"]),
        "Who hears `new-message` also as `/chat/<id>/new-message`: who asked for it, or everybody.",
    )
    .more(
        "A connection asks with `twin=1` in its query or auth data, or by emitting under such a name. Two \
         events for everybody cost twice.",
    ),
];

const SERVICE: &[Setting] = &[
    Setting::new(
        "admin_email",
        Preset::Text(""),
        OptionalText,
        "The first administrator of the chat service, made at start unless there is an account with that address.",
    )
    .more("Another way is `parlance admin EMAIL`."),
    Setting::new(
        "admin_password",
        Preset::Text(""),
        OptionalText,
        "Their password.",
    ),
    Setting::new(
        "service_status_200",
        Preset::Flag(false),
        Flag,
        "Answer the chat service's failures with the status 200, as its first server did.",
    )
    .more(
        "The answer is {\"status\":…,\"message\":…}. Leave it off unless old clients need it.",
    ),
    Setting::new(
        "verify_allow",
        Preset::Texts(&[]),
        List("networks such as \"10.0.0.0/8\"", |text| {
            Network::parse(text).is_some()
        }),
        "Networks beside the public internet where apps may have tokens verified and webhooks may go, also by plain http.",
    )
    .more("Every other private address is refused."),
    Setting::new(
        "verify_ttl",
        Preset::Text("60s"),
        Length(1..=DAY),
        "How long an app's own system is believed that said that a token is good.",
    )
    .more("Then it is asked again, also about who stays connected."),
];

const OPERATIONS: &[Setting] = &[
    Setting::new(
        "metrics_token",
        Preset::Text(""),
        OptionalText,
        "What a scraper elsewhere must show at `/metrics`; without it only this machine may read them.",
    )
    .more("It is sent as \"Authorization: Bearer …\" or as ?token=…."),
    Setting::new(
        "log_format",
        Preset::Text("text"),
        Choice(&["text", "json"]),
        "How log lines look.",
    ),
    Setting::new(
        "log_filter",
        Preset::Text("info"),
        Text("a level (`error`, `warn`, `info`, `debug`, `trace`), or several with targets"),
        "Which lines are logged; at `debug` every request is one. Queries, which hold tokens, are in none.",
    )
    .more("A target may have a level of its own: \"info,parlance=debug\"."),
    Setting::new(
        "log_level",
        Preset::Text("off"),
        Rocket("`\"off\"`, `\"critical\"`, `\"normal\"` or `\"debug\"`"),
        "Rocket's own logger; its lines go through `log_filter` instead (as `rocket=…`), so it stays off.",
    ),
    Setting::new(
        "cli_colors",
        Preset::Flag(true),
        Rocket("`true` or `false`"),
        "Colours in the log.",
    ),
];

const DATABASE: &[Setting] = &[
    Setting::new(
        "url",
        Preset::Text("sqlite://data/parlance.db"),
        DatabaseUrl,
        "Where the database is.",
    )
    .more("A folder of an SQLite file that is missing is made."),
    Setting::new(
        "max_connections",
        Preset::Number(16),
        Number(2..=10_000, "connections"),
        "Most connections at a time.",
    ),
    Setting::new(
        "connect_timeout",
        Preset::Number(5),
        Seconds(1..=600),
        "How long a request waits for a connection.",
    ),
    Setting::new(
        "idle_timeout",
        Preset::Number(600),
        Seconds(1..=DAY),
        "After how long an unused connection is closed.",
    ),
    Setting::new(
        "failover",
        Preset::Text("lossy"),
        Choice(&["lossy", "lossless"]),
        "Whether a PostgreSQL that takes over may lack commits; then clients begin anew (410).",
    )
    .more(
        "Set \"lossless\" only where every standby that may be promoted is synchronous \
         (synchronous_standby_names): cursors stay good then.",
    ),
];

const LIMITS: &[Setting] = &[
    Setting::new("form", BODY, SIZE, "Most bytes of a form."),
    Setting::new("data-form", BODY, SIZE, "Most bytes of a multipart form."),
    Setting::new("json", BODY, SIZE, "Most bytes of JSON."),
    Setting::new("string", BODY, SIZE, "Most bytes of text."),
    Setting::new("bytes", BODY, SIZE, "Most bytes of bytes."),
    Setting::new("file", BODY, SIZE, "Most bytes of a file."),
    Setting::new("msgpack", BODY, SIZE, "Most bytes of MessagePack."),
];

const SHUTDOWN: &[Setting] = &[
    Setting::new(
        "ctrlc",
        Preset::Flag(true),
        Rocket("`true` or `false`"),
        "Whether Ctrl-C stops the server.",
    ),
    Setting::new(
        "signals",
        Preset::Texts(&["term"]),
        Rocket(
            "a list of `alrm`, `chld`, `hup`, `int`, `io`, `pipe`, `quit`, `term`, `usr1`, `usr2`",
        ),
        "Other signals that stop it.",
    ),
    Setting::new(
        "grace",
        Preset::Number(2),
        SECONDS,
        "How long requests under way may go on.",
    ),
    Setting::new(
        "mercy",
        Preset::Number(3),
        SECONDS,
        "How long their connections may after that.",
    ),
    Setting::new(
        "force",
        Preset::Flag(true),
        Rocket("`true` or `false`"),
        "End the process even when something does not stop.",
    ),
];
