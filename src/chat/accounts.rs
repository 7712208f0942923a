//! Accounts: signing up, in and out, and the logins of a person.

use std::sync::Arc;

use crate::{
    chat::{
        Services,
        logins::{LiveLogin, Token},
    },
    error::{Error, Kind, Result},
    model::{Email, Login, LoginId, Name, Names, Password, Person, PersonId, PersonKind, TenantId},
    store::NewPerson,
};

/// Where cookie accounts live.
pub const HOME: TenantId = TenantId::new(1);
/// The most characters kept of what a client calls itself.
const CLIENT_CHARS: usize = 200;

/// Somebody who proved who they are.
#[derive(Debug, Clone)]
pub struct Caller {
    login: Arc<LiveLogin>,
}

impl Caller {
    /// The login they came with.
    pub fn login(&self) -> &LiveLogin {
        &self.login
    }
}

/// Where somebody signs in from, for the list of their logins.
#[derive(Debug, Clone, Default)]
pub struct Device {
    /// What the client calls itself.
    pub client: Option<String>,
    /// The address it comes from.
    pub address: Option<String>,
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
    login
        .map(|login| Caller { login })
        .ok_or_else(Error::unauthenticated)
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
    let taken = || Error::invalid_field("name", "that name is taken");
    let key = account_key(name);
    // Looked up first only to spare the hash; the unique key decides.
    if services.store.account_exists(&key).await? {
        return Err(taken());
    }
    let hash = services.hasher.hash(password).await?;
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
    let token = Token::random();
    let mut tx = services.store.begin().await?;
    let person = tx
        .insert_person(&new, now)
        .await
        .map_err(|error| match error.kind() {
            Kind::Conflict => taken().because(error),
            _ => error,
        })?;
    let (client, address) = device.parts();
    tx.insert_login(
        (HOME, person),
        &token.hash(),
        client.as_deref(),
        address,
        now,
    )
    .await?;
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
    let refusal = || Error::invalid("name or password is wrong");
    let account = match Name::parse(name) {
        Ok(name) => services.store.account(&account_key(&name)).await?,
        Err(_) => None,
    };
    let hash = account.as_ref().map(|(_, hash)| hash.clone());
    if !services.hasher.verify(password, hash).await? {
        return Err(refusal());
    }
    let Some((person, _)) = account else {
        return Err(refusal());
    };
    let token = Token::random();
    let mut tx = services.store.begin().await?;
    let (client, address) = device.parts();
    let now = services.clock.now();
    tx.insert_login(
        (person.tenant, person.id),
        &token.hash(),
        client.as_deref(),
        address,
        now,
    )
    .await?;
    tx.commit().await?;
    Ok(SignedIn {
        person: person.id,
        token,
    })
}

/// Ends the caller's login: its waiters are told at once.
pub async fn sign_out(services: &Services, caller: &Caller) -> Result<()> {
    end_login(services, caller, caller.login.login.id).await
}

/// Ends one of the caller's logins.
pub async fn end_login(services: &Services, caller: &Caller, login: LoginId) -> Result<()> {
    let mut tx = services.store.begin().await?;
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
    let mut tx = services.store.begin().await?;
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
    let hash = services.store.password_hash(caller.id()).await?;
    if !services.hasher.verify(old, hash).await? {
        return Err(Error::invalid_field(
            "password",
            "the present password is wrong",
        ));
    }
    let hash = services.hasher.hash(new).await?;
    let mut tx = services.store.begin().await?;
    tx.set_password(caller.id(), &hash, services.clock.now())
        .await?;
    let ended = tx
        .delete_logins(caller.id(), Some(caller.login.login.id))
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
    fn parts(&self) -> (Option<String>, Option<&str>) {
        let client = self.client.as_deref().map(|client| {
            client
                .chars()
                .filter(|c| !c.is_control())
                .take(CLIENT_CHARS)
                .collect()
        });
        (client, self.address.as_deref())
    }
}

/// What a person of home signs in by.
fn account_key(name: &Name) -> String {
    format!("name/{}", name.folded())
}
