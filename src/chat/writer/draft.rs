//! What is handed to the writer, and what comes of it.

use std::sync::Arc;

use super::creations::{CreateKey, Created};
use crate::{
    error::Result,
    model::{
        ChatId, ChatKind, ClientId, Content, Message, MessageId, MessageKind, Person, Role, Seq,
        TenantId, Timestamp, Title,
    },
};

/// A message to send.
#[derive(Debug, Clone)]
pub(in crate::chat) struct SendDraft {
    /// Who sends it.
    pub actor: Arc<Person>,
    /// Where to.
    pub chat: ChatId,
    /// What its content is.
    pub kind: MessageKind,
    /// What it says.
    pub content: Content,
    /// What its sender calls it.
    pub client_id: Option<ClientId>,
    /// The connection it comes by, if that speaks for several people.
    pub connection: Option<u64>,
}

/// A message that is in the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sent {
    /// The message as it was sent.
    pub message: Message,
    /// Whether it was there before, under the same client id.
    pub replayed: bool,
}

/// Where a message came to be in the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Placed {
    pub(super) id: MessageId,
    pub(super) seq: Seq,
    pub(super) at: Timestamp,
    pub(super) replayed: bool,
}

impl SendDraft {
    /// The message that the draft is, once it has its place.
    pub(super) fn at(self, placed: Placed) -> Sent {
        let message = Message {
            id: placed.id,
            chat: self.chat,
            seq: placed.seq,
            sender: self.actor.id,
            kind: self.kind,
            content: self.content.into_string(),
            client_id: self.client_id.map(|id| id.as_str().to_owned()),
            at: placed.at,
            edited_at: None,
            deleted_at: None,
        };
        Sent {
            message,
            replayed: placed.replayed,
        }
    }
}

/// A read mark to move.
#[derive(Debug, Clone)]
pub(in crate::chat) struct ReadDraft {
    /// Who has read.
    pub actor: Arc<Person>,
    /// Where.
    pub chat: ChatId,
    /// The last message read.
    pub up_to: MessageId,
}

/// A chat to make.
#[derive(Debug, Clone)]
pub(in crate::chat) struct CreateDraft {
    /// Whose chat it is.
    pub tenant: TenantId,
    /// Who makes it.
    pub created_by: Arc<Person>,
    /// The role with which the maker comes to be in it; none when it is made for others.
    pub joins_as: Option<Role>,
    /// Who finds it.
    pub kind: ChatKind,
    /// What it is called.
    pub title: Option<Title>,
    /// What the tenant's server calls it, unique in the tenant.
    pub room: Option<String>,
    /// What the tenant's server keeps with it, as JSON.
    pub extra: Option<String>,
    /// Where the guest comes from, at a desk.
    pub domain: Option<String>,
    /// Who else is in it from the start.
    pub members: Vec<Arc<Person>>,
    /// Under which key of whose it is made once.
    pub key: Option<CreateKey>,
}

impl CreateDraft {
    /// A chat of a kind that somebody makes, with nobody in it and nothing said of it.
    pub(in crate::chat) fn new(created_by: &Arc<Person>, kind: ChatKind) -> Self {
        Self {
            tenant: created_by.tenant,
            created_by: Arc::clone(created_by),
            joins_as: None,
            kind,
            title: None,
            room: None,
            extra: None,
            domain: None,
            members: Vec::new(),
            key: None,
        }
    }
}

/// Something rare that somebody does in a chat.
#[derive(Debug, Clone)]
pub(in crate::chat) struct ActionRequest {
    /// Who does it.
    pub actor: Arc<Person>,
    /// By what right.
    pub right: Right,
    /// Where.
    pub chat: ChatId,
    /// What.
    pub action: ChatAction,
}

impl ActionRequest {
    /// What somebody does by their own place in a chat.
    pub(in crate::chat) fn own(actor: &Arc<Person>, chat: ChatId, action: ChatAction) -> Self {
        Self {
            actor: Arc::clone(actor),
            right: Right::Own,
            chat,
            action,
        }
    }
}

/// By what right somebody acts in a chat.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::chat) enum Right {
    /// Their own place in the chat.
    Own,
    /// Their tenant's key: all of the tenant's chats are theirs.
    Tenant,
}

/// What somebody does in a chat.
#[derive(Debug, Clone)]
pub(in crate::chat) enum ChatAction {
    /// Comes to be in an open chat.
    Join,
    /// Leaves.
    Leave,
    /// Makes others members: at most [`MOST_IN_ACT`].
    Add(Vec<Arc<Person>>),
    /// Ends others' membership: of at most [`MOST_IN_ACT`].
    Remove(Vec<Arc<Person>>),
    /// Changes what a message of theirs says.
    Edit(MessageId, Content),
    /// Deletes a message of theirs.
    Delete(MessageId),
    /// Deletes the chat.
    DeleteChat,
    /// Ends a conversation at a desk, until the guest writes again: once under a key of the client's.
    Close(Option<ClientId>),
}

/// What came of an act.
#[derive(Debug, Clone)]
pub(super) enum ActionOutcome {
    Done,
    Message(Box<Message>),
}

/// What a job came to, before anybody is told.
pub(super) enum Outcome {
    Sent(Result<Placed>),
    Created(Result<Created>),
    Read(Result<()>),
    Action(Result<ActionOutcome>),
}
