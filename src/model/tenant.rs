//! Tenants: whose people and chats these are.

use crate::model::{
    ids::{PersonId, TenantId},
    time::Timestamp,
};

/// What a tenant is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TenantKind {
    /// Where cookie accounts live.
    Home,
    /// Where embedding without authentication happens.
    Open,
    /// A web site with live support.
    Site,
    /// An application that uses the chat service.
    App,
}

impl TenantKind {
    /// The word the store keeps.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Home => "home",
            Self::Open => "open",
            Self::Site => "site",
            Self::App => "app",
        }
    }

    /// Reads the word the store keeps.
    pub fn from_stored(word: &str) -> Option<Self> {
        [Self::Home, Self::Open, Self::Site, Self::App]
            .into_iter()
            .find(|kind| kind.as_str() == word)
    }
}

/// A site, an app, or home.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tenant {
    /// Its number.
    pub id: TenantId,
    /// What it is.
    pub kind: TenantKind,
    /// What its makers call it.
    pub name: String,
    /// Its secret: who holds it speaks for its people.
    pub application_id: String,
    /// Whose account registered it.
    pub owner: Option<PersonId>,
    /// Where its people's tokens are verified.
    pub verify_url: Option<String>,
    /// Whether its secret alone is not enough: its owner's token is needed as well.
    pub require_auth: bool,
    /// When it was registered.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
    /// When it was deleted.
    pub deleted_at: Option<Timestamp>,
}
