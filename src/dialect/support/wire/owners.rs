//! What owners are answered by requests.

use serde::Serialize;

use super::{Done200, SUCCESS, SUCCESS_WORDS};
use crate::{json::schema::Describe, model::PersonId};

/// What was done for an owner, as a sentence.
#[derive(Debug, Describe, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct OwnerDone {
    #[schema(with = Done200)]
    status_code: u16,
    #[schema(words = SUCCESS_WORDS)]
    status: &'static str,
    data: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    domains: Option<Vec<String>>,
}

impl OwnerDone {
    /// It was done.
    pub const fn new(data: &'static str) -> Self {
        Self {
            status_code: 200,
            status: SUCCESS,
            data,
            domains: None,
        }
    }

    /// The same, with the domains that the owner's site has then.
    #[must_use]
    pub fn with_domains(self, domains: Vec<String>) -> Self {
        Self {
            domains: Some(domains),
            ..self
        }
    }
}

/// A site that was found by a host.
#[derive(Debug, Describe, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct SiteFound {
    #[schema(with = Done200)]
    status_code: u16,
    #[schema(words = SUCCESS_WORDS)]
    status: &'static str,
    data: SiteDomain,
}

#[derive(Debug, Describe, Serialize)]
struct SiteDomain {
    domain: String,
}

impl SiteFound {
    /// The site of this domain.
    pub const fn new(domain: String) -> Self {
        Self {
            status_code: 200,
            status: SUCCESS,
            data: SiteDomain { domain },
        }
    }
}
/// > "ownerId": id, "token": {token, "level": level
#[derive(Debug, Describe, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct OwnerSignedIn {
    #[schema(with = Done200)]
    status_code: u16,
    #[schema(words = SUCCESS_WORDS)]
    status: &'static str,
    data: OwnerLogin,
}

/// An owner's login.
#[derive(Debug, Describe, Serialize)]
#[serde(rename_all = "camelCase")]
struct OwnerLogin {
    owner_id: String,
    token: String,
    #[schema(words = LEVELS)]
    level: &'static str,
    app_id: String,
}

/// What somebody who signs in here can be.
const LEVELS: &[&str] = &["owner"];

impl OwnerSignedIn {
    /// An owner with a fresh token, and the key of the site.
    pub fn new(owner: PersonId, token: &str, application_id: &str) -> Self {
        Self {
            status_code: 200,
            status: SUCCESS,
            data: OwnerLogin {
                owner_id: owner.to_hex(),
                token: token.to_owned(),
                level: "owner",
                app_id: application_id.to_owned(),
            },
        }
    }
}
