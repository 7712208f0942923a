//! Who asks: the one place where a token, cookies or a tenant's key become somebody.

use std::{collections::HashMap, net::IpAddr, sync::Arc};

use crate::{
    chat::{
        Services, developers,
        lifetime::Lifetime,
        limits::Who,
        logins::{self, LiveLogin, Token},
        renewal,
        verify::Verdict,
    },
    error::{Error, Kind, Result},
    model::{LoginId, Person, PersonId, Scope, Tenant, TenantId},
    pubsub::Waker,
    store::Store,
};

/// What is told when a tenant's own system cannot be asked about a token.
const UNVERIFIED: &str = "token verification unavailable";

/// A person who is authenticated, or for whom their tenant's server acts.
#[derive(Debug, Clone)]
pub struct Caller {
    person: Arc<Person>,
    proof: Proof,
}

/// By what somebody is believed; it ends with the login or the key.
#[derive(Debug, Clone)]
pub enum Proof {
    /// A login's token.
    Login(Arc<LiveLogin>),
    /// Their tenant's secret.
    Key(KeyHolder),
}

/// Somebody who has a token. They are no [`Caller`] yet: their tenant may have its own system asked.
#[derive(Debug, Clone)]
pub struct Candidate(Arc<LiveLogin>);

/// Whom cookies name, and the tokens that came to prove it. Both may be several: a browser sends every
/// cookie of a name that some path or domain has, those of an earlier login too.
#[derive(Clone, Default)]
pub struct Claims {
    /// Whom.
    pub people: Vec<PersonId>,
    /// By which tokens.
    pub tokens: Vec<String>,
}

/// Proof that somebody holds a tenant's secret and, where the tenant wants that too, its owner's token.
#[derive(Debug, Clone)]
pub struct KeyHolder(Arc<Key>);

#[derive(Debug)]
struct Key {
    tenant: Tenant,
    life: Arc<Lifetime>,
    owner: Option<Arc<LiveLogin>>,
}

impl Proof {
    /// Whether it has ended.
    pub fn is_over(&self) -> bool {
        match self {
            Self::Login(login) => login.life.is_over(),
            Self::Key(key) => key.is_over(),
        }
    }

    /// Whether it is over, and may be good: it is to be looked up again.
    pub fn is_lost(&self) -> bool {
        let (life, owner) = match self {
            Self::Login(login) => (&login.life, None),
            Self::Key(key) => (&*key.0.life, key.0.owner.as_ref()),
        };
        let lives = [Some(life), owner.map(|owner| &owner.life)];
        let mut over = lives.into_iter().flatten().filter(|life| life.is_over());
        self.is_over() && over.all(Lifetime::is_lost)
    }

    /// What is told somebody who relies on it once it has ended.
    pub fn refusal(&self) -> Error {
        match self {
            Self::Login(login) => login.life.refusal(),
            Self::Key(key) => match &key.0.owner {
                Some(owner) if owner.life.is_over() => owner.life.refusal(),
                Some(_) | None => key.0.life.refusal(),
            },
        }
    }

    /// Waits until it ends.
    pub async fn over(&self) {
        match self {
            Self::Login(login) => login.life.over().await,
            Self::Key(key) => match &key.0.owner {
                Some(owner) => tokio::select! {
                    () = key.0.life.over() => {}
                    () = owner.life.over() => {}
                },
                None => key.0.life.over().await,
            },
        }
    }

    /// Notifies a waker when it ends.
    pub fn notify_when_over(&self, waker: &Arc<dyn Waker>) {
        match self {
            Self::Login(login) => login.life.notify_when_over(waker),
            Self::Key(key) => {
                key.0.life.notify_when_over(waker);
                if let Some(owner) = &key.0.owner {
                    owner.life.notify_when_over(waker);
                }
            }
        }
    }
}

impl Caller {
    /// Who they are, as they are now.
    pub fn person(&self) -> &Arc<Person> {
        match &self.proof {
            Proof::Login(login) => login.latest.get(),
            Proof::Key(_) => &self.person,
        }
    }

    /// By what they are believed.
    pub fn proof(&self) -> &Proof {
        &self.proof
    }

    /// Their login; none when their tenant's server acts for them.
    pub fn login(&self) -> Option<&Arc<LiveLogin>> {
        match &self.proof {
            Proof::Login(login) => Some(login),
            Proof::Key(_) => None,
        }
    }

    /// Whether they may do what takes that: all but those who come with a token of narrower scopes.
    pub fn permits(&self, needed: Scope) -> Result<()> {
        self.login().map_or(Ok(()), |login| within(login, needed))
    }

    /// Their number.
    pub fn id(&self) -> PersonId {
        self.person.id
    }

    /// Their tenant.
    pub fn tenant(&self) -> TenantId {
        self.person.tenant
    }

    /// Whether what proved them has ended since.
    pub fn is_gone(&self) -> bool {
        self.proof.is_over()
    }

    /// Waits until that ends.
    pub async fn gone(&self) {
        self.proof.over().await;
    }

    /// The number of the login they came with.
    pub(super) fn login_id(&self) -> Result<LoginId> {
        self.login()
            .map(|login| login.login.id)
            .ok_or_else(Error::unauthenticated)
    }
}

impl Candidate {
    /// Whose token it is.
    pub fn person(&self) -> &Person {
        &self.0.person
    }

    /// What they would be believed by.
    pub fn proof(&self) -> Proof {
        Proof::Login(Arc::clone(&self.0))
    }

    /// Whether their tenant's own system is to be asked.
    fn is_to_be_verified(&self) -> bool {
        self.0.verify_url.is_some()
    }

    /// Whether their login has ended since.
    pub fn is_gone(&self) -> bool {
        self.0.life.is_over()
    }
}

impl Claims {
    /// One person and one token.
    pub fn of(person: PersonId, token: &Token) -> Self {
        Self {
            people: vec![person],
            tokens: vec![token.expose().to_owned()],
        }
    }
}

impl KeyHolder {
    /// The tenant.
    pub fn tenant(&self) -> &Tenant {
        &self.0.tenant
    }

    /// Whether the tenant is gone since, or its owner's login.
    pub fn is_over(&self) -> bool {
        let owner = self.0.owner.as_ref();
        self.0.life.is_over() || owner.is_some_and(|owner| owner.life.is_over())
    }
}

/// Whether a tenant's own system could not be asked, and not this server look something up.
pub fn is_unverified(error: &Error) -> bool {
    error.text() == UNVERIFIED
}

/// What is told somebody whose token nobody has, or whose tenant says that it is not good.
fn unknown() -> Error {
    Error::new(
        Kind::Unauthenticated,
        "the token is unknown or no longer valid",
    )
}

/// The same to somebody whose token people of several tenants have, which is to be known to who runs the server: it
/// locks all of them out. Who knows the token learns no more from the hint than from being refused.
fn shared(services: &Services, candidates: &[Candidate]) -> Error {
    if services.logins.is_first_shared() {
        let tenants = candidates.iter().map(|it| it.person().tenant.get());
        let tenants: Vec<_> = tenants.collect();
        tracing::warn!(
            ?tenants,
            "Users of several apps have the same token, and are not let in unless they say which app they mean. \
             Each token must be one of its own: see docs/service.md. This is logged once."
        );
    }
    let hint = "users of several apps have this token: say which app is meant, or give each user a token of their own";
    unknown().with_hint(Some(hint))
}

/// Refuses what a token is not good for.
fn within(live: &LiveLogin, needed: Scope) -> Result<()> {
    match &live.terms {
        Some(terms) if !terms.scopes.contains(&needed) => {
            let sentence = format!("this token does not have the scope {}", needed.as_str());
            Err(Error::forbidden(sentence))
        }
        Some(_) | None => Ok(()),
    }
}

/// Refuses who comes with a token that was made for a program: what it is about is their account.
pub fn refuse_token(caller: &Caller) -> Result<()> {
    let is_token = caller.login().is_some_and(|login| login.terms.is_some());
    if is_token {
        let sentence = "a token is not good for that: sign in";
        return Err(Error::forbidden(sentence));
    }
    Ok(())
}

/// The holder of a token that was made for a program.
pub async fn program(
    services: &Services,
    token: &str,
    from: Option<IpAddr>,
    needed: Scope,
) -> Result<Caller> {
    let candidates = candidates(services, token, (None, from)).await?;
    let candidate = candidates.first().ok_or_else(Error::unauthenticated)?;
    let caller = prove(services, candidate, token, needed).await?;
    count(services, &caller)?;
    Ok(caller)
}

/// Makes a caller of the holder of a token. Where their tenant wants its own system asked, it is asked,
/// and asked again as long as a connection lasts. Every transport calls this.
pub async fn prove(
    services: &Services,
    candidate: &Candidate,
    token: &str,
    needed: Scope,
) -> Result<Caller> {
    services.prove_up_to_date().await?;
    let live = &candidate.0;
    within(live, needed)?;
    if let Some(url) = &live.verify_url {
        // Boxed, as it is rare and large: every request would hold what it takes.
        let verdict = Box::pin(services.verifier.verify((live.person.tenant, url), token));
        match verdict.await {
            Verdict::Good => renewal::start(services, live, token),
            Verdict::Bad => {
                services.logins.end_live(live);
                return Err(unknown());
            }
            Verdict::Unavailable => {
                return Err(Error::unavailable(UNVERIFIED, renewal::AGAIN));
            }
        }
    }
    if live.life.is_lost() {
        return Err(live.life.refusal());
    }
    if candidate.is_gone() {
        return Err(unknown());
    }
    Ok(Caller {
        person: Arc::clone(&live.person),
        proof: candidate.proof(),
    })
}

/// Those of the people whom cookies name that have one of the tokens, each with that token.
pub async fn claimants(
    services: &Services,
    claims: &Claims,
    from: Option<IpAddr>,
) -> Result<Vec<(Candidate, String)>> {
    let now = services.clock.now();
    let mut found = Vec::new();
    for token in &claims.tokens {
        // A login in use is known by its token: that is no guess.
        if let Some(live) = services.logins.known(&claims.people, token, now) {
            found.push((Candidate(live), token.clone()));
            continue;
        }
        let find = services
            .logins
            .find(&services.store, &claims.people, token, now);
        // One token for many people is many guesses.
        let secret = format!("{:?} {token}", claims.people);
        let live = guess(services, &secret, (None, from), find, Option::is_some).await?;
        found.extend(live.map(|live| (Candidate(live), token.clone())));
    }
    Ok(found)
}

/// The first of some claimants who proves to be who they say they are, with their token.
pub async fn first_proven(
    services: &Services,
    claimants: Vec<(Candidate, String)>,
    needed: Scope,
) -> Result<(Caller, (Candidate, String))> {
    let mut refusal = Error::unauthenticated();
    for (candidate, token) in claimants {
        match prove(services, &candidate, &token, needed).await {
            Ok(caller) => return Ok((caller, (candidate, token))),
            Err(error) if error.kind() == Kind::Unauthenticated => {}
            Err(error) => refusal = error,
        }
    }
    Err(refusal)
}

/// The holder of the cookies of a request.
pub async fn authenticate(
    services: &Services,
    claims: &Claims,
    from: Option<IpAddr>,
    needed: Scope,
) -> Result<Caller> {
    let claimants = claimants(services, claims, from).await?;
    let (caller, _) = first_proven(services, claimants, needed).await?;
    count(services, &caller)?;
    Ok(caller)
}

/// Looks for who has a secret. Where nobody has it that was a guess, and counted as one for the address
/// it comes from, and for the app whose secret it was to be. Every transport calls this.
pub(super) async fn guess<T>(
    services: &Services,
    secret: &str,
    (app, from): (Option<TenantId>, Option<IpAddr>),
    find: impl Future<Output = Result<T>>,
    is_found: impl FnOnce(&T) -> bool,
) -> Result<T> {
    let Some(network) = from else {
        return find.await;
    };
    let secret = logins::hash(secret);
    let attempt = services.login_throttle.token(app, &secret, network).await?;
    let found = find.await;
    attempt.settle(&found, is_found);
    found
}

/// Everybody who has this token: one, unless tenants' own tokens happen to be the same.
pub async fn candidates(
    services: &Services,
    token: &str,
    (app, from): (Option<TenantId>, Option<IpAddr>),
) -> Result<Vec<Candidate>> {
    let now = services.clock.now();
    let find = services.logins.find_all(&services.store, token, now);
    let secret = format!("{app:?} {token}");
    let logins = guess(services, &secret, (app, from), find, |it| !it.is_empty()).await?;
    Ok(logins.into_iter().map(Candidate).collect())
}

/// The holder of a token who is meant; nobody where there is none.
pub async fn holder_who(
    services: &Services,
    token: &str,
    from: Option<IpAddr>,
    (needed, is_meant): (Scope, impl Fn(&Person) -> bool),
) -> Result<Option<Caller>> {
    let candidates = candidates(services, token, (None, from)).await?;
    let Some(candidate) = candidates.iter().find(|it| is_meant(it.person())) else {
        return Ok(None);
    };
    let caller = prove(services, candidate, token, needed).await?;
    count(services, &caller)?;
    Ok(Some(caller))
}

/// The holder of a token who is one of these people, if their login is in use: nothing is read for that.
pub fn known_holder(services: &Services, token: &str, people: &[PersonId]) -> Option<Candidate> {
    let now = services.clock.now();
    services.logins.known(people, token, now).map(Candidate)
}

/// Counts a request of somebody, for their login and for their tenant.
pub fn count(services: &Services, caller: &Caller) -> Result<()> {
    if let Some(login) = caller.login() {
        services.limits.count(Who::Login(login.login.id))?;
    }
    services.limits.count(Who::Tenant(caller.tenant()))
}

/// The one of several who have a token who is meant: the only one, or the one of the tenant with this
/// secret.
pub async fn chosen(
    services: &Services,
    candidates: &[Candidate],
    application_id: Option<&str>,
) -> Result<Candidate> {
    let tenant = match application_id {
        Some(key) => {
            let tenant = services.keys.tenant_of(&services.store, key).await?;
            Some(tenant.ok_or_else(no_such_key)?)
        }
        None if candidates.len() > 1 => return Err(shared(services, candidates)),
        None => None,
    };
    candidates
        .iter()
        .find(|it| tenant.is_none_or(|tenant| it.person().tenant == tenant))
        .cloned()
        .ok_or_else(unknown)
}

/// The holder of the login of that number, for a connection that is recovered and showed its token before. Where
/// their tenant wants tokens verified, it must be among those that they show now.
pub async fn holder_of(
    services: &Services,
    login: LoginId,
    shown: &[&str],
) -> Result<Option<Caller>> {
    let now = services.clock.now();
    let live = services
        .logins
        .find_by_id(&services.store, login, now)
        .await?;
    let Some(candidate) = live.map(Candidate) else {
        return Ok(None);
    };
    let mut shown = shown.iter();
    let token = shown.find(|it| logins::hash(it) == candidate.0.token);
    if token.is_none() && candidate.is_to_be_verified() {
        return Ok(None);
    }
    let token = token.copied().unwrap_or_default();
    match prove(services, &candidate, token, Scope::Read).await {
        Ok(caller) => Ok(Some(caller)),
        Err(error) if error.kind() == Kind::Unauthenticated => Ok(None),
        Err(error) => Err(error),
    }
}

/// A person of a tenant whose server proved, by its secret, that it may act for its people.
pub fn impersonate(tenant: &KeyHolder, person: Arc<Person>) -> Result<Caller> {
    if person.tenant != tenant.tenant().id {
        return Err(Error::not_found(format!("there is no user {}", person.id)));
    }
    Ok(Caller {
        person,
        proof: Proof::Key(tenant.clone()),
    })
}

/// The same, by the person's number.
pub async fn by_key(services: &Services, tenant: &KeyHolder, person: PersonId) -> Result<Caller> {
    let found = services.store.person(tenant.tenant().id, person).await?;
    let nobody = || Error::not_found(format!("there is no user {person}"));
    impersonate(tenant, Arc::new(found.ok_or_else(nobody)?))
}

/// The same for a connection that comes back; nobody when that person is no more. Thousands may come back at
/// once: they are looked up together.
pub async fn returned_by_key(
    services: &Services,
    tenant: &KeyHolder,
    person: PersonId,
) -> Result<Option<Caller>> {
    let store = services.store.clone();
    let read = move |asked| people_of(store.clone(), asked);
    let found = services.returning.get((tenant.tenant().id, person), read);
    let found = found.await?;
    found.map(|person| impersonate(tenant, person)).transpose()
}

/// People of one or several tenants.
async fn people_of(
    store: Store,
    asked: Vec<(TenantId, PersonId)>,
) -> Result<Vec<((TenantId, PersonId), Arc<Person>)>> {
    let mut by_tenant: HashMap<_, Vec<_>> = HashMap::new();
    for (tenant, person) in asked {
        by_tenant.entry(tenant).or_default().push(person);
    }
    let mut found = Vec::new();
    for (tenant, people) in by_tenant {
        let people = store.people(tenant, &people).await?.into_iter();
        found.extend(people.map(|person| ((tenant, person.id), Arc::new(person))));
    }
    Ok(found)
}

/// The tenant that has this secret.
pub async fn tenant_of(services: &Services, application_id: &str) -> Result<Option<TenantId>> {
    services
        .keys
        .tenant_of(&services.store, application_id)
        .await
}

/// The tenant for which every client may act, where the operator allows it.
pub async fn open_tenant(services: &Services) -> Result<KeyHolder> {
    let tenant = services.keys.open(&services.store).await?;
    // A life of its own: it never ends, and nobody has to be told.
    Ok(KeyHolder(Arc::new(Key {
        tenant,
        life: Arc::default(),
        owner: None,
    })))
}

fn no_such_key() -> Error {
    Error::new(Kind::Unauthenticated, "there is no such application id")
}

/// Whose secret this is, and where that tenant wants its owner's token beside it, whether it came too:
/// Every transport calls this.
pub async fn key_holder(
    services: &Services,
    application_id: &str,
    token: Option<&str>,
    from: Option<IpAddr>,
) -> Result<KeyHolder> {
    services.prove_up_to_date().await?;
    let find = services.keys.find(&services.store, application_id);
    let secret = format!("key {application_id}");
    let found = guess(services, &secret, (None, from), find, Option::is_some).await?;
    let (tenant, life) = found.ok_or_else(no_such_key)?;
    services.limits.count(Who::Tenant(tenant.id))?;
    let owner = if tenant.require_auth {
        let token = token.ok_or_else(|| {
            Error::new(
                Kind::Unauthenticated,
                "this app wants its owner's token beside its application id",
            )
        })?;
        let developer = developers::prove(services, token, from).await?;
        if !developer.is_admin() && tenant.owner != Some(developer.person().id) {
            return Err(Error::forbidden("this app belongs to another account"));
        }
        developer.login()
    } else {
        None
    };
    Ok(KeyHolder(Arc::new(Key {
        tenant,
        life,
        owner,
    })))
}
