//! The verbs: everything people do, whichever API they speak.
//!
//! # Why
//! Every door (a route, a socket's event) parses what its own API says and calls one verb here;
//! that is what keeps four APIs one product. Verbs take a proof of who asks: a [`Caller`] can only
//! be made by [`callers`], a [`access::Reader`] only by [`access`]. Verbs answer with model values
//! and know neither JSON nor HTTP.
//!
//! Whether somebody may *send* is decided by the [`writer`] inside the transaction that writes: a
//! check before it could be outdated by the time the batch is written, and would cost every post a
//! second look at the database.

pub mod access;
pub mod accounts;
pub mod apps;
pub mod callers;
pub mod change_feed;
pub mod chats;
pub mod connections;
pub mod conversations;
pub mod developers;
pub mod domains;
pub mod keys;
pub mod lifetime;
pub mod limits;
pub mod logins;
pub mod members;
pub mod messages;
pub mod owners;
pub mod password;
pub mod people;
pub mod presence;
mod renewal;
pub mod rooms;
pub mod sign_ins;
pub mod signals;
pub mod verify;
pub mod writer;

use std::{sync::Arc, time::Duration};

use tokio_util::sync::CancellationToken;

use crate::{
    error::Result,
    model::{Clock, Cursor, Position, TenantId},
    pubsub::{Hub, log_tail},
    store::{Store, Turns},
};

pub use callers::Caller;

/// How often idle ears are forgotten and uses of logins are written down.
const HOUSEKEEPING: Duration = Duration::from_secs(15);
/// How often logins past their time are forgotten.
const EXPIRY: Duration = Duration::from_hours(1);
/// How long an ear outlives its last listener, so that the next poll finds it warm.
const LINGER: Duration = Duration::from_mins(1);

/// In whose name the house is kept, where tenants take turns.
const HOUSE: TenantId = TenantId::new(0);
/// How many rows housekeeping writes in one transaction: no more than others can wait for.
const SOME: usize = 500;

/// How long a long list waits for its turn to be read.
const LIST_PATIENCE: Duration = Duration::from_secs(10);

/// What an operator decides about the verbs.
#[derive(Debug, Clone)]
pub struct ChatConfig {
    /// bcrypt's cost for new passwords.
    pub bcrypt_cost: u32,
    /// How many passwords are hashed at once.
    pub bcrypt_parallel: usize,
    /// The fewest characters of a password that is set.
    pub password_min: usize,
    /// How long a login lives unused.
    pub login_idle: Duration,
    /// How long a login lives at all.
    pub login_max: Duration,
    /// Whether anybody may sign up.
    pub registration_open: bool,
    /// Whether who guesses passwords, or makes accounts by the dozen, is slowed down.
    pub throttled: bool,
    /// How often anybody may ask.
    pub rates: limits::Rates,
    /// How tenants' tokens are verified.
    pub verify: verify::Terms,
    /// The writer's bounds.
    pub writer: writer::Bounds,
}

/// Everything the verbs work with; one a server, shared by every door.
#[derive(Debug)]
pub struct Services {
    /// The database.
    pub store: Store,
    /// Who listens.
    pub hub: Arc<Hub>,
    /// Who writes.
    pub writer: writer::Writer,
    /// Who is signed in.
    pub logins: Arc<logins::Logins>,
    /// Whose keys are in use.
    pub keys: keys::Keys,
    /// Slows down who guesses.
    pub login_throttle: limits::login_throttle::LoginThrottle,
    /// Tells of those who sign in.
    pub sign_ins: sign_ins::SignIns,
    /// Counts requests.
    pub limits: limits::RateLimit,
    /// Asks tenants' systems whether their tokens are good.
    pub verifier: Arc<verify::Verifier>,
    /// Who is present where.
    pub presence: presence::Presence,
    /// Who types where.
    pub typists: Arc<signals::Typists>,
    /// Hashes passwords.
    pub hasher: password::Hasher,
    /// Who waits.
    pub wait_limit: limits::wait_limit::WaitLimit,
    /// What the operator decided.
    pub config: ChatConfig,
    /// Turns at reading long lists.
    pub lists: Arc<Turns>,
    /// What time it is.
    pub clock: Clock,
    /// Cancelled when the server begins to stop.
    pub closing: CancellationToken,
}

impl Services {
    /// Starts the verbs on an open store.
    pub async fn start(
        store: Store,
        config: ChatConfig,
        observer: Arc<dyn writer::Observer>,
        closing: CancellationToken,
    ) -> Result<Arc<Self>> {
        let hub = log_tail::open(&store).await?;
        let services = Arc::new(Self {
            writer: writer::Writer::start(
                store.clone(),
                Arc::clone(&hub),
                config.writer,
                observer,
                closing.clone(),
            ),
            logins: Arc::new(logins::Logins::new(config.login_idle, config.login_max)),
            keys: keys::Keys::default(),
            login_throttle: limits::login_throttle::LoginThrottle::new(config.throttled),
            sign_ins: sign_ins::SignIns::default(),
            limits: limits::RateLimit::new(config.rates),
            verifier: Arc::new(verify::Verifier::new(config.verify.clone())?),
            presence: presence::Presence::default(),
            typists: signals::Typists::new(Arc::clone(&hub)),
            hasher: password::Hasher::new(config.bcrypt_cost, config.bcrypt_parallel),
            wait_limit: limits::wait_limit::WaitLimit::default(),
            lists: Turns::new(lists_at_once(), LIST_PATIENCE),
            clock: Clock,
            hub,
            store,
            config,
            closing,
        });
        tokio::spawn(keep_house(
            Arc::downgrade(&services),
            services.closing.clone(),
        ));
        Ok(services)
    }

    /// The cursor at which everything published so far has been seen.
    pub fn cursor(&self) -> Cursor {
        self.cursor_at(self.hub.head())
    }

    /// The cursor of a position.
    pub fn cursor_at(&self, position: Position) -> Cursor {
        Cursor {
            epoch: self.store.epoch().clone(),
            position,
        }
    }

    /// Writes what waits, notes what was noted last, and closes the database. Fails when it is not
    /// known whether the last drafts were written.
    pub async fn stop(&self) -> Result<()> {
        self.closing.cancel();
        let drained = self.writer.drain().await;
        if drained.is_ok()
            && self.store.writes_work().is_ok()
            && let Err(error) = self.logins.flush(&self.store, self.clock.now()).await
        {
            tracing::warn!(cause = ?error, "The last uses of logins could not be written down.");
        }
        self.store.close().await;
        drained
    }
}

/// How many long lists are read at a time: half of the processors are left to everything else.
fn lists_at_once() -> usize {
    std::thread::available_parallelism().map_or(1, |processors| processors.get() / 2)
}

/// Forgets who stopped listening and notes which logins were used, until the server stops.
async fn keep_house(services: std::sync::Weak<Services>, closing: CancellationToken) {
    let mut every = tokio::time::interval(HOUSEKEEPING);
    let mut expire = tokio::time::interval(EXPIRY);
    loop {
        tokio::select! {
            () = closing.cancelled() => return,
            _ = every.tick() => {}
            _ = expire.tick() => {
                let Some(services) = services.upgrade() else { return };
                if let Err(error) = services.logins.expire(&services.store, services.clock.now()).await {
                    tracing::warn!(cause = ?error, "Expired logins could not be forgotten.");
                }
                if let Err(error) = connections::forget(&services).await {
                    tracing::warn!(cause = ?error, "Lost connections could not be forgotten.");
                }
                continue;
            }
        }
        let Some(services) = services.upgrade() else {
            return;
        };
        services.hub.sweep(LINGER);
        if let Err(error) = services
            .logins
            .flush(&services.store, services.clock.now())
            .await
        {
            tracing::warn!(cause = ?error, "Uses of logins could not be written down.");
        }
    }
}
