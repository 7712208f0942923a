//! The server: how the parts come together, run, and stop.

mod ranks;

use std::{
    net::SocketAddr,
    sync::{Arc, Mutex, OnceLock, PoisonError},
    time::Duration,
};

use parlance_socketio::{Cors, SocketIo, forwarder::Forwarder};
use rocket::{
    Build, Rocket, Route,
    error::ErrorKind,
    fairing::{AdHoc, Fairing},
    figment::Figment,
};
use tokio_util::sync::CancellationToken;

use crate::{
    chat::{Services, WriteObserver, developers, peers, webhooks},
    config::{EmbedOpen, Failover, Settings},
    dialect::{DIALECTS, DialectSet, DialectsMetrics, Options, messenger, webhooks::ChangeEncoder},
    error::{Error, Kind, Result},
    gateway::{
        self,
        peers::{Directory, address},
        socketio::{CredentialReader, Gateway, export, follow},
    },
    http,
    nats::Nats,
    openapi,
    signals::{Drain, Signals, Stopping},
    store::{self, Carrier, Db, Store},
    telemetry::{ConnectionLabels, LaneLabels, Metrics, SocketMetrics, traced},
};

use ranks::often_first;

/// `Retry-After` while the server starts.
const SOON: Duration = Duration::from_secs(1);

/// A server that is ready to run.
pub struct Server {
    rocket: Rocket<Build>,
    second: Option<Rocket<Build>>,
    started: Started,
    hindrance: Hindrance,
    stopping: Stopping,
}

/// The services, once they are started. They are kept outside of Rocket, which returns nothing when it fails.
type Started = Arc<OnceLock<Arc<Services>>>;

/// The reason why it did not start, where Rocket's own error says less.
type Hindrance = Arc<Mutex<Option<Error>>>;

impl Server {
    /// Builds a server from its settings. Nothing is opened yet.
    pub fn build(figment: &Figment, settings: Settings) -> Self {
        Self::with_dialects(figment, settings, &DIALECTS)
    }

    /// The same with other event-style dialects.
    #[expect(
        clippy::needless_pass_by_value,
        reason = "the settings are the server's from here on"
    )]
    pub fn with_dialects(
        figment: &Figment,
        settings: Settings,
        dialects: &'static DialectSet,
    ) -> Self {
        let started = Started::default();
        let hindrance = Hindrance::default();
        let closing = http::ShutdownSignal::new();
        let metrics = Arc::new(Metrics::new());
        let options = Arc::new(options((figment, &settings), dialects, &metrics));
        let longest_poll = settings.socket_ping_interval + settings.socket_ping_timeout;
        let forwarder = forwarder(&started, longest_poll, &closing);
        let sockets = sockets((&started, &forwarder), &settings, &options);
        export(&sockets, &metrics);
        let verbs = start_verbs(
            settings.clone(),
            (started.clone(), Arc::clone(&hindrance)),
            (Arc::clone(&metrics), Arc::clone(&options), sockets.clone()),
            closing.token(),
        );
        let signals = Signals::of(figment);
        let keep_alive = rocket::Config::try_from(figment).map_or(0, |config| config.keep_alive);
        let connections = http::Connections::new(&settings, keep_alive, Arc::clone(&metrics));
        let fit = |figment: Figment| {
            let figment = Signals::kept_from(figment);
            let (settings, metrics) = (settings.clone(), Arc::clone(&metrics));
            let rocket = openapi::configure(rocket::custom(figment));
            http::configure(rocket, settings, metrics, closing.clone())
                .attach(sockets.fairing())
                .manage(readiness(started.clone()))
                .manage(live_sessions(&sockets, &forwarder))
                .manage(connections.bounds())
                .manage(Arc::clone(&options))
                .mount("/", traced(often_first(gateway::http::routes())))
                .mount("/", traced(often_first(messenger::routes::all())))
                .mount("/", traced(dialect_routes(dialects)))
        };
        let drain = Drain {
            wait: settings.drain_wait,
            spread: settings.drain_spread,
        };
        let port = settings.socket_port;
        let second = (port != 0).then(|| fit(figment.clone().merge(("port", port))));
        let rocket = fit(figment.clone())
            .attach(open_database(settings.clone(), Arc::clone(&hindrance)))
            .attach(verbs)
            .attach(announce(started.clone(), settings.node_address.clone()));
        Self {
            rocket,
            second,
            started,
            hindrance,
            stopping: Stopping {
                signals,
                closing,
                sockets,
                drain,
            },
        }
    }

    /// The Rocket inside, for more routes and fairings.
    #[must_use]
    pub fn map(self, change: impl FnOnce(Rocket<Build>) -> Rocket<Build>) -> Self {
        Self {
            rocket: change(self.rocket),
            ..self
        }
    }

    /// Runs until a signal stops it; returns when everything accepted is written.
    pub async fn run(mut self) -> Result<()> {
        let listens = rocket::Config::try_from(self.rocket.figment())
            .map(|config| SocketAddr::new(config.address, config.port));
        let launched = Box::pin(self.launch()).await;
        let stopped = match self.started.get() {
            Some(services) => services.stop().await,
            None => Ok(()),
        };
        let hindrance = self
            .hindrance
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        // Rocket panics when an error of its own is dropped without being read.
        let ended = ended(launched, listens.ok());
        if let Some(hindrance) = hindrance {
            return Err(hindrance);
        }
        ended?;
        stopped.map_err(|error| {
            let sentence = "the server stopped while its database did not answer: it is not known whether \
                what was sent last is written";
            Error::new(Kind::Internal, sentence).because(error)
        })
    }

    /// Rocket binds one port, so a second one takes a second Rocket, which shares everything. It
    /// begins when the first has ignited and ends with it.
    async fn launch(&mut self) -> std::result::Result<(), rocket::Error> {
        let rocket = std::mem::replace(&mut self.rocket, rocket::build())
            .ignite()
            .await?;
        let second = self.second.take().zip(self.started.get());
        let Some((second, services)) = second else {
            let shutdowns = vec![rocket.shutdown()];
            let served = Box::pin(rocket.launch());
            return self.stopping.beside(shutdowns, served).await.map(drop);
        };
        let second = second.manage(Arc::clone(services)).ignite().await?;
        let end_of_second = second.shutdown();
        let shutdowns = vec![rocket.shutdown(), second.shutdown()];
        let port = second.config().port;
        let first = async {
            let launched = rocket.launch().await;
            end_of_second.notify();
            launched
        };
        let second = async {
            if let Err(error) = second.launch().await {
                // Read whether or not the line is written: Rocket panics over an error that nobody
                // looked at.
                let cause = error.kind().to_string();
                tracing::warn!(
                    port,
                    cause,
                    "The second port cannot be served: choose another one, or 0 for none, with \
                     socket_port in Rocket.toml or ROCKET_SOCKET_PORT."
                );
            }
        };
        let both = Box::pin(async { tokio::join!(first, second).0 });
        self.stopping.beside(shutdowns, both).await.map(drop)
    }
}

/// Why the server cannot listen, and which setting to change.
fn cannot_listen(listens: SocketAddr, cause: &std::io::Error) -> String {
    let remedy = match cause.kind() {
        std::io::ErrorKind::AddrInUse => {
            "another program listens there: stop it, or choose another port, with port in \
             Rocket.toml or ROCKET_PORT"
        }
        std::io::ErrorKind::AddrNotAvailable => {
            "this machine has no such address: choose one with address in Rocket.toml or \
             ROCKET_ADDRESS"
        }
        std::io::ErrorKind::PermissionDenied => {
            "ports below 1024 are for privileged programs: choose another one, with port in \
             Rocket.toml or ROCKET_PORT, and let a proxy listen there"
        }
        _ => "see address and port in Rocket.toml, or ROCKET_ADDRESS and ROCKET_PORT",
    };
    format!("it cannot listen on {listens} ({cause}); {remedy}")
}

/// The outcome of Rocket's end.
fn ended(
    launched: std::result::Result<(), rocket::Error>,
    listens: Option<SocketAddr>,
) -> Result<()> {
    let Err(error) = launched else {
        return Ok(());
    };
    let sentence = match (error.kind(), listens) {
        // The signal came, and the time for requests under way is over.
        (ErrorKind::Shutdown(_, None), _) => {
            tracing::warn!("Requests that took longer than shutdown.grace and mercy were cut off.");
            return Ok(());
        }
        (ErrorKind::Shutdown(_, Some(cause)), _) => format!("the server cannot go on: {cause}"),
        (ErrorKind::Bind(cause), Some(listens)) => {
            let why = cannot_listen(listens, cause);
            format!("the server cannot start: {why}")
        }
        (kind, _) => format!("the server cannot start: {kind}"),
    };
    Err(Error::new(Kind::Internal, sentence))
}

/// Opens the database when Rocket ignites. It does what `Db::init()` would, but for keeping the
/// sentence that tells why it failed, and for what carries what servers say to each other.
fn open_database(settings: Settings, hindrance: Hindrance) -> impl Fairing {
    AdHoc::try_on_ignite("database", move |rocket| async move {
        let opened = async {
            let nats = Nats::of(&settings)?;
            let carrier = nats.map(|nats| nats as Arc<dyn Carrier>);
            Store::serve_with(&store_options(&settings), carrier).await
        };
        match opened.await {
            Ok(store) => Ok(rocket.manage(Db::from(store))),
            Err(error) => {
                hinder(&hindrance, error);
                Err(rocket)
            }
        }
    })
}

/// What the settings say of the database.
pub(crate) fn store_options(settings: &Settings) -> store::Options {
    let database = &settings.database;
    store::Options {
        url: database.url.clone(),
        max_connections: database.max_connections,
        connect_timeout: database.connect_timeout,
        idle_timeout: Some(database.idle_timeout),
        failover: match database.failover {
            Failover::Lossy => store::Failover::Lossy,
            Failover::Lossless => store::Failover::Lossless,
        },
    }
}

fn hinder(hindrance: &Hindrance, error: Error) {
    *hindrance.lock().unwrap_or_else(PoisonError::into_inner) = Some(error);
}

/// What passes requests on to the servers that have their sessions.
fn forwarder(
    started: &Started,
    longest_poll: Duration,
    closing: &http::ShutdownSignal,
) -> Forwarder {
    Forwarder::new(
        Directory::new(started.clone()),
        longest_poll,
        closing.token(),
    )
}

/// The Socket.IO server, with a handler for every event-style dialect.
fn sockets(
    (started, forwarder): (&Started, &Forwarder),
    settings: &Settings,
    options: &Arc<Options>,
) -> SocketIo {
    let credentials = CredentialReader {
        allowed_origins: settings.allowed_origins.clone(),
    };
    SocketIo::builder()
        .allow_eio3(true)
        // Clients send a token or a key of their own; the credential reader decides whose cookies count.
        .cors(Cors::Any)
        // A marked session belongs to a client on this machine.
        .mark(|request| http::ClientAddress::of(request).is_this_machine())
        .ping_interval(settings.socket_ping_interval)
        .ping_timeout(settings.socket_ping_timeout)
        .peers(forwarder.clone())
        .namespace(
            "/",
            Gateway::new(Arc::clone(started), Arc::clone(options), credentials),
        )
        .build()
}

fn live_sessions(sockets: &SocketIo, forwarder: &Forwarder) -> http::LiveSessions {
    let (engine, forwarder) = (sockets.engine().clone(), forwarder.clone());
    http::LiveSessions::new(move |sid| engine.has_session(sid) || forwarder.has_session(sid))
}

/// Says where other servers of the database reach this one, once it listens.
fn announce(started: Started, named: Option<String>) -> impl Fairing {
    AdHoc::on_liftoff("node address", move |rocket| {
        Box::pin(async move {
            let listens = SocketAddr::new(rocket.config().address, rocket.config().port);
            let address = address::reached(named.as_deref(), listens);
            let Some((services, address)) = started.get().zip(address) else {
                return;
            };
            if let Err(error) = peers::announce(services, address).await {
                // It is said again with the next heartbeat.
                tracing::debug!(cause = ?error, "It could not be said where this server is reached.");
            }
        })
    })
}

/// The routes that event-style dialects have beside events.
fn dialect_routes(dialects: &'static DialectSet) -> Vec<Route> {
    dialects
        .iter()
        .flat_map(|dialect| dialect.routes())
        .collect()
}

fn options(
    (figment, settings): (&Figment, &Settings),
    dialects: &'static DialectSet,
    metrics: &Metrics,
) -> Options {
    // Behind a proxy that forwards addresses every peer looks like this machine.
    let is_own = rocket::Config::try_from(figment).is_ok_and(|config: rocket::Config| {
        config.address.is_loopback() && config.ip_header.is_none()
    });
    let who = match settings.embed_open {
        EmbedOpen::Loopback if is_own => Some("this machine"),
        EmbedOpen::Always => Some("anywhere"),
        EmbedOpen::Loopback | EmbedOpen::Never => None,
    };
    if let Some(who) = who {
        tracing::warn!(
            "Anybody from {who} may embed chat without a key (embed_open): set it to false in production."
        );
    }
    Options {
        dialects,
        metrics: Arc::new(DialectsMetrics::new(dialects, metrics)),
        is_own,
        settings: settings.clone(),
    }
}

/// Starts the verbs once the database is open.
fn start_verbs(
    settings: Settings,
    (started, hindrance): (Started, Hindrance),
    (metrics, options, sockets): (Arc<Metrics>, Arc<Options>, SocketIo),
    closing: CancellationToken,
) -> impl Fairing {
    AdHoc::try_on_ignite("verbs", move |rocket| async move {
        // Rocket runs the next fairing even when one has failed; that one has reported its error.
        let Some(db) = rocket.state::<Db>() else {
            return Err(rocket);
        };
        let observer = Arc::new(Counting(Arc::clone(&metrics)));
        match Services::start((**db).clone(), &settings, observer, closing).await {
            Ok(services) => {
                let services = started.get_or_init(|| services);
                look_up(&metrics, services);
                follow(services, &options, sockets);
                let encoder = Arc::new(ChangeEncoder(options));
                webhooks::start(services, encoder, webhooks::Bounds::default());
                let admin = settings.admin_email.zip(settings.admin_password);
                if let Some((email, password)) = &admin
                    && let Err(error) = developers::ensure_admin(services, email, password).await
                {
                    let sentence =
                        format!("the first administrator cannot be made: {}", error.text());
                    hinder(
                        &hindrance,
                        Error::new(error.kind(), sentence).because(error),
                    );
                    return Err(rocket);
                }
                Ok(rocket.manage(Arc::clone(services)))
            }
            Err(error) => {
                tracing::error!(cause = ?error, "The verbs cannot start.");
                hinder(&hindrance, error);
                Err(rocket)
            }
        }
    })
}

/// The server is ready once the verbs are started and none of what they depend on fails.
fn readiness(started: Started) -> http::Readiness {
    http::Readiness::new(move |until| {
        let started = started.clone();
        async move {
            match started.get() {
                Some(services) => Ok(services.parts(until).await),
                None => Err(Error::unavailable("the server is starting", SOON)),
            }
        }
    })
}

/// Gauges of the services, read when the metrics are read.
fn look_up(metrics: &Metrics, services: &Arc<Services>) {
    let services = Arc::downgrade(services);
    metrics.look_up(move |metrics| {
        if let Some(services) = services.upgrade() {
            metrics.drafts_waiting.set(gauge(services.drafts_waiting()));
            for (lane, head) in services.heads().entries() {
                let lane = lane.number();
                let position = metrics.head_position.get_or_create(&LaneLabels { lane });
                position.set(head.get());
            }
            metrics.logins_cached.set(gauge(services.logins_cached()));
            metrics.waiters_held.set(gauge(services.waiting()));
            metrics.search_lag.set(services.search_lag());
            metrics.writes_work.set(services.writes_work().into());
            let (used, idle) = services.connections_for_reading();
            for (state, count) in [("used", used), ("idle", idle)] {
                let labels = ConnectionLabels { state };
                let connections = metrics.database_connections.get_or_create(&labels);
                connections.set(gauge(count));
            }
            metrics.other_servers.set(gauge(services.other_servers()));
            metrics.bus_heard.set(services.hears_others().into());
            metrics.tail_lag.set(services.tail_lag());
            metrics.lease_age.set(services.lease_age().as_secs_f64());
            let notification = services.last_notification().as_secs_f64();
            metrics.notification.set(notification);
            let reads = services.database_reads();
            SocketMetrics::set(&metrics.database_reads, reads);
        }
    });
}

fn gauge(count: usize) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

/// Counts what the writer commits.
struct Counting(Arc<Metrics>);

impl WriteObserver for Counting {
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
