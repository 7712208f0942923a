//! The server: how the parts come together, run, and stop.

use std::{
    sync::{Arc, OnceLock},
    time::Duration,
};

use rocket::{
    Build, Rocket,
    fairing::{AdHoc, Fairing},
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
    telemetry::Metrics,
};

/// When to ask again a server that is starting.
const SOON: Duration = Duration::from_secs(1);

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
        let closing = http::Closing::new();
        let metrics = Arc::new(Metrics::new());
        let verbs = start_verbs(
            rules(&settings),
            started.clone(),
            Arc::clone(&metrics),
            closing.token(),
        );
        let rocket = http::fit(rocket::custom(figment), settings, metrics, closing)
            .attach(Db::init())
            .attach(verbs)
            .manage(readiness(started.clone()))
            .mount("/", messenger::routes::all());
        Self { rocket, started }
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
fn start_verbs(
    rules: Rules,
    started: Started,
    metrics: Arc<Metrics>,
    closing: CancellationToken,
) -> impl Fairing {
    AdHoc::try_on_ignite("verbs", move |rocket| async move {
        let Some(db) = Db::fetch(&rocket) else {
            tracing::error!("The database is not open.");
            return Err(rocket);
        };
        let observer = Arc::new(Counting(Arc::clone(&metrics)));
        match Services::start((**db).clone(), rules, observer, closing).await {
            Ok(services) => {
                let services = started.0.get_or_init(|| services);
                look_up(&metrics, services);
                Ok(rocket.manage(Arc::clone(services)))
            }
            Err(error) => {
                tracing::error!(cause = ?error, "The verbs cannot start.");
                Err(rocket)
            }
        }
    })
}

/// The server is ready once the verbs are started and the database answers.
fn readiness(started: Started) -> http::Readiness {
    http::Readiness::new(move || {
        let started = started.clone();
        async move {
            match started.0.get() {
                Some(services) => services.store.ping().await,
                None => Err(Error::unavailable("the server is starting", SOON)),
            }
        }
    })
}

/// Gauges that the verbs know, looked up when somebody reads the figures.
fn look_up(metrics: &Metrics, services: &Arc<Services>) {
    let services = Arc::downgrade(services);
    metrics.look_up(move |metrics| {
        if let Some(services) = services.upgrade() {
            metrics.head_position.set(services.hub.head().get());
            metrics.logins_cached.set(gauge(services.logins.count()));
            metrics.waiters_held.set(gauge(services.waiters.count()));
        }
    });
}

fn gauge(count: usize) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

/// Counts what the writer commits.
struct Counting(Arc<Metrics>);

impl writer::Observer for Counting {
    fn batch(&self, drafts: usize, messages: usize, took: Duration) {
        let metrics = &self.0;
        metrics.batches_committed.inc();
        metrics
            .batch_size
            .observe(f64::from(u32::try_from(drafts).unwrap_or(u32::MAX)));
        metrics.commit_seconds.observe(took.as_secs_f64());
        metrics
            .messages_accepted
            .inc_by(u64::try_from(messages).unwrap_or(u64::MAX));
    }
}
