//! What a connection remembers: what it did itself and is not told again, and which chats are at desks.

use std::collections::VecDeque;

use crate::model::{Change, ChatId, DeskStatus, PersonId, Position, What};

/// How many deeds are remembered: each is heard of a moment later.
const MOST: usize = 32;
/// How many chats are remembered.
const CHATS: usize = 64;

/// What a speaker did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Deed {
    /// Moved somebody's read mark.
    Read(PersonId),
    /// Ended the conversation.
    Closed,
}

/// The last deeds of a speaker, each with where the log ended before and after it.
#[derive(Debug, Default)]
pub(super) struct Deeds {
    deeds: VecDeque<(ChatId, Deed, Position, Position)>,
    at_desk: VecDeque<ChatId>,
}

impl Deeds {
    /// Notes a deed that began after one position and was done at the other.
    pub(super) fn note(&mut self, chat: ChatId, deed: Deed, (after, until): (Position, Position)) {
        if self.deeds.len() == MOST {
            self.deeds.pop_front();
        }
        self.deeds.push_back((chat, deed, after, until));
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
        let deed = match &change.what {
            What::Read(_) => Deed::Read(change.actor.id),
            What::Desk(chat, _) if chat.status == Some(DeskStatus::Closed) => Deed::Closed,
            What::Desk(..)
            | What::Message(_)
            | What::Edited(_)
            | What::Deleted(_)
            | What::Chat(_)
            | What::Joined(_)
            | What::Left => return false,
        };
        let position = change.position;
        self.deeds.iter().any(|(chat, done, after, until)| {
            *chat == change.chat && *done == deed && *after < position && position <= *until
        })
    }
}
