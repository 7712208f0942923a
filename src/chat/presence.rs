//! Who is present in which chat: the connections of this process, by public names of their own.

use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

use rand::distr::{Alphanumeric, SampleString};

use crate::{
    chat::Services,
    model::{ChatId, PersonId},
};

/// Letters and digits in a connection's public name.
const NAME: usize = 20;

/// A connection in a chat.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Present {
    /// Its number in this process.
    pub connection: u64,
    /// Whose it is.
    pub person: PersonId,
    /// What others may know it by.
    pub name: String,
}

/// Notes that a connection is in a chat; says no when it was there already.
pub fn enter(services: &Services, chat: ChatId, connection: u64, person: PersonId) -> bool {
    services.presence.enter(chat, connection, person)
}

/// Notes that a connection has left a chat, which ends presence and typing by it there.
pub fn leave(services: &Services, chat: ChatId, connection: u64) {
    services.typists.chat_left(connection, chat);
    services.presence.leave(chat, connection);
}

/// The connections in a chat, those that came first at first.
pub fn list(services: &Services, chat: ChatId) -> Vec<Present> {
    services.presence.list(chat)
}

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Presence(Mutex<HashMap<ChatId, Vec<Present>>>);

impl Presence {
    fn enter(&self, chat: ChatId, connection: u64, person: PersonId) -> bool {
        let mut chats = self.chats();
        let present = chats.entry(chat).or_default();
        if present.iter().any(|other| other.connection == connection) {
            return false;
        }
        present.push(Present {
            connection,
            person,
            name: Alphanumeric.sample_string(&mut rand::rng(), NAME),
        });
        true
    }

    fn leave(&self, chat: ChatId, connection: u64) {
        let mut chats = self.chats();
        if let Some(present) = chats.get_mut(&chat) {
            present.retain(|other| other.connection != connection);
            if present.is_empty() {
                chats.remove(&chat);
            }
        }
    }

    fn list(&self, chat: ChatId) -> Vec<Present> {
        self.chats().get(&chat).cloned().unwrap_or_default()
    }

    fn chats(&self) -> MutexGuard<'_, HashMap<ChatId, Vec<Present>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
