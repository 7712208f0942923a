//! The signal to all waits that the server is stopping.

use std::{convert::Infallible, future::Future};

use rocket::{
    Orbit, Rocket,
    fairing::{Fairing, Info, Kind},
    request::{FromRequest, Outcome, Request},
    tokio,
};
use tokio_util::sync::CancellationToken;

use crate::error::{Error, Result};

/// Whether the server is stopping. Clones are one; thousands may wait on it.
#[derive(Debug, Clone, Default)]
pub struct ShutdownSignal {
    stopping: CancellationToken,
    /// That it will stop is said before it stops, where a balancer is to notice.
    announced: CancellationToken,
}

impl ShutdownSignal {
    /// A server that runs.
    pub fn new() -> Self {
        Self::default()
    }

    /// The same as a token, for modules that know nothing of HTTP.
    pub fn token(&self) -> CancellationToken {
        self.stopping.clone()
    }

    /// Waits until the server begins to stop.
    pub fn begun(&self) -> impl Future<Output = ()> + Send + use<> {
        self.stopping.clone().cancelled_owned()
    }

    /// Whether the server has begun to stop.
    pub fn has_begun(&self) -> bool {
        self.stopping.is_cancelled()
    }

    /// Refuses what would only begin to wait.
    pub fn refuse_new(&self) -> Result<()> {
        if self.has_begun() {
            Err(Error::shutting_down())
        } else {
            Ok(())
        }
    }

    /// Health checks fail from here on; all else goes on.
    pub fn announce(&self) {
        self.announced.cancel();
    }

    /// Refuses a health check once the server will stop.
    pub fn refuse_ready(&self) -> Result<()> {
        if self.announced.is_cancelled() {
            return Err(Error::shutting_down());
        }
        self.refuse_new()
    }

    /// Begins to stop: releases everybody who waits.
    pub fn begin(&self) {
        if !self.has_begun() {
            tracing::info!("The server is stopping.");
            self.stopping.cancel();
        }
    }
}

/// Hears from Rocket that the server stops. It is attached before the database, whose own fairing
/// waits for the requests that this one releases.
#[rocket::async_trait]
impl Fairing for ShutdownSignal {
    fn info(&self) -> Info {
        Info {
            name: "closing",
            kind: Kind::Liftoff | Kind::Shutdown,
        }
    }

    async fn on_liftoff(&self, rocket: &Rocket<Orbit>) {
        // Rocket runs its shutdown fairings a moment after the signal, and sometimes not at all.
        let (closing, shutdown) = (self.clone(), rocket.shutdown());
        tokio::spawn(async move {
            shutdown.await;
            closing.begin();
        });
    }

    async fn on_shutdown(&self, _: &Rocket<Orbit>) {
        self.begin();
    }
}

#[rocket::async_trait]
impl<'r> FromRequest<'r> for &'r ShutdownSignal {
    type Error = Infallible;

    async fn from_request(request: &'r Request<'_>) -> Outcome<Self, Infallible> {
        // A server without the fairing never stops gracefully; no wait depends on it.
        let managed = request.rocket().state::<ShutdownSignal>();
        Outcome::Success(managed.unwrap_or_else(|| request.local_cache(ShutdownSignal::new)))
    }
}
