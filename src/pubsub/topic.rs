//! What can be subscribed to.

use std::sync::Arc;

use crate::model::{ChatId, Person, TenantId};

/// What a topic is about.
#[derive(Debug, Clone)]
pub enum Topic {
    /// All changes that a person may see, of all their chats.
    Person(Arc<Person>),
    /// The changes of one chat, for anybody who may read it.
    Chat(TenantId, ChatId),
}

impl Topic {
    /// Whose it is.
    pub(super) fn tenant(&self) -> TenantId {
        match self {
            Self::Person(person) => person.tenant,
            Self::Chat(tenant, _) => *tenant,
        }
    }
}
