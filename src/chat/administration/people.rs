//! People of home: finding and making them, promoting, deactivating, signing out.

use std::sync::Arc;

use super::{
    Administrator, IssuedLink, account,
    links::{self, Term},
    nobody, on_person, perform,
};
use crate::{
    chat::{
        Services,
        accounts::{self, HOME},
        deletion,
        logins::Token,
        profiles,
        writer::{PersonAction, PersonEdit},
    },
    error::{Error, Result},
    model::{
        Account, AccountFilter, Act, Email, LoginId, Name, Names, Password, PersonId, PersonKind,
        Record, text::fold,
    },
    store::NewPerson,
};

/// A page of the people of home, the newest first, and whether there are more: those whose names begin
/// with `prefix`.
pub async fn people(
    services: &Services,
    _: &Administrator,
    (prefix, filter): (&str, AccountFilter),
    before: Option<PersonId>,
    limit: usize,
) -> Result<(Vec<Account>, bool)> {
    let before = before.unwrap_or(PersonId::new(i64::MAX));
    let wanted = i64::try_from(limit + 1).unwrap_or(i64::MAX);
    let prefix = fold::fold(prefix);
    let found = services
        .store
        .home_accounts((&prefix, filter), before, wanted)
        .await?;
    Ok(super::server::page(found, limit))
}

/// One person of home.
pub async fn person(services: &Services, _: &Administrator, id: PersonId) -> Result<Account> {
    let found = services.store.home_account(id).await?;
    found.ok_or_else(nobody)
}

/// An account to make.
#[derive(Debug)]
pub struct NewAccount {
    /// What the person is called, and signs in by.
    pub name: Name,
    /// Their e-mail address.
    pub email: Option<Email>,
    /// Their password; without one they get a link by which they set it.
    pub password: Option<Password>,
}

/// Makes an account; without a password, with a link by which the person sets one.
pub async fn create(
    services: &Services,
    admin: &Administrator,
    new: &NewAccount,
) -> Result<(PersonId, Option<IssuedLink>)> {
    let row = new_person(services, new).await?;
    let (by, now) = (admin.caller.id(), services.clock.now());
    let token = new.password.is_none().then(Token::random);
    let link = token.as_ref().map(|token| (token.hash(), Term::PASSWORD));
    let made = perform(services, admin, move |tx| {
        Box::pin(async move {
            let person = accounts::insert_account(tx, &row, now).await?;
            let expires_at = match &link {
                Some((hash, term)) => {
                    Some(links::keep_password_link(tx, (person, by), hash, (now, *term)).await?)
                }
                None => None,
            };
            let record = on_person(Act::Create, &account(tx, person).await?);
            Ok(((person, expires_at), Some(record)))
        })
    });
    let (person, expires_at) = made.await?;
    let link = token.zip(expires_at);
    let link = link.map(|(token, expires_at)| IssuedLink { token, expires_at });
    Ok((person, link))
}

/// The row of an account that is about to be made.
pub(super) async fn new_person(services: &Services, new: &NewAccount) -> Result<NewPerson> {
    let NewAccount {
        name,
        email,
        password,
    } = new;
    let key = profiles::free_key(name)?;
    // Looked up first only to spare the hash; the unique key decides.
    if services.store.account_exists(&key).await? {
        return Err(accounts::name_taken());
    }
    let hash = match password {
        Some(password) => {
            let email = email.as_ref();
            let local = email.map_or("", Email::local);
            let email = email.map_or("", Email::as_str);
            let names = [name.as_str(), email, local];
            let password = accounts::new_password(services, password, &names)?;
            Some(services.hasher.hash(&password).await?)
        }
        None => None,
    };
    Ok(NewPerson {
        tenant: HOME,
        kind: PersonKind::Person,
        name: name.clone(),
        names: Names::default(),
        photo: None,
        external_id: None,
        email: email.as_ref().map(|email| email.as_str().to_owned()),
        account_key: Some(key),
        password_hash: hash,
    })
}

/// Makes a person an administrator.
pub async fn promote(services: &Services, admin: &Administrator, id: PersonId) -> Result<()> {
    let now = services.clock.now();
    perform(services, admin, move |tx| {
        Box::pin(async move {
            let account = account(tx, id).await?;
            may_administer(&account)?;
            let changed = tx.set_administrator(id, true, now).await?;
            Ok(((), changed.then(|| on_person(Act::Promote, &account))))
        })
    })
    .await
}

/// Refuses a person who cannot be an administrator of home.
pub(super) fn may_administer(account: &Account) -> Result<()> {
    let is_at_home = account.key.as_deref().is_some_and(accounts::is_key_of_home);
    if !is_at_home {
        return Err(Error::conflict(
            "only who signs in by name can be an administrator: this account belongs to the chat service",
        ));
    }
    if account.deactivated_at.is_some() {
        return Err(Error::conflict(
            "who is deactivated cannot be an administrator",
        ));
    }
    Ok(())
}

/// Makes an administrator an ordinary person again.
pub async fn demote(services: &Services, admin: &Administrator, id: PersonId) -> Result<()> {
    let now = services.clock.now();
    perform(services, admin, move |tx| {
        Box::pin(async move {
            let account = account(tx, id).await?;
            someone_stays(&tx.administrators().await?, id)?;
            let changed = tx.set_administrator(id, false, now).await?;
            Ok(((), changed.then(|| on_person(Act::Demote, &account))))
        })
    })
    .await
}

/// Refuses to take the last administrator away.
pub(super) fn someone_stays(administrators: &[PersonId], goes: PersonId) -> Result<()> {
    if administrators == [goes] {
        return Err(Error::conflict(
            "this is the only administrator: make somebody else one first",
        ));
    }
    Ok(())
}

/// Deactivates a person: they cannot sign in, and all their logins end. What they wrote and what they are
/// called stays.
pub async fn deactivate(services: &Services, admin: &Administrator, id: PersonId) -> Result<()> {
    let now = services.clock.now();
    let ended = perform(services, admin, move |tx| {
        Box::pin(async move {
            let account = account(tx, id).await?;
            someone_stays(&tx.administrators().await?, id)?;
            if !tx.set_deactivated(id, Some(now), now).await? {
                return Ok((Vec::new(), None));
            }
            tx.delete_links_of(id).await?;
            let ended = tx.delete_logins(id, None).await?;
            tx.end_person(id).await?;
            Ok((ended, Some(on_person(Act::Deactivate, &account))))
        })
    });
    services.logins.end(&ended.await?);
    services.logins.end_replaced(id);
    Ok(())
}

/// Lets a person in again who was deactivated; they sign in anew.
pub async fn reactivate(services: &Services, admin: &Administrator, id: PersonId) -> Result<()> {
    let now = services.clock.now();
    perform(services, admin, move |tx| {
        Box::pin(async move {
            let account = account(tx, id).await?;
            let changed = tx.set_deactivated(id, None, now).await?;
            Ok(((), changed.then(|| on_person(Act::Reactivate, &account))))
        })
    })
    .await
}

/// Gives a person another name, by which they sign in from then on.
pub async fn rename(
    services: &Services,
    admin: &Administrator,
    id: PersonId,
    name: Name,
) -> Result<()> {
    let account = person(services, admin, id).await?;
    if !account.key.as_deref().is_some_and(accounts::is_key_of_home) {
        let sentence = "only who signs in by name can be given another one";
        return Err(Error::conflict(sentence));
    }
    let record = Record {
        detail: Some(format!("to {}", name.as_str())),
        ..on_person(Act::Rename, &account)
    };
    let edit = PersonEdit {
        account_key: Some(profiles::free_key(&name)?),
        name: Some(name),
        ..PersonEdit::default()
    };
    let action = PersonAction::Describe(Box::new(edit));
    let (person, by) = (Arc::new(account.person), (admin.operator(), record));
    profiles::change_by(services, &person, action, Some(by))
        .await
        .map(drop)
}

/// Deletes an account: what it wrote stays under another name, its own name is free again, and everything
/// that is open by it ends at once.
pub async fn delete(services: &Services, admin: &Administrator, id: PersonId) -> Result<()> {
    let account = person(services, admin, id).await?;
    let record = on_person(Act::Delete, &account);
    let person = Arc::new(account.person);
    deletion::erase_by(services, &person, (admin.operator(), record)).await
}

/// Ends all logins of a person.
pub async fn sign_out(services: &Services, admin: &Administrator, id: PersonId) -> Result<()> {
    let ended = perform(services, admin, move |tx| {
        Box::pin(async move {
            let account = account(tx, id).await?;
            let ended = tx.delete_logins(id, None).await?;
            let record = (!ended.is_empty()).then(|| on_person(Act::SignOut, &account));
            Ok((ended, record))
        })
    });
    services.logins.end(&ended.await?);
    Ok(())
}

/// Ends the second factor of a person who has lost it, with its recovery codes: their password is enough to sign in
/// until they begin another one.
pub async fn reset_second_factor(
    services: &Services,
    admin: &Administrator,
    id: PersonId,
) -> Result<()> {
    perform(services, admin, move |tx| {
        Box::pin(async move {
            let account = account(tx, id).await?;
            let ended = tx.end_second_factor(id).await?;
            let record = ended.then(|| on_person(Act::ResetSecondFactor, &account));
            Ok(((), record))
        })
    })
    .await
}

/// Ends one login of a person.
pub async fn end_login(services: &Services, admin: &Administrator, login: LoginId) -> Result<()> {
    let ended = perform(services, admin, move |tx| {
        Box::pin(async move {
            let missing = || Error::not_found("there is no such login");
            let found = tx.login_at_home(login).await?.ok_or_else(missing)?;
            let account = account(tx, found.login.person).await?;
            tx.delete_login(found.login.person, login).await?;
            let record = Record {
                detail: found.login.client,
                ..on_person(Act::EndLogin, &account)
            };
            Ok((login, Some(record)))
        })
    });
    services.logins.end(&[ended.await?]);
    Ok(())
}
