//! Accounts: signing up, in and out, and the logins of a person.

use std::{net::IpAddr, sync::Arc};

use crate::{
    chat::{
        Services,
        limits::Who,
        logins::{LiveLogin, Token},
        password::Verdict,
    },
    error::{Error, Kind, Result},
    model::{
        Email, Login, LoginId, Millis, Name, Names, NewPassword, Password, Person, PersonId,
        PersonKind, Tenant, TenantId,
    },
    store::{NewPerson, Tx},
};

/// Where cookie accounts live.
pub const HOME: TenantId = TenantId::new(1);
/// Where embedding without a key happens.
pub const OPEN: TenantId = TenantId::new(2);
/// The most characters kept of what a client calls itself.
const CLIENT_CHARS: usize = 200;

/// Somebody who proved who they are, or for whom their tenant's server speaks.
#[derive(Debug, Clone)]
pub struct Caller {
    person: Arc<Person>,
    login: Option<Arc<LiveLogin>>,
}

impl Caller {
    /// Who they are.
    pub fn person(&self) -> &Arc<Person> {
        &self.person
    }

    /// The login they came with; none when their tenant's server speaks for them.
    pub fn login(&self) -> Option<&Arc<LiveLogin>> {
        self.login.as_ref()
    }

    /// Whether their login has ended since.
    pub fn is_gone(&self) -> bool {
        self.login
            .as_ref()
            .is_some_and(|login| login.ended.is_cancelled())
    }

    /// Waits until their login ends: for ever when there is none to end.
    pub async fn gone(&self) {
        match &self.login {
            Some(login) => login.ended.cancelled().await,
            None => std::future::pending().await,
        }
    }

    fn signed_in(login: Arc<LiveLogin>) -> Self {
        Self {
            person: Arc::clone(&login.person),
            login: Some(login),
        }
    }

    /// The number of the login they came with.
    fn login_id(&self) -> Result<LoginId> {
        self.login
            .as_ref()
            .map(|login| login.login.id)
            .ok_or_else(Error::unauthenticated)
    }
}

/// Where somebody signs in from: for the list of their logins, and for throttling.
#[derive(Debug, Clone)]
pub struct Device {
    /// What the client calls itself.
    pub client: Option<String>,
    /// The address it comes from.
    pub address: IpAddr,
    /// What throttles count by: of an IPv6 address the network that one customer gets.
    pub network: IpAddr,
}

/// A fresh login: the token is told once.
pub struct SignedIn {
    /// Who signed in.
    pub person: PersonId,
    /// Their token.
    pub token: Token,
}

/// Who holds this token.
pub async fn authenticate(services: &Services, person: PersonId, token: &str) -> Result<Caller> {
    let now = services.clock.now();
    let login = services
        .logins
        .find(&services.store, person, token, now)
        .await?;
    let caller = login
        .map(Caller::signed_in)
        .ok_or_else(Error::unauthenticated)?;
    count(services, &caller)?;
    Ok(caller)
}

/// Everybody who holds this token: one, unless tenants' own tokens happen to be the same.
pub async fn holders(services: &Services, token: &str) -> Result<Vec<Caller>> {
    let now = services.clock.now();
    let logins = services
        .logins
        .find_all(&services.store, token, now)
        .await?;
    let callers: Vec<_> = logins.into_iter().map(Caller::signed_in).collect();
    if let [caller] = &callers[..] {
        count(services, caller)?;
    }
    Ok(callers)
}

/// Counts a request of somebody, for their login and for their tenant.
pub fn count(services: &Services, caller: &Caller) -> Result<()> {
    if let Some(login) = caller.login() {
        services.limits.count(Who::Login(login.login.id))?;
    }
    services.limits.count(Who::Tenant(caller.tenant()))
}

/// The one of several holders of a token who is meant: the only one, or the one of the tenant with
/// this secret.
pub async fn chosen(
    services: &Services,
    holders: Vec<Caller>,
    application_id: Option<&str>,
) -> Result<Caller> {
    let unknown = || {
        Error::new(
            Kind::Unauthenticated,
            "the token is unknown or no longer valid",
        )
    };
    let tenant = match application_id {
        Some(key) => Some(key_holder(services, key).await?.0.id),
        None if holders.len() > 1 => return Err(unknown()),
        None => None,
    };
    holders
        .into_iter()
        .find(|caller| tenant.is_none_or(|tenant| caller.tenant() == tenant))
        .ok_or_else(unknown)
}

/// Whoever still has the login of that number.
pub async fn holder_of(services: &Services, login: LoginId) -> Result<Option<Caller>> {
    let now = services.clock.now();
    let live = services
        .logins
        .find_by_id(&services.store, login, now)
        .await?;
    Ok(live.map(Caller::signed_in))
}

/// A person of a tenant whose server proved, by its secret, that it may speak for its people.
pub fn on_behalf(tenant: &KeyHolder, person: Arc<Person>) -> Result<Caller> {
    if person.tenant != tenant.0.id {
        return Err(Error::not_found(format!("there is no user {}", person.id)));
    }
    Ok(Caller {
        person,
        login: None,
    })
}

/// The same, by the person's number.
pub async fn by_key(services: &Services, tenant: &KeyHolder, person: PersonId) -> Result<Caller> {
    let found = services.store.person(tenant.0.id, person).await?;
    let nobody = || Error::not_found(format!("there is no user {person}"));
    on_behalf(tenant, Arc::new(found.ok_or_else(nobody)?))
}

/// Proof that somebody holds a tenant's secret.
#[derive(Debug, Clone)]
pub struct KeyHolder(Tenant);

impl KeyHolder {
    /// The tenant.
    pub fn tenant(&self) -> &Tenant {
        &self.0
    }
}

/// The tenant in whose name anybody speaks, where the operator lets them.
pub async fn open_house(services: &Services) -> Result<KeyHolder> {
    let tenant = services.store.tenant(OPEN).await?;
    tenant
        .map(KeyHolder)
        .ok_or_else(|| Error::internal("the tenant for everybody is missing"))
}

/// Whose secret this is.
pub async fn key_holder(services: &Services, application_id: &str) -> Result<KeyHolder> {
    let tenant = services.store.tenant_by_key(application_id).await?;
    let tenant = tenant
        .ok_or_else(|| Error::new(Kind::Unauthenticated, "there is no such application id"))?;
    services.limits.count(Who::Tenant(tenant.id))?;
    Ok(KeyHolder(tenant))
}

/// Signs somebody up at home, and in.
pub async fn register(
    services: &Services,
    name: &Name,
    password: &Password,
    email: &Email,
    device: &Device,
) -> Result<SignedIn> {
    if !services.rules.registration_open {
        return Err(Error::forbidden("this server takes no new accounts"));
    }
    let names = [name.as_str(), email.as_str(), email.local()];
    let password = new_password(services, password, &names)?;
    let taken = || Error::invalid_field("name", "that name is taken");
    let key = account_key(&name.folded());
    services
        .throttle
        .sign_up(device.network, services.clock.now())?;
    // Looked up first only to spare the hash; the unique key decides.
    if services.store.account_exists(&key).await? {
        return Err(taken());
    }
    let hash = services.hasher.hash(&password).await?;
    let now = services.clock.now();
    let new = NewPerson {
        tenant: HOME,
        kind: PersonKind::Person,
        name,
        names: Names::default(),
        photo: None,
        external_id: None,
        email: Some(email.as_str()),
        account_key: Some(&key),
        password_hash: Some(&hash),
    };
    let mut tx = services.store.begin_for(HOME).await?;
    let person = tx
        .insert_person(&new, now)
        .await
        .map_err(|error| match error.kind() {
            Kind::Conflict => taken().because(error),
            _ => error,
        })?;
    if !tx.insert_looks(person, &name.looks()).await? {
        let sentence = "name looks like one that is taken";
        return Err(Error::invalid_field("name", sentence));
    }
    let token = add_login(&mut tx, (HOME, person), device, now).await?;
    tx.commit().await?;
    Ok(SignedIn { person, token })
}

/// Signs somebody in at home by name and password. One refusal for an unknown name and a wrong
/// password, and both take as long.
pub async fn sign_in(
    services: &Services,
    name: &str,
    password: &Password,
    device: &Device,
) -> Result<SignedIn> {
    let keys = Name::candidates(name);
    let keys: Vec<_> = keys.iter().map(|name| account_key(name)).collect();
    let found = sign_in_by(services, &keys, password, device).await?;
    let (person, token) = found.ok_or_else(|| Error::invalid("name or password is wrong"))?;
    Ok(SignedIn {
        person: person.id,
        token,
    })
}

/// Signs in whose account has the first of these keys that one has, and this password: nobody, and
/// after as long, when there is no such key and when the password is wrong. Guesses are counted by the
/// last key, which all ways to write the others share.
pub(super) async fn sign_in_by(
    services: &Services,
    keys: &[String],
    password: &Password,
    device: &Device,
) -> Result<Option<(Person, Token)>> {
    let now = services.clock.now();
    let counted = keys.last().map_or("", String::as_str);
    let attempt = services.throttle.attempt(counted, device.network, now)?;
    let mut account = None;
    for key in keys {
        if account.is_none() {
            account = services.store.account(key).await?;
        }
    }
    let hash = account.as_ref().map(|(_, hash)| hash.clone());
    let verdict = services.hasher.verify(password, hash).await?;
    if verdict == Verdict::Wrong {
        return Ok(None);
    }
    attempt.succeeded();
    let Some((person, hash)) = account else {
        return Ok(None);
    };
    let renewed = match verdict {
        Verdict::RightAsSent => {
            let password = NewPassword::renewed(password);
            Some(services.hasher.hash(&password).await?)
        }
        Verdict::Right | Verdict::Wrong => None,
    };
    let mut tx = services.store.begin_for(person.tenant).await?;
    // Hashing takes long: a password that was changed meanwhile, and the logins it ended, stay so.
    if !tx.hold_password(person.id, &hash).await? {
        return Ok(None);
    }
    let now = services.clock.now();
    if let Some(renewed) = renewed {
        tx.set_password(person.id, &renewed, now).await?;
    }
    let token = add_login(&mut tx, (person.tenant, person.id), device, now).await?;
    tx.commit().await?;
    Ok(Some((person, token)))
}

/// Gives a person who needs no password a login.
pub(super) async fn begin_login(
    services: &Services,
    (tenant, person): (TenantId, PersonId),
    device: &Device,
) -> Result<SignedIn> {
    let mut tx = services.store.begin_for(tenant).await?;
    let token = add_login(&mut tx, (tenant, person), device, services.clock.now()).await?;
    tx.commit().await?;
    Ok(SignedIn { person, token })
}

/// The same, within a transaction.
pub(super) async fn add_login(
    tx: &mut Tx,
    who: (TenantId, PersonId),
    device: &Device,
    now: Millis,
) -> Result<Token> {
    let token = Token::random();
    let (client, address) = device.parts();
    let hash = token.hash();
    tx.insert_login(who, &hash, client.as_deref(), address.as_deref(), now)
        .await?;
    Ok(token)
}

/// Ends the caller's login: its waiters are told at once.
pub async fn sign_out(services: &Services, caller: &Caller) -> Result<()> {
    end_login(services, caller, caller.login_id()?).await
}

/// Ends one of the caller's logins.
pub async fn end_login(services: &Services, caller: &Caller, login: LoginId) -> Result<()> {
    let mut tx = services.store.begin_for(caller.tenant()).await?;
    let ended = tx.delete_login(caller.id(), login).await?;
    tx.commit().await?;
    if !ended {
        return Err(Error::not_found("there is no such login"));
    }
    services.logins.end(&[login]);
    Ok(())
}

/// Ends all of the caller's logins.
pub async fn sign_out_everywhere(services: &Services, caller: &Caller) -> Result<()> {
    let mut tx = services.store.begin_for(caller.tenant()).await?;
    let ended = tx.delete_logins(caller.id(), None).await?;
    tx.commit().await?;
    services.logins.end(&ended);
    Ok(())
}

/// Sets a new password and ends the caller's other logins.
pub async fn change_password(
    services: &Services,
    caller: &Caller,
    old: &Password,
    new: &Password,
) -> Result<()> {
    let person = caller.person();
    let email = person.email.as_deref().unwrap_or_default();
    let local = email.split('@').next().unwrap_or_default();
    let new = new_password(services, new, &[&person.name, email, local]);
    let new = new.map_err(|error| error.about("new_password"))?;
    let hash = services.store.password_hash(caller.id()).await?;
    if services.hasher.verify(old, hash).await? == Verdict::Wrong {
        return Err(Error::invalid_field(
            "password",
            "the present password is wrong",
        ));
    }
    let hash = services.hasher.hash(&new).await?;
    let mut tx = services.store.begin_for(caller.tenant()).await?;
    tx.set_password(caller.id(), &hash, services.clock.now())
        .await?;
    let ended = tx
        .delete_logins(caller.id(), Some(caller.login_id()?))
        .await?;
    tx.commit().await?;
    services.logins.end(&ended);
    Ok(())
}

/// The caller's logins, the last used first.
pub async fn logins(services: &Services, caller: &Caller) -> Result<Vec<Login>> {
    services.store.logins(caller.id()).await
}

/// The caller as they are written down.
pub async fn me(services: &Services, caller: &Caller) -> Result<Person> {
    let person = services.store.person(caller.tenant(), caller.id()).await?;
    person.ok_or_else(|| Error::new(Kind::Unauthenticated, "this account is gone"))
}

impl Device {
    fn parts(&self) -> (Option<String>, Option<String>) {
        let client = self.client.as_deref().map(|client| {
            client
                .chars()
                .filter(|c| !c.is_control())
                .take(CLIENT_CHARS)
                .collect()
        });
        (client, Some(self.address.to_string()))
    }
}

/// Inspects a password that somebody who goes by these names is about to set.
pub(super) fn new_password(
    services: &Services,
    password: &Password,
    names: &[&str],
) -> Result<NewPassword> {
    // A name that is not there is no name.
    let names: Vec<_> = names
        .iter()
        .copied()
        .filter(|name| !name.is_empty())
        .collect();
    NewPassword::inspect(password, services.rules.password_min, &names)
}

/// What a person of home signs in by.
fn account_key(folded: &str) -> String {
    format!("name/{folded}")
}
