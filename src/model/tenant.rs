//! Tenants: each has people and chats of its own.

use crate::model::{
    ids::{PersonId, TenantId},
    time::Timestamp,
};

words! {
    /// The kind of a tenant.
    pub enum TenantKind {
        /// The tenant of accounts that sign in with cookies.
        Home = "home",
        /// The tenant of embedding without a key.
        Open = "open",
        /// A web site with live support.
        Site = "site",
        /// An application that uses the chat service.
        App = "app",
    }
}

/// A site, an app, or home.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tenant {
    /// Its number.
    pub id: TenantId,
    /// Its kind.
    pub kind: TenantKind,
    /// Its name.
    pub name: String,
    /// Its secret: a client that has it may act for the tenant's people.
    pub application_id: String,
    /// The account that registered it.
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
    /// Since when it is suspended: nobody gets in by its secret, its domains or its people's tokens.
    pub suspended_at: Option<Timestamp>,
}
