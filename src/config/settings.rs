//! The settings themselves, with their defaults and their bounds.

use std::{path::PathBuf, time::Duration};

use rocket::figment::Figment;

use super::{Mistakes, WebOrigin, reader::Reader, unknown};

const DAY: Duration = Duration::from_hours(24);
const SECOND: Duration = Duration::from_secs(1);

/// Everything an operator may set beside Rocket's own keys.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// The database, as `databases.chat`.
    pub database: Database,
    /// Who may make an account.
    pub registration: Registration,
    /// bcrypt's work factor: each step doubles the time a hash takes.
    pub bcrypt_cost: u32,
    /// How many passwords are hashed at the same time.
    pub bcrypt_parallel: usize,
    /// The fewest characters of a password that is set.
    pub password_min: usize,
    /// Cookies are sent over TLS only, and browsers are told to insist on it.
    pub cookie_secure: bool,
    /// The `SameSite` attribute of cookies.
    pub cookie_same_site: SameSite,
    /// Origins beside our own whose pages may use our cookies.
    pub allowed_origins: Vec<WebOrigin>,
    /// A login unused for this long ends.
    pub login_idle: Duration,
    /// A login ends after this long however much it is used.
    pub login_max: Duration,
    /// Whether throttles are on.
    pub rate_limits: bool,
    /// Requests a second from one address; 0 is no limit. Ten seconds' worth may come at once.
    pub rate_per_address: u32,
    /// The same with one login.
    pub rate_per_login: u32,
    /// The same for one tenant.
    pub rate_per_tenant: u32,
    /// The longest that a long-poll may ask to wait, in seconds on the wire.
    pub poll_timeout_max: Duration,
    /// Most drafts written in one transaction.
    pub write_batch_max: usize,
    /// Most drafts waiting to be written; past it callers are asked to come back.
    pub write_queue: usize,
    /// A second port that serves the same; 0 opens none.
    pub socket_port: u16,
    /// How often Socket.IO connections are asked for a sign of life.
    pub socket_ping_interval: Duration,
    /// How long a Socket.IO client has for that sign.
    pub socket_ping_timeout: Duration,
    /// Who may register a site with live support.
    pub owner_registration: Registration,
    /// Which document's shape pushed support messages have.
    pub support_push: SupportPush,
    /// Whether a guest's e-mail alone reopens their support chat.
    pub support_resume_by_email: bool,
    /// Who may embed chat without a key.
    pub embed_open: EmbedOpen,
    /// The e-mail address of the first administrator of the chat service, made at start.
    pub admin_email: Option<String>,
    /// Their password.
    pub admin_password: Option<String>,
    /// Whether failures of the chat service are answered with the status 200.
    pub service_status_200: bool,
    /// Networks, beside the public ones, where apps' tokens may be verified: an address and the
    /// length of the prefix.
    pub verify_allow: Vec<(std::net::IpAddr, u8)>,
    /// How long an app's system is believed that said that a token is good.
    pub verify_ttl: Duration,
    /// What a scraper that is not on this machine must show at `/metrics`.
    pub metrics_token: Option<String>,
    /// How log lines look.
    pub log_format: LogFormat,
    /// Which log lines are written, in `RUST_LOG`'s syntax.
    pub log_filter: String,
    /// A folder to serve pages from, instead of those in the binary.
    pub static_dir: Option<PathBuf>,
}

/// Where the data is, and how many connections are held to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Database {
    /// `sqlite://path` or `postgres://…`.
    pub url: String,
    /// Most connections at a time.
    pub max_connections: u32,
    /// How long a request waits for a connection.
    pub connect_timeout: Duration,
    /// A connection unused for this long is closed.
    pub idle_timeout: Duration,
}

/// Who may make an account.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Registration {
    /// Anybody.
    Open,
    /// Nobody.
    Closed,
}

/// Who may embed chat without a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EmbedOpen {
    /// Who is on this machine, while the server listens on a loopback address and no proxy is in front.
    Loopback,
    /// Everybody.
    Always,
    /// Nobody.
    Never,
}

/// Which document's shape pushed support messages have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SupportPush {
    /// The first one's: the text and the chat.
    V1,
    /// The second one's: the message with its sender, and the chat.
    V2,
}

/// The `SameSite` attribute of cookies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SameSite {
    /// Sent along when a link leads here, not with other requests from elsewhere.
    Lax,
    /// Never sent with a request that starts elsewhere.
    Strict,
    /// Sent always; browsers want `cookie_secure` with it.
    None,
}

/// How log lines look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogFormat {
    /// For people.
    Text,
    /// One JSON object a line.
    Json,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            database: Database {
                url: "sqlite://data/parlance.db".to_owned(),
                max_connections: 16,
                connect_timeout: 5 * SECOND,
                idle_timeout: 600 * SECOND,
            },
            registration: Registration::Open,
            bcrypt_cost: 12,
            bcrypt_parallel: cores(),
            password_min: 8,
            cookie_secure: false,
            cookie_same_site: SameSite::Lax,
            allowed_origins: Vec::new(),
            login_idle: 30 * DAY,
            login_max: 180 * DAY,
            rate_limits: true,
            rate_per_address: 1_000,
            rate_per_login: 500,
            rate_per_tenant: 10_000,
            poll_timeout_max: 55 * SECOND,
            write_batch_max: 512,
            write_queue: 4_096,
            socket_port: 8080,
            socket_ping_interval: 25 * SECOND,
            socket_ping_timeout: 20 * SECOND,
            owner_registration: Registration::Open,
            support_push: SupportPush::V2,
            support_resume_by_email: false,
            embed_open: EmbedOpen::Loopback,
            admin_email: None,
            admin_password: None,
            service_status_200: false,
            verify_allow: Vec::new(),
            verify_ttl: 60 * SECOND,
            metrics_token: None,
            log_format: LogFormat::Text,
            log_filter: "info".to_owned(),
            static_dir: None,
        }
    }
}

impl Settings {
    /// Reads and checks every setting; with them come warnings about keys that nothing reads.
    pub fn read(figment: &Figment) -> Result<(Self, Vec<String>), Mistakes> {
        let mut reader = Reader {
            figment,
            mistakes: Mistakes::none(),
        };
        let settings = Self::read_all(&mut reader);
        settings.check_together(&mut reader.mistakes);
        if let Err(errors) = rocket::Config::try_from(figment) {
            for error in errors {
                let key = error.path.join(".");
                reader
                    .mistakes
                    .note(&key, format!("is wrong ({})", error.kind));
            }
        }
        if reader.mistakes.is_empty() {
            Ok((settings, unknown::warnings(figment)))
        } else {
            Err(reader.mistakes)
        }
    }

    fn read_all(reader: &mut Reader<'_>) -> Self {
        let default = Self::default();
        Self {
            database: Database::read(reader, &default.database),
            registration: reader.choice(
                "registration",
                &[
                    ("open", Registration::Open),
                    ("closed", Registration::Closed),
                ],
                default.registration,
            ),
            bcrypt_cost: reader.number("bcrypt_cost", 4..=31, default.bcrypt_cost),
            bcrypt_parallel: match reader.number("bcrypt_parallel", 0..=1_024, 0) {
                0 => default.bcrypt_parallel,
                number => number,
            },
            password_min: reader.number("password_min", 6..=64, default.password_min),
            cookie_secure: reader.flag("cookie_secure", default.cookie_secure),
            cookie_same_site: reader.choice(
                "cookie_same_site",
                &[
                    ("lax", SameSite::Lax),
                    ("strict", SameSite::Strict),
                    ("none", SameSite::None),
                ],
                default.cookie_same_site,
            ),
            allowed_origins: read_origins(reader),
            login_idle: reader.length("login_idle", SECOND..=3_650 * DAY, default.login_idle),
            login_max: reader.length("login_max", SECOND..=3_650 * DAY, default.login_max),
            rate_limits: reader.flag("rate_limits", default.rate_limits),
            rate_per_address: reader.number(
                "rate_per_address",
                0..=1_000_000,
                default.rate_per_address,
            ),
            rate_per_login: reader.number("rate_per_login", 0..=1_000_000, default.rate_per_login),
            rate_per_tenant: reader.number(
                "rate_per_tenant",
                0..=1_000_000,
                default.rate_per_tenant,
            ),
            poll_timeout_max: reader.length(
                "poll_timeout_max",
                SECOND..=600 * SECOND,
                default.poll_timeout_max,
            ),
            write_batch_max: reader.number("write_batch_max", 1..=1_000, default.write_batch_max),
            write_queue: reader.number("write_queue", 1..=1_000_000, default.write_queue),
            socket_port: reader.number("socket_port", 0..=u16::MAX, default.socket_port),
            socket_ping_interval: reader.length(
                "socket_ping_interval",
                SECOND..=DAY,
                default.socket_ping_interval,
            ),
            socket_ping_timeout: reader.length(
                "socket_ping_timeout",
                SECOND..=DAY,
                default.socket_ping_timeout,
            ),
            owner_registration: reader.choice(
                "owner_registration",
                &[
                    ("open", Registration::Open),
                    ("closed", Registration::Closed),
                ],
                default.owner_registration,
            ),
            support_push: reader.choice(
                "support_push",
                &[("v1", SupportPush::V1), ("v2", SupportPush::V2)],
                default.support_push,
            ),
            support_resume_by_email: reader
                .flag("support_resume_by_email", default.support_resume_by_email),
            embed_open: read_embed_open(reader, default.embed_open),
            admin_email: reader.optional_text("admin_email"),
            admin_password: reader.optional_text("admin_password"),
            service_status_200: reader.flag("service_status_200", default.service_status_200),
            verify_allow: read_networks(reader, "verify_allow"),
            verify_ttl: reader.length("verify_ttl", SECOND..=DAY, default.verify_ttl),
            metrics_token: reader.optional_text("metrics_token"),
            log_format: reader.choice(
                "log_format",
                &[("text", LogFormat::Text), ("json", LogFormat::Json)],
                default.log_format,
            ),
            log_filter: reader.text("log_filter", &default.log_filter),
            static_dir: reader.optional_text("static_dir").map(PathBuf::from),
        }
    }

    fn check_together(&self, mistakes: &mut Mistakes) {
        if self.cookie_same_site == SameSite::None && !self.cookie_secure {
            let what = "must be true when cookie_same_site is \"none\", or browsers drop the \
                        cookies";
            mistakes.note("cookie_secure", what);
        }
        if self.login_idle > self.login_max {
            let what = "must be no shorter than login_idle";
            mistakes.note("login_max", what);
        }
        if self.admin_email.is_some() != self.admin_password.is_some() {
            let what = "must be set together with admin_email, or neither of them";
            mistakes.note("admin_password", what);
        }
        if self.write_queue < self.write_batch_max {
            let what = "must be no smaller than write_batch_max";
            mistakes.note("write_queue", what);
        }
    }
}

impl Database {
    fn read(reader: &mut Reader<'_>, default: &Self) -> Self {
        let url = reader.text("databases.chat.url", &default.url);
        let known = ["sqlite:", "postgres://", "postgresql://"];
        if !known.iter().any(|scheme| url.starts_with(scheme)) {
            // The address may hold a password: it is not repeated here.
            let what = "must begin with sqlite:// or postgres://";
            reader.mistakes.note("databases.chat.url", what);
        }
        Self {
            url,
            max_connections: reader.number(
                "databases.chat.max_connections",
                2..=10_000,
                default.max_connections,
            ),
            connect_timeout: Duration::from_secs(reader.number(
                "databases.chat.connect_timeout",
                1..=600,
                default.connect_timeout.as_secs(),
            )),
            idle_timeout: Duration::from_secs(reader.number(
                "databases.chat.idle_timeout",
                1..=86_400,
                default.idle_timeout.as_secs(),
            )),
        }
    }
}

/// `"loopback"`, or yes or no.
fn read_embed_open(reader: &mut Reader<'_>, default: EmbedOpen) -> EmbedOpen {
    let key = "embed_open";
    let is_word = reader
        .figment
        .find_value(key)
        .is_ok_and(|value| value.as_str() == Some("loopback"));
    if is_word {
        return EmbedOpen::Loopback;
    }
    if reader.flag(key, default == EmbedOpen::Always) {
        EmbedOpen::Always
    } else {
        EmbedOpen::Never
    }
}

fn read_networks(reader: &mut Reader<'_>, key: &str) -> Vec<(std::net::IpAddr, u8)> {
    let mut networks = Vec::new();
    for text in reader.texts(key) {
        match network(&text) {
            Some(network) => networks.push(network),
            None => reader.mistakes.note(
                key,
                format!("must hold networks such as \"10.0.0.0/8\", {text:?} is not one"),
            ),
        }
    }
    networks
}

/// An address, with the length of its prefix after a slash where it is not a whole address.
fn network(text: &str) -> Option<(std::net::IpAddr, u8)> {
    let (address, prefix) = match text.split_once('/') {
        Some((address, prefix)) => (address, Some(prefix.parse().ok()?)),
        None => (text, None),
    };
    let address: std::net::IpAddr = address.trim().parse().ok()?;
    let longest = if address.is_ipv4() { 32 } else { 128 };
    let prefix = prefix.unwrap_or(longest);
    (prefix <= longest).then_some((address, prefix))
}

fn read_origins(reader: &mut Reader<'_>) -> Vec<WebOrigin> {
    let key = "allowed_origins";
    let mut origins = Vec::new();
    for text in reader.texts(key) {
        match WebOrigin::parse(&text) {
            Some(origin) => origins.push(origin),
            None => reader.mistakes.note(
                key,
                format!(
                    "must hold origins such as \"https://chat.example.com\", {text:?} is not one"
                ),
            ),
        }
    }
    origins
}

fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, std::num::NonZero::get)
}
