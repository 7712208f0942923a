//! What ties a server to a Rocket: its routes, and its part in a shutdown.

use std::time::Duration;

use rocket::{
    Build, Orbit, Rocket,
    fairing::{Fairing, Info, Kind, Result},
};

use super::Engine;

/// How long a shutdown waits for clients to confirm that they were told.
const PATIENCE: Duration = Duration::from_millis(1500);

/// Serves an [`Engine`] under a path of the Rocket it is attached to.
pub struct Mount {
    engine: Engine,
    path: String,
}

impl Mount {
    pub(super) fn new(engine: Engine, path: &str) -> Self {
        Self {
            engine,
            path: format!("/{}", path.trim_matches('/')),
        }
    }
}

#[rocket::async_trait]
impl Fairing for Mount {
    fn info(&self) -> Info {
        Info {
            name: "Engine.IO",
            kind: Kind::Ignite | Kind::Liftoff | Kind::Shutdown,
        }
    }

    async fn on_ignite(&self, rocket: Rocket<Build>) -> Result {
        Ok(rocket.mount(self.path.as_str(), self.engine.routes()))
    }

    /// Rocket may pass over its shutdown fairings when it is told to stop by a call; this hears it too.
    async fn on_liftoff(&self, rocket: &Rocket<Orbit>) {
        let (stopped, engine) = (rocket.shutdown(), self.engine.clone());
        tokio::spawn(async move {
            stopped.await;
            engine.shut_down(PATIENCE).await;
        });
    }

    async fn on_shutdown(&self, _rocket: &Rocket<Orbit>) {
        self.engine.shut_down(PATIENCE).await;
    }
}
