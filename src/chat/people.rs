//! People whom a tenant's server, or somebody in its name, registers, looks up and deletes.

use std::sync::Arc;

use crate::{
    chat::{
        Caller, Services,
        callers::{self, KeyHolder},
        chats, logins,
    },
    error::{Error, Kind, Result},
    model::{Name, Names, Person, PersonId, PersonKind, TenantId, TokenHash},
    store::{NewPerson, Tx},
};

/// The fewest characters of a token that a tenant gives its person.
const TOKEN_CHARS: usize = 8;
/// The most bytes of one.
const TOKEN_BYTES: usize = 256;
/// How often a registration that met another one of the same person is tried.
const ATTEMPTS: usize = 3;

/// What is known of somebody.
#[derive(Debug, Clone)]
pub struct Profile {
    /// What they are called.
    pub name: Name,
    /// Their names one by one.
    pub names: Names,
    /// Their picture.
    pub photo: Option<String>,
}

/// A person of the tenant.
pub async fn find(services: &Services, tenant: &KeyHolder, id: PersonId) -> Result<Caller> {
    let person = services.store.person(tenant.tenant().id, id).await?;
    let person = person.ok_or_else(|| nobody(id))?;
    callers::impersonate(tenant, Arc::new(person))
}

/// The person whom the tenant calls so.
pub async fn find_registered(
    services: &Services,
    tenant: &KeyHolder,
    external_id: &str,
) -> Result<Option<Caller>> {
    let tenant_id = tenant.tenant().id;
    let found = services.store.registered(tenant_id, external_id).await?;
    found
        .map(|person| callers::impersonate(tenant, Arc::new(person)))
        .transpose()
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
) -> Result<Caller> {
    register_with_token(services, tenant, external_id, profile, None).await
}

/// The same, with the token by which they connect: it takes the place of the one before.
pub async fn register_with_token(
    services: &Services,
    tenant: &KeyHolder,
    external_id: &str,
    profile: &Profile,
    token: Option<&str>,
) -> Result<Caller> {
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
) -> Result<Caller> {
    let tenant_id = tenant.tenant().id;
    let now = services.clock.now();
    let known = services.store.registered(tenant_id, external_id).await?;
    if let (Some(person), None) = (&known, token)
        && same(person, profile)
    {
        return callers::impersonate(tenant, Arc::new(person.clone()));
    }
    let mut tx = services.store.begin_for(tenant_id).await?;
    let id = match tx.registered(tenant_id, external_id).await? {
        Some(person) if person.deleted_at.is_none() && same(&person, profile) => person.id,
        Some(person) => {
            let photo = profile.photo.as_deref();
            tx.rename(person.id, &profile.name, &profile.names, photo, now)
                .await?;
            person.id
        }
        None => {
            let new = NewPerson {
                tenant: tenant_id,
                kind: PersonKind::Person,
                name: &profile.name,
                names: profile.names.clone(),
                photo: profile.photo.as_deref(),
                external_id: Some(external_id),
                email: None,
                account_key: None,
                password_hash: None,
            };
            tx.insert_person(&new, now).await?
        }
    };
    let ended = match token {
        Some(token) => give_token(&mut tx, (tenant_id, id), token, now).await?,
        None => Vec::new(),
    };
    let person = tx.person(tenant_id, id).await?;
    tx.commit().await?;
    services.logins.replace(&ended);
    let person = person.ok_or_else(|| nobody(id))?;
    callers::impersonate(tenant, Arc::new(person))
}

/// Makes a token the only one of a person; says which logins are no more.
async fn give_token(
    tx: &mut Tx,
    (tenant, person): (TenantId, PersonId),
    token: &TokenHash,
    now: crate::model::Timestamp,
) -> Result<Vec<crate::model::LoginId>> {
    let ended = tx.delete_logins(person, None).await?;
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
    *person.name == *profile.name.as_str()
        && person.names == profile.names
        && person.photo == profile.photo
}

/// Brings what is known of a person up to date.
pub async fn describe(services: &Services, caller: &Caller, profile: &Profile) -> Result<Person> {
    if same(caller.person(), profile) {
        return Ok(Person::clone(caller.person()));
    }
    let now = services.clock.now();
    let mut tx = services.store.begin_for(caller.tenant()).await?;
    let photo = profile.photo.as_deref();
    tx.rename(caller.id(), &profile.name, &profile.names, photo, now)
        .await?;
    let person = tx.person(caller.tenant(), caller.id()).await?;
    tx.commit().await?;
    person.ok_or_else(|| nobody(caller.id()))
}

/// Deletes a person: they leave their chats, and their logins end.
pub async fn delete(services: &Services, tenant: &KeyHolder, id: PersonId) -> Result<Person> {
    let caller = find(services, tenant, id).await?;
    for (chat, _) in services.store.memberships(id).await? {
        match chats::leave(services, &caller, chat).await {
            Err(error) if error.kind() != Kind::NotFound => return Err(error),
            Ok(()) | Err(_) => {}
        }
    }
    let now = services.clock.now();
    let mut tx = services.store.begin_for(caller.tenant()).await?;
    tx.delete_person(id, now).await?;
    let ended = tx.delete_logins(id, None).await?;
    tx.commit().await?;
    services.logins.end(&ended);
    services.logins.end_replaced(id);
    Ok(Person {
        deleted_at: Some(now),
        updated_at: now,
        ..Person::clone(caller.person())
    })
}

fn nobody(id: PersonId) -> Error {
    Error::not_found(format!("there is no user {id}"))
}
