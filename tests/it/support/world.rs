//! A running server on a port of its own, and people who send requests to it.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use parlance::{
    Server,
    chat::{
        Caller, Services,
        callers::{self, Claims},
    },
    config::{Defaults, Settings},
    dialect::{DIALECTS, DialectEntry, DialectSet, messenger},
    http::ShutdownSignal,
    model::{Cursor, Lane, PersonId, Position, Scope},
    store::{Db, Store},
};
use reqwest::Client;
use rocket::{
    Shutdown,
    fairing::AdHoc,
    figment::{
        Figment,
        providers::{Format, Serialized, Toml},
    },
};
use tokio::{sync::oneshot, task::JoinHandle};

use crate::{
    support::actor::{Actor, Told},
    support::place::Place,
};

/// Longer than anything here takes: a test that hangs fails instead.
pub(crate) const FOREVER: Duration = Duration::from_mins(1);

/// How long a connection without a request is kept to be used again: less than any server of a test keeps it.
const POOLED: Duration = Duration::from_millis(300);

/// What differs from the defaults in every test.
const SETTINGS: &str = r#"
    port = 0
    socket_port = 0
    log_level = "off"
    bcrypt_cost = 4
    rate_limits = false
    databases.chat.max_connections = 4
    databases.chat.connect_timeout = 30
    shutdown = { ctrlc = false, signals = [], grace = 1, mercy = 1 }
"#;

/// The name of every dialect.
pub(crate) fn every_dialect() -> impl Iterator<Item = &'static str> {
    let others = DIALECTS.iter().map(DialectEntry::name);
    [messenger::NAME].into_iter().chain(others)
}

/// Returns once something holds that no event tells of; fails when that takes too long.
pub(crate) async fn soon_holds(holds: impl AsyncFn() -> bool) {
    let waited = async {
        while !holds().await {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(FOREVER, waited)
        .await
        .expect("it comes to hold");
}

/// A running server.
pub(crate) struct World {
    running: Running,
    settings: String,
    dialects: &'static DialectSet,
    pub(crate) http: Client,
    pub(crate) place: Place,
}

struct Running {
    base: String,
    services: Arc<Services>,
    store: Store,
    closing: ShutdownSignal,
    shutdown: Shutdown,
    served: JoinHandle<parlance::Result<()>>,
}

impl World {
    /// A server at its defaults, but for what tests need.
    pub(crate) async fn new() -> Self {
        Self::with("").await
    }

    /// A server with more settings.
    pub(crate) async fn with(settings: &str) -> Self {
        let place = Place::make().await;
        let url = place.url();
        Self::on(place, &url, settings).await
    }

    /// A server at its defaults that has these event-style dialects.
    pub(crate) async fn with_dialects(dialects: &'static DialectSet) -> Self {
        let place = Place::make().await;
        let url = place.url();
        Self::made(place, &url, "", dialects).await
    }

    /// A server that reaches its database at this address.
    pub(crate) async fn on(place: Place, url: &str, settings: &str) -> Self {
        Self::made(place, url, settings, &DIALECTS).await
    }

    async fn made(place: Place, url: &str, settings: &str, dialects: &'static DialectSet) -> Self {
        crate::with_tls();
        Self {
            running: start(url, settings, dialects).await,
            settings: settings.to_owned(),
            dialects,
            http: Client::builder()
                .timeout(FOREVER)
                // One that the server is about to close is not used again: it would take the request along.
                .pool_idle_timeout(POOLED)
                .build()
                .expect("a client needs nothing"),
            place,
        }
    }

    /// Stops the server and starts another on the same database.
    pub(crate) async fn restart(self) -> Self {
        let settings = self.settings.clone();
        self.restart_with(&settings).await
    }

    /// The same, with other settings.
    pub(crate) async fn restart_with(self, settings: &str) -> Self {
        let Self {
            running,
            http,
            place,
            settings: _,
            dialects,
        } = self;
        running.stop().await;
        Self {
            running: start(&place.url(), settings, dialects).await,
            settings: settings.to_owned(),
            dialects,
            http,
            place,
        }
    }

    /// Stops the server: everything accepted is written when this returns.
    pub(crate) async fn stop(self) -> Place {
        self.running.stop().await;
        self.place
    }

    /// The server's address, without a slash at its end.
    pub(crate) fn base(&self) -> &str {
        &self.running.base
    }

    /// The settings that it was started with, beside what every test needs.
    pub(crate) fn settings(&self) -> &str {
        &self.settings
    }

    /// Settings that a binary needs to be another server of the same database.
    pub(crate) fn databases(&self) -> String {
        format!("{{chat={{url=\"{}\"}}}}", self.place.url())
    }

    /// The server's services.
    pub(crate) fn services(&self) -> &Arc<Services> {
        &self.running.services
    }

    /// Up to where everything in the first lane has been published.
    pub(crate) fn head(&self) -> Position {
        self.services().head_in(Lane::FIRST)
    }

    /// The same as a cursor.
    pub(crate) fn cursor(&self) -> Cursor {
        self.services().cursor_at(self.head())
    }

    /// The database as the server has it open.
    pub(crate) fn store(&self) -> &Store {
        &self.running.store
    }

    /// Tells everybody who waits that the server stops, though it goes on.
    pub(crate) fn close(&self) {
        self.running.closing.begin();
    }

    /// Signs a person up.
    pub(crate) async fn actor(&self, name: &str) -> Actor {
        Actor::sign_up(self, name).await
    }

    /// The person who holds a login, for tests of what is below the routes.
    pub(crate) async fn caller(&self, person: i64, token: &str) -> Caller {
        let claims = Claims {
            people: vec![PersonId::new(person)],
            tokens: vec![token.to_owned()],
        };
        let caller = callers::authenticate(self.services(), &claims, None, Scope::Read).await;
        caller.expect("the login is good")
    }

    /// Two people.
    pub(crate) async fn ann_and_bo(&self) -> (Actor, Actor) {
        (self.actor("ann").await, self.actor("bo").await)
    }

    /// Sends a GET without credentials.
    pub(crate) async fn get(&self, path: &str) -> Told {
        Told::of(self.http.get(format!("{}{path}", self.base()))).await
    }

    /// Sends a form without credentials.
    pub(crate) async fn post(&self, path: &str, form: &[(&str, &str)]) -> Told {
        Told::of(self.http.post(format!("{}{path}", self.base())).form(form)).await
    }

    /// Returns once so many requests are held.
    pub(crate) async fn waiting(&self, count: usize) {
        let held = async {
            while self.services().waiting() != count {
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(FOREVER, held)
            .await
            .expect("that many requests come to wait");
    }
}

impl Running {
    async fn stop(self) {
        // Rocket runs its shutdown fairings for a signal, and not always for `notify`.
        self.closing.begin();
        self.shutdown.notify();
        self.served
            .await
            .expect("the server's task does not panic")
            .expect("the server ends in peace");
    }
}

async fn start(url: &str, settings: &str, dialects: &'static DialectSet) -> Running {
    let figment = Figment::from(rocket::Config::default())
        .merge(Defaults)
        .merge(Toml::string(SETTINGS))
        .merge(Toml::string(settings))
        .merge(Serialized::default("databases.chat.url", url))
        .select(rocket::Config::DEFAULT_PROFILE);
    let (settings, _) = Settings::read(&figment).expect("the settings of a test are right");
    let (ready, started) = oneshot::channel();
    let ready = Mutex::new(Some(ready));
    let liftoff = AdHoc::on_liftoff("ready", move |rocket| {
        let services = rocket.state::<Arc<Services>>().expect("the verbs").clone();
        let store = Store::clone(rocket.state::<Db>().expect("the database"));
        let closing = rocket.state::<ShutdownSignal>().expect("it is managed");
        let parts = (services, store, closing.clone());
        let told = (rocket.config().port, parts, rocket.shutdown());
        let ready = ready.lock().expect("nobody panics here").take();
        Box::pin(async move {
            drop(ready.expect("there is one liftoff").send(told));
        })
    });
    let server = Server::with_dialects(&figment, settings, dialects);
    let server = server.map(|rocket| rocket.attach(liftoff));
    let served = tokio::spawn(server.run());
    let Ok((port, (services, store, closing), shutdown)) = started.await else {
        panic!("the server does not start: {:?}", served.await);
    };
    Running {
        base: format!("http://127.0.0.1:{port}"),
        services,
        store,
        closing,
        shutdown,
        served,
    }
}
