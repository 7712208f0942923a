//! Live support: guests open conversations, and agents see their queues.

use std::{sync::Arc, time::Instant};

use crate::{
    chat::{
        Caller, Services,
        access::{self, Reader},
        accounts::{self, Device, NewLogin},
        callers::{self, Claims},
        logins::{self, Token},
        writer::{ActionRequest, ChatAction, CreateDraft},
    },
    error::{Error, Kind, Result},
    model::{
        ChatId, ChatKind, ClientId, ConversationStatus, Domain, Email, GuestChat, Message, Name,
        Names, Person, PersonId, PersonKind, Role, Scope, Tenant, TenantId, Timestamp, Title,
    },
    store::{ConversationPage, NewPerson, Tx},
};

/// A guest who opens a conversation.
#[derive(Debug)]
pub struct NewGuest<'a> {
    /// What they are called.
    pub name: &'a Name,
    /// Where to write to them.
    pub email: &'a Email,
    /// The site they come from.
    pub domain: &'a Domain,
    /// The secret under which they may say this again, should the answer be lost.
    pub key: Option<&'a ClientId>,
}

/// A part of a queue: of the chats whose guest's name or address or whose domain holds `query`, those
/// that come after the chat `before`, and of them `limit` after the first `skip`.
#[derive(Debug)]
pub struct Page {
    /// `skip` and `limit`.
    pub slice: (i64, i64),
    /// The last chat of the page before.
    pub before: Option<ChatId>,
    /// What is searched for.
    pub query: Option<String>,
}

/// Conversations of a queue, and how many there are.
#[derive(Debug)]
pub struct Queue {
    /// The chats.
    pub chats: Vec<GuestChat>,
    /// Whether there are more after them.
    pub has_more: bool,
    /// How many there are, with those before and after them.
    pub total: i64,
}

/// A guest with a conversation. Their token is returned once, or again under the key that it was made of.
pub struct GuestChatOpened {
    /// The guest.
    pub guest: Caller,
    /// Their chat.
    pub chat: ChatId,
    /// Their token.
    pub token: Token,
}

/// The site that a domain belongs to.
pub async fn site(services: &Services, domain: &Domain) -> Result<Tenant> {
    let found = services.store.tenant_of_domain(domain).await?;
    let found = found.filter(|site| site.suspended_at.is_none());
    found.ok_or_else(|| Error::not_found("this domain is not registered"))
}

/// Makes a new guest: a person, a login, and a conversation that waits for an agent. Under a key
/// that was shown before it is the same guest again.
pub async fn seat(
    services: &Services,
    site: &Tenant,
    new_guest: &NewGuest<'_>,
    device: &Device,
) -> Result<GuestChatOpened> {
    if let Some(opened) = opened_before(services, site, new_guest).await? {
        return Ok(opened);
    }
    let comes = services
        .login_throttle
        .guest(device.network, Instant::now())?;
    let opened = open_new(services, site, new_guest, device).await;
    comes.unless_failed(&opened);
    opened
}

async fn open_new(
    services: &Services,
    site: &Tenant,
    new_guest: &NewGuest<'_>,
    device: &Device,
) -> Result<GuestChatOpened> {
    let now = services.clock.now();
    let new = NewPerson {
        tenant: site.id,
        kind: PersonKind::Guest,
        name: new_guest.name.clone(),
        names: Names::default(),
        email: Some(new_guest.email.as_str().to_owned()),
        photo: None,
        external_id: None,
        account_key: None,
        password_hash: None,
    };
    let (tenant, key, login) = (site.id, new_guest.key.cloned(), device.login());
    let written = services.store.write(tenant, move |tx| {
        Box::pin(async move {
            let person = tx.insert_person(&new, now).await?;
            let token = add_login(tx, (tenant, person), key.as_ref(), &login, now).await?;
            Ok((person, token))
        })
    });
    let (person, token) = match written.await {
        Ok(written) => written,
        Err(error) if error.kind() == Kind::Conflict => {
            // The same was said at the same time, by another connection, and came first; or it was said
            // before, and the login that came of it has ended.
            let opened = opened_before(services, site, new_guest).await?;
            return opened.ok_or_else(|| used_up().because(error));
        }
        Err(error) => return Err(error),
    };
    let guest =
        callers::authenticate(services, &Claims::of(person, &token), None, Scope::Write).await?;
    let chat = begin(services, guest.person(), Some(new_guest.domain)).await?;
    Ok(GuestChatOpened { guest, chat, token })
}

/// The guest who was made under this key. The token is made of the key, so that nothing has to be kept
/// from which anybody could read either of them, and the key is worth something for as long as it.
async fn opened_before(
    services: &Services,
    site: &Tenant,
    new: &NewGuest<'_>,
) -> Result<Option<GuestChatOpened>> {
    let Some(key) = new.key else { return Ok(None) };
    let token = Token::of_key(site.id, key);
    let is_theirs = |person: &Person| person.tenant == site.id;
    // A key that nobody knows seats a new guest, and is counted as that.
    let Some(guest) =
        callers::holder_who(services, token.expose(), None, (Scope::Write, is_theirs)).await?
    else {
        return Ok(None);
    };
    let person = guest.person();
    let email = person.email.as_deref();
    if *person.name != *new.name.as_str() || email != Some(new.email.as_str()) {
        return Err(used_otherwise());
    }
    let chat = chat_of(services, person, Some(new.domain)).await?;
    Ok(Some(GuestChatOpened { guest, chat, token }))
}

/// What has ended stays ended, also for a client that knows its key.
fn used_up() -> Error {
    let sentence = "the login that was made under this client_id has ended: use a new one";
    Error::new(Kind::Unauthenticated, sentence)
}

fn used_otherwise() -> Error {
    Error::new(Kind::Mismatch, "this client_id was used for another guest")
}

/// Seats a guest again who proved who they are: in their chat, with one more token, which under the
/// same key is the same.
pub async fn reopen(
    services: &Services,
    guest: &Caller,
    key: Option<&ClientId>,
    device: &Device,
) -> Result<GuestChatOpened> {
    open_for(services, guest.person(), key, device).await
}

/// Seats the last guest again who gave an e-mail address, proven or not: an operator must want that.
pub async fn reopen_by_email(
    services: &Services,
    site: &Tenant,
    new: &NewGuest<'_>,
    device: &Device,
) -> Result<Option<GuestChatOpened>> {
    let comes = services
        .login_throttle
        .guest(device.network, Instant::now())?;
    let known = services
        .store
        .guest_by_email(site.id, new.email.as_str())
        .await;
    match &known {
        Ok(Some(_)) => drop(comes),
        // A new guest is counted when they are made.
        Ok(None) | Err(_) => comes.abandoned(),
    }
    match known? {
        Some(person) => open_for(services, &Arc::new(person), new.key, device)
            .await
            .map(Some),
        None => Ok(None),
    }
}

async fn open_for(
    services: &Services,
    guest: &Arc<Person>,
    key: Option<&ClientId>,
    device: &Device,
) -> Result<GuestChatOpened> {
    let chat = chat_of(services, guest, None).await?;
    let who = (guest.tenant, guest.id);
    let (now, login, its_key) = (services.clock.now(), device.login(), key.cloned());
    let (logins, person) = (Arc::clone(&services.logins), Arc::clone(guest));
    let added = services.store.write(who.0, move |tx| {
        Box::pin(async move {
            let token = add_login(tx, who, its_key.as_ref(), &login, now).await?;
            let ended = accounts::bound_logins(&logins, tx, &person, now).await?;
            Ok((token, ended))
        })
    });
    let token = match (added.await, key) {
        (Ok((token, ended)), _) => {
            services.logins.end(&ended);
            token
        }
        // Said before: it is their own, or somebody else's, or has ended.
        (Err(error), Some(key)) if error.kind() == Kind::Conflict => {
            let token = Token::of_key(who.0, key);
            let holder =
                callers::holder_who(services, token.expose(), None, (Scope::Write, |_: &_| true))
                    .await?;
            match holder {
                Some(holder) if holder.id() == who.1 => token,
                Some(_) => return Err(used_otherwise().because(error)),
                None => return Err(used_up().because(error)),
            }
        }
        (Err(error), _) => return Err(error),
    };
    let guest =
        callers::authenticate(services, &Claims::of(who.1, &token), None, Scope::Write).await?;
    Ok(GuestChatOpened { guest, chat, token })
}

/// Adds a login by a random token, or by the one that a key makes: a conflict when the key has made it
/// before.
async fn add_login(
    tx: &mut Tx,
    who: (TenantId, PersonId),
    key: Option<&ClientId>,
    login: &NewLogin,
    now: Timestamp,
) -> Result<Token> {
    match key {
        None => accounts::add_login(tx, who, login, now).await,
        Some(key) => {
            let token = Token::of_key(who.0, key);
            if !tx.insert_guest_key(who, &token.hash(), now).await? {
                return Err(Error::conflict("this client_id was used before"));
            }
            tx.insert_own_token(who, &token.hash(), now).await?;
            Ok(token)
        }
    }
}

/// A guest's chat. It is begun anew when it was deleted, or when the server stopped before it was made.
async fn chat_of(
    services: &Services,
    guest: &Arc<Person>,
    domain: Option<&Domain>,
) -> Result<ChatId> {
    let chat = services.store.chat_of_guest(guest.tenant, guest.id).await?;
    match chat {
        Some(chat) => Ok(chat),
        None => begin(services, guest, domain).await,
    }
}

async fn begin(
    services: &Services,
    guest: &Arc<Person>,
    domain: Option<&Domain>,
) -> Result<ChatId> {
    let draft = CreateDraft {
        joins_as: Some(Role::Member),
        title: Title::parse(&guest.name).ok(),
        domain: domain.map(Domain::shown),
        ..CreateDraft::new(guest, ChatKind::Conversation)
    };
    Ok(services.writer.create(draft).await?.chat)
}

/// Proves that a chat is a conversation and that the caller may read it: its guest may, and the site's
/// agents.
pub async fn reader(services: &Services, caller: &Caller, chat: ChatId) -> Result<Reader> {
    let reader = access::reader(services, caller, chat).await?;
    match reader.chat().kind {
        ChatKind::Conversation => Ok(reader),
        ChatKind::Open | ChatKind::Private | ChatKind::Direct => {
            Err(Error::not_found("there is no such chat"))
        }
    }
}

/// The conversations of the caller's site that have a status: those that wait by how long they do, those that are
/// answered by their newest activity, those that are closed by when they were, the last first.
pub async fn queue(
    services: &Services,
    owner: &Caller,
    status: ConversationStatus,
    page: &Page,
) -> Result<Queue> {
    if !owner.person().is_agent() {
        return Err(Error::forbidden(
            "only an agent of the site may see its queues",
        ));
    }
    let key: (TenantId, PersonId) = (owner.tenant(), owner.id());
    let (skip, limit) = page.slice;
    let after = match page.before {
        None => None,
        Some(chat) => {
            let place = services.store.queue_position(key.0, status, chat).await?;
            Some(place.ok_or_else(|| Error::not_found("there is no such chat"))?)
        }
    };
    let asked = ConversationPage {
        slice: (skip, limit.saturating_add(1)),
        after,
        query: page.query.as_deref(),
    };
    let mut chats = services.store.guest_chats(key, status, &asked).await?;
    let limit = usize::try_from(limit).unwrap_or(0);
    let has_more = chats.len() > limit;
    chats.truncate(limit);
    let total = services
        .store
        .count_conversations(key.0, status, asked.query)
        .await?;
    Ok(Queue {
        chats,
        has_more,
        total,
    })
}

/// A chat's messages in the order they came: `limit` of them after the first `skip`.
pub async fn slice(
    services: &Services,
    reader: &Reader,
    (skip, limit): (i64, i64),
) -> Result<Vec<Message>> {
    services
        .store
        .messages_slice(reader.key(), (skip, limit))
        .await
}

/// Ends a conversation, until the guest writes again. Said again under the same key it ends nothing.
pub async fn close(
    services: &Services,
    caller: &Caller,
    chat: ChatId,
    key: Option<ClientId>,
) -> Result<()> {
    let key = key.map(|key| logins::client_id_of(caller.person(), key));
    services
        .writer
        .act(ActionRequest::own(
            caller.person(),
            chat,
            ChatAction::Close(key),
        ))
        .await
}
