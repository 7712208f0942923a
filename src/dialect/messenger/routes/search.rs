//! Searching the messages of my chats.

use rocket::{Route, get, routes};

use crate::{
    chat::search::{self, Search},
    dialect::{
        messenger::{
            hits::{HitWire, Hits},
            routes::{ChatServices, Reply, RouteResult},
            wire,
        },
        page,
    },
    http::{Query, SignedIn, feed},
    model::{ChatId, MessageId, PersonId, Timestamp, search::Query as Words},
};

/// How many hits a page has when nobody says.
const LIMIT_DEFAULT: usize = 20;

/// What is mounted.
pub(super) fn routes() -> Vec<Route> {
    routes![find]
}

/// `GET /api/search` `query`: messages of my chats, or of one `chat`, by anybody or by one person (`from`), newest
/// first; with `before` those before a message. It does so much and no more, and then says how far back it has looked.
#[get("/api/search")]
pub(super) async fn find(
    services: &ChatServices,
    caller: SignedIn,
    query: &Query,
) -> RouteResult<Reply<Hits>> {
    let limit = match query.text("limit")? {
        Some(_) => feed::limit(query)?,
        None => LIMIT_DEFAULT,
    };
    let asked = Search {
        query: Words::parse(query.required_text("query")?)?,
        chat: query.number("chat")?.map(ChatId::new),
        from: query.number("from")?.map(PersonId::new),
        before: query.number("before")?.map(MessageId::new),
        limit,
    };
    let found = search::search(services, &caller, &asked).await?;
    let hits = found.hits.iter();
    let (hits, left) =
        page::fitting(hits.map(|hit| HitWire::new(&hit.message, &hit.chat, &hit.excerpt)));
    let shown = &found.hits[..hits.len()];
    let last = shown.last().filter(|_| left).map(|hit| &hit.message);
    let before = last.map(|message| message.id).or(found.before);
    let looked_back_to = last.map(|message| message.at).or(found.looked_back_to);
    Ok(Reply::ok(Hits {
        people: wire::people(shown.iter().map(|hit| (&hit.sender).into())),
        hits,
        has_more: before.is_some(),
        before: before.map(MessageId::get),
        looked_back_to: looked_back_to.map(Timestamp::to_rfc3339),
    }))
}
