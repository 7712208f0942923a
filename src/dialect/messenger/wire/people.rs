//! People in the messenger's JSON: as others find them, as they see themselves, and their logins.

use serde::Serialize;

use crate::{
    json::schema::Describe,
    model::{Login, LoginId, Person, PersonName, Timestamp},
};

/// A person where others see them.
#[derive(Debug, Clone, PartialEq, Eq, Describe, Serialize)]
pub struct PersonWire {
    id: i64,
    name: String,
}

impl From<&PersonName> for PersonWire {
    fn from(person: &PersonName) -> Self {
        Self {
            id: person.id.get(),
            name: person.name.to_string(),
        }
    }
}

impl From<&Person> for PersonWire {
    fn from(person: &Person) -> Self {
        Self {
            id: person.id.get(),
            name: person.name.to_string(),
        }
    }
}

/// A person who has another name or picture, or is gone.
#[derive(Debug, Describe, Serialize)]
pub struct ProfileWire {
    id: i64,
    name: String,
    photo: Option<String>,
    deleted_at: Option<String>,
}

impl From<&Person> for ProfileWire {
    fn from(person: &Person) -> Self {
        Self {
            id: person.id.get(),
            name: person.name.to_string(),
            photo: person.photo.clone(),
            deleted_at: person.deleted_at.map(Timestamp::to_rfc3339),
        }
    }
}

/// A person as another one finds them.
#[derive(Debug, Describe, Serialize)]
#[schema(name = "FoundPerson")]
pub struct FoundWire {
    id: i64,
    name: String,
    photo: Option<String>,
    online: Option<bool>,
    last_seen: Option<String>,
}

impl FoundWire {
    /// A person, with what the reader may know of when they were here.
    pub fn new(person: &Person, online: Option<bool>, last_seen: Option<Timestamp>) -> Self {
        Self {
            id: person.id.get(),
            name: person.name.to_string(),
            photo: person.photo.clone(),
            online,
            last_seen: last_seen.map(Timestamp::to_rfc3339),
        }
    }
}

/// People whose names begin as was asked.
#[derive(Debug, Describe, Serialize)]
pub struct People {
    /// By name.
    pub people: Vec<FoundWire>,
    /// Whether there are more.
    pub has_more: bool,
}

/// Each person once.
pub fn people(people: impl Iterator<Item = PersonWire>) -> Vec<PersonWire> {
    let mut seen = std::collections::HashSet::new();
    people.filter(|person| seen.insert(person.id)).collect()
}

/// Who I am.
#[derive(Debug, Describe, Serialize)]
pub struct Me {
    id: i64,
    name: String,
    email: Option<String>,
    photo: Option<String>,
    created_at: String,
}

impl From<&Person> for Me {
    fn from(person: &Person) -> Self {
        Self {
            id: person.id.get(),
            name: person.name.to_string(),
            email: person.email.clone(),
            photo: person.photo.clone(),
            created_at: person.created_at.to_rfc3339(),
        }
    }
}

/// Who I am here.
#[derive(Debug, Describe, Serialize)]
pub struct MeHere {
    /// Who I am.
    #[serde(flatten)]
    pub me: Me,
    /// Whether this server's page shows photos from elsewhere.
    pub external_photos: bool,
}

/// One of my logins.
#[derive(Debug, Describe, Serialize)]
pub struct LoginWire {
    id: i64,
    client: Option<String>,
    address: Option<String>,
    created_at: String,
    used_at: String,
    current: bool,
}

impl LoginWire {
    /// A login as its owner sees it who came with `current`.
    pub fn new(login: &Login, current: Option<LoginId>) -> Self {
        Self {
            id: login.id.get(),
            client: login.client.clone(),
            address: login.address.clone(),
            created_at: login.created_at.to_rfc3339(),
            used_at: login.used_at.to_rfc3339(),
            current: Some(login.id) == current,
        }
    }
}

/// My logins.
#[derive(Debug, Describe, Serialize)]
pub struct Logins {
    /// The last used first.
    pub logins: Vec<LoginWire>,
}
