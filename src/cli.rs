//! The command line: what each command does, and how the process ends.

use std::{fmt::Display, io::Write, process::ExitCode};

use rocket::figment::Figment;
use tokio::runtime::Runtime;

use crate::{
    Error, Result, Server,
    admin::{self, Task as Admin},
    chat::administration::SecondFactorChoice,
    config::{self, Command, Settings, SettingsFile, USAGE},
    maintenance::{self, Task as Maintenance},
    telemetry,
};

/// The exit code for a wrong command line, as in shells and most programs.
const WRONG_USAGE: u8 = 2;

/// What the process does once it has its settings.
enum Task {
    Serve,
    Admin(Admin),
    Maintenance(Maintenance),
}

/// Runs the command line, and returns the exit code.
pub fn main() -> ExitCode {
    match Command::read() {
        Ok(Command::Help) => {
            println!("{USAGE}");
            ExitCode::SUCCESS
        }
        Ok(Command::Version) => {
            println!("parlance {}", env!("CARGO_PKG_VERSION"));
            ExitCode::SUCCESS
        }
        Ok(Command::Serve) => start(Task::Serve),
        Ok(Command::Admin(name)) => start(Task::Admin(Admin::Administrator(name))),
        Ok(Command::ServiceAdmin(email)) => start(Task::Admin(Admin::ServiceAdministrator(email))),
        Ok(Command::Passwd {
            name,
            resets_second_factor,
        }) => {
            let choice = if resets_second_factor {
                SecondFactorChoice::Reset
            } else {
                SecondFactorChoice::Keep
            };
            start(Task::Admin(Admin::Password(name, choice)))
        }
        Ok(Command::Backup(file)) => start(Task::Maintenance(Maintenance::Backup(file.into()))),
        Ok(Command::Restore(file)) => start(Task::Maintenance(Maintenance::Restore(file.into()))),
        Ok(Command::Check) => start(Task::Maintenance(Maintenance::Check)),
        Ok(Command::Copy { from, to, live }) => {
            start(Task::Maintenance(Maintenance::Copy { from, to, live }))
        }
        Ok(Command::Abandon(from)) => start(Task::Maintenance(Maintenance::Abandon(from))),
        Ok(Command::Lanes(count)) => start(Task::Maintenance(Maintenance::Lanes(count))),
        Ok(Command::MoveTenant { tenant, lane }) => {
            start(Task::Maintenance(Maintenance::MoveTenant { tenant, lane }))
        }
        Ok(Command::NewEpoch) => start(Task::Maintenance(Maintenance::NewEpoch)),
        Err(mistake) => {
            complain(format_args!("{mistake}; see parlance --help"));
            ExitCode::from(WRONG_USAGE)
        }
    }
}

/// Writes an error to standard error. `eprintln!` would panic on a full disk.
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

/// Serves, or does what the operator of the machine wants done.
fn start(task: Task) -> ExitCode {
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
    let runtime = match runtime(&figment) {
        Ok(runtime) => runtime,
        Err(error) => {
            complain(error);
            return ExitCode::FAILURE;
        }
    };
    let _entered = runtime.enter();
    survive_file_size_limit();
    for warning in warnings {
        tracing::warn!("{warning}");
    }
    match &file {
        SettingsFile::Missing(_) => tracing::warn!("{file}"),
        SettingsFile::Read(_) | SettingsFile::None => tracing::info!("{file}"),
    }
    let done = match task {
        Task::Serve => runtime.block_on(Server::build(&figment, settings).run()),
        Task::Admin(task) => runtime.block_on(admin::run(&settings, &task)),
        Task::Maintenance(task) => runtime.block_on(maintenance::run(&settings, &task)),
    };
    // A thread that is still blocked must not keep the process from ending.
    runtime.shutdown_background();
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            complain(error);
            ExitCode::FAILURE
        }
    }
}

/// The runtime that the settings describe. Rocket's own would read its settings again, from the current
/// folder alone, and panic over a file that it cannot read.
fn runtime(figment: &Figment) -> Result<Runtime> {
    let config = rocket::Config::try_from(figment)
        .map_err(|error| Error::invalid(format!("the settings cannot be read: {error}")))?;
    tokio::runtime::Builder::new_multi_thread()
        .thread_name("parlance")
        .worker_threads(config.workers)
        .max_blocking_threads(config.max_blocking)
        .enable_all()
        .build()
        .map_err(Error::internal)
}
