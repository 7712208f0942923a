//! Webhooks: where a tenant is told of changes by HTTP, and what became of it.

use crate::model::{
    change::ChangeKind,
    chat::ConversationStatus,
    ids::{Position, TenantId, WebhookId},
    time::Timestamp,
};

words! {
    /// What a webhook is told of.
    pub enum WebhookKind {
        /// A message was sent.
        MessageCreated = "message.created",
        /// A message's sender changed it.
        MessageEdited = "message.edited",
        /// A message was deleted.
        MessageDeleted = "message.deleted",
        /// A reaction was set.
        ReactionAdded = "reaction.added",
        /// A reaction was taken back.
        ReactionRemoved = "reaction.removed",
        /// A chat was made, changed or deleted.
        ChatChanged = "chat.changed",
        /// Somebody has read up to a message.
        ChatRead = "chat.read",
        /// Somebody became a member of a chat.
        MemberJoined = "member.joined",
        /// A member got another role.
        MemberChanged = "member.changed",
        /// Somebody left a chat, or was removed.
        MemberLeft = "member.left",
        /// A conversation waits for an agent.
        ConversationWaiting = "conversation.waiting",
        /// An agent has answered in a conversation.
        ConversationActive = "conversation.active",
        /// A conversation was closed.
        ConversationClosed = "conversation.closed",
        /// A person has another name or picture.
        PersonChanged = "person.changed",
        /// A person is gone.
        PersonDeleted = "person.deleted",
    }
}

words! {
    /// Why a webhook is told of nothing any more.
    pub enum DisabledReason {
        /// It has failed for days.
        Failing = "failing",
        /// Its receiver says that it is gone, with the status 410.
        Gone = "gone",
    }
}

words! {
    /// Why an attempt got no answer.
    pub enum DeliveryFailure {
        /// Nobody answers at that address.
        Unreachable = "unreachable",
        /// The address leads where this server may not go.
        NotAllowed = "not_allowed",
        /// The answer took too long.
        TimedOut = "timed_out",
        /// The answer was no HTTP.
        Broken = "broken",
    }
}

impl WebhookKind {
    /// What a webhook is told of a change; nothing of what somebody sets for themselves alone.
    pub fn of(what: &ChangeKind) -> Option<Self> {
        Some(match what {
            ChangeKind::Message(_) => Self::MessageCreated,
            ChangeKind::Edited(_) => Self::MessageEdited,
            ChangeKind::Deleted(_) => Self::MessageDeleted,
            ChangeKind::Reaction(reaction) if reaction.added => Self::ReactionAdded,
            ChangeKind::Reaction(_) => Self::ReactionRemoved,
            ChangeKind::Chat(_) => Self::ChatChanged,
            ChangeKind::Joined(_) => Self::MemberJoined,
            ChangeKind::Role(_) => Self::MemberChanged,
            ChangeKind::Left => Self::MemberLeft,
            ChangeKind::Settings(_) => return None,
            ChangeKind::Read(_) => Self::ChatRead,
            ChangeKind::Conversation(chat, _) => match chat.status? {
                ConversationStatus::Waiting => Self::ConversationWaiting,
                ConversationStatus::Active => Self::ConversationActive,
                ConversationStatus::Closed => Self::ConversationClosed,
            },
            ChangeKind::Person(person) if person.gone => Self::PersonDeleted,
            ChangeKind::Person(_) => Self::PersonChanged,
        })
    }
}

/// The values of a new webhook, or those that replace an old one's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WebhookTarget {
    /// Where changes are sent.
    pub url: String,
    /// What it is told of; everything where that is empty.
    pub kinds: Vec<WebhookKind>,
    /// In which API's shape.
    pub dialect: String,
}

/// A webhook.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Webhook {
    /// Its number.
    pub id: WebhookId,
    /// Whose it is.
    pub tenant: TenantId,
    /// Where, of what, and in which shape.
    pub target: WebhookTarget,
    /// What signs.
    pub secret: String,
    /// What signed before, and until when it still does.
    pub old_secret: Option<(String, Timestamp)>,
    /// The last change that it is done with.
    pub position: Position,
    /// Moves on whenever somebody changes it: what was done for it before does not count then.
    pub revision: i64,
    /// How many attempts in a row have failed.
    pub failures: i64,
    /// Since when.
    pub failing_since: Option<Timestamp>,
    /// When the next attempt is due after a failure.
    pub next_attempt_at: Option<Timestamp>,
    /// Since when it is told of nothing any more, and why.
    pub disabled: Option<(Timestamp, DisabledReason)>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When somebody last changed it.
    pub updated_at: Timestamp,
}

impl Webhook {
    /// Whether it is told of that.
    pub fn wants(&self, kind: WebhookKind) -> bool {
        self.target.kinds.is_empty() || self.target.kinds.contains(&kind)
    }

    /// The id of what it is told at a position: the same at every attempt.
    pub fn message_id(&self, position: Position) -> String {
        message_id(self.id.get(), position)
    }
}

/// The id of what the webhook of that number is told at a position.
pub fn message_id(webhook: i64, position: Position) -> String {
    format!("msg_{webhook}_{position}")
}

/// An attempt to tell a webhook of a change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delivery {
    /// The change.
    pub position: Position,
    /// What it is told of.
    pub kind: WebhookKind,
    /// The how manieth attempt in a row it was.
    pub attempt: i64,
    /// When.
    pub at: Timestamp,
    /// How many milliseconds it took.
    pub took_ms: i64,
    /// The status of the answer, or why there was none.
    pub outcome: Result<u16, DeliveryFailure>,
}

impl Delivery {
    /// Whether it counts as received.
    pub fn is_received(&self) -> bool {
        matches!(self.outcome, Ok(200..=299))
    }
}

/// How a webhook stands after an attempt, or after changes that it is not told of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct WebhookState {
    /// The last change that it is done with.
    pub position: Option<Position>,
    /// How many attempts in a row have failed.
    pub failures: i64,
    /// Since when.
    pub failing_since: Option<Timestamp>,
    /// When the next attempt is due.
    pub next_attempt_at: Option<Timestamp>,
    /// Since when it is told of nothing any more, and why.
    pub disabled: Option<(Timestamp, DisabledReason)>,
}
