//! What is good no more: told to every server of a database.

use crate::model::{LoginId, PersonId, TenantId};

/// Something that was relied on and has ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Ending {
    /// A login, with everything that uses it.
    Login(LoginId),
    /// The token of a login: connections that use it stay.
    Replaced(LoginId),
    /// A person, with the connections that use a token of theirs that was replaced before. Their logins are told one
    /// by one.
    Person(PersonId),
    /// A tenant's key, and the logins of its people.
    Tenant(TenantId),
}

impl Ending {
    /// What a row says; nothing where a newer version wrote what this one does not know.
    pub fn from_stored(kind: &str, target: i64) -> Option<Self> {
        match kind {
            "login" => Some(Self::Login(LoginId::new(target))),
            "replaced" => Some(Self::Replaced(LoginId::new(target))),
            "person" => Some(Self::Person(PersonId::new(target))),
            "tenant" => Some(Self::Tenant(TenantId::new(target))),
            _ => None,
        }
    }
}
