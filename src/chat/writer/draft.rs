//! The writer's input, and its outcomes.

use std::sync::Arc;

use super::creations::{CreateKey, Created};
use crate::{
    error::Result,
    model::{
        ChatId, ChatKind, ClientId, Content, Description, Emoji, InviteHash, InviteKey, LoginId,
        Mentions, Message, MessageId, MessageKind, Name, Names, Notify, Operator, Person, PersonId,
        Position, Record, Role, Seq, TenantId, Timestamp, Title, TokenHash, text::Candidates,
    },
    store::{NewInvite, NewPerson},
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
    /// Its text.
    pub content: Content,
    /// The message that it answers.
    pub reply_to: Option<MessageId>,
    /// Where its text may name somebody.
    pub mentions: Vec<Candidates>,
    /// Its sender's id for it, by which a repeat is recognised.
    pub client_id: Option<ClientId>,
    /// The connection it comes by, if that speaks for several people.
    pub connection: Option<u64>,
}

/// A message that is in the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sent {
    /// The message as its sender handed it in. Readers see with it what it answers and whom it names.
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
            reply_to: None,
            mentions: Mentions::default(),
            reactions: Vec::new(),
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
    /// Its kind.
    pub kind: ChatKind,
    /// Its title.
    pub title: Option<Title>,
    /// What it is about.
    pub description: Option<Description>,
    /// What the tenant's server calls it, unique in the tenant.
    pub room: Option<String>,
    /// What the tenant's server keeps with it, as JSON.
    pub extra: Option<String>,
    /// The domain that the guest of a conversation comes from.
    pub domain: Option<String>,
    /// Who else is in it from the start.
    pub members: Vec<Arc<Person>>,
    /// The idempotency key.
    pub key: Option<CreateKey>,
}

impl CreateDraft {
    /// A chat of a kind, without members and with nothing else set.
    pub(in crate::chat) fn new(created_by: &Arc<Person>, kind: ChatKind) -> Self {
        Self {
            tenant: created_by.tenant,
            created_by: Arc::clone(created_by),
            joins_as: None,
            kind,
            title: None,
            description: None,
            room: None,
            extra: None,
            domain: None,
            members: Vec::new(),
            key: None,
        }
    }
}

/// Somebody who signs up by an invitation.
#[derive(Debug)]
pub(in crate::chat) struct SignUpDraft {
    /// Who they are to be.
    pub person: NewPerson,
    /// Their first login.
    pub login: SignUpLogin,
    /// The invitation.
    pub invite: InviteHash,
}

/// The first login of somebody who signs up.
#[derive(Debug)]
pub(in crate::chat) struct SignUpLogin {
    /// The hash of its token.
    pub token: TokenHash,
    /// What its client calls itself.
    pub client: Option<String>,
    /// The address it comes from.
    pub address: String,
}

/// Somebody who has signed up by an invitation.
#[derive(Debug, Clone, Copy)]
pub(in crate::chat) struct SignedUp {
    /// Who they are.
    pub person: PersonId,
    /// The chat they are in.
    pub chat: ChatId,
}

/// A rare action in a chat.
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
    /// What is written down of it in the same transaction, where an administrator of the server does it.
    pub audit: Option<Arc<(Operator, Record)>>,
}

impl ActionRequest {
    /// An action by the actor's own membership.
    pub(in crate::chat) fn own(actor: &Arc<Person>, chat: ChatId, action: ChatAction) -> Self {
        Self {
            actor: Arc::clone(actor),
            right: Right::Own,
            chat,
            action,
            audit: None,
        }
    }

    /// An action of an administrator of the server, and what is written down of it.
    pub(in crate::chat) fn by_administrator(
        actor: &Arc<Person>,
        chat: ChatId,
        action: ChatAction,
        audit: (Operator, Record),
    ) -> Self {
        Self {
            right: Right::Administrator,
            audit: Some(Arc::new(audit)),
            ..Self::own(actor, chat, action)
        }
    }
}

/// The right by which the actor acts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::chat) enum Right {
    /// The actor's own membership.
    Own,
    /// Their tenant's key: all of the tenant's chats are theirs.
    Tenant,
    /// The actor administers the server, which is proved in the transaction.
    Administrator,
}

/// What is done in a chat.
#[derive(Debug, Clone)]
pub(in crate::chat) enum ChatAction {
    /// Joins an open chat.
    Join,
    /// Leaves.
    Leave,
    /// Makes others members: at most [`MOST_IN_ACT`].
    Add(Vec<Arc<Person>>),
    /// Ends others' membership: of at most [`MOST_IN_ACT`].
    Remove(Vec<Arc<Person>>),
    /// Changes the text of a message of the actor's, which may name somebody at these places.
    Edit(MessageId, Content, Vec<Candidates>),
    /// Deletes a message of the actor's, or as an admin any of the chat's.
    Delete(MessageId),
    /// Sets a reaction of the actor's on a message.
    React(MessageId, Emoji),
    /// Takes it back.
    Unreact(MessageId, Emoji),
    /// Invites to the chat.
    Invite(NewInvite),
    /// Takes an invitation back.
    Uninvite(InviteKey),
    /// Comes in by an invitation.
    Accept(InviteHash),
    /// Gives a member a role.
    SetRole(Arc<Person>, Role),
    /// Changes what the chat is called, what it is about, and who may find it.
    Update(ChatEdit),
    /// Keeps what the actor sets for themselves.
    Set(SettingsEdit),
    /// Deletes the chat.
    DeleteChat,
    /// Closes a conversation, until the guest writes again: once under the client's idempotency key.
    Close(Option<ClientId>),
}

/// What is to be different about a chat.
#[derive(Debug, Clone, Default)]
pub struct ChatEdit {
    /// Its title.
    pub title: Option<Title>,
    /// What it is about; nothing any more, where that is none.
    pub description: Option<Option<Description>>,
    /// Who may find it.
    pub kind: Option<ChatKind>,
}

/// What somebody sets for themselves in a chat.
#[derive(Debug, Clone, Copy, Default)]
pub struct SettingsEdit {
    /// Of which messages they are notified.
    pub notify: Option<Notify>,
    /// Whether it is first in their list.
    pub pinned: Option<bool>,
    /// Until when they are notified of nothing; of what they said before again, where that is none.
    pub muted_until: Option<Option<Timestamp>>,
}

/// A change of a person.
#[derive(Debug, Clone)]
pub(in crate::chat) struct PersonRequest {
    /// Of whom.
    pub actor: Arc<Person>,
    /// Which.
    pub action: PersonAction,
    /// What is written down of it in the same transaction, where an administrator of the server does it.
    pub audit: Option<Arc<(Operator, Record)>>,
}

/// What changes of a person.
#[derive(Debug, Clone)]
pub(in crate::chat) enum PersonAction {
    /// What is known of them.
    Describe(Box<PersonEdit>),
    /// They are deleted, and their logins end.
    Delete(Kept),
}

/// What is kept of somebody who is deleted, beside what they wrote.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::chat) enum Kept {
    /// Nothing: their name is free again.
    Nothing,
    /// Everything, so that their tenant may bring them back.
    Profile,
}

/// What is known of a person from now on; what is left out stays.
#[derive(Debug, Clone, Default)]
pub(in crate::chat) struct PersonEdit {
    /// What they are called.
    pub name: Option<Name>,
    /// The key under which they sign in by their name, which is then theirs alone.
    pub account_key: Option<String>,
    /// Their names one by one.
    pub names: Option<Names>,
    /// Their picture, or that they have none.
    #[expect(clippy::option_option, reason = "left out is one thing, none another")]
    pub photo: Option<Option<String>>,
    /// Their e-mail address.
    pub email: Option<String>,
    /// Whether it brings back somebody who was deleted.
    pub restores: bool,
}

impl PersonEdit {
    /// A person as they are with this.
    pub(super) fn of(&self, person: &Person) -> Person {
        let name = self.name.as_ref().map(|name| name.as_str().into());
        Person {
            name: name.unwrap_or_else(|| Arc::clone(&person.name)),
            names: self.names.clone().unwrap_or_else(|| person.names.clone()),
            photo: self.photo.clone().unwrap_or_else(|| person.photo.clone()),
            email: self.email.clone().or_else(|| person.email.clone()),
            deleted_at: person.deleted_at.filter(|_| !self.restores),
            ..person.clone()
        }
    }
}

/// A person who was changed.
#[derive(Debug, Clone)]
pub(in crate::chat) struct PersonChanged {
    /// As they are now.
    pub person: Arc<Person>,
    /// Where the log tells of it; nowhere if there is nothing to tell.
    pub position: Option<Position>,
    /// Their logins that have ended with it.
    pub ended: Vec<LoginId>,
}

impl PersonChanged {
    /// Nothing that others see.
    pub(super) fn nothing(person: impl Into<Arc<Person>>) -> Self {
        Self {
            person: person.into(),
            position: None,
            ended: Vec::new(),
        }
    }
}

/// The outcome of an action.
#[derive(Debug, Clone)]
pub(super) enum ActionOutcome {
    Done,
    Message(Box<Message>),
}

/// The outcome of a command, before its caller is answered.
pub(super) enum Outcome {
    Sent(Result<Placed>),
    Created(Result<Created>),
    Read(Result<()>),
    Action(Result<ActionOutcome>),
    Person(Result<PersonChanged>),
    SignedUp(Result<SignedUp>),
}
