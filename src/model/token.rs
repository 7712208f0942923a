//! Personal access tokens: logins that people make for programs, with scopes and an end.

use crate::model::{ids::LoginId, time::Timestamp};

words! {
    /// What a token is good for.
    pub enum Scope {
        /// Reading what its person may read, and listening to it.
        Read = "read",
        /// Changing what its person may change, but for their account.
        Write = "write",
        /// Administering what its person administers.
        Admin = "admin",
    }
}

/// What a token is good for, and how long.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenTerms {
    /// For what.
    pub scopes: Vec<Scope>,
    /// Until when.
    pub expires_at: Timestamp,
}

/// A token as its person sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccessToken {
    /// Its number, which is that of a login.
    pub id: LoginId,
    /// What its person calls it.
    pub name: String,
    /// What it is good for, and how long.
    pub terms: TokenTerms,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was last used, to the minute.
    pub used_at: Timestamp,
}

impl Scope {
    /// Scopes as they are stored, with blanks between them.
    pub fn stored(scopes: &[Self]) -> String {
        let words: Vec<_> = scopes.iter().map(|scope| scope.as_str()).collect();
        words.join(" ")
    }

    /// Reads what [`Scope::stored`] writes; a word that this version does not know is good for nothing.
    pub fn from_list(stored: &str) -> Vec<Self> {
        let words = stored.split_whitespace();
        words.filter_map(Self::from_stored).collect()
    }
}
