//! Attaches a server to a Rocket: mounts its routes, and closes its sessions at a shutdown.

use std::time::Duration;

use rocket::{
    Build, Orbit, Rocket,
    fairing::{Fairing, Info, Kind, Result},
};

use super::handle::Engine;

/// How long a shutdown waits for clients to confirm that they were closed.
const SHUTDOWN_TIMEOUT: Duration = Duration::from_millis(1500);

/// Serves an [`Engine`] under a path of the Rocket that it is attached to.
pub struct EngineFairing {
    engine: Engine,
    path: String,
}

impl Engine {
    /// A fairing that serves `path` and everything below it, and closes all sessions when its Rocket
    /// shuts down.
    pub fn fairing(&self, path: &str) -> EngineFairing {
        EngineFairing::new(self.clone(), path)
    }
}

impl EngineFairing {
    fn new(engine: Engine, path: &str) -> Self {
        Self {
            engine,
            path: format!("/{}", path.trim_matches('/')),
        }
    }
}

#[rocket::async_trait]
impl Fairing for EngineFairing {
    fn info(&self) -> Info {
        Info {
            name: "Engine.IO",
            kind: Kind::Ignite | Kind::Liftoff | Kind::Shutdown,
        }
    }

    async fn on_ignite(&self, rocket: Rocket<Build>) -> Result {
        Ok(rocket.mount(self.path.as_str(), self.engine.routes()))
    }

    /// Rocket sometimes skips its shutdown fairings after `Shutdown::notify`, so this awaits it too.
    async fn on_liftoff(&self, rocket: &Rocket<Orbit>) {
        let (stopped, engine) = (rocket.shutdown(), self.engine.clone());
        tokio::spawn(async move {
            stopped.await;
            engine.shut_down(SHUTDOWN_TIMEOUT).await;
        });
    }

    async fn on_shutdown(&self, _rocket: &Rocket<Orbit>) {
        self.engine.shut_down(SHUTDOWN_TIMEOUT).await;
    }
}
