//! People.

use std::sync::Arc;

use crate::model::{
    ids::{PersonId, TenantId},
    time::Timestamp,
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
    pub fn from_stored(word: &str) -> Option<Self> {
        [Self::Person, Self::Owner, Self::Guest, Self::Admin]
            .into_iter()
            .find(|kind| kind.as_str() == word)
    }
}

/// A person as a message names them: a number and a name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PersonName {
    /// Their number.
    pub id: PersonId,
    /// What they are called.
    pub name: Arc<str>,
}

/// A person of a tenant: everything that any API shows of them, and nothing that is secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Person {
    /// Their number.
    pub id: PersonId,
    /// Whose person this is.
    pub tenant: TenantId,
    /// How they came to be.
    pub kind: PersonKind,
    /// What they are called.
    pub name: Arc<str>,
    /// Their names one by one, where their tenant gave them so.
    pub names: Names,
    /// Where to write to them, when known.
    pub email: Option<String>,
    /// The address of their picture.
    pub photo: Option<String>,
    /// What their tenant calls them.
    pub external_id: Option<String>,
    /// When they came.
    pub created_at: Timestamp,
    /// When what is known of them last changed.
    pub updated_at: Timestamp,
    /// When they were deleted.
    pub deleted_at: Option<Timestamp>,
}

/// A person's names one by one.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Names {
    /// The first name.
    pub first: Option<String>,
    /// The middle name.
    pub middle: Option<String>,
    /// The last name.
    pub last: Option<String>,
}

impl Person {
    /// Whether they are members, by their role, of every chat at their tenant's desk.
    pub fn is_agent(&self) -> bool {
        self.kind == PersonKind::Owner
    }

    /// Whether they came to a desk from a web site, as anybody may: their own chat is all they have.
    pub fn is_guest(&self) -> bool {
        self.kind == PersonKind::Guest
    }

    /// The person as a message names them.
    pub fn called(&self) -> PersonName {
        PersonName {
            id: self.id,
            name: Arc::clone(&self.name),
        }
    }
}
