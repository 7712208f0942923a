//! What the verbs work with, and how it starts and stops.

use std::{sync::Arc, time::Duration};

use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::{
    chat::{
        WriteObserver, WriterBounds,
        bus::{self, Bus},
        connections::Register,
        device_cookies::DeviceCookies,
        follower::Follower,
        gathered::Gathered,
        housekeeping, keys,
        lanes::Lanes,
        limits::{RateLimit, Rates, login_throttle::LoginThrottle, wait_limit::WaitLimit},
        logins::Logins,
        online::{self, Online},
        outgoing,
        password::Hasher,
        presence::Presence,
        registrations::Registrations,
        search,
        sign_ins::SignIns,
        signals::Typists,
        verify::Verifier,
        webhooks::{self, Webhooks},
        writer::Writer,
    },
    config::Settings,
    error::{Error, Result},
    model::{
        Clock, Cursor, EpochMark, Lane, Network, Person, PersonId, Position, Positions, TenantId,
        Timestamp, health::Part,
    },
    pubsub::Hub,
    store::{Store, Turns},
};

/// How long a long list waits for its turn to be read.
const LIST_TIMEOUT: Duration = Duration::from_secs(10);

/// Everything the verbs work with; one for each server, shared by all transports. Its fields are for the
/// verbs alone: a handler that needs more needs a verb.
#[derive(Debug)]
pub struct Services {
    /// The database.
    pub(super) store: Store,
    /// The lanes: who listens in each, and which tenant's changes go where.
    pub(super) lanes: Arc<Lanes>,
    /// Who writes.
    pub(super) writer: Writer,
    /// Who is signed in.
    pub(super) logins: Arc<Logins>,
    /// Whose keys are in use.
    pub(super) keys: Arc<keys::Keys>,
    /// Tells other servers of the database, and hears them.
    pub(super) bus: Arc<Bus>,
    /// Follows other servers of the database.
    pub(super) follower: Arc<Follower>,
    /// Slows down who guesses.
    pub(super) login_throttle: LoginThrottle,
    /// Knows browsers from which somebody has signed in before.
    pub(super) device_cookies: DeviceCookies,
    /// Tells of those who sign in.
    pub(super) sign_ins: SignIns,
    /// Counts requests.
    pub(super) limits: RateLimit,
    /// Sends requests to customers' addresses.
    pub(super) outgoing: Arc<outgoing::Client>,
    /// Asks tenants' systems whether their tokens are good.
    pub(super) verifier: Arc<Verifier>,
    /// Who is told of changes by HTTP.
    pub(super) webhooks: Webhooks,
    /// Who is present where.
    pub(super) presence: Presence,
    /// Who is online.
    pub(super) online: Online,
    /// Who types where.
    pub(super) typists: Arc<Typists>,
    /// Hashes passwords.
    pub(super) hasher: Hasher,
    /// Who waits.
    pub(super) wait_limit: WaitLimit,
    /// What the operator decided.
    pub(super) settings: Settings,
    /// Turns at reading long lists.
    pub(super) lists: Arc<Turns>,
    /// Connections that may come back.
    pub(super) connections: Register,
    /// Registers people.
    pub(super) registrations: Registrations,
    /// Looks up the people for whom connections come back.
    pub(super) returning: Gathered<(TenantId, PersonId), Arc<Person>>,
    /// When the server started.
    pub(super) started_at: Timestamp,
    /// What time it is.
    pub(super) clock: Clock,
    /// Cancelled when the server begins to stop.
    pub(super) closing: CancellationToken,
}

impl Services {
    /// Starts the verbs on an open store.
    pub async fn start(
        store: Store,
        settings: &Settings,
        observer: Arc<dyn WriteObserver>,
        closing: CancellationToken,
    ) -> Result<Arc<Self>> {
        let services = Self::start_beside(store, settings, observer, closing).await?;
        services.follower.start().await?;
        tokio::spawn(housekeeping::run(
            Arc::downgrade(&services),
            services.closing.clone(),
        ));
        tokio::spawn(online::run(
            Arc::downgrade(&services),
            services.closing.clone(),
        ));
        tokio::spawn(bus::run(
            Arc::downgrade(&services),
            services.closing.clone(),
        ));
        tokio::spawn(search::run(
            Arc::downgrade(&services),
            services.closing.clone(),
        ));
        Ok(services)
    }

    /// The same beside a server, which does the housekeeping.
    pub async fn start_beside(
        store: Store,
        settings: &Settings,
        observer: Arc<dyn WriteObserver>,
        closing: CancellationToken,
    ) -> Result<Arc<Self>> {
        let lanes = Lanes::open(&store).await?;
        let logins = Arc::new(Logins::new(
            settings.login_idle,
            settings.login_max,
            settings.logins_per_person,
        ));
        let keys = Arc::<keys::Keys>::default();
        let bus = Bus::of(&store);
        let follower = Follower::new(
            store.clone(),
            (Arc::clone(&lanes), Arc::clone(&bus)),
            Arc::clone(&logins),
            Arc::clone(&keys),
        );
        let follower = Arc::new(follower);
        let outgoing = Arc::new(outgoing_client(settings)?);
        Ok(Arc::new(Self {
            writer: Writer::start(
                store.clone(),
                (Arc::clone(&lanes), Arc::clone(&follower)),
                writer_bounds(settings),
                observer,
                closing.clone(),
            ),
            logins,
            keys,
            follower,
            login_throttle: LoginThrottle::new(settings.rate_limits, Arc::clone(&bus)),
            device_cookies: DeviceCookies::new(store.secret()),
            sign_ins: SignIns::default(),
            limits: RateLimit::new(rates(settings)),
            verifier: Arc::new(Verifier::new(Arc::clone(&outgoing), settings.verify_ttl)),
            outgoing,
            webhooks: Webhooks::default(),
            presence: Presence::new(Arc::clone(&bus)),
            online: Online::new(Arc::clone(&bus)),
            typists: Typists::new(Arc::clone(&lanes), Arc::clone(&bus)),
            bus,
            hasher: Hasher::new(settings.bcrypt_cost, settings.bcrypt_parallel),
            wait_limit: WaitLimit::default(),
            lists: Turns::new(lists_at_once(), LIST_TIMEOUT),
            connections: Register::default(),
            registrations: Registrations::default(),
            returning: Gathered::default(),
            started_at: Clock.now(),
            clock: Clock,
            lanes,
            store,
            settings: settings.clone(),
            closing,
        }))
    }

    /// The position up to which everything of a tenant has been published.
    pub fn head(&self, tenant: TenantId) -> Position {
        self.hub(tenant).head()
    }

    /// The same in a lane.
    pub fn head_in(&self, lane: Lane) -> Position {
        let log = self.lanes.get(lane);
        log.map_or(lane.start(), |log| log.hub.head())
    }

    /// The positions up to which everything has been published, of all lanes.
    pub fn heads(&self) -> Positions {
        self.lanes.heads()
    }

    /// The lane that a tenant's changes go to.
    pub fn lane_of(&self, tenant: TenantId) -> Lane {
        self.lanes.lane_of(tenant)
    }

    /// Whether the database has several lanes.
    pub fn has_several_lanes(&self) -> bool {
        self.lanes.are_several()
    }

    /// Where a tenant's changes are published.
    pub(super) fn hub(&self, tenant: TenantId) -> &Arc<Hub> {
        &self.lanes.of(tenant).hub
    }

    /// The position up to which everything of a tenant has been published, as a cursor.
    pub fn cursor(&self, tenant: TenantId) -> Cursor {
        self.cursor_at(self.head(tenant))
    }

    /// How many signals have been published.
    pub fn signals(&self) -> u64 {
        self.lanes.all().map(|log| log.hub.signals()).sum()
    }

    /// The cursor of a position in the present epoch.
    pub fn cursor_at(&self, position: Position) -> Cursor {
        self.epoch().cursor_at(position)
    }

    /// The present epoch: who begins to listen keeps it, see [`Services::refuse_ended`].
    pub fn epoch(&self) -> EpochMark {
        self.lanes.first().hub.epoch()
    }

    /// Whether that epoch has ended: what was told in it may not be in the log.
    pub fn has_ended(&self, mark: &EpochMark) -> bool {
        self.lanes.first().hub.has_ended(mark)
    }

    /// Refuses who began to listen in an epoch that has ended.
    pub fn refuse_ended(&self, mark: &EpochMark) -> Result<()> {
        if self.has_ended(mark) {
            Err(Error::gone())
        } else {
            Ok(())
        }
    }

    /// Refuses while this server does not know what others of its database have ended.
    pub async fn prove_up_to_date(&self) -> Result<()> {
        self.follower.prove().await
    }

    /// How each part is on which serving depends, as far as that is known by then.
    pub async fn parts(&self, until: Instant) -> Vec<Part> {
        Box::pin(self.store.parts(until)).await
    }

    /// How many connections for reading are in use, and how many are not.
    pub fn connections_for_reading(&self) -> (usize, usize) {
        self.store.connections()
    }

    /// How many positions the search index is behind the log.
    pub fn search_lag(&self) -> i64 {
        let lags = self.lanes.all().map(|log| {
            let indexed = log.index.progress().to;
            (log.hub.head().get() - indexed.get()).max(0)
        });
        lags.sum()
    }

    /// Whether what is written arrives, as far as that is known.
    pub fn writes_work(&self) -> bool {
        self.store.writes_work().is_ok()
    }

    /// How many other servers of the database live, as far as that is known.
    pub fn other_servers(&self) -> usize {
        self.store.other_servers()
    }

    /// Whether what they say is heard just now.
    pub fn hears_others(&self) -> bool {
        self.store.hears_others()
    }

    /// How many positions of the log were seen and have yet to be published here.
    pub fn tail_lag(&self) -> i64 {
        self.follower.lag()
    }

    /// How long ago this server saw what others have ended; nothing where there are no others.
    pub fn lease_age(&self) -> Duration {
        self.follower.age()
    }

    /// How long the last notification took to come back.
    pub fn last_notification(&self) -> Duration {
        self.store.last_notification()
    }

    /// Refuses what would only begin to wait while the server stops.
    pub fn refuse_when_closing(&self) -> Result<()> {
        if self.closing.is_cancelled() {
            Err(Error::shutting_down())
        } else {
            Ok(())
        }
    }

    /// How many drafts wait for the writer.
    pub fn drafts_waiting(&self) -> usize {
        self.writer.waiting()
    }

    /// How many logins are kept in memory.
    pub fn logins_cached(&self) -> usize {
        self.logins.count()
    }

    /// How many statements were run to read.
    pub fn database_reads(&self) -> u64 {
        self.store.reads()
    }

    /// How many wait for changes, or have yet to end.
    pub fn waiting(&self) -> usize {
        self.wait_limit.count()
    }

    /// Writes what waits, notes what was noted last, and closes the database. Fails when it is not
    /// known whether the last drafts were written.
    pub async fn stop(&self) -> Result<()> {
        self.closing.cancel();
        let drained = self.writer.drain().await;
        if self.store.writes_work().is_ok()
            && let Err(error) = self.sign_ins.flush(&self.store).await
        {
            tracing::warn!(cause = ?error, "The last sign-ins could not be written down.");
        }
        if drained.is_ok()
            && self.store.writes_work().is_ok()
            && let Err(error) = self.logins.flush(&self.store, self.clock.now()).await
        {
            tracing::warn!(cause = ?error, "The last uses of logins could not be written down.");
        }
        if drained.is_ok() && self.store.writes_work().is_ok() {
            webhooks::release(self).await;
        }
        self.follower.stop();
        self.store.close().await;
        drained
    }
}

fn writer_bounds(settings: &Settings) -> WriterBounds {
    WriterBounds {
        batch: settings.write_batch_max,
        queue: settings.write_queue,
    }
}

/// How often anybody may ask.
fn rates(settings: &Settings) -> Rates {
    if !settings.rate_limits {
        return Rates::default();
    }
    Rates {
        address: settings.rate_per_address,
        login: settings.rate_per_login,
        tenant: settings.rate_per_tenant,
    }
}

/// The client for customers' addresses, which may also go to the networks that the operator lists.
fn outgoing_client(settings: &Settings) -> Result<outgoing::Client> {
    let networks = settings.verify_allow.iter();
    let allowed = networks.map(|network| Network::new(network.address, network.prefix));
    outgoing::Client::new(allowed.collect(), Arc::new(outgoing::SystemNames))
}

/// How many long lists are read at a time: half of the processors are left to everything else.
fn lists_at_once() -> usize {
    std::thread::available_parallelism().map_or(1, |processors| processors.get() / 2)
}
