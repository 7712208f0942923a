//! Chats: making them, listing them, coming and going.

use crate::{
    chat::{
        Caller, Services,
        writer::{CreateDraft, MemberDraft, ReadDraft},
    },
    error::Result,
    model::{ChatId, Cursor, MessageId, Position, Title},
    store::Listed,
};

/// A page of somebody's chats, and the log's place before it was read.
#[derive(Debug)]
pub struct Listing {
    /// The chats, newest activity first.
    pub chats: Vec<Listed>,
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
    let (chats, more) = services
        .store
        .chats(caller.tenant(), caller.id(), before, limit)
        .await?;
    Ok(Listing {
        chats,
        more,
        cursor,
    })
}

/// Makes an open chat with the caller as its admin.
pub async fn create(services: &Services, caller: &Caller, title: Title) -> Result<ChatId> {
    services
        .writer
        .create(CreateDraft {
            actor: caller.actor(),
            title,
        })
        .await
}

/// Makes the caller a member of an open chat.
pub async fn join(services: &Services, caller: &Caller, chat: ChatId) -> Result<()> {
    services
        .writer
        .join(MemberDraft {
            actor: caller.actor(),
            chat,
        })
        .await
}

/// Ends the caller's membership.
pub async fn leave(services: &Services, caller: &Caller, chat: ChatId) -> Result<()> {
    services
        .writer
        .leave(MemberDraft {
            actor: caller.actor(),
            chat,
        })
        .await
}

/// Moves the caller's read mark forward; going back does nothing.
pub async fn read(
    services: &Services,
    caller: &Caller,
    chat: ChatId,
    up_to: MessageId,
) -> Result<()> {
    services
        .writer
        .read(ReadDraft {
            actor: caller.actor(),
            chat,
            up_to,
        })
        .await
}
