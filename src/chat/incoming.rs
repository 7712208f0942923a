//! Incoming hooks: a secret address by which a program says something in one chat.
//!
//! Each speaks as a person of its own, who is a member of the chat like others: so what it says has a sender, it says
//! nothing any more once an admin has removed it, and nobody is spoken for. At home its name is taken as long as the
//! hook lives, so that it cannot be somebody else's.

use std::{sync::Arc, time::Duration};

use crate::{
    chat::{
        Caller, Services,
        access::{Reader, denied},
        accounts::{Device, HOME},
        limits::{self, Who},
        logins::{self, Token},
        members::{self, Authority},
        messages::{self, Draft, Sent},
        profiles,
    },
    error::{Error, Kind, Result},
    model::{HookId, IncomingHook, Name, Names, PersonKind, Relation, Timestamp},
    store::NewPerson,
};

/// The most incoming hooks of one chat.
const MOST: i64 = 20;
/// Uses are written down no more often than this.
const TOUCH: Duration = Duration::from_mins(1);

/// A fresh hook: its secret is told once.
pub struct IssuedHook {
    /// Its number.
    pub id: HookId,
    /// Its secret.
    pub secret: Token,
}

/// Makes a hook that speaks in a chat under a name: the chat's admins may.
pub async fn create(
    services: &Services,
    caller: &Caller,
    reader: &Reader,
    name: Name,
) -> Result<IssuedHook> {
    govern(caller, reader)?;
    let (tenant, chat) = reader.key();
    let secret = Token::random();
    let account_key = (tenant == HOME).then(|| profiles::free_key(&name));
    let bot = NewPerson {
        tenant,
        kind: PersonKind::Person,
        name,
        names: Names::default(),
        email: None,
        photo: None,
        external_id: None,
        account_key: account_key.transpose()?,
        password_hash: None,
    };
    let (by, now, hash) = (caller.id(), services.clock.now(), secret.hash());
    let made = services.store.write(tenant, move |tx| {
        Box::pin(async move {
            if tx.count_hooks(chat).await? >= MOST {
                return Err(Error::conflict(format!(
                    "the chat has {MOST} hooks already"
                )));
            }
            let person = tx.insert_person(&bot, now).await?;
            let hook = tx.insert_hook((tenant, chat), (person, by), &hash, now);
            Ok((hook.await?, person))
        })
    });
    let (id, person) = made.await?;
    // The writer decides once more whether the caller may: until then the hook says nothing.
    let added = members::add(services, caller, Authority::Own, chat, &[person]).await;
    if let Err(refused) = added {
        forget(services, reader, id).await?;
        return Err(refused);
    }
    Ok(IssuedHook { id, secret })
}

/// The hooks of a chat, the oldest first: its admins see them.
pub async fn list(
    services: &Services,
    caller: &Caller,
    reader: &Reader,
) -> Result<Vec<IncomingHook>> {
    govern(caller, reader)?;
    services.store.hooks_of(reader.chat().id).await
}

/// Ends a hook, whose person leaves the chat: the chat's admins may.
pub async fn delete(
    services: &Services,
    caller: &Caller,
    reader: &Reader,
    hook: HookId,
) -> Result<()> {
    govern(caller, reader)?;
    let missing = || Error::not_found("there is no such hook");
    let hooks = services.store.hooks_of(reader.chat().id).await?;
    let found = hooks.iter().find(|it| it.id == hook).ok_or_else(missing)?;
    forget(services, reader, hook).await?;
    let person = [found.person.id];
    let removed = members::remove(services, caller, Authority::Own, reader.chat().id, &person);
    match removed.await {
        // Somebody has removed it before.
        Err(error) if error.kind() == Kind::NotFound => Ok(()),
        outcome => outcome,
    }
}

async fn forget(services: &Services, reader: &Reader, hook: HookId) -> Result<()> {
    let (tenant, chat) = reader.key();
    let deleted = services
        .store
        .write(tenant, move |tx| Box::pin(tx.delete_hook(chat, hook)));
    deleted.await.map(drop)
}

/// Says something by a hook, if there is one with this secret. Who guesses at secrets is slowed down.
pub async fn say(services: &Services, secret: &str, draft: Draft, device: &Device) -> Result<Sent> {
    let found = services.store.hook_by_secret(&logins::hash(secret)).await?;
    limits::count_secret(services, secret, device.network, found.is_some()).await?;
    let hook = found.ok_or_else(|| Error::not_found("there is no such hook"))?;
    services.limits.count(Who::Hook(hook.id))?;
    services.limits.count(Who::Tenant(hook.person.tenant))?;
    let (chat, person) = (hook.chat, Arc::new(hook.person.clone()));
    let sent = messages::send_as(services, person, chat, draft).await?;
    note_use(services, &hook, services.clock.now()).await;
    Ok(sent)
}

/// Writes down that a hook was used, once in a while. What it said is said, whether that works or not.
async fn note_use(services: &Services, hook: &IncomingHook, now: Timestamp) {
    if hook.used_at.is_some_and(|used| now.since(used) < TOUCH) {
        return;
    }
    let id = hook.id;
    let noted = services
        .store
        .write_in_background(hook.person.tenant, move |tx| {
            Box::pin(tx.touch_hook(id, now))
        });
    if let Err(error) = noted.await {
        tracing::debug!(cause = ?error, "The use of a hook could not be written down.");
    }
}

/// Refuses who does not govern a chat.
fn govern(caller: &Caller, reader: &Reader) -> Result<()> {
    let relation = Relation::new(reader.chat().kind, caller.person(), reader.membership());
    relation.can_govern().map_err(denied)
}
