//! What a connection remembers: what it did itself and is not told again, and which chats are at desks.

use std::collections::VecDeque;

use crate::model::{Change, ChangeKind, ChatId, ConversationStatus, PersonId, Position};

/// How many deeds are remembered: each is heard of a moment later.
const MOST: usize = 32;
/// How many chats are remembered.
const CHATS: usize = 64;

/// What a session did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum OwnAction {
    /// Moved somebody's read mark.
    Read(PersonId),
    /// Ended the conversation.
    Closed,
}

/// The last deeds of a session, each with where the log ended before and after it.
#[derive(Debug, Default)]
pub(super) struct OwnActions {
    own_actions: VecDeque<(ChatId, OwnAction, Position, Position)>,
    at_desk: VecDeque<ChatId>,
}

impl OwnActions {
    /// Notes a deed that began after one position and was done at the other.
    pub(super) fn note(
        &mut self,
        chat: ChatId,
        own_action: OwnAction,
        (after, until): (Position, Position),
    ) {
        if self.own_actions.len() == MOST {
            self.own_actions.pop_front();
        }
        self.own_actions.push_back((chat, own_action, after, until));
    }

    /// Whether a chat is known to be at a desk.
    pub(super) fn is_at_desk(&self, chat: ChatId) -> bool {
        self.at_desk.contains(&chat)
    }

    /// Notes that a chat is at a desk.
    pub(super) fn note_at_desk(&mut self, chat: ChatId) {
        if self.at_desk.len() == CHATS {
            self.at_desk.pop_front();
        }
        self.at_desk.push_back(chat);
    }

    /// Whether a change is one of these deeds.
    pub(super) fn covers(&self, change: &Change) -> bool {
        let own_action = match &change.what {
            ChangeKind::Read(_) => OwnAction::Read(change.actor.id),
            ChangeKind::Conversation(chat, _)
                if chat.status == Some(ConversationStatus::Closed) =>
            {
                OwnAction::Closed
            }
            ChangeKind::Conversation(..)
            | ChangeKind::Message(_)
            | ChangeKind::Edited(_)
            | ChangeKind::Deleted(_)
            | ChangeKind::Chat(_)
            | ChangeKind::Joined(_)
            | ChangeKind::Left => return false,
        };
        let position = change.position;
        self.own_actions.iter().any(|(chat, done, after, until)| {
            *chat == change.chat && *done == own_action && *after < position && position <= *until
        })
    }
}
