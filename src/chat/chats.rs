//! Chats: making them, listing them, coming and going.

use std::{collections::HashMap, sync::Arc};

use crate::{
    chat::{
        Caller, Services, members,
        writer::{ActionRequest, ChatAction, CreateDraft, ReadDraft, Right},
    },
    error::{Error, Kind, Result},
    model::{
        self, Chat, ChatId, ChatKind, ChatSummary, Cursor, MessageId, PersonId, Position, Role,
        Title,
    },
};

pub use crate::chat::writer::{MOST_AT_ONCE, READS_SHOWN_UP_TO};

/// The most people that one list of chats names.
const LISTED_PEOPLE: i64 = 20_000;

/// A page of somebody's chats, and the log's place before it was read.
#[derive(Debug)]
pub struct Listing {
    /// The chats, newest activity first.
    pub chats: Vec<ChatSummary>,
    /// Whether there are older ones.
    pub more: bool,
    /// Everything up to here is in the page; what comes after may be.
    pub cursor: Cursor,
}

/// The open chats of the caller's tenant and their own.
pub async fn list(
    services: &Services,
    caller: &Caller,
    before: Option<Position>,
    limit: usize,
) -> Result<Listing> {
    let cursor = services.cursor();
    let (mut chats, more) = services.store.chats(caller.person(), before, limit).await?;
    if caller.person().is_guest() {
        chats.retain(|listed| listed.chat.kind != ChatKind::Open);
    }
    Ok(Listing {
        chats,
        more,
        cursor,
    })
}

/// A page of the chats that the caller is in, each with the people in it, and whether there are more:
/// those whose newest activity was before `before`.
pub async fn list_own(
    services: &Services,
    caller: &Caller,
    before: Option<Position>,
    limit: usize,
) -> Result<(Vec<(Chat, Vec<PersonId>)>, bool)> {
    let _turn = services.lists.take(caller.tenant()).await?;
    let store = &services.store;
    let (mut listed, mut more) = store.own_chats(caller.person(), before, limit).await?;
    let fit = how_many_fit(&listed);
    more |= fit < listed.len();
    listed.truncate(fit);
    let oldest = listed
        .last()
        .map_or(Position::START, |chat| chat.last_position);
    let mut people: HashMap<ChatId, Vec<PersonId>> = HashMap::new();
    for (chat, person) in services
        .store
        .members_beside(caller.person(), oldest)
        .await?
    {
        people.entry(chat).or_default().push(person);
    }
    let chats = listed
        .into_iter()
        .map(|chat| {
            let people = people.remove(&chat.id).unwrap_or_default();
            (chat, people)
        })
        .collect();
    Ok((chats, more))
}

/// How many of these chats have together no more people than one list names: the first always fits.
fn how_many_fit(chats: &[Chat]) -> usize {
    let mut people = 0;
    let fit = chats.iter().take_while(|chat| {
        people += chat.members;
        people <= LISTED_PEOPLE
    });
    fit.count().max(1).min(chats.len())
}

/// Who finds a chat that somebody makes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Visibility {
    /// Everybody in the tenant.
    Open,
    /// Its members.
    Private,
}

/// Makes a chat of people of one tenant, with the caller as its admin.
pub async fn create(
    services: &Services,
    caller: &Caller,
    visibility: Visibility,
    title: Title,
    members: &[PersonId],
) -> Result<ChatId> {
    not_a_guest(caller)?;
    let kind = match visibility {
        Visibility::Open => ChatKind::Open,
        Visibility::Private => ChatKind::Private,
    };
    let draft = CreateDraft {
        joins_as: Some(Role::Admin),
        title: Some(title),
        members: members::find_counted(services, caller, members).await?,
        ..CreateDraft::new(caller.person(), kind)
    };
    services.writer.create(draft).await
}

/// The direct chat of the caller and somebody else, and whether it is new: two people have one, which
/// whoever left it is in again.
pub async fn create_direct(
    services: &Services,
    caller: &Caller,
    other: PersonId,
) -> Result<(ChatId, bool)> {
    not_a_guest(caller)?;
    let tenant = caller.tenant();
    let pair = model::chat::pair_key(caller.id(), other);
    let others = members::find(services, tenant, &[other]).await?;
    let known = services.store.direct_chat(tenant, &pair).await?;
    let chat = match known {
        Some(chat) => chat,
        None => {
            let draft = CreateDraft {
                joins_as: Some(Role::Admin),
                members: others.clone(),
                ..CreateDraft::new(caller.person(), ChatKind::Direct)
            };
            match services.writer.create(draft).await {
                Ok(chat) => return Ok((chat, true)),
                Err(error) if error.kind() == Kind::Conflict => {
                    // The other, or the caller elsewhere, was quicker.
                    let made = services.store.direct_chat(tenant, &pair).await?;
                    made.ok_or(error)?
                }
                Err(error) => return Err(error),
            }
        }
    };
    let change = members::Change {
        actor: Arc::clone(caller.person()),
        right: Right::Tenant,
        chat,
    };
    let mut both = others;
    both.push(Arc::clone(caller.person()));
    members::add_found(services, &change, &both).await?;
    Ok((chat, false))
}

/// Refuses guests of a desk, who are anybody: they talk to its owners and to nobody else.
fn not_a_guest(caller: &Caller) -> Result<()> {
    if caller.person().is_guest() {
        return Err(Error::forbidden("a guest's own chat is all a guest has"));
    }
    Ok(())
}

/// Makes the caller a member of an open chat.
pub async fn join(services: &Services, caller: &Caller, chat: ChatId) -> Result<()> {
    act(services, caller, chat, ChatAction::Join).await
}

/// Ends the caller's membership.
pub async fn leave(services: &Services, caller: &Caller, chat: ChatId) -> Result<()> {
    act(services, caller, chat, ChatAction::Leave).await
}

/// Moves the caller's read mark forward; going back does nothing.
pub async fn read(
    services: &Services,
    caller: &Caller,
    chat: ChatId,
    up_to: MessageId,
) -> Result<()> {
    let actor = Arc::clone(caller.person());
    services.writer.read(ReadDraft { actor, chat, up_to }).await
}

async fn act(services: &Services, caller: &Caller, chat: ChatId, action: ChatAction) -> Result<()> {
    let request = ActionRequest::own(caller.person(), chat, action);
    services.writer.act(request).await
}
