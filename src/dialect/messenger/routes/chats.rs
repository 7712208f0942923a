//! Chats: the list, making one, coming and going, read marks.

use rocket::{get, http::Status, post};

use crate::{
    chat::chats,
    dialect::{
        messenger::{
            routes::{Answer, Id, Reply, Verbs, done},
            wire,
        },
        page,
    },
    error::Error,
    http::{Fields, Query, SignedIn, feed},
    model::{ChatId, MessageId, Position, Title},
};

/// `GET /api/chats`: the open chats and mine, newest activity first.
#[get("/api/chats")]
pub(super) async fn list(
    services: &Verbs,
    caller: SignedIn,
    query: &Query,
) -> Answer<Reply<wire::Chats>> {
    let before = query.number("before")?.map(Position::new);
    let listing = chats::list(services, &caller, before, feed::limit(query)?).await?;
    let (chats, left) = page::fitting(listing.chats.iter().map(wire::ChatListed::from));
    let shown = listing.chats.iter().take(chats.len());
    let senders = shown.filter_map(|listed| listed.last.as_ref());
    Ok(Reply::ok(wire::Chats {
        people: wire::people(senders.map(|(_, _, sender)| sender.into())),
        chats,
        has_more: listing.more || left,
        cursor: listing.cursor.to_string(),
    }))
}

/// `POST /api/chats` title.
#[post("/api/chats", data = "<fields>")]
pub(super) async fn create(
    services: &Verbs,
    caller: SignedIn,
    fields: &Fields,
) -> Answer<Reply<wire::Ok>> {
    let title = Title::parse(fields.required_text("title")?)?;
    let chat = chats::create(services, &caller, title).await?;
    Ok(Reply::new(Status::Created, wire::Ok::PLAIN)
        .header("Location", format!("/api/chats/{chat}")))
}

/// `POST /api/chats/{id}/join`.
#[post("/api/chats/<chat>/join")]
pub(super) async fn join(
    services: &Verbs,
    caller: SignedIn,
    chat: Id<ChatId>,
) -> Answer<Reply<wire::Ok>> {
    chats::join(services, &caller, chat.0).await?;
    Ok(done())
}

/// `POST /api/chats/{id}/leave`.
#[post("/api/chats/<chat>/leave")]
pub(super) async fn leave(
    services: &Verbs,
    caller: SignedIn,
    chat: Id<ChatId>,
) -> Answer<Reply<wire::Ok>> {
    chats::leave(services, &caller, chat.0).await?;
    Ok(done())
}

/// `POST /api/chats/{id}/read` `up_to`.
#[post("/api/chats/<chat>/read", data = "<fields>")]
pub(super) async fn read(
    services: &Verbs,
    caller: SignedIn,
    chat: Id<ChatId>,
    fields: &Fields,
) -> Answer<Reply<wire::Ok>> {
    let up_to = fields
        .number("up_to")?
        .filter(|id| *id > 0)
        .ok_or_else(|| {
            Error::invalid_field("up_to", "up_to must be the id of the last message read")
        })?;
    chats::read(services, &caller, chat.0, MessageId::new(up_to)).await?;
    Ok(done())
}
