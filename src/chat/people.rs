//! People whom a tenant's server, or somebody in its name, registers, looks up and deletes.

use std::{pin::pin, sync::Arc, time::Duration};

use crate::{
    chat::{
        Caller, Services,
        callers::{self, KeyHolder},
        deletion, logins, profiles,
        writer::{PersonAction, PersonEdit},
    },
    error::{Error, Kind, Result},
    model::{Name, Names, Person, PersonId, PersonKind, Position, TenantId, Timestamp, TokenHash},
    store::{NewPerson, Tx},
};

/// The fewest characters of a token that a tenant gives its person.
const TOKEN_CHARS: usize = 8;
/// The most bytes of one.
const TOKEN_BYTES: usize = 256;
/// How often a registration that met another one of the same person is tried.
const ATTEMPTS: usize = 3;
/// How long a registration waits for its write before it is looked up whether there is anything to write.
const WRITE_PATIENCE: Duration = Duration::from_millis(500);

/// What is known of somebody.
#[derive(Debug, Clone)]
pub struct Profile {
    /// What they are called.
    pub name: Name,
    /// Their names one by one, unless they stay as they are.
    pub names: Option<Names>,
    /// Their picture, unless it stays as it is.
    pub photo: Option<Option<String>>,
}

/// Somebody whom their tenant has registered.
#[derive(Debug, Clone)]
pub struct Registered {
    /// Who.
    pub caller: Caller,
    /// Where the log's head was before they were made, if they are new: they were in no chat then.
    pub made_after: Option<Position>,
}

/// A person of the tenant.
pub async fn find(services: &Services, tenant: &KeyHolder, id: PersonId) -> Result<Caller> {
    let person = services.store.person(tenant.tenant().id, id).await?;
    let person = person.ok_or_else(|| nobody(id))?;
    callers::impersonate(tenant, Arc::new(person))
}

/// Everybody whom the tenant registered.
pub async fn list(services: &Services, tenant: &KeyHolder, after: PersonId) -> Result<Vec<Person>> {
    let tenant = tenant.tenant().id;
    let _turn = services.lists.take(tenant).await?;
    services.store.all_registered(tenant, after).await
}

/// Finds whom the tenant calls so, or makes them; brings what is known of them up to date.
pub async fn register(
    services: &Services,
    tenant: &KeyHolder,
    external_id: &str,
    profile: &Profile,
) -> Result<Registered> {
    register_with_token(services, tenant, external_id, profile, None).await
}

/// The same, with the token by which they connect: it takes the place of the one before.
pub async fn register_with_token(
    services: &Services,
    tenant: &KeyHolder,
    external_id: &str,
    profile: &Profile,
    token: Option<&str>,
) -> Result<Registered> {
    let hash = token.map(token_hash).transpose()?;
    let mut attempt = 1;
    loop {
        match try_register(services, tenant, external_id, profile, hash.as_ref()).await {
            Err(error) if error.kind() == Kind::Conflict && attempt < ATTEMPTS => attempt += 1,
            outcome => return outcome,
        }
    }
}

async fn try_register(
    services: &Services,
    tenant: &KeyHolder,
    external_id: &str,
    profile: &Profile,
    token: Option<&TokenHash>,
) -> Result<Registered> {
    let before = services.head(tenant.tenant().id);
    let mut written = pin!(write(services, tenant, external_id, profile, token));
    let in_time = tokio::time::timeout(WRITE_PATIENCE, &mut written).await;
    let outcome = match in_time {
        Ok(Err(error)) if error.kind() == Kind::Unavailable => Err(error),
        Ok(outcome) => return registered(services, tenant, outcome?, profile, before).await,
        Err(_) => Ok(written),
    };
    // While nothing can be written, somebody of whom nothing is to be written is found nevertheless.
    if token.is_none() {
        let tenant_id = tenant.tenant().id;
        // Boxed, as it is rare and large: each registration would hold what it takes.
        let known = Box::pin(services.store.registered(tenant_id, external_id)).await?;
        if let Some(person) = known.filter(|person| same(person, profile)) {
            return registered(services, tenant, (person, false), profile, before).await;
        }
    }
    let written = outcome?.await?;
    registered(services, tenant, written, profile, before).await
}

/// What a registration has written, with what is known of the person up to date.
async fn registered(
    services: &Services,
    tenant: &KeyHolder,
    (person, is_new): (Person, bool),
    profile: &Profile,
    before: Position,
) -> Result<Registered> {
    let person = describe_as(services, person, profile).await?;
    Ok(Registered {
        caller: callers::impersonate(tenant, person)?,
        made_after: is_new.then_some(before),
    })
}

/// Finds or makes a person; whether they are new.
async fn write(
    services: &Services,
    tenant: &KeyHolder,
    external_id: &str,
    profile: &Profile,
    token: Option<&TokenHash>,
) -> Result<(Person, bool)> {
    let (tenant, now) = (tenant.tenant().id, services.clock.now());
    let new = new_person(tenant, external_id, profile);
    let Some(token) = token.cloned() else {
        return services.registrations.register(&services.store, new).await;
    };
    let written = services.store.write(tenant, move |tx| {
        Box::pin(async move {
            let registered = tx.register_all(tenant, &[new], now).await?;
            let (person, is_new) = registered
                .into_iter()
                .next()
                .ok_or_else(|| Error::internal("a registration without an outcome"))?;
            let ended = give_token(tx, (tenant, person.id), &token, now).await?;
            Ok((person, is_new, ended))
        })
    });
    let (person, is_new, ended) = Box::pin(written).await?;
    services.logins.replace(&ended);
    Ok((person, is_new))
}

fn new_person(tenant: TenantId, external_id: &str, profile: &Profile) -> NewPerson {
    NewPerson {
        tenant,
        kind: PersonKind::Person,
        name: profile.name.clone(),
        names: profile.names.clone().unwrap_or_default(),
        photo: profile.photo.clone().flatten(),
        external_id: Some(external_id.to_owned()),
        email: None,
        account_key: None,
        password_hash: None,
    }
}

/// Brings what is known of a person up to date, and tells those who share a chat with them.
async fn describe_as(
    services: &Services,
    person: Person,
    profile: &Profile,
) -> Result<Arc<Person>> {
    let is_same = person.deleted_at.is_none() && same(&person, profile);
    let person = Arc::new(person);
    if is_same {
        return Ok(person);
    }
    let description = PersonEdit {
        name: Some(profile.name.clone()),
        names: profile.names.clone(),
        photo: profile.photo.clone(),
        restores: true,
        ..PersonEdit::default()
    };
    let action = PersonAction::Describe(Box::new(description));
    Box::pin(profiles::change(services, &person, action)).await
}

/// Makes a token the only one of a person; says which logins are no more.
async fn give_token(
    tx: &mut Tx,
    (tenant, person): (TenantId, PersonId),
    token: &TokenHash,
    now: Timestamp,
) -> Result<Vec<crate::model::LoginId>> {
    let ended = tx.replace_logins(person).await?;
    tx.insert_own_token((tenant, person), token, now).await?;
    Ok(ended)
}

fn token_hash(token: &str) -> Result<TokenHash> {
    if token.chars().count() < TOKEN_CHARS || token.len() > TOKEN_BYTES {
        return Err(Error::invalid_field(
            "token",
            format!("token must have {TOKEN_CHARS} to {TOKEN_BYTES} characters"),
        ));
    }
    Ok(logins::hash(token))
}

fn same(person: &Person, profile: &Profile) -> bool {
    let names = profile.names.as_ref();
    let photo = profile.photo.as_ref();
    *person.name == *profile.name.as_str()
        && names.is_none_or(|names| *names == person.names)
        && photo.is_none_or(|photo| *photo == person.photo)
}

/// Brings what is known of a person up to date.
pub async fn describe(services: &Services, caller: &Caller, profile: &Profile) -> Result<Person> {
    let person = describe_as(services, Person::clone(caller.person()), profile);
    person.await.map(|person| Person::clone(&person))
}

/// Deletes a person: they leave their chats, and their logins end.
pub async fn delete(services: &Services, tenant: &KeyHolder, id: PersonId) -> Result<Person> {
    let caller = find(services, tenant, id).await?;
    let gone = deletion::retire(services, caller.person()).await?;
    Ok(Person::clone(&gone))
}

fn nobody(id: PersonId) -> Error {
    Error::not_found(format!("there is no user {id}"))
}
