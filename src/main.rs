//! Starts the server, or does what else the command line asks for.

use std::process::ExitCode;

use parlance::{
    Server, admin,
    config::{self, Command, Settings},
    telemetry,
};

#[cfg(not(target_env = "msvc"))]
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

fn main() -> ExitCode {
    match Command::read() {
        Ok(command) => rocket::execute(run(command)),
        Err(usage) => {
            eprintln!("{usage}");
            ExitCode::FAILURE
        }
    }
}

async fn run(command: Command) -> ExitCode {
    let figment = config::figment();
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
    let done = match command {
        Command::Serve => Server::build(&figment, settings).run().await,
        Command::Admin(email) => admin::make(&settings, &email).await,
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}
