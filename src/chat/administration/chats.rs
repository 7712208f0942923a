//! Chats of home: finding and deleting them, and taking messages down.
//!
//! An administrator learns who is in a chat and how much is said there, and not what: who is not a member of a
//! private chat cannot read it, whatever their office.

use super::Administrator;
use crate::{
    chat::{
        Services,
        accounts::HOME,
        writer::{ActionRequest, ChatAction},
    },
    error::{Error, Result},
    model::{
        Act, Chat, ChatId, MessageId, Person, PersonId, Record, Target, TargetKind, text::fold,
    },
};

/// The most members that the details of a chat name.
const MEMBERS_LISTED: i64 = 200;

/// A chat, and who made it.
pub type ChatListing = (Chat, Person);

/// A chat, who made it, and its first members, each with their role.
#[derive(Debug)]
pub struct ChatDetails {
    /// The chat.
    pub chat: Chat,
    /// Who made it.
    pub created_by: Person,
    /// Those who came first.
    pub members: Vec<(Person, String)>,
}

/// A page of the chats of home, the newest first, and whether there are more: those whose titles begin
/// with `prefix`.
pub async fn chats(
    services: &Services,
    _: &Administrator,
    prefix: &str,
    before: Option<ChatId>,
    limit: usize,
) -> Result<(Vec<ChatListing>, bool)> {
    let wanted = i64::try_from(limit + 1).unwrap_or(i64::MAX);
    let before = before.unwrap_or(ChatId::new(i64::MAX));
    let prefix = fold::fold(prefix);
    let found = services.store.home_chats(&prefix, before, wanted).await?;
    Ok(super::server::page(found, limit))
}

/// One chat of home.
pub async fn chat(services: &Services, _: &Administrator, id: ChatId) -> Result<ChatDetails> {
    let chat = find(services, id).await?;
    let created_by = services.store.former_person(HOME, chat.created_by).await?;
    let unmade = || Error::internal("a chat that nobody made");
    let members = services.store.first_members(HOME, id, MEMBERS_LISTED);
    Ok(ChatDetails {
        members: members.await?,
        created_by: created_by.ok_or_else(unmade)?,
        chat,
    })
}

async fn find(services: &Services, id: ChatId) -> Result<Chat> {
    // Nobody has the number 0: nobody's place is read.
    let found = services.store.chat(HOME, id, PersonId::new(0)).await?;
    let (chat, _) = found.ok_or_else(|| Error::not_found("there is no such chat"))?;
    Ok(chat)
}

/// Deletes a chat: its members are told, and its title is free again.
pub async fn delete_chat(services: &Services, admin: &Administrator, id: ChatId) -> Result<()> {
    let chat = find(services, id).await?;
    let record = Record {
        act: Act::Delete,
        target: Target {
            kind: TargetKind::Chat,
            id: Some(id.get()),
            name: chat.title,
        },
        detail: None,
    };
    let request = request(admin, id, ChatAction::DeleteChat, record);
    services.writer.act(request).await
}

/// Takes a message down: what is left of it says that it was deleted.
pub async fn take_down(
    services: &Services,
    admin: &Administrator,
    id: ChatId,
    message: MessageId,
) -> Result<()> {
    let chat = find(services, id).await?;
    let record = Record {
        act: Act::TakeDown,
        target: Target {
            kind: TargetKind::Message,
            id: Some(message.get()),
            name: None,
        },
        detail: Some(match chat.title {
            Some(title) => format!("in chat {id}, {title}"),
            None => format!("in chat {id}"),
        }),
    };
    let request = request(admin, id, ChatAction::Delete(message), record);
    services.writer.rewrite(request).await.map(drop)
}

fn request(
    admin: &Administrator,
    chat: ChatId,
    action: ChatAction,
    record: Record,
) -> ActionRequest {
    let by = (admin.operator(), record);
    ActionRequest::by_administrator(admin.caller.person(), chat, action, by)
}
