//! People.

use std::sync::Arc;

use crate::model::{
    ids::{PersonId, TenantId},
    time::Timestamp,
};

words! {
    /// The kind of a person.
    pub enum PersonKind {
        /// Signed up by name, or was registered by a tenant's server.
        Person = "person",
        /// Is an agent of a tenant's live support.
        Owner = "owner",
        /// Is a guest of live support, from a web site.
        Guest = "guest",
        /// May register accounts of the service.
        Admin = "admin",
    }
}

/// The sender of a message: an id and a name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PersonName {
    /// Their id.
    pub id: PersonId,
    /// Their name.
    pub name: Arc<str>,
}

/// A person of a tenant: everything that any API shows of them, and nothing that is secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Person {
    /// Their id.
    pub id: PersonId,
    /// Their tenant.
    pub tenant: TenantId,
    /// Their kind.
    pub kind: PersonKind,
    /// Their name.
    pub name: Arc<str>,
    /// First, middle and last name, where their tenant gave them.
    pub names: Names,
    /// Their e-mail address.
    pub email: Option<String>,
    /// The address of their picture.
    pub photo: Option<String>,
    /// Their tenant's own id for them.
    pub external_id: Option<String>,
    /// When they were created.
    pub created_at: Timestamp,
    /// When they were last changed.
    pub updated_at: Timestamp,
    /// When they were deleted.
    pub deleted_at: Option<Timestamp>,
}

/// First, middle and last name.
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
    /// Whether they are an agent: a member of every conversation of their tenant.
    pub fn is_agent(&self) -> bool {
        self.kind == PersonKind::Owner
    }

    /// Whether they are a guest, who has no chat but their own conversation.
    pub fn is_guest(&self) -> bool {
        self.kind == PersonKind::Guest
    }

    /// The person as the sender of a message.
    pub fn called(&self) -> PersonName {
        PersonName {
            id: self.id,
            name: Arc::clone(&self.name),
        }
    }
}
