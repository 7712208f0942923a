//! The end of an account, and of people whom a tenant registered.
//!
//! # Why
//! The account ends first, in one transaction with its logins and with what tells of it: from then on nobody
//! acts in its name. Its memberships, which may be thousands, end after that, a few at a time, so that others
//! need not wait. What an interruption leaves of them is ended by housekeeping.

use std::sync::Arc;

use futures_util::{StreamExt, stream};

use crate::{
    chat::{
        Caller, Services,
        accounts::{self, Device},
        profiles, sessions,
        writer::{ActionRequest, ChatAction, Kept, PersonAction},
    },
    error::{Kind, Result},
    model::{ChatId, Operator, Password, Person, Record},
};

/// How many memberships end at a time.
const AT_ONCE: usize = 16;
/// How many people who are gone housekeeping looks at in one go.
const PEOPLE: i64 = 100;

/// Deletes the caller's account, if they prove its password.
pub async fn delete_me(
    services: &Services,
    caller: &Caller,
    password: &Password,
    device: &Device,
) -> Result<()> {
    accounts::own_account(services, caller).await?;
    sessions::prove_again(services, caller, password, device).await?;
    erase(services, caller.person()).await
}

/// Deletes an account: what it wrote stays under another name, its own name is free again, its logins end at
/// once, and so do its memberships.
pub async fn erase(services: &Services, person: &Arc<Person>) -> Result<()> {
    end(services, person, Kept::Nothing).await.map(drop)
}

/// Deletes a person whom a tenant registered and may bring back.
pub(super) async fn retire(services: &Services, person: &Arc<Person>) -> Result<Arc<Person>> {
    end(services, person, Kept::Profile).await
}

/// Deletes an account as an administrator of the server does, which is written down.
pub(super) async fn erase_by(
    services: &Services,
    person: &Arc<Person>,
    audit: (Operator, Record),
) -> Result<()> {
    let action = PersonAction::Delete(Kept::Nothing);
    let gone = profiles::change_by(services, person, action, Some(audit)).await?;
    ended(services, gone).await.map(drop)
}

async fn end(services: &Services, person: &Arc<Person>, kept: Kept) -> Result<Arc<Person>> {
    let gone = profiles::change(services, person, PersonAction::Delete(kept)).await?;
    ended(services, gone).await
}

async fn ended(services: &Services, gone: Arc<Person>) -> Result<Arc<Person>> {
    services.logins.end_replaced(gone.id);
    leave_all(services, &gone).await?;
    Ok(gone)
}

/// Ends the memberships of somebody who is gone.
async fn leave_all(services: &Services, person: &Arc<Person>) -> Result<()> {
    let memberships = services.store.memberships(person.id).await?;
    let left = stream::iter(memberships).map(|(chat, _)| leave(services, person, chat));
    let left: Vec<_> = left.buffer_unordered(AT_ONCE).collect().await;
    left.into_iter().collect()
}

async fn leave(services: &Services, person: &Arc<Person>, chat: ChatId) -> Result<()> {
    let request = ActionRequest::own(person, chat, ChatAction::Leave);
    match services.writer.act(request).await {
        Err(error) if error.kind() != Kind::NotFound => Err(error),
        Ok(()) | Err(_) => Ok(()),
    }
}

/// Ends the memberships that interrupted deletions have left.
pub(super) async fn finish(services: &Services) -> Result<()> {
    for person in services.store.gone_members(PEOPLE).await? {
        leave_all(services, &Arc::new(person)).await?;
    }
    Ok(())
}
