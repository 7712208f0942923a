//! Chats: making them, listing them, coming and going.

use std::{collections::HashMap, sync::Arc};

use crate::{
    chat::{
        Caller, Services,
        access::{self, denied},
        members,
        writer::{self, ActionRequest, ChatAction, CreateDraft, ReadDraft},
    },
    error::{Error, Result},
    model::{
        Chat, ChatId, ChatKind, ChatSummary, Cursor, Description, MessageId, PersonId, PersonName,
        Position, Relation, Role, Title,
    },
};

pub use crate::chat::writer::{MOST_AT_ONCE, READS_SHOWN_UP_TO};

pub use crate::chat::writer::{ChatEdit, CreateKey, Created, SettingsEdit, Was};

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
    let cursor = services.cursor(caller.tenant());
    let (chats, more) = services.store.chats(caller.person(), before, limit).await?;
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
    /// The caller and one other: the one chat that two people have with each other.
    Direct,
}

/// A chat that somebody wants to make.
#[derive(Debug)]
pub struct NewChat<'a> {
    /// Who finds it.
    pub visibility: Visibility,
    /// What it is called; a direct chat has no title.
    pub title: Option<Title>,
    /// What it is about.
    pub description: Option<Description>,
    /// Who is in it beside the caller.
    pub members: &'a [PersonId],
    /// What makes it harmless to want it again.
    pub key: Option<CreateKey>,
}

/// Makes a chat with the caller as its admin, and these people in it. Two people have one direct chat, which has
/// no admin and a person who left it is in again; under a key that was shown before it is the chat of that time,
/// whatever became of it since.
pub async fn create(services: &Services, caller: &Caller, new: NewChat<'_>) -> Result<Created> {
    not_a_guest(caller)?;
    let kind = match new.visibility {
        Visibility::Open => ChatKind::Open,
        Visibility::Private => ChatKind::Private,
        Visibility::Direct => ChatKind::Direct,
    };
    if let Some(key) = &new.key {
        let known = services.store.creation(key.in_tenant(caller.tenant()));
        if let Some(earlier) = known.await? {
            let people = new.members.iter().copied().chain([caller.id()]);
            let about = (new.title.as_ref(), new.description.as_ref());
            let digest = writer::creation_digest(kind, about, people);
            return writer::replay(&earlier, &digest);
        }
    }
    let draft = CreateDraft {
        joins_as: Some(match kind {
            ChatKind::Open | ChatKind::Private => Role::Admin,
            ChatKind::Direct | ChatKind::Conversation => Role::Member,
        }),
        title: new.title,
        description: new.description,
        members: members::find_counted(services, caller, new.members).await?,
        key: new.key,
        ..CreateDraft::new(caller.person(), kind)
    };
    services.writer.create(draft).await
}

/// Refuses guests of live support, who are not authenticated: they reach the agents of their site alone.
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

/// Changes what a chat is called, what it is about and who may find it: its admins may.
pub async fn update(
    services: &Services,
    caller: &Caller,
    chat: ChatId,
    edit: ChatEdit,
) -> Result<()> {
    act(services, caller, chat, ChatAction::Update(edit)).await
}

/// Deletes a chat: its admins may.
pub async fn delete(services: &Services, caller: &Caller, chat: ChatId) -> Result<()> {
    act(services, caller, chat, ChatAction::DeleteChat).await
}

/// Keeps what the caller sets for themselves in a chat that they are in.
pub async fn set(
    services: &Services,
    caller: &Caller,
    chat: ChatId,
    edit: SettingsEdit,
) -> Result<()> {
    act(services, caller, chat, ChatAction::Set(edit)).await
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

/// How far the members of a chat have read: of a chat of more than [`READS_SHOWN_UP_TO`] the caller's own mark alone.
pub async fn reads(
    services: &Services,
    caller: &Caller,
    chat: ChatId,
) -> Result<Vec<(PersonName, MessageId)>> {
    let reader = access::reader(services, caller, chat).await?;
    let chat = reader.chat();
    Relation::new(chat.kind, caller.person(), reader.membership())
        .can_signal()
        .map_err(denied)?;
    if chat.members > READS_SHOWN_UP_TO {
        let own = reader
            .membership()
            .map(|own| (caller.person().called(), own.read));
        return Ok(own.into_iter().collect());
    }
    // A site's agents are no members of its conversations.
    let all_marks = chat.kind == ChatKind::Conversation;
    services.store.read_marks(reader.key(), all_marks).await
}

async fn act(services: &Services, caller: &Caller, chat: ChatId, action: ChatAction) -> Result<()> {
    let request = ActionRequest::own(caller.person(), chat, action);
    services.writer.act(request).await
}
