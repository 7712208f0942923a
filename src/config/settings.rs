//! The settings as the server uses them, read by the table and checked together.

use std::{fmt, net::IpAddr, path::PathBuf, time::Duration};

use rocket::figment::{
    Figment,
    value::{Dict, Value},
};
use serde::{Deserialize, Deserializer};

use super::{
    Kind, Mistakes, NatsAddresses, WebOrigin,
    defaults::{defaults, insert},
    table::SECTIONS,
    unknown,
};

/// Everything an operator may set beside Rocket's own keys. Each field has a row of its name in the
/// [table](SECTIONS), which says its default, its bounds and what it does.
#[derive(Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// The database, as `databases.chat`.
    #[serde(rename = "databases", deserialize_with = "chat_database")]
    pub database: Database,
    /// How long the head of a request may take.
    pub header_timeout: Duration,
    /// How long no more of a request's body may come.
    pub body_idle_timeout: Duration,
    /// How long a request's body may take in all.
    pub body_timeout: Duration,
    /// How long a client may take nothing of its answer.
    pub write_timeout: Duration,
    /// Most open connections; 0 leaves it to the process's limit of open files.
    pub connections_max: usize,
    /// Who may make an account.
    pub registration: Registration,
    /// bcrypt's work factor: each step doubles the time a hash takes.
    pub bcrypt_cost: u32,
    /// How many passwords are hashed at the same time.
    pub bcrypt_parallel: usize,
    /// The fewest characters of a password that is set.
    pub password_min: usize,
    /// Cookies are sent over TLS only, and browsers are instructed to insist on it.
    pub cookie_secure: bool,
    /// Cookies are named `__Host-…`.
    pub cookie_host_prefix: bool,
    /// Browsers insist on TLS for all hosts below this one too.
    pub hsts_subdomains: bool,
    /// The messenger's page shows people's photos from where they are.
    pub external_photos: bool,
    /// The `SameSite` attribute of cookies.
    pub cookie_same_site: SameSite,
    /// Origins beside our own whose pages may use our cookies.
    pub allowed_origins: Vec<WebOrigin>,
    /// A login unused for this long ends.
    pub login_idle: Duration,
    /// A login ends after this long however much it is used.
    pub login_max: Duration,
    /// The most logins that a person has at a time.
    pub logins_per_person: usize,
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
    /// Most drafts waiting to be written; past it callers get 503.
    pub write_queue: usize,
    /// A second port that serves the same; 0 opens none.
    pub socket_port: u16,
    /// How often a Socket.IO connection is pinged.
    pub socket_ping_interval: Duration,
    /// How long a Socket.IO client has for the pong.
    pub socket_ping_timeout: Duration,
    /// How long the server goes on after a signal to stop, while its health says that it stops.
    pub drain_wait: Duration,
    /// Over how long Socket.IO connections are closed after that.
    pub drain_spread: Duration,
    /// Where other servers of the database reach this one.
    pub node_address: Option<String>,
    /// NATS, by which servers of the database tell each other what is new.
    pub nats_url: NatsAddresses,
    /// A file by which they sign in there.
    pub nats_credentials: Option<PathBuf>,
    /// A file with the certificates that those of NATS are signed by.
    pub nats_ca: Option<PathBuf>,
    /// By what subjects at NATS begin.
    pub nats_prefix: String,
    /// Who may register a site with live support.
    pub owner_registration: Registration,
    /// Which document's shape pushed support messages have.
    pub support_push: SupportPush,
    /// Whether a guest's e-mail alone reopens their support chat.
    pub support_resume_by_email: bool,
    /// Who may embed chat without a key.
    pub embed_open: EmbedOpen,
    /// Which connections get embedded messages under their chat's own event too.
    pub embed_twin: EmbedTwin,
    /// The e-mail address of the first administrator of the chat service, made at start.
    pub admin_email: Option<String>,
    /// Their password.
    pub admin_password: Option<String>,
    /// Whether failures of the chat service are answered with the status 200.
    pub service_status_200: bool,
    /// Networks, beside the public ones, where apps' tokens may be verified.
    pub verify_allow: Vec<Network>,
    /// How long the answer of an app's own system about a token is cached.
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
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Database {
    /// `sqlite://path` or `postgres://…`.
    pub url: String,
    /// Most connections at a time.
    pub max_connections: u32,
    /// How long a request waits for a connection.
    pub connect_timeout: Duration,
    /// A connection unused for this long is closed.
    pub idle_timeout: Duration,
    /// What it means that another PostgreSQL has taken over.
    pub failover: Failover,
}

/// What it means that another PostgreSQL has taken over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Failover {
    /// It may lack the last commits.
    Lossy,
    /// It has every commit that was answered.
    Lossless,
}

/// A network: an address and the length of its prefix.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct Network {
    /// An address of it.
    pub address: IpAddr,
    /// How many bits of the address name the network.
    pub prefix: u8,
}

/// Who may make an account.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Registration {
    /// Anybody.
    Open,
    /// Who was invited.
    Invitation,
    /// Nobody but who was invited, and the page does not ask for an invitation.
    Closed,
}

/// Who may embed chat without a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum EmbedOpen {
    /// Clients on this machine, while the server listens on a loopback address and no proxy is in front.
    Loopback,
    /// Everybody.
    #[serde(rename = "true")]
    Always,
    /// Nobody.
    #[serde(rename = "false")]
    Never,
}

/// Which connections get embedded messages under their chat's own event too.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum EmbedTwin {
    /// Connections that asked for it or have emitted under such a name.
    Asked,
    /// Every connection.
    Always,
}

/// Which document's shape pushed support messages have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SupportPush {
    /// The first one's: the text and the chat.
    V1,
    /// The second one's: the message with its sender, and the chat.
    V2,
}

/// The `SameSite` attribute of cookies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SameSite {
    /// Sent along when a link leads here, not with other requests from elsewhere.
    Lax,
    /// Never sent with a request that starts elsewhere.
    Strict,
    /// Sent always; browsers want `cookie_secure` with it.
    None,
}

/// How log lines look.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// For people.
    Text,
    /// One JSON object a line.
    Json,
}

impl Default for Settings {
    fn default() -> Self {
        let (settings, _) = Self::read(&defaults()).expect("a test reads the defaults");
        settings
    }
}

impl Settings {
    /// Reads and checks every setting; with them come warnings about keys that nothing reads.
    pub fn read(figment: &Figment) -> Result<(Self, Vec<String>), Mistakes> {
        let mut mistakes = Mistakes::none();
        let values = check_each(figment, &mut mistakes);
        if let Err(errors) = rocket::Config::try_from(figment) {
            mistakes.note_all(errors);
        }
        // A value with a mistake is left at its default, so what belongs together is checked all the same.
        match Value::from(values).deserialize::<Self>() {
            Ok(settings) => {
                settings.check_together(&mut mistakes);
                if mistakes.is_empty() {
                    return Ok((settings.for_this_machine(), unknown::warnings(figment)));
                }
            }
            Err(errors) => mistakes.note_all(errors),
        }
        Err(mistakes)
    }

    /// Fills in what depends on the machine.
    fn for_this_machine(mut self) -> Self {
        if self.bcrypt_parallel == 0 {
            self.bcrypt_parallel = cores();
        }
        self
    }

    fn check_together(&self, mistakes: &mut Mistakes) {
        if self.cookie_same_site == SameSite::None && !self.cookie_secure {
            let what = "must be true when cookie_same_site is \"none\", or browsers drop the \
                        cookies";
            mistakes.note("cookie_secure", what);
        }
        for (key, is_set) in [
            ("cookie_host_prefix", self.cookie_host_prefix),
            ("hsts_subdomains", self.hsts_subdomains),
        ] {
            if is_set && !self.cookie_secure {
                let what = format!("must be true when {key} is");
                mistakes.note("cookie_secure", what);
            }
        }
        if self.login_idle > self.login_max {
            let what = "must be no shorter than login_idle";
            mistakes.note("login_max", what);
        }
        if self.admin_email.is_some() != self.admin_password.is_some() {
            let what = "must be set together with admin_email, or neither of them";
            mistakes.note("admin_password", what);
        }
        if self.nats_url.is_set() && self.database.url.starts_with("sqlite:") {
            let what = "must begin with postgres:// together with nats_url, for a SQLite file has one server";
            mistakes.note("databases.chat.url", what);
        }
        if self.write_queue < self.write_batch_max {
            let what = "must be no smaller than write_batch_max";
            mistakes.note("write_queue", what);
        }
    }
}

/// Every value of ours as its field is read, each checked against its row of the table.
fn check_each(figment: &Figment, mistakes: &mut Mistakes) -> Dict {
    let mut values = Dict::new();
    for section in SECTIONS {
        for setting in section.settings {
            if matches!(setting.kind, Kind::Rocket(_)) {
                continue;
            }
            let key = section.key(setting);
            let check = |value: Value| setting.kind.check(&value);
            let given = figment.find_value(&key).ok().map(check);
            let default = || setting.default.value().map(check).and_then(Result::ok);
            let value = match given {
                Some(Ok(value)) => Some(value),
                Some(Err(what)) => {
                    mistakes.note(&key, what);
                    default()
                }
                None => default(),
            };
            if let Some(value) = value {
                insert(&mut values, &key, value);
            }
        }
    }
    values
}

/// Tells no values: passwords are among them.
impl fmt::Debug for Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Settings").finish_non_exhaustive()
    }
}

/// The one database of `databases`.
fn chat_database<'de, D: Deserializer<'de>>(databases: D) -> Result<Database, D::Error> {
    #[derive(Deserialize)]
    struct Databases {
        chat: Database,
    }
    Databases::deserialize(databases).map(|databases| databases.chat)
}

impl Network {
    /// Reads an address, with the length of its prefix after a slash where it is not a whole address.
    pub fn parse(text: &str) -> Option<Self> {
        let (address, prefix) = match text.split_once('/') {
            Some((address, prefix)) => (address, Some(prefix.parse().ok()?)),
            None => (text, None),
        };
        let address: IpAddr = address.trim().parse().ok()?;
        let longest = if address.is_ipv4() { 32 } else { 128 };
        let prefix = prefix.unwrap_or(longest);
        (prefix <= longest).then_some(Self { address, prefix })
    }
}

impl TryFrom<String> for Network {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        Self::parse(&text).ok_or("not a network")
    }
}

fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, std::num::NonZero::get)
}
