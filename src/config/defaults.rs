//! The defaults as the lowest layer of the figment, below `Rocket.toml` and the environment.

use rocket::figment::{
    Error, Figment, Metadata, Profile, Provider,
    providers::{Env, Format, Toml},
    util::map,
    value::{Dict, Map, Value},
};

use super::{
    EmbedOpen, LogFormat, Registration, SameSite, Settings, SettingsFile, SupportPush, length,
};

/// Our own defaults for Rocket's keys and for ours.
#[derive(Debug, Clone, Copy)]
pub struct Defaults;

/// Most bytes of a body, whatever its form: 16,384 bytes of Cyrillic are 98,304 when urlencoded.
const BODY: &str = "128KiB";

/// Where `parlance` reads its settings from: the defaults, then the settings file, then `ROCKET_…`
/// variables.
pub fn figment(file: &SettingsFile) -> Figment {
    let mut figment = Figment::from(rocket::Config::default()).merge(Defaults);
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

impl Provider for Defaults {
    fn metadata(&self) -> Metadata {
        Metadata::named("Parlance's defaults")
    }

    fn data(&self) -> Result<Map<Profile, Dict>, Error> {
        let mut dict = rocket_keys();
        dict.extend(our_keys(&Settings::default()));
        Ok(map![Profile::Default => dict])
    }
}

fn rocket_keys() -> Dict {
    map![
        "address".to_owned() => "127.0.0.1".into(),
        "port".to_owned() => 8000_u16.into(),
        "keep_alive".to_owned() => 5_u32.into(),
        "max_blocking".to_owned() => 512_u32.into(),
        "ident".to_owned() => false.into(),
        "ip_header".to_owned() => false.into(),
        "log_level".to_owned() => "off".into(),
        "cli_colors".to_owned() => true.into(),
        "limits".to_owned() => Value::from(map![
            "form" => BODY,
            "data-form" => BODY,
            "json" => BODY,
            "string" => BODY,
            "bytes" => BODY,
            "file" => BODY,
            "msgpack" => BODY,
        ]),
        "shutdown".to_owned() => Value::from(map![
            "ctrlc" => Value::from(true),
            "signals" => Value::from(vec!["term"]),
            "grace" => Value::from(2_u32),
            "mercy" => Value::from(3_u32),
            "force" => Value::from(true),
        ]),
    ]
}

fn our_keys(settings: &Settings) -> Dict {
    let same_site = match settings.cookie_same_site {
        SameSite::Lax => "lax",
        SameSite::Strict => "strict",
        SameSite::None => "none",
    };
    let word = |registration| match registration {
        Registration::Open => "open",
        Registration::Closed => "closed",
    };
    let support_push = match settings.support_push {
        SupportPush::V1 => "v1",
        SupportPush::V2 => "v2",
    };
    let log_format = match settings.log_format {
        LogFormat::Text => "text",
        LogFormat::Json => "json",
    };
    let database = &settings.database;
    map![
        "databases".to_owned() => Value::from(map!["chat" => Value::from(map![
            "url" => Value::from(database.url.as_str()),
            "max_connections" => Value::from(database.max_connections),
            "connect_timeout" => Value::from(database.connect_timeout.as_secs()),
            "idle_timeout" => Value::from(database.idle_timeout.as_secs()),
        ])]),
        "registration".to_owned() => word(settings.registration).into(),
        "bcrypt_cost".to_owned() => settings.bcrypt_cost.into(),
        // Zero stands for the number of cores, which no file can know.
        "bcrypt_parallel".to_owned() => 0_u32.into(),
        "password_min".to_owned() => settings.password_min.into(),
        "cookie_secure".to_owned() => settings.cookie_secure.into(),
        "cookie_same_site".to_owned() => same_site.into(),
        "allowed_origins".to_owned() => Vec::<String>::new().into(),
        "login_idle".to_owned() => length::spell(settings.login_idle).into(),
        "login_max".to_owned() => length::spell(settings.login_max).into(),
        "rate_limits".to_owned() => settings.rate_limits.into(),
        "rate_per_address".to_owned() => settings.rate_per_address.into(),
        "rate_per_login".to_owned() => settings.rate_per_login.into(),
        "rate_per_tenant".to_owned() => settings.rate_per_tenant.into(),
        "poll_timeout_max".to_owned() => settings.poll_timeout_max.as_secs().into(),
        "write_batch_max".to_owned() => settings.write_batch_max.into(),
        "write_queue".to_owned() => settings.write_queue.into(),
        "socket_port".to_owned() => settings.socket_port.into(),
        "socket_ping_interval".to_owned() => length::spell(settings.socket_ping_interval).into(),
        "socket_ping_timeout".to_owned() => length::spell(settings.socket_ping_timeout).into(),
        "owner_registration".to_owned() => word(settings.owner_registration).into(),
        "support_push".to_owned() => support_push.into(),
        "support_resume_by_email".to_owned() => settings.support_resume_by_email.into(),
        "embed_open".to_owned() => match settings.embed_open {
            EmbedOpen::Loopback => "loopback".into(),
            EmbedOpen::Always => true.into(),
            EmbedOpen::Never => false.into(),
        },
        "admin_email".to_owned() => "".into(),
        "admin_password".to_owned() => "".into(),
        "service_status_200".to_owned() => settings.service_status_200.into(),
        "verify_allow".to_owned() => Vec::<String>::new().into(),
        "verify_ttl".to_owned() => "60s".into(),
        "metrics_token".to_owned() => "".into(),
        "log_format".to_owned() => log_format.into(),
        "log_filter".to_owned() => settings.log_filter.as_str().into(),
        "static_dir".to_owned() => "".into(),
    ]
}
