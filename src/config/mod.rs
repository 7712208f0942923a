//! Settings: everything an operator may set, checked at start.
//!
//! # Why
//! Values come from three layers, the later winning: the defaults compiled into the binary
//! ([`Defaults`]), `Rocket.toml` ([`SettingsFile`]), and `ROCKET_…` variables of the environment. So the binary starts
//! with the same defaults wherever it is run from.
//!
//! A setting is a row of one table ([`SECTIONS`]): key, default, bounds, unit, sentence. The
//! defaults, the checks and their messages come from it, and so do `Rocket.toml` and the README's
//! table, which a test writes or compares.
//!
//! Everything is checked once, before anything listens, and every mistake is reported at once with what
//! to change. An unknown key is only a warning: an older binary must start with a newer file.
//!
//! This is the only module that reads the environment.

mod command;
mod defaults;
mod file;
mod length;
mod mistakes;
mod nats;
mod origin;
mod setting;
mod settings;
mod table;
mod unknown;

pub use command::{Command, USAGE};
pub use defaults::{Defaults, figment};
pub use file::SettingsFile;
pub use length::{parse as parse_length, spell as spell_length};
pub use mistakes::Mistakes;
pub use nats::{NatsAddresses, NatsLogin};
pub use origin::{ServedHost, WebOrigin};
pub use setting::{Kind, Preset, Section, Setting};
pub use settings::{
    Database, EmbedOpen, EmbedTwin, Failover, LogFormat, Network, Registration, SameSite, Settings,
    SupportPush,
};
pub use table::SECTIONS;
