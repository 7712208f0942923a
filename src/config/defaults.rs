//! The defaults as the lowest layer of the figment, below `Rocket.toml` and the environment.

use rocket::figment::{
    Error, Figment, Metadata, Profile, Provider,
    providers::{Env, Format, Toml},
    util::map,
    value::{Dict, Map, Value},
};

use super::{SettingsFile, table::SECTIONS};

/// The defaults of the table, for Rocket's keys and for ours.
#[derive(Debug, Clone, Copy)]
pub struct Defaults;

/// Where `parlance` reads its settings from: the defaults, then the settings file, then `ROCKET_…`
/// variables.
pub fn figment(file: &SettingsFile) -> Figment {
    let mut figment = defaults();
    if let Some(path) = file.path() {
        figment = figment.merge(Toml::file_exact(path).nested());
    }
    figment
        .merge(Env::prefixed("ROCKET_").ignore(&["PROFILE"]).global())
        .select(Profile::from_env_or(
            "ROCKET_PROFILE",
            rocket::Config::DEFAULT_PROFILE,
        ))
}

/// The defaults alone.
pub(super) fn defaults() -> Figment {
    Figment::from(rocket::Config::default()).merge(Defaults)
}

impl Provider for Defaults {
    fn metadata(&self) -> Metadata {
        Metadata::named("Parlance's defaults")
    }

    fn data(&self) -> Result<Map<Profile, Dict>, Error> {
        let mut dict = Dict::new();
        for section in SECTIONS {
            for setting in section.settings {
                if let Some(value) = setting.default.value() {
                    insert(&mut dict, &section.key(setting), value);
                }
            }
        }
        Ok(map![Profile::Default => dict])
    }
}

/// Sets a key such as `databases.chat.url`, making the tables on the way.
pub(super) fn insert(dict: &mut Dict, key: &str, value: Value) {
    match key.split_once('.') {
        None => {
            dict.insert(key.to_owned(), value);
        }
        Some((first, rest)) => {
            let table = dict
                .entry(first.to_owned())
                .or_insert_with(|| Dict::new().into());
            if let Value::Dict(_, table) = table {
                insert(table, rest, value);
            }
        }
    }
}
