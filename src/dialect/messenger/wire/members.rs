//! Members of chats in the messenger's JSON.

use serde::Serialize;

use crate::{
    json::schema::Describe,
    model::{Person, Position, Role},
};

/// A member of a chat.
#[derive(Debug, Describe, Serialize)]
pub struct MemberWire {
    id: i64,
    name: String,
    photo: Option<String>,
    #[schema(words = Role::WORDS)]
    role: &'static str,
    joined_position: i64,
}

impl From<&(Person, Role, Position)> for MemberWire {
    fn from((person, role, joined): &(Person, Role, Position)) -> Self {
        Self {
            id: person.id.get(),
            name: person.name.to_string(),
            photo: person.photo.clone(),
            role: role.as_str(),
            joined_position: joined.get(),
        }
    }
}

/// `{"members": […]}`.
#[derive(Debug, Describe, Serialize)]
pub struct Members {
    /// Who came last is first.
    pub members: Vec<MemberWire>,
    /// Whether there are more, who came earlier.
    pub has_more: bool,
    /// The log's place before the page was read.
    pub cursor: String,
}
