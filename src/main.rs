//! Starts the server, or does what else the command line asks for.

use std::process::ExitCode;

use parlance::{
    Server, admin,
    config::{self, Command, Settings, SettingsFile, USAGE},
    telemetry,
};

#[cfg(not(target_env = "msvc"))]
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

/// The exit code for a command line that cannot be read, as shells and most programs have it.
const WRONG_USAGE: u8 = 2;

fn main() -> ExitCode {
    match Command::read() {
        Ok(Command::Help) => {
            println!("{USAGE}");
            ExitCode::SUCCESS
        }
        Ok(Command::Version) => {
            println!("parlance {}", env!("CARGO_PKG_VERSION"));
            ExitCode::SUCCESS
        }
        Ok(Command::Serve) => rocket::execute(run(None)),
        Ok(Command::Admin(email)) => rocket::execute(run(Some(email))),
        Err(mistake) => {
            eprintln!("{mistake}; see parlance --help");
            ExitCode::from(WRONG_USAGE)
        }
    }
}

/// Serves, or makes an administrator with this e-mail address.
async fn run(admin: Option<String>) -> ExitCode {
    let file = SettingsFile::find();
    let figment = config::figment(&file);
    let (settings, warnings) = match Settings::read(&figment) {
        Ok(read) => read,
        Err(mistakes) => {
            for sentence in mistakes.sentences() {
                eprintln!("{sentence}");
            }
            return ExitCode::FAILURE;
        }
    };
    if let Err(error) = telemetry::init(&settings) {
        eprintln!("{error}");
        return ExitCode::FAILURE;
    }
    for warning in warnings {
        tracing::warn!("{warning}");
    }
    match &file {
        SettingsFile::Missing(_) => tracing::warn!("{file}"),
        SettingsFile::Read(_) | SettingsFile::None => tracing::info!("{file}"),
    }
    let done = match admin {
        None => Server::build(&figment, settings).run().await,
        Some(email) => admin::make(&settings, &email).await,
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}
