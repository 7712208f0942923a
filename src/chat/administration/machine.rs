//! What the operator does on the machine, beside a running server: an administrator of home, a new password.
//!
//! Another process ends the logins, and the server keeps logins in memory: so their end is noted in the same
//! transaction, and the server looks at those notes every second.

use super::{
    NewAccount, account, on_person,
    people::{may_administer, new_person},
};
use crate::{
    chat::{
        Services,
        accounts::{self, HOME},
    },
    error::{Error, Result},
    model::{Account, Act, Name, Operator, Password},
};

/// How many notes are read at a time.
const NOTES: i64 = 500;

/// The operator of the machine.
const MACHINE: Operator = Operator {
    person: None,
    address: None,
};

/// The outcome of making an administrator.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NewAdministrator {
    /// Who had an account is one now.
    Promoted,
    /// An account was made.
    Made,
    /// They were one before.
    Already,
}

/// Makes an administrator of home of the person who has this name; where nobody has it, of a new account with the
/// password that `password` reads.
pub async fn make_administrator(
    services: &Services,
    name: &str,
    password: impl FnOnce() -> Result<Password>,
) -> Result<NewAdministrator> {
    let known = find(services, name).await?;
    let (person, new) = match known {
        Some(account) => (Some(account.person.id), None),
        None => {
            let new = NewAccount {
                name: Name::parse_own(name)?,
                email: None,
                password: Some(password()?),
            };
            (None, Some(new_person(services, &new).await?))
        }
    };
    let now = services.clock.now();
    let made = services.store.write(HOME, move |tx| {
        Box::pin(async move {
            let person = match (person, &new) {
                (Some(person), _) => person,
                (None, Some(new)) => {
                    let person = accounts::insert_account(tx, new, now).await?;
                    let record = on_person(Act::Create, &account(tx, person).await?);
                    tx.insert_audit(&MACHINE, &record, now).await?;
                    person
                }
                (None, None) => return Err(nobody()),
            };
            let account = account(tx, person).await?;
            may_administer(&account)?;
            if !tx.set_administrator(person, true, now).await? {
                return Ok(NewAdministrator::Already);
            }
            let record = on_person(Act::Promote, &account);
            tx.insert_audit(&MACHINE, &record, now).await?;
            Ok(match new {
                Some(_) => NewAdministrator::Made,
                None => NewAdministrator::Promoted,
            })
        })
    });
    made.await
}

/// What a new password does to a second factor.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SecondFactorChoice {
    /// It stays.
    Keep,
    /// It ends: who forgot the password has lost that too.
    Reset,
}

/// What has become of a second factor.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SecondFactorLeft {
    /// There was none.
    None,
    /// There is one still.
    Kept,
    /// It was ended.
    Reset,
}

/// Sets a new password, that `password` reads, for the person who has this name, and ends all their logins; a running
/// server ends them within two seconds.
pub async fn set_password(
    services: &Services,
    name: &str,
    choice: SecondFactorChoice,
    password: impl FnOnce() -> Result<Password>,
) -> Result<SecondFactorLeft> {
    let person = find(services, name).await?.ok_or_else(nobody)?.person;
    let new = accounts::new_password_of(services, &password()?, &person)?;
    let hash = services.hasher.hash(&new).await?;
    let now = services.clock.now();
    let set = services.store.write(HOME, move |tx| {
        Box::pin(async move {
            let account = account(tx, person.id).await?;
            tx.set_password(person.id, &hash, now).await?;
            tx.delete_links_of(person.id).await?;
            tx.delete_logins(person.id, None).await?;
            tx.insert_revocation(person.id).await?;
            let record = on_person(Act::SetPassword, &account);
            tx.insert_audit(&MACHINE, &record, now).await?;
            if choice == SecondFactorChoice::Keep {
                return Ok(if account.has_second_factor {
                    SecondFactorLeft::Kept
                } else {
                    SecondFactorLeft::None
                });
            }
            if !tx.end_second_factor(person.id).await? {
                return Ok(SecondFactorLeft::None);
            }
            let record = on_person(Act::ResetSecondFactor, &account);
            tx.insert_audit(&MACHINE, &record, now).await?;
            Ok(SecondFactorLeft::Reset)
        })
    });
    set.await
}

/// The person who signs in by this name, however it is written.
async fn find(services: &Services, name: &str) -> Result<Option<Account>> {
    for folded in Name::candidates(name) {
        let key = accounts::account_key(&folded);
        if let Some(account) = services.store.home_account_by_key(&key).await? {
            return Ok(Some(account));
        }
    }
    Ok(None)
}

fn nobody() -> Error {
    Error::not_found("nobody signs in by that name")
}

/// Ends the logins that another process has ended in the database, and forgets its notes of that.
pub(in crate::chat) async fn end_revoked(services: &Services) -> Result<()> {
    let notes = services.store.revocations(NOTES).await?;
    if notes.is_empty() {
        return Ok(());
    }
    for (_, person) in &notes {
        // In this order: one that begins meanwhile is not among the live ones, and stays.
        let mut ended = services.logins.live_of(*person);
        let kept = services.store.logins(*person).await?;
        ended.retain(|login| kept.iter().all(|kept| kept.id != *login));
        services.logins.end(&ended);
    }
    let notes: Vec<_> = notes.into_iter().map(|(note, _)| note).collect();
    let forgotten = services.store.write(HOME, move |tx| {
        Box::pin(async move { tx.delete_revocations(&notes).await })
    });
    forgotten.await
}
