//! People whom a tenant's server, or somebody in its name, registers, looks up and deletes.

use std::sync::Arc;

use crate::{
    chat::{
        Caller, Services,
        callers::{self, KeyHolder},
        deletion, logins, profiles,
        writer::{PersonAction, PersonEdit},
    },
    error::{Error, Kind, Result},
    model::{Name, Names, Person, PersonId, PersonKind, TenantId, Timestamp, TokenHash},
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
    let store = &services.store;
    if let Some(known) = store.ever_registered(tenant_id, external_id).await? {
        let person = describe_as(services, known, profile).await?;
        if token.is_none() {
            return callers::impersonate(tenant, person);
        }
    }
    let (external_id, token) = (external_id.to_owned(), token.cloned());
    let wanted = profile.clone();
    let written = store.write(tenant_id, move |tx| {
        Box::pin(async move {
            let id = find_or_insert(tx, tenant_id, external_id, wanted, now).await?;
            let ended = match token {
                Some(token) => give_token(tx, (tenant_id, id), &token, now).await?,
                None => Vec::new(),
            };
            let person = tx.person_ever(tenant_id, id).await?;
            Ok((person.ok_or_else(|| nobody(id))?, ended))
        })
    });
    let (person, ended) = written.await?;
    services.logins.replace(&ended);
    // Somebody else may have registered the same person meanwhile.
    let person = describe_as(services, person, profile).await?;
    callers::impersonate(tenant, person)
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
        names: Some(profile.names.clone()),
        photo: Some(profile.photo.clone()),
        restores: true,
        ..PersonEdit::default()
    };
    let action = PersonAction::Describe(Box::new(description));
    profiles::change(services, &person, action).await
}

/// The person whom a tenant calls so, who is made if need be.
async fn find_or_insert(
    tx: &mut Tx,
    tenant: TenantId,
    external_id: String,
    profile: Profile,
    now: Timestamp,
) -> Result<PersonId> {
    match tx.registered(tenant, &external_id).await? {
        Some(person) => Ok(person.id),
        None => {
            let new = NewPerson {
                tenant,
                kind: PersonKind::Person,
                name: profile.name,
                names: profile.names,
                photo: profile.photo,
                external_id: Some(external_id),
                email: None,
                account_key: None,
                password_hash: None,
            };
            tx.insert_person(&new, now).await
        }
    }
}

/// Makes a token the only one of a person; says which logins are no more.
async fn give_token(
    tx: &mut Tx,
    (tenant, person): (TenantId, PersonId),
    token: &TokenHash,
    now: Timestamp,
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
