//! Who is present in which chat: connections to this server and to others of its database, by public names of their own.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use rand::distr::{Alphanumeric, SampleString};

use crate::{
    chat::{
        Services,
        bus::{Bus, Fact, Key, PresentFact},
    },
    model::{ChatId, Clock, PersonId, TenantId, Timestamp},
};

/// Letters and digits in a connection's public name.
const NAME: usize = 20;

/// A chat as those know it who are in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The chat.
    pub chat: ChatId,
    /// Its tenant.
    pub tenant: TenantId,
    /// What it is called as a room.
    pub name: String,
}

/// A connection in a chat.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Present {
    /// Whose it is.
    pub person: PersonId,
    /// What others may know it by.
    pub name: String,
    since: Timestamp,
}

/// Notes that a connection is in a chat, unless it was there already.
pub fn enter(services: &Services, place: &Place, connection: u64, person: PersonId) {
    services.presence.enter(place, connection, person);
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

/// A chat that a connection to this server is in.
pub fn place(services: &Services, chat: ChatId) -> Option<Place> {
    let chats = services.presence.chats();
    let room = chats.get(&chat)?;
    room.place.clone()
}

/// See the module.
#[derive(Debug)]
pub(super) struct Presence {
    chats: Mutex<HashMap<ChatId, Connections>>,
    /// Tells other servers.
    bus: Arc<Bus>,
}

/// The connections in a chat.
#[derive(Debug, Default)]
struct Connections {
    /// The chat, while somebody is here.
    place: Option<Place>,
    /// By their numbers.
    here: Vec<(u64, Present)>,
    elsewhere: Vec<Present>,
}

impl Presence {
    pub(super) fn new(bus: Arc<Bus>) -> Self {
        Self {
            chats: Mutex::default(),
            bus,
        }
    }

    fn enter(&self, place: &Place, connection: u64, person: PersonId) {
        let mut chats = self.chats();
        let room = chats.entry(place.chat).or_default();
        if room.here.iter().any(|(other, _)| *other == connection) {
            return;
        }
        let present = Present {
            person,
            name: Alphanumeric.sample_string(&mut rand::rng(), NAME),
            since: Clock.now(),
        };
        room.place.get_or_insert_with(|| place.clone());
        room.here.push((connection, present.clone()));
        self.bus.begin(Fact::Present(PresentFact {
            chat: place.chat,
            person,
            name: present.name,
            since: present.since,
        }));
    }

    fn leave(&self, chat: ChatId, connection: u64) {
        let mut chats = self.chats();
        let Some(room) = chats.get_mut(&chat) else {
            return;
        };
        let index = room.here.iter().position(|(other, _)| *other == connection);
        let left = index.map(|index| room.here.remove(index));
        if room.here.is_empty() {
            room.place = None;
        }
        if room.is_empty() {
            chats.remove(&chat);
        }
        if let Some((_, present)) = left {
            self.bus.end(Key::Present(chat, present.name));
        }
    }

    /// A connection to another server has entered a chat.
    pub(super) fn enters_elsewhere(&self, present: PresentFact) {
        let mut chats = self.chats();
        let room = chats.entry(present.chat).or_default();
        room.elsewhere.push(Present {
            person: present.person,
            name: present.name,
            since: present.since,
        });
    }

    /// A connection to another server has left a chat.
    pub(super) fn leaves_elsewhere(&self, present: &PresentFact) {
        let mut chats = self.chats();
        if let Some(room) = chats.get_mut(&present.chat) {
            room.elsewhere.retain(|other| other.name != present.name);
            if room.is_empty() {
                chats.remove(&present.chat);
            }
        }
    }

    fn list(&self, chat: ChatId) -> Vec<Present> {
        let chats = self.chats();
        let Some(room) = chats.get(&chat) else {
            return Vec::new();
        };
        let here = room.here.iter().map(|(_, present)| present);
        let mut all: Vec<_> = here.chain(&room.elsewhere).cloned().collect();
        if !room.elsewhere.is_empty() {
            all.sort_by_key(|present| present.since);
        }
        all
    }

    fn chats(&self) -> MutexGuard<'_, HashMap<ChatId, Connections>> {
        self.chats.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Connections {
    fn is_empty(&self) -> bool {
        self.here.is_empty() && self.elsewhere.is_empty()
    }
}
