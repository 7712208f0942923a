//! The desk: guests come to it, and those who run it see who waits.

use std::sync::Arc;

use crate::{
    chat::{
        Caller, Services,
        access::{self, Reader},
        accounts::{self, Device, SignedIn},
        logins::Token,
        writer::{Act, ActDraft, CreateDraft, Right},
    },
    error::{Error, Result},
    model::{
        ChatId, ChatKind, DeskChat, DeskStatus, Domain, Email, Message, Name, Names, Person,
        PersonId, PersonKind, Role, Sign, Signal, Tenant, TenantId, Title,
    },
    store::NewPerson,
};

/// Who comes to a desk.
#[derive(Debug)]
pub struct NewGuest<'a> {
    /// What they are called.
    pub name: &'a Name,
    /// Where to write to them.
    pub email: &'a Email,
    /// The site they come from.
    pub domain: &'a Domain,
}

/// A guest at a desk: the token is told once.
pub struct Seated {
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
    found.ok_or_else(|| Error::not_found("nobody runs a desk for this domain"))
}

/// Seats a new guest: a person, a login, and a chat that waits for whoever runs the desk.
pub async fn seat(
    services: &Services,
    site: &Tenant,
    new_guest: &NewGuest<'_>,
    device: &Device,
) -> Result<Seated> {
    let now = services.clock.now();
    services.throttle.guest(device.network, now)?;
    let new = NewPerson {
        tenant: site.id,
        kind: PersonKind::Guest,
        name: new_guest.name,
        names: Names::default(),
        email: Some(new_guest.email.as_str()),
        photo: None,
        external_id: None,
        account_key: None,
        password_hash: None,
    };
    let mut tx = services.store.begin().await?;
    let person = tx.insert_person(&new, now).await?;
    let token = accounts::add_login(&mut tx, (site.id, person), device, now).await?;
    tx.commit().await?;
    let guest = accounts::authenticate(services, person, token.expose()).await?;
    let chat = begin(services, guest.person(), Some(new_guest.domain)).await?;
    Ok(Seated { guest, chat, token })
}

/// Seats a guest again who proved who they are: in their chat, with one more token.
pub async fn seat_again(services: &Services, guest: &Caller, device: &Device) -> Result<Seated> {
    seat_person(services, guest.person(), device).await
}

/// Seats the last guest again who gave an e-mail address, proven or not: an operator must want that.
pub async fn seat_by_email(
    services: &Services,
    site: &Tenant,
    email: &Email,
    device: &Device,
) -> Result<Option<Seated>> {
    let now = services.clock.now();
    services.throttle.guest(device.network, now)?;
    let known = services
        .store
        .guest_by_email(site.id, email.as_str())
        .await?;
    match known {
        Some(person) => seat_person(services, &Arc::new(person), device)
            .await
            .map(Some),
        None => Ok(None),
    }
}

async fn seat_person(services: &Services, guest: &Arc<Person>, device: &Device) -> Result<Seated> {
    let (tenant, id) = (guest.tenant, guest.id);
    let chat = match services.store.chat_of_guest(tenant, id).await? {
        Some(chat) => chat,
        // Its chat was deleted, or the server stopped before it was made.
        None => begin(services, guest, None).await?,
    };
    let SignedIn { person, token } = accounts::begin_login(services, (tenant, id), device).await?;
    let guest = accounts::authenticate(services, person, token.expose()).await?;
    Ok(Seated { guest, chat, token })
}

async fn begin(
    services: &Services,
    guest: &Arc<Person>,
    domain: Option<&Domain>,
) -> Result<ChatId> {
    let draft = CreateDraft {
        tenant: guest.tenant,
        maker: Arc::clone(guest),
        joins_as: Some(Role::Member),
        kind: ChatKind::Desk,
        title: Title::parse(&guest.name).ok(),
        room: None,
        extra: None,
        domain: domain.map(Domain::shown),
        members: Vec::new(),
    };
    services.writer.create(draft).await
}

/// Proves that a chat is at a desk and that the caller may read it: its guest may, and whoever runs
/// the desk.
pub async fn reader(services: &Services, caller: &Caller, chat: ChatId) -> Result<Reader> {
    let reader = access::reader(services, caller, chat).await?;
    match reader.chat().kind {
        ChatKind::Desk => Ok(reader),
        ChatKind::Open | ChatKind::Private | ChatKind::Direct => {
            Err(Error::not_found("there is no such chat"))
        }
    }
}

/// The chats that stand so at the caller's desk: those that wait by how long they do, the others by
/// their newest activity.
pub async fn queue(
    services: &Services,
    owner: &Caller,
    status: DeskStatus,
    slice: (i64, i64),
) -> Result<Vec<DeskChat>> {
    if !owner.person().runs_desk() {
        return Err(Error::forbidden(
            "only who runs the desk may see its queues",
        ));
    }
    let key: (TenantId, PersonId) = (owner.tenant(), owner.id());
    services.store.desk_chats(key, status, slice).await
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

/// Ends a conversation, until the guest writes again.
pub async fn close(services: &Services, caller: &Caller, chat: ChatId) -> Result<()> {
    services
        .writer
        .act(ActDraft {
            actor: Arc::clone(caller.person()),
            right: Right::Own,
            chat,
            act: Act::Close,
        })
        .await
}

/// Tells the others in a chat something that is not kept.
pub fn signal(services: &Services, caller: &Caller, reader: &Reader, origin: u64, sign: Sign) {
    let (tenant, chat) = reader.key();
    services.hub.signal(Signal {
        tenant,
        chat,
        desk: reader.chat().kind == ChatKind::Desk,
        actor: Arc::clone(caller.person()),
        origin: Some(origin),
        sign,
    });
}
