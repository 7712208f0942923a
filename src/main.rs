//! Starts the server.

use std::process::ExitCode;

use parlance::{
    Server,
    config::{self, Settings},
    telemetry,
};

#[cfg(not(target_env = "msvc"))]
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

fn main() -> ExitCode {
    rocket::execute(serve())
}

async fn serve() -> ExitCode {
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
    match Server::build(&figment, settings).run().await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}
