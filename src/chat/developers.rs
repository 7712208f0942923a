//! Developers: accounts with an e-mail address, which register apps; administrators make them.

use std::sync::Arc;

use std::net::IpAddr;

use crate::{
    chat::{
        Caller, Services,
        accounts::{self, Device, HOME},
        callers,
        logins::{LiveLogin, Token},
    },
    error::{Error, Kind, Result},
    model::{Email, Name, Names, Password, Person, PersonKind, Scope},
    store::NewPerson,
};

/// Proof that somebody is a developer.
#[derive(Debug, Clone)]
pub struct Developer(Caller);

impl Developer {
    /// Who they are.
    pub fn person(&self) -> &Person {
        self.0.person()
    }

    /// The login they came with.
    pub(super) fn login(&self) -> Option<Arc<LiveLogin>> {
        self.0.login().cloned()
    }

    /// Whether all apps are theirs to see, and accounts theirs to make.
    pub fn is_admin(&self) -> bool {
        self.person().kind == PersonKind::Admin
    }
}

/// A new account's particulars.
#[derive(Debug)]
pub struct Application {
    /// What they are called, one by one; the first is needed.
    pub names: Names,
    /// What they sign in by.
    pub email: Email,
    /// Their password.
    pub password: Password,
}

/// Which developer holds this token, which came from that address.
pub async fn prove(services: &Services, token: &str, from: Option<IpAddr>) -> Result<Developer> {
    let refusal = || Error::new(Kind::Unauthenticated, "invalid token");
    let is_ours = |it: &Person| it.tenant == HOME;
    let caller = callers::holder_who(services, token, from, (Scope::Admin, is_ours)).await;
    let caller = match caller {
        Ok(caller) => caller.ok_or_else(refusal)?,
        Err(error) if error.kind() == Kind::Unauthenticated => return Err(refusal()),
        Err(error) => return Err(error),
    };
    let key = services.store.account_key(caller.id()).await?;
    if key.is_some_and(|key| key.starts_with(PREFIX)) {
        Ok(Developer(caller))
    } else {
        Err(refusal())
    }
}

/// A developer who has signed in.
pub struct SignedIn {
    /// Who.
    pub person: Person,
    /// Their token.
    pub token: Token,
    /// What the browser shows when they sign in again.
    pub device_cookie: String,
}

/// Signs a developer in. One refusal for an unknown address and a wrong password.
pub async fn sign_in(
    services: &Services,
    email: &str,
    password: &Password,
    device: &Device,
) -> Result<SignedIn> {
    let keys = Email::candidates(email);
    let keys: Vec<_> = keys.iter().map(|email| account_key(email)).collect();
    let found = accounts::sign_in_by(services, &keys, password, device).await?;
    let signed_in = found.map(|proven| SignedIn {
        person: proven.person,
        token: proven.token,
        device_cookie: proven.device_cookie,
    });
    signed_in
        .ok_or_else(|| Error::new(Kind::Unauthenticated, "e-mail address or password is wrong"))
}

/// Makes a developer, as only an administrator may.
pub async fn register(
    services: &Services,
    admin: &Developer,
    application: &Application,
    device: &Device,
) -> Result<(Person, Token)> {
    if !admin.is_admin() {
        return Err(Error::forbidden("only an administrator may do that"));
    }
    let person = make(services, application, PersonKind::Person).await?;
    let token = accounts::begin_login(services, &person, device).await?;
    Ok((person, token))
}

/// Makes an administrator; a conflict when there is an account with that address.
async fn make_admin(services: &Services, email: &Email, password: &Password) -> Result<Person> {
    let application = Application {
        names: Names {
            first: Some("Admin".to_owned()),
            middle: None,
            last: None,
        },
        email: email.clone(),
        password: Password::attempt(password.expose().to_owned())?,
    };
    make(services, &application, PersonKind::Admin).await
}

/// What `parlance admin` does: makes an administrator, or tells that there is one.
pub async fn add_admin(services: &Services, email: &str, password: &str) -> Result<()> {
    let email = Email::parse(email)?;
    let password = Password::attempt(password.to_owned())?;
    make_admin(services, &email, &password).await.map(drop)
}

/// Makes an administrator unless there is an account with that address.
pub async fn ensure_admin(services: &Services, email: &str, password: &str) -> Result<bool> {
    let email = Email::parse(email)?;
    if services
        .store
        .account_exists(&account_key(&email.folded()))
        .await?
    {
        return Ok(false);
    }
    let password = Password::attempt(password.to_owned())?;
    match make_admin(services, &email, &password).await {
        Ok(_) => Ok(true),
        Err(error) if error.kind() == Kind::Conflict => Ok(false),
        Err(error) => Err(error),
    }
}

async fn make(services: &Services, application: &Application, kind: PersonKind) -> Result<Person> {
    let taken = || Error::conflict("there is an account with that address");
    let key = account_key(&application.email.folded());
    if services.store.account_exists(&key).await? {
        return Err(taken());
    }
    let name = full_name(&application.names)?;
    let email = &application.email;
    let names = [name.as_str(), email.as_str(), email.local()];
    let password = accounts::new_password(services, &application.password, &names)?;
    let hash = services.hasher.hash(&password).await?;
    let new = NewPerson {
        tenant: HOME,
        kind,
        name,
        names: application.names.clone(),
        photo: None,
        external_id: None,
        email: Some(application.email.as_str().to_owned()),
        account_key: Some(key),
        password_hash: Some(hash),
    };
    let now = services.clock.now();
    let made = services.store.write(HOME, move |tx| {
        Box::pin(async move {
            let id = tx.insert_person(&new, now).await?;
            tx.person(HOME, id).await
        })
    });
    let person = made.await.map_err(|error| error.conflict_as(taken))?;
    person.ok_or_else(|| Error::internal("an account that was made is not there"))
}

/// Names one by one as one name.
pub fn full_name(names: &Names) -> Result<Name> {
    let parts = [&names.first, &names.middle, &names.last];
    let parts: Vec<_> = parts
        .into_iter()
        .flatten()
        .map(|part| part.trim())
        .collect();
    let full = parts.join(" ");
    // A name has its bound, the names together may be longer.
    let short: String = full.trim().chars().take(64).collect();
    Name::parse(&short)
}

/// What every developer's account key begins with.
const PREFIX: &str = "mail/";

fn account_key(folded: &str) -> String {
    format!("{PREFIX}{folded}")
}
