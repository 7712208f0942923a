//! Log lines: as text or JSON on the standard error stream, Rocket's among them.

use std::io::{IsTerminal, stderr};

use tracing::Subscriber;
use tracing_log::LogTracer;
use tracing_subscriber::{
    Layer,
    filter::{self, Targets},
    fmt::{self, MakeWriter},
    layer::SubscriberExt,
};

use super::fields::PlainFields;
use crate::{
    config::{LogFormat, Settings},
    error::{Error, Result},
};

/// What Rocket says is said better elsewhere: a launch by us, a request by the access line, a
/// refusal by its answer. Its errors at start are kept.
const QUIET: &str = "rocket=error,rocket::server=off,rocket::launch=off";

/// Where Rocket prints requests whole, with the tokens and keys in their queries and forms, and where the client of NATS
/// prints addresses and, for each attempt, what we tell once. That is never wanted, whatever the filter says.
const TELLTALES: [&str; 6] = [
    "async_nats",
    "rocket::server",
    "rocket::request::request",
    "rocket::router",
    "rocket::form",
    "tungstenite",
];

/// Sends this process's log lines, and those of libraries that use `log`, where the settings say.
///
/// Called once, before the server is built: Rocket installs a logger of its own otherwise.
pub fn init(settings: &Settings) -> Result<()> {
    let subscriber = subscriber(settings, stderr, stderr().is_terminal())?;
    tracing::subscriber::set_global_default(subscriber).map_err(Error::internal)?;
    LogTracer::init().map_err(Error::internal)
}

/// The subscriber that [`init`] installs, writing to `writer`.
pub fn subscriber<W>(
    settings: &Settings,
    writer: W,
    colours: bool,
) -> Result<impl Subscriber + Send + Sync + use<W>>
where
    W: for<'a> MakeWriter<'a> + Send + Sync + 'static,
{
    let wanted = &settings.log_filter;
    let names_rocket = wanted.contains("rocket");
    let directives = if names_rocket {
        wanted.clone()
    } else {
        format!("{QUIET},{wanted}")
    };
    let filter: Targets = directives.parse().map_err(|error: filter::ParseError| {
        Error::invalid(format!(
            "log_filter must be a level or a list such as \"info,parlance=debug\", it is \
             {wanted:?}: set it in Rocket.toml or ROCKET_LOG_FILTER"
        ))
        .because(error)
    })?;
    // Rocket's macros log from our modules, under targets that end like this.
    let no_asides =
        filter::filter_fn(move |metadata| names_rocket || !metadata.target().ends_with("::_"));
    let no_secrets = filter::filter_fn(|metadata| !tells_secrets(metadata.target()));
    // Where lines cannot be written, as on a full disk, reporting that there would panic in the code that logs.
    let lines = match settings.log_format {
        LogFormat::Text => fmt::layer()
            .fmt_fields(PlainFields::default())
            .log_internal_errors(false)
            .with_writer(writer)
            .with_ansi(colours)
            .boxed(),
        LogFormat::Json => fmt::layer()
            .log_internal_errors(false)
            .json()
            .flatten_event(true)
            .with_writer(writer)
            .boxed(),
    };
    Ok(tracing_subscriber::registry()
        .with(filter)
        .with(no_asides)
        .with(no_secrets)
        .with(lines))
}

fn tells_secrets(target: &str) -> bool {
    TELLTALES.iter().any(|telltale| {
        target
            .strip_prefix(telltale)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with("::"))
    })
}
