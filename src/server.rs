//! The server: how the parts come together, run, and stop.

use std::{
    sync::{Arc, OnceLock},
    time::Duration,
};

use rocket::{
    Build, Rocket,
    fairing::{AdHoc, Fairing, Info, Kind},
    figment::Figment,
};
use rocket_db_pools::Database;
use tokio_util::sync::CancellationToken;

use crate::{
    chat::{Rules, Services, writer},
    config::{Registration, Settings},
    dialect::messenger,
    error::{Error, Result},
    http,
    store::Db,
};

/// A server that is ready to run.
pub struct Server {
    rocket: Rocket<Build>,
    started: Started,
}

/// The verbs, once they are started: kept outside of Rocket, which gives nothing back when it fails.
#[derive(Clone, Default)]
struct Started(Arc<OnceLock<Arc<Services>>>);

impl Server {
    /// Puts a server together from its settings. Nothing is opened yet.
    pub fn build(figment: &Figment, settings: Settings) -> Self {
        let started = Started::default();
        let closing = CancellationToken::new();
        let rules = rules(&settings);
        let rocket = rocket::custom(figment)
            .attach(Db::init())
            .attach(start_verbs(rules, started.clone(), closing.clone()))
            .attach(Closing(closing))
            .mount("/", messenger::routes::all());
        Self {
            rocket: http::fit(rocket, settings),
            started,
        }
    }

    /// The Rocket inside, for more routes and fairings.
    #[must_use]
    pub fn map(self, change: impl FnOnce(Rocket<Build>) -> Rocket<Build>) -> Self {
        Self {
            rocket: change(self.rocket),
            started: self.started,
        }
    }

    /// Runs until a signal stops it; returns when everything accepted is written.
    pub async fn run(self) -> Result<()> {
        let launched = self.rocket.launch().await;
        if let Some(services) = self.started.0.get() {
            services.stop().await;
        }
        match launched {
            Ok(_) => Ok(()),
            Err(error) => {
                let sentence = format!("the server cannot start: {}", error.kind());
                Err(Error::new(crate::error::Kind::Internal, sentence))
            }
        }
    }
}

fn rules(settings: &Settings) -> Rules {
    Rules {
        bcrypt_cost: settings.bcrypt_cost,
        bcrypt_parallel: settings.bcrypt_parallel,
        login_idle: settings.login_idle,
        login_max: settings.login_max,
        registration_open: settings.registration == Registration::Open,
        writer: writer::Bounds {
            batch: settings.write_batch_max,
            queue: settings.write_queue,
        },
    }
}

/// Starts the verbs once the database is open.
fn start_verbs(rules: Rules, started: Started, closing: CancellationToken) -> impl Fairing {
    AdHoc::try_on_ignite("verbs", move |rocket| async move {
        let Some(db) = Db::fetch(&rocket) else {
            tracing::error!("The database is not open.");
            return Err(rocket);
        };
        let observer = Arc::new(Unobserved);
        match Services::start((**db).clone(), rules, observer, closing).await {
            Ok(services) => {
                let services = started.0.get_or_init(|| services);
                Ok(rocket.manage(Arc::clone(services)))
            }
            Err(error) => {
                tracing::error!(cause = ?error, "The verbs cannot start.");
                Err(rocket)
            }
        }
    })
}

/// Tells everybody who waits that the server is stopping.
struct Closing(CancellationToken);

#[rocket::async_trait]
impl Fairing for Closing {
    fn info(&self) -> Info {
        Info {
            name: "closing",
            kind: Kind::Shutdown,
        }
    }

    async fn on_shutdown(&self, _: &Rocket<rocket::Orbit>) {
        self.0.cancel();
    }
}

struct Unobserved;

impl writer::Observer for Unobserved {
    fn batch(&self, _: usize, _: usize, _: Duration) {}
}
