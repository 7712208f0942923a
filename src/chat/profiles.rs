//! What people are called and look like: one's own profile, and finding others.

use std::{collections::HashSet, sync::Arc};

use crate::{
    chat::{
        Caller, Services,
        accounts::{self, Device},
        sessions,
        writer::{PersonAction, PersonEdit, PersonRequest},
    },
    error::{Error, Kind, Result},
    model::{Email, Name, Operator, Password, Person, PersonId, Photo, Record, Timestamp},
    store::profiles::GONE,
};

/// In chats of at most so many members it is told who is online.
pub const PRESENCE_SHOWN_UP_TO: i64 = 50;

/// A person as another one finds them.
#[derive(Debug)]
pub struct Found {
    /// The person.
    pub person: Person,
    /// Whether they are online; nothing for who shares no small chat with them.
    pub online: Option<bool>,
    /// When a login of theirs was last used, for the same people.
    pub last_seen: Option<Timestamp>,
}

/// What somebody says of themselves; what is left out stays as it is.
#[derive(Debug, Default)]
pub struct OwnProfile {
    /// What they are called, and sign in by.
    pub name: Option<Name>,
    /// Their e-mail address.
    pub email: Option<Email>,
    /// Their picture, or that they want none.
    pub photo: Option<Option<Photo>>,
}

impl OwnProfile {
    /// Whether they would sign in by another name, or have another address of mail.
    fn changes_contact(&self, now: &Person) -> bool {
        let name = self.name.as_ref();
        let email = self.email.as_ref();
        name.is_some_and(|name| name.as_str() != &*now.name)
            || email.is_some_and(|email| Some(email.as_str()) != now.email.as_deref())
    }
}

/// The caller as they are written down.
pub async fn me(services: &Services, caller: &Caller) -> Result<Person> {
    let person = services.store.person(caller.tenant(), caller.id()).await?;
    person.ok_or_else(gone)
}

/// Changes what is known of the caller, and tells those who share a chat with them. For another name or address of
/// mail they have proved their password lately, or do so now. With it comes what
/// their browser shows from now on, where they sign in by another name.
pub async fn describe_me(
    services: &Services,
    caller: &Caller,
    profile: OwnProfile,
    (password, device): (Option<&Password>, &Device),
) -> Result<(Arc<Person>, Option<String>)> {
    accounts::own_account(services, caller).await?;
    if profile.changes_contact(&me(services, caller).await?) {
        sessions::prove_lately(services, caller, password, device).await?;
    }
    let key = match &profile.name {
        Some(name) => Some(free_key(name)?),
        None => None,
    };
    let shown = key.as_deref().map(accounts::counted_as);
    let description = PersonEdit {
        name: profile.name,
        account_key: key,
        names: None,
        photo: profile.photo.map(|it| it.map(Photo::into_string)),
        email: profile.email.map(|email| email.as_str().to_owned()),
        restores: false,
    };
    let action = PersonAction::Describe(Box::new(description));
    let changed = change(services, caller.person(), action).await;
    // Somebody else may have taken the name while this was decided.
    let taken = || Error::invalid_field("name", "that name is taken");
    let person = changed.map_err(|error| error.conflict_as(taken))?;
    let cookie = shown.map(|account| services.device_cookies.signed_in(&device.cookie, &account));
    Ok((person, cookie))
}

/// The key of an account that is to have a name, unless nobody may have it.
pub(super) fn free_key(name: &Name) -> Result<String> {
    let folded = name.folded();
    if folded == GONE {
        return Err(Error::invalid_field("name", "that name is taken"));
    }
    Ok(accounts::account_key(&folded))
}

/// Changes a person, in the log and wherever they are in use.
pub(super) async fn change(
    services: &Services,
    person: &Arc<Person>,
    action: PersonAction,
) -> Result<Arc<Person>> {
    change_by(services, person, action, None).await
}

/// The same by an administrator of the server, and what is written down of it.
pub(super) async fn change_by(
    services: &Services,
    person: &Arc<Person>,
    action: PersonAction,
    audit: Option<(Operator, Record)>,
) -> Result<Arc<Person>> {
    let request = PersonRequest {
        actor: Arc::clone(person),
        action,
        audit: audit.map(Arc::new),
    };
    let changed = services.writer.change_person(request).await?;
    if let Some(position) = changed.position {
        services.logins.renamed(position, &changed.person);
    }
    if !changed.ended.is_empty() {
        services.logins.end(&changed.ended);
    }
    Ok(changed.person)
}

/// People of the caller's tenant whose names begin so, by name: those after `before`, and whether there are
/// more.
pub async fn list(
    services: &Services,
    caller: &Caller,
    (beginning, before): (&str, Option<PersonId>),
    limit: usize,
) -> Result<(Vec<Found>, bool)> {
    let person = not_a_guest(caller)?;
    let folded = crate::model::text::fold::fold(beginning);
    let mut people = services
        .store
        .people_called(person.tenant, &folded, before, limit + 1)
        .await?;
    let more = people.len() > limit;
    people.truncate(limit);
    Ok((found(services, caller, people).await?, more))
}

/// Those of these people who are of the caller's tenant, by name.
pub async fn list_of(services: &Services, caller: &Caller, ids: &[PersonId]) -> Result<Vec<Found>> {
    let person = not_a_guest(caller)?;
    let people = services.store.people_found(person.tenant, ids).await?;
    found(services, caller, people).await
}

/// A person of the caller's tenant.
pub async fn find(services: &Services, caller: &Caller, id: PersonId) -> Result<Found> {
    let person = not_a_guest(caller)?;
    let nobody = || Error::not_found("there is no such person");
    let other = services.store.person_found(person.tenant, id).await?;
    let found = found(services, caller, vec![other.ok_or_else(nobody)?]).await?;
    found.into_iter().next().ok_or_else(nobody)
}

/// Adds what the caller may know of when they were here.
async fn found(services: &Services, caller: &Caller, people: Vec<Person>) -> Result<Vec<Found>> {
    let ids: Vec<_> = people.iter().map(|person| person.id).collect();
    let known = services
        .store
        .acquainted(caller.id(), &ids, PRESENCE_SHOWN_UP_TO)
        .await?;
    let uses = services.store.last_uses(&known).await?;
    let known: HashSet<_> = known.into_iter().chain([caller.id()]).collect();
    let found = people.into_iter().map(|person| {
        let online = known
            .contains(&person.id)
            .then(|| services.online.is_online(person.id));
        Found {
            online,
            last_seen: online.and_then(|_| uses.get(&person.id).copied()),
            person,
        }
    });
    Ok(found.collect())
}

/// Refuses guests of live support, who reach the agents of their site alone.
fn not_a_guest(caller: &Caller) -> Result<&Person> {
    let person = caller.person();
    if person.is_guest() {
        return Err(Error::forbidden("a guest's own chat is all a guest has"));
    }
    Ok(person)
}

fn gone() -> Error {
    Error::new(Kind::Unauthenticated, "this account is gone")
}
