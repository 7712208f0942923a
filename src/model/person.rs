//! People.

use std::sync::Arc;

use crate::model::{
    ids::{PersonId, TenantId},
    time::Millis,
};

/// How a person came to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PersonKind {
    /// Signed up by name, or was registered by a tenant's server.
    Person,
    /// Runs a tenant's support desk.
    Owner,
    /// Came to a support desk from a web site.
    Guest,
    /// May register accounts of the service.
    Admin,
}

impl PersonKind {
    /// The word the store keeps.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Person => "person",
            Self::Owner => "owner",
            Self::Guest => "guest",
            Self::Admin => "admin",
        }
    }

    /// Reads the word the store keeps.
    pub fn from_word(word: &str) -> Option<Self> {
        [Self::Person, Self::Owner, Self::Guest, Self::Admin]
            .into_iter()
            .find(|kind| kind.as_str() == word)
    }
}

/// A person as others see them: a number and a name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PersonName {
    /// Their number.
    pub id: PersonId,
    /// What they are called.
    pub name: Arc<str>,
}

/// A person of a tenant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Person {
    /// Their number.
    pub id: PersonId,
    /// Whose person this is.
    pub tenant: TenantId,
    /// How they came to be.
    pub kind: PersonKind,
    /// What they are called.
    pub name: String,
    /// Where to write to them, when known.
    pub email: Option<String>,
    /// When they came.
    pub created_at: Millis,
}
