//! The session of a client of the event-style dialects: a socket, or one HTTP request.

use std::{any::Any, collections::VecDeque, net::IpAddr, sync::Arc};

use crate::{
    chat::{
        Caller, Services,
        callers::{self, Candidate, Claims, KeyHolder, Proof},
        limits::{self, login_throttle},
        logins,
        messages::{self, Draft, UnderWay},
        signals,
        subscription::Subscription,
    },
    config::Settings,
    dialect::{
        DIALECTS, DialectEntry, DialectId, DialectMask, DialectSet, DialectsMetrics, OutgoingEvent,
        echo::{EchoFilter, LogSpan, OwnAction},
    },
    error::{Error, Kind, Result},
    model::{
        Change, ChatId, EpochMark, Lane, Person, PersonId, Position, Positions, Scope, Signal,
        TenantId, TokenHash,
    },
    pubsub::Waker,
    telemetry::Metrics,
};

pub use super::identity::Identity;

/// How many tokens a session remembers having looked up.
const KNOWN: usize = 64;

/// Which dialects there are, and what the operator decides about them.
#[derive(Debug, Clone)]
pub struct Options {
    /// The event-style dialects.
    pub dialects: &'static DialectSet,
    /// Their metrics.
    pub metrics: Arc<DialectsMetrics>,
    /// Whether the server listens to this machine alone, and no proxy is in front.
    pub is_own: bool,
    /// What the operator decided.
    pub settings: Settings,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            dialects: &DIALECTS,
            metrics: Arc::new(DialectsMetrics::new(&DIALECTS, &Metrics::new())),
            is_own: false,
            settings: Settings::default(),
        }
    }
}

/// The credentials of a handshake or a request.
#[derive(Clone, Default)]
pub struct Credentials {
    /// `?token=`, `auth.token` or the Authorization header.
    pub token: Option<String>,
    /// `?key=` or `auth.key`: a tenant's secret.
    pub key: Option<String>,
    /// `?appId=` or `auth.appId`: which of several tenants is meant.
    pub app: Option<String>,
    /// Whom their cookies name, and the tokens that are to prove it, where cookies count.
    pub cookies: Option<Claims>,
    /// `?twin=1` or `auth.twin`: they want embedded messages under their chat's own event too.
    pub twin: bool,
    /// Whether they are on this machine, see [`crate::http::local`].
    pub is_local: bool,
    /// The address they come from.
    pub address: Option<IpAddr>,
}

/// What a session can do on its connection beside answering; an HTTP request's does little.
pub trait Transport: Send + Sync {
    /// The connection's public name.
    fn id(&self) -> String;
    /// Joins a room of connections.
    fn join(&self, room: &str);
    /// Leaves it.
    fn leave(&self, room: &str);
    /// Tells the connections in a room.
    fn tell(&self, room: &str, recipients: Recipients, event: &OutgoingEvent);
    /// Closes the connection for good: its client does not come back by itself.
    fn end(&self);
    /// Closes the connection, whose client comes back by itself.
    fn close(&self);
}

/// Whom in a room.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Recipients {
    /// Everybody.
    All,
    /// Everybody but the session.
    Others,
}

/// See the module.
pub struct ClientSession {
    /// The verbs.
    pub services: Arc<Services>,
    /// What the operator decided.
    pub options: Arc<Options>,
    /// The epoch of the log in which it began.
    pub epoch: EpochMark,
    /// Its credentials.
    pub credentials: Credentials,
    /// The connection.
    pub transport: Arc<dyn Transport>,
    /// The connection's number in this process, for those who tell everybody else.
    pub number: u64,
    /// Notified when there are changes or signals; none for an HTTP request, which receives none.
    waker: Option<Arc<dyn Waker>>,
    identities: Vec<Identity>,
    /// The lanes that these are or were in, each with the first position from which somebody there receives.
    lanes: Option<Positions>,
    /// With whose end the connection ends, whether or not it has acted in their name.
    bound: Vec<Proof>,
    /// Who has the cookies, with the token among them that proved it.
    signed_in: Option<(Candidate, String)>,
    /// Who has the tokens that were looked up.
    known: VecDeque<(TokenHash, Vec<Candidate>)>,
    /// Who has the key.
    key: Option<KeyHolder>,
    /// What the event at hand takes.
    needed: Scope,
    echoes: EchoFilter,
    memory: Vec<Box<dyn Any + Send + Sync>>,
    counted: CountedSocket,
}

/// The dialects in which a socket is counted, until it is dropped.
struct CountedSocket {
    mask: DialectMask,
    metrics: Arc<DialectsMetrics>,
}

impl CountedSocket {
    fn insert(&mut self, mask: DialectMask) {
        self.metrics.count_sockets(mask.without(self.mask), 1);
        self.mask.insert(mask);
    }

    fn clear(&mut self) {
        self.metrics
            .count_sockets(std::mem::take(&mut self.mask), -1);
    }
}

impl Drop for CountedSocket {
    fn drop(&mut self) {
        self.clear();
    }
}

impl ClientSession {
    /// A session that acts for nobody yet. With a `waker` it subscribes for those for whom it acts.
    pub fn new(
        services: Arc<Services>,
        options: Arc<Options>,
        credentials: Credentials,
        transport: Arc<dyn Transport>,
        (number, waker): (u64, Option<Arc<dyn Waker>>),
    ) -> Self {
        let counted = CountedSocket {
            mask: DialectMask::default(),
            metrics: Arc::clone(&options.metrics),
        };
        Self {
            epoch: services.epoch(),
            services,
            options,
            credentials,
            transport,
            number,
            waker,
            identities: Vec::new(),
            lanes: None,
            bound: Vec::new(),
            signed_in: None,
            known: VecDeque::new(),
            key: None,
            needed: Scope::Read,
            echoes: EchoFilter::default(),
            memory: Vec::new(),
            counted,
        }
    }

    /// Counts an event, for the address it came from unless that is this machine, and for all whom the
    /// session acts for.
    pub fn count(&self) -> Result<()> {
        let network = self.network().filter(|_| !self.credentials.is_local);
        let callers = self.identities.iter().map(|identity| &identity.caller);
        limits::count_event(&self.services, network, self.key.as_ref(), callers)
    }

    /// Refuses an event, or anything else that takes that, of who comes with a token of narrower scopes.
    pub(super) fn require(&mut self, needed: Scope) -> Result<()> {
        self.needed = needed;
        let mut callers = self.identities.iter().map(|identity| &identity.caller);
        callers.try_for_each(|caller| caller.permits(needed))
    }

    /// What throttles count the address as that it came from.
    pub fn network(&self) -> Option<IpAddr> {
        self.credentials.address.map(login_throttle::network)
    }

    /// Whether this is a connection, which subscribes; an HTTP request is over with its response.
    pub fn is_subscriber(&self) -> bool {
        self.waker.is_some()
    }

    /// Acts for a person in a dialect from now on: receives what they receive, as long as their login lives.
    pub async fn act_as(&mut self, dialect: DialectId, caller: &Caller) -> Result<()> {
        self.act_as_registered(dialect, caller, None).await
    }

    /// The same for somebody who was made when the head was at a position or later, if one is given.
    pub async fn act_as_registered(
        &mut self,
        dialect: DialectId,
        caller: &Caller,
        made_after: Option<Position>,
    ) -> Result<()> {
        let from = self.services.head(caller.tenant());
        self.add_identity(DialectMask::of(dialect), caller, from, made_after)
            .await
    }

    /// Acts for a person in some dialects, and receives what came after a position.
    pub async fn act_as_since(
        &mut self,
        dialects: DialectMask,
        caller: &Caller,
        from: Position,
    ) -> Result<()> {
        self.add_identity(dialects, caller, from, None).await
    }

    async fn add_identity(
        &mut self,
        dialects: DialectMask,
        caller: &Caller,
        from: Position,
        made_after: Option<Position>,
    ) -> Result<()> {
        let known = self
            .identities
            .iter_mut()
            .find(|identity| identity.caller.id() == caller.id());
        if let Some(waker) = &self.waker {
            caller.permits(Scope::Read)?;
            caller.proof().notify_when_over(waker);
            self.counted.insert(dialects);
        }
        if let Some(identity) = known {
            identity.dialects.insert(dialects);
            identity.from = identity.from.min(from);
            identity.caller = caller.clone();
            let lane = identity.lane;
            self.note_lane(lane, from);
            return Ok(());
        }
        let subscription = match &self.waker {
            None => None,
            Some(waker) => {
                let person = caller.person();
                let opened = Subscription::open_made(&self.services, person, made_after);
                let mut subscription = opened.await?;
                if self.options.dialects.iter().any(|it| it.tells_presence()) {
                    subscription.hear_presence();
                }
                subscription.wake_with(Arc::clone(waker));
                Some(subscription)
            }
        };
        let subscribed = subscription.as_ref().map(Subscription::lane);
        let lane = subscribed.unwrap_or_else(|| self.services.lane_of(caller.tenant()));
        self.note_lane(lane, from);
        if self.identities.is_empty() {
            tracing::Span::current().record("caller", caller.id().get());
        }
        self.identities.push(Identity {
            caller: caller.clone(),
            dialects,
            from,
            lane,
            subscription,
        });
        if let Some(waker) = &self.waker {
            // A change may have been published before the waker was set.
            waker.wake();
        }
        Ok(())
    }

    fn note_lane(&mut self, lane: Lane, from: Position) {
        match &mut self.lanes {
            Some(lanes) => lanes.lower_in(lane, from),
            None => self.lanes = Some(Positions::new(lane, from)),
        }
    }

    /// The lanes that those are or were in for whom it acts, each with the first position from which somebody there
    /// receives.
    pub fn lanes(&self) -> Option<&Positions> {
        self.lanes.as_ref()
    }

    /// Whether somebody for whom it acts listens in a lane that their tenant has left.
    pub fn has_moved(&self) -> bool {
        let left = |it: &Identity| self.services.lane_of(it.caller.tenant()) != it.lane;
        self.services.has_several_lanes() && self.identities.iter().any(left)
    }

    /// The dialects of a mask that this server has.
    pub fn dialects(&self, mask: DialectMask) -> impl Iterator<Item = DialectEntry> + use<> {
        self.options.dialects.among(mask)
    }

    /// Those this session acts for.
    pub fn identities(&self) -> &[Identity] {
        &self.identities
    }

    /// The same, to listen with.
    pub fn identities_mut(&mut self) -> &mut [Identity] {
        &mut self.identities
    }

    /// Whether this session acts for a person in a dialect.
    pub fn acts_for(&self, dialect: DialectId, person: PersonId) -> Option<&Caller> {
        let identity = self.identities.iter().find(|identity| {
            identity.is_active_in(dialect)
                && identity.caller.id() == person
                && !identity.caller.is_gone()
        });
        identity.map(|identity| &identity.caller)
    }

    /// Stops acting for those whose login or key has ended. A connection that acts for nobody any more ends; where their
    /// logins may be good still its client comes back, and they are looked up again.
    pub fn drop_the_gone(&mut self) {
        let (before, mut may_be_good) = (self.identities.len(), false);
        let (services, number) = (&self.services, self.number);
        self.identities.retain(|identity| {
            let gone = identity.caller.is_gone();
            if gone {
                may_be_good |= identity.caller.proof().is_lost();
                signals::person_left(services, number, identity.caller.id());
            }
            !gone
        });
        let is_nobody = self.identities.is_empty() && before > 0;
        let mut over = self.bound.iter().filter(|proof| proof.is_over()).peekable();
        let is_unbound = over.peek().is_some();
        let has_ended = over.any(|proof| !proof.is_lost());
        if has_ended || (is_nobody && !may_be_good) {
            self.transport.end();
        } else if is_nobody || is_unbound {
            self.transport.close();
        }
    }

    /// Whether the connection ends with somebody in whose name it has not acted.
    pub fn is_bound(&self) -> bool {
        !self.bound.is_empty()
    }

    /// From now on the connection ends with the logins of its cookies and with its key, though it may
    /// never act for them. This authenticates nobody, and wrong credentials are refused when they are used.
    pub async fn bind(&mut self) -> Result<()> {
        if let Some(claims) = self.credentials.cookies.clone() {
            let claimants = callers::claimants(&self.services, &claims, self.network()).await?;
            for (candidate, _) in claimants {
                self.bind_to(candidate.proof());
            }
        }
        match self.key_holder().await {
            Err(error) if !is_refusal(&error) => Err(error),
            Ok(_) | Err(_) => Ok(()),
        }
    }

    fn bind_to(&mut self, proof: Proof) {
        if let Some(waker) = &self.waker {
            proof.notify_when_over(waker);
            self.bound.push(proof);
        }
    }

    /// Stops acting for everybody.
    pub fn leave(&mut self) {
        signals::connection_ended(&self.services, self.number);
        self.identities.clear();
        self.counted.clear();
    }

    /// The holder of the cookies of the handshake; `None` without any, or once their login has ended.
    pub async fn cookie_holder(&mut self) -> Result<Option<Caller>> {
        if let Some((candidate, token)) = &self.signed_in {
            if candidate.is_gone() {
                return nobody(candidate.proof().refusal());
            }
            let caller = callers::prove(&self.services, candidate, token, self.needed).await;
            return caller.map(Some).or_else(nobody);
        }
        let Some(claims) = &self.credentials.cookies else {
            return Ok(None);
        };
        let claimants = callers::claimants(&self.services, claims, self.network()).await?;
        if claimants.is_empty() {
            // What does not count now never will.
            self.credentials.cookies = None;
            return Ok(None);
        }
        match callers::first_proven(&self.services, claimants, self.needed).await {
            Ok((caller, proven)) => {
                callers::count(&self.services, &caller)?;
                self.signed_in = Some(proven);
                Ok(Some(caller))
            }
            Err(error) => nobody(error),
        }
    }

    /// Everybody who has a token; asked of the store once for each token.
    async fn candidates(&mut self, token: &str) -> Result<(Vec<Candidate>, bool)> {
        let hash = logins::hash(token);
        self.known
            .retain(|(_, candidates)| !candidates.iter().any(Candidate::is_gone));
        if let Some((_, known)) = self.known.iter().find(|(known, _)| *known == hash) {
            return Ok((known.clone(), false));
        }
        let app = match self.credentials.app.as_deref() {
            Some(key) => callers::tenant_of(&self.services, key).await?,
            None => None,
        };
        let from = (app, self.network());
        let found = callers::candidates(&self.services, token, from).await?;
        if !found.is_empty() {
            if self.known.len() == KNOWN {
                self.known.pop_front();
            }
            self.known.push_back((hash, found.clone()));
        }
        Ok((found, true))
    }

    /// The holder of a token who is meant; nobody where there is none.
    pub async fn holder_who(
        &mut self,
        token: &str,
        is_meant: impl Fn(&Person) -> bool,
    ) -> Result<Option<Caller>> {
        let (candidates, is_new) = self.candidates(token).await?;
        match candidates.iter().find(|it| is_meant(it.person())) {
            Some(candidate) => self.prove(candidate, token, is_new).await.map(Some),
            None => Ok(None),
        }
    }

    /// Whether one of these people, for whom a connection comes back, holds a token.
    pub async fn holds_one_of(&mut self, token: &str, people: &[PersonId]) -> Result<bool> {
        let hash = logins::hash(token);
        let is_new = self.known.iter().all(|(known, _)| *known != hash);
        if is_new && let Some(known) = callers::known_holder(&self.services, token, people) {
            return self.prove(&known, token, true).await.map(|_| true);
        }
        let is_meant = |person: &Person| people.contains(&person.id);
        Ok(self.holder_who(token, is_meant).await?.is_some())
    }

    /// The one who holds a token in the tenant that this connection means.
    pub async fn holder(&mut self, token: &str) -> Result<Caller> {
        let (candidates, is_new) = self.candidates(token).await?;
        let app = self.credentials.app.as_deref();
        let candidate = callers::chosen(&self.services, &candidates, app).await?;
        self.prove(&candidate, token, is_new).await
    }

    /// Proves a holder, at every use: a tenant may want the token verified again. One that comes for the
    /// first time is counted; events are counted as such.
    async fn prove(&self, candidate: &Candidate, token: &str, is_new: bool) -> Result<Caller> {
        let caller = callers::prove(&self.services, candidate, token, self.needed).await?;
        if is_new {
            callers::count(&self.services, &caller)?;
        }
        Ok(caller)
    }

    /// The holder of the key of the handshake; `None` without one. The connection ends with it.
    pub async fn key_holder(&mut self) -> Result<Option<KeyHolder>> {
        let Some(key) = self.credentials.key.clone() else {
            return Ok(None);
        };
        if let Some(holder) = self.key.clone().filter(|holder| !holder.is_over()) {
            return Ok(Some(holder));
        }
        let token = self.credentials.token.as_deref();
        let holder = callers::key_holder(&self.services, &key, token, self.network()).await?;
        self.bind_to(Proof::Key(holder.clone()));
        self.key = Some(holder.clone());
        Ok(Some(holder))
    }

    /// The tokens that were shown when the connection was made.
    pub fn shown_tokens(&self) -> Vec<&str> {
        let cookies = self.credentials.cookies.iter();
        let cookies = cookies.flat_map(|claims| claims.tokens.iter().map(String::as_str));
        self.credentials
            .token
            .as_deref()
            .into_iter()
            .chain(cookies)
            .collect()
    }

    /// Hands a message in, in somebody's name.
    pub async fn begin_message(&self, caller: &Caller, chat: ChatId, draft: Draft) -> UnderWay {
        let speaks_for_several = self.is_subscriber() && self.identities.len() > 1;
        let connection = speaks_for_several.then_some(self.number);
        messages::begin(&self.services, caller, chat, draft, connection).await
    }

    /// The part of a tenant's log that was written since its head was at a position.
    pub fn span_since(&self, tenant: TenantId, after: Position) -> LogSpan {
        let until = self.services.head(tenant);
        LogSpan { after, until }
    }

    /// Notes what this connection did, and was answered for in a dialect.
    pub fn note_action(&mut self, dialect: DialectId, action: OwnAction) {
        self.echoes.note(Some(dialect), action);
    }

    /// Notes a message that this connection sent before it was recovered.
    pub fn note_sent(&mut self, position: Position) {
        self.echoes.note(None, OwnAction::Sent(position.into()));
    }

    /// The positions of the last messages that this connection sent, at most so many.
    pub fn last_sent(&self, most: usize) -> impl Iterator<Item = Position> {
        self.echoes.last_sent(most)
    }

    /// Whether a change is what this connection did, and was answered for in a dialect.
    pub fn is_echo(&self, dialect: DialectId, change: &Change) -> bool {
        self.echoes.covers(dialect, change)
    }

    /// Whether a signal was sent by this connection; what came by a request, by those for whom another request asks.
    pub fn is_own_signal(&self, signal: &Signal) -> bool {
        let asks = |identity: &Identity| identity.caller.id() == signal.actor.id;
        match signal.origin {
            Some(origin) => origin == self.number,
            None => !self.is_subscriber() && self.identities.iter().any(asks),
        }
    }

    /// What a dialect keeps of this session: each dialect has a type of its own for it.
    pub fn memory<T: Any + Send + Sync + Default>(&mut self) -> &mut T {
        let known = self.memory.iter().position(|kept| kept.is::<T>());
        let place = known.unwrap_or_else(|| {
            self.memory.push(Box::new(T::default()));
            self.memory.len() - 1
        });
        self.memory[place]
            .downcast_mut()
            .expect("what stands there is of this type")
    }

    /// What a dialect has kept of this session, if anything.
    pub fn remembered<T: Any + Send + Sync>(&self) -> Option<&T> {
        self.memory.iter().find_map(|kept| kept.downcast_ref())
    }
}

/// Who is refused for what they showed is nobody; what failed otherwise is told.
fn nobody(error: Error) -> Result<Option<Caller>> {
    match error.kind() {
        Kind::Unauthenticated => Ok(None),
        _ => Err(error),
    }
}

/// Whether somebody was refused for what they showed.
pub fn is_refusal(error: &Error) -> bool {
    matches!(
        error.kind(),
        Kind::Unauthenticated | Kind::Forbidden | Kind::TooMany
    )
}
