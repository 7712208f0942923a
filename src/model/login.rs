//! Logins: the sessions of people. Of their tokens only a hash is stored.

use crate::model::{
    ids::{LoginId, PersonId, TenantId},
    time::Timestamp,
};

/// The SHA-256 of a token, in lower-case hex.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct TokenHash(String);

impl TokenHash {
    /// Takes a hash that is already made.
    pub fn new(hex: String) -> Self {
        Self(hex)
    }

    /// The hash in hex.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// One signed-in token of a person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Login {
    /// Its id, by which its owner may end it.
    pub id: LoginId,
    /// Its person.
    pub person: PersonId,
    /// That person's tenant.
    pub tenant: TenantId,
    /// When it was created.
    pub created_at: Timestamp,
    /// When it was last used, to the minute.
    pub used_at: Timestamp,
    /// What the client called itself when it signed in.
    pub client: Option<String>,
    /// The address it signed in from.
    pub address: Option<String>,
}
