//! The echo filter: what a connection has done itself, and was answered for, is not sent to it again.

use std::collections::VecDeque;

use crate::{
    dialect::DialectId,
    model::{
        Change, ChangeKind, ChatId, ConversationStatus, MessageId, PersonId, Position, Timestamp,
    },
};

/// How many actions are kept: a client that reads slowly receives their changes late.
const ACTIONS: usize = 256;

/// Something that a connection did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OwnAction {
    /// Sent a message.
    Sent(MessageId),
    /// Edited a message at that time.
    Edited(MessageId, Option<Timestamp>),
    /// Deleted a message.
    Deleted(MessageId),
    /// Moved a person's read mark, which need not be to the message that the client named.
    Read(ChatId, PersonId, LogSpan),
    /// Closed a conversation.
    Closed(ChatId, LogSpan),
}

/// The part of the log that was written while an action was carried out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LogSpan {
    /// The head of the log before the action.
    pub after: Position,
    /// The head of the log after it.
    pub until: Position,
}

impl LogSpan {
    fn contains(self, position: Position) -> bool {
        self.after < position && position <= self.until
    }
}

/// The last actions of a connection, each with the dialect in which it was answered. It is not known of the
/// messages that were sent before the connection was recovered: they count in every dialect.
#[derive(Debug, Default)]
pub(super) struct EchoFilter(VecDeque<(Option<DialectId>, OwnAction)>);

impl EchoFilter {
    pub(super) fn note(&mut self, dialect: Option<DialectId>, action: OwnAction) {
        if self.0.len() == ACTIONS {
            self.0.pop_front();
        }
        self.0.push_back((dialect, action));
    }

    /// Whether a change is that of an action that was answered in a dialect.
    pub(super) fn covers(&self, dialect: DialectId, change: &Change) -> bool {
        self.0
            .iter()
            .any(|(of, action)| of.is_none_or(|of| of == dialect) && action.made(change))
    }

    /// The positions of the last messages that were sent, at most so many.
    pub(super) fn last_sent(&self, most: usize) -> impl Iterator<Item = Position> {
        let sent = self.0.iter().filter_map(|(_, action)| match action {
            OwnAction::Sent(message) => Some(Position::from(*message)),
            OwnAction::Edited(..)
            | OwnAction::Deleted(_)
            | OwnAction::Read(..)
            | OwnAction::Closed(..) => None,
        });
        let sent: Vec<_> = sent.collect();
        let skipped = sent.len().saturating_sub(most);
        sent.into_iter().skip(skipped)
    }
}

impl OwnAction {
    /// Whether a change is this action's.
    fn made(self, change: &Change) -> bool {
        match (self, &change.what) {
            (Self::Sent(sent), ChangeKind::Message(message)) => sent == message.id,
            (Self::Edited(edited, at), ChangeKind::Edited(message)) => {
                edited == message.id && at == message.edited_at
            }
            (Self::Deleted(deleted), ChangeKind::Deleted(message)) => deleted == message.id,
            (Self::Read(chat, person, span), ChangeKind::Read(_)) => {
                chat == change.chat && person == change.actor.id && span.contains(change.position)
            }
            (Self::Closed(closed, span), ChangeKind::Conversation(chat, _)) => {
                closed == change.chat
                    && chat.status == Some(ConversationStatus::Closed)
                    && span.contains(change.position)
            }
            (
                Self::Sent(_)
                | Self::Edited(..)
                | Self::Deleted(_)
                | Self::Read(..)
                | Self::Closed(..),
                _,
            ) => false,
        }
    }
}
