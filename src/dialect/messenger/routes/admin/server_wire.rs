//! The JSON of administration: sites and apps, who is signed in, the audit, and figures.

use serde::Serialize;

use super::wire::Somebody;
use crate::{
    chat::administration::{Registration, ServerFigures},
    json::schema::Describe,
    model::{
        Act, AuditEntry, RegistrationMode, SignedInPerson, TargetKind, TenantKind, TenantSummary,
        Timestamp, domain,
    },
};

/// A site or an app.
#[derive(Debug, Describe, Serialize)]
pub struct TenantWire {
    id: i64,
    #[schema(words = TenantKind::WORDS)]
    kind: &'static str,
    name: String,
    domains: Vec<String>,
    owners: Vec<OwnerWire>,
    people: i64,
    chats: i64,
    messages: i64,
    created_at: String,
    suspended_at: Option<String>,
}

/// Whose a site or an app is.
#[derive(Debug, Describe, Serialize)]
struct OwnerWire {
    id: i64,
    name: String,
    email: Option<String>,
}

impl From<&TenantSummary> for TenantWire {
    fn from(summary: &TenantSummary) -> Self {
        let TenantSummary {
            tenant,
            domains,
            owners,
            people,
            chats,
            messages,
        } = summary;
        let owners = owners.iter().map(|owner| OwnerWire {
            id: owner.id.get(),
            name: owner.name.to_string(),
            email: owner.email.clone(),
        });
        Self {
            id: tenant.id.get(),
            kind: tenant.kind.as_str(),
            name: tenant.name.clone(),
            domains: domains.iter().map(|it| domain::shown(it)).collect(),
            owners: owners.collect(),
            people: *people,
            chats: *chats,
            messages: *messages,
            created_at: tenant.created_at.to_rfc3339(),
            suspended_at: tenant.suspended_at.map(Timestamp::to_rfc3339),
        }
    }
}

/// A page of sites and apps.
#[derive(Debug, Describe, Serialize)]
pub struct Tenants {
    pub(super) tenants: Vec<TenantWire>,
    pub(super) has_more: bool,
}

/// A login of home.
#[derive(Debug, Describe, Serialize)]
#[schema(name = "AdminLogin")]
pub struct LoginWire {
    id: i64,
    person: Somebody,
    client: Option<String>,
    address: Option<String>,
    created_at: String,
    used_at: String,
    connected: bool,
}

impl From<&(SignedInPerson, bool)> for LoginWire {
    fn from((SignedInPerson { login, name }, connected): &(SignedInPerson, bool)) -> Self {
        Self {
            id: login.id.get(),
            person: Somebody {
                id: login.person.get(),
                name: name.clone(),
            },
            client: login.client.clone(),
            address: login.address.clone(),
            created_at: login.created_at.to_rfc3339(),
            used_at: login.used_at.to_rfc3339(),
            connected: *connected,
        }
    }
}

/// A page of logins.
#[derive(Debug, Describe, Serialize)]
#[schema(name = "AdminLogins")]
pub struct Logins {
    pub(super) logins: Vec<LoginWire>,
    pub(super) has_more: bool,
}

/// An act of an administrator.
#[derive(Debug, Describe, Serialize)]
#[schema(name = "AuditEntry")]
pub struct EntryWire {
    id: i64,
    at: String,
    by: Option<Somebody>,
    address: Option<String>,
    #[schema(words = Act::WORDS)]
    act: &'static str,
    target: TargetWire,
    detail: Option<String>,
}

/// What it was done to.
#[derive(Debug, Describe, Serialize)]
#[schema(name = "AuditTarget")]
struct TargetWire {
    #[schema(words = TargetKind::WORDS)]
    kind: &'static str,
    id: Option<i64>,
    name: Option<String>,
}

impl From<&AuditEntry> for EntryWire {
    fn from(entry: &AuditEntry) -> Self {
        let AuditEntry { id, at, by, record } = entry;
        let target = &record.target;
        Self {
            id: *id,
            at: at.to_rfc3339(),
            by: by.person.as_ref().map(|(id, name)| Somebody {
                id: id.get(),
                name: name.clone(),
            }),
            address: by.address.clone(),
            act: record.act.as_str(),
            target: TargetWire {
                kind: target.kind.as_str(),
                id: target.id,
                name: target.name.clone(),
            },
            detail: record.detail.clone(),
        }
    }
}

/// A page of the audit.
#[derive(Debug, Describe, Serialize)]
pub struct Audit {
    pub(super) audit: Vec<EntryWire>,
    pub(super) has_more: bool,
}

/// Who may sign up.
#[derive(Debug, Describe, Serialize)]
pub struct RegistrationWire {
    #[schema(words = RegistrationMode::WORDS)]
    registration: &'static str,
    #[schema(words = RegistrationMode::WORDS)]
    default: &'static str,
    #[schema(words = RegistrationMode::WORDS)]
    chosen: Option<&'static str>,
}

impl From<Registration> for RegistrationWire {
    fn from(registration: Registration) -> Self {
        Self {
            registration: registration.mode().as_str(),
            default: registration.preset.as_str(),
            chosen: registration.chosen.map(RegistrationMode::as_str),
        }
    }
}

/// The same for everybody.
#[derive(Debug, Describe, Serialize)]
pub struct RegistrationModeWire {
    #[schema(words = RegistrationMode::WORDS)]
    pub(super) registration: &'static str,
}

/// What is counted of the server.
#[derive(Debug, Describe, Serialize)]
pub struct FiguresWire {
    people: i64,
    people_deactivated: i64,
    administrators: i64,
    chats: i64,
    messages: i64,
    logins: i64,
    tenants: i64,
    tenants_messages: i64,
    sockets: i64,
    waiting: usize,
    database: &'static str,
    database_bytes: i64,
    version: &'static str,
    started_at: String,
    uptime_seconds: u64,
}

impl FiguresWire {
    /// The figures with how many sockets are open.
    pub(super) fn new(figures: &ServerFigures, sockets: i64) -> Self {
        let stored = &figures.stored;
        Self {
            people: stored.people,
            people_deactivated: stored.deactivated,
            administrators: stored.administrators,
            chats: stored.chats,
            messages: stored.messages,
            logins: stored.logins,
            tenants: stored.tenants,
            tenants_messages: stored.tenants_messages,
            sockets,
            waiting: figures.waiting,
            database: figures.engine,
            database_bytes: stored.database_bytes,
            version: env!("CARGO_PKG_VERSION"),
            started_at: figures.started_at.to_rfc3339(),
            uptime_seconds: figures.uptime.as_secs(),
        }
    }
}
