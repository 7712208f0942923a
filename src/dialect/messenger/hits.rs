//! What a search finds, as JSON.

use serde::Serialize;

use crate::{
    dialect::messenger::wire::{MessageWire, PersonWire},
    json::schema::Describe,
    model::{Chat, Message, search::Excerpt},
};

/// A message that was found.
#[derive(Debug, Describe, Serialize)]
pub struct HitWire {
    message: MessageWire,
    chat: HitChat,
    excerpt: String,
    /// `[[start, end], …]`: what was searched for, in characters (code points) of the excerpt.
    marks: Vec<(usize, usize)>,
}

/// Its chat: a direct one has the other's name as its title.
#[derive(Debug, Describe, Serialize)]
struct HitChat {
    id: i64,
    title: Option<String>,
}

impl HitWire {
    /// A message of a chat, and the part of it that shows the hit.
    pub fn new(message: &Message, chat: &Chat, excerpt: &Excerpt) -> Self {
        Self {
            message: message.into(),
            chat: HitChat {
                id: chat.id.get(),
                title: chat.title.clone(),
            },
            excerpt: excerpt.text.clone(),
            marks: excerpt.marks.clone(),
        }
    }
}

/// A page of hits.
#[derive(Debug, Describe, Serialize)]
pub struct Hits {
    /// Newest first.
    pub hits: Vec<HitWire>,
    /// Whether there may be older ones.
    pub has_more: bool,
    /// With which `before` the search goes on.
    pub before: Option<i64>,
    /// When the oldest message was sent that was searched, if there may be more: with fewer hits than `limit` the
    /// search stopped there because it had looked at much.
    pub looked_back_to: Option<String>,
    /// Who sent them.
    pub people: Vec<PersonWire>,
}
