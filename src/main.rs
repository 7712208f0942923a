//! Starts the server, or does what else the command line asks for.

use std::{fmt::Display, io::Write, process::ExitCode};

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
            complain(format_args!("{mistake}; see parlance --help"));
            ExitCode::from(WRONG_USAGE)
        }
    }
}

/// Says what is wrong, if there is anywhere to say it: `eprintln!` would panic on a full disk.
fn complain(sentence: impl Display) {
    drop(writeln!(std::io::stderr(), "{sentence}"));
}

/// A write past the process's limit of file size must fail like one on a full disk, not end the process.
fn survive_file_size_limit() {
    #[cfg(any(target_os = "linux", target_os = "macos"))]
    {
        /// SIGXFSZ, on all but a few rare processors.
        const FILE_SIZE_EXCEEDED: i32 = 25;
        let kind = tokio::signal::unix::SignalKind::from_raw(FILE_SIZE_EXCEEDED);
        if let Err(error) = tokio::signal::unix::signal(kind) {
            tracing::warn!(%error, "A file that grows past this process's limit will end it.");
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
                complain(sentence);
            }
            return ExitCode::FAILURE;
        }
    };
    if let Err(error) = telemetry::init(&settings) {
        complain(error);
        return ExitCode::FAILURE;
    }
    survive_file_size_limit();
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
            complain(error);
            ExitCode::FAILURE
        }
    }
}
