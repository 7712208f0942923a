//! Chats: the list, making one, coming and going, read marks.

use rocket::{Route, get, http::Status, post, routes};

use crate::{
    chat::chats::{self, CreateKey, Created, NewChat, Visibility, Was},
    dialect::{
        messenger::{
            routes::{ChatServices, Id, IdempotencyKey, Reply, RouteResult, ok},
            wire,
        },
        page,
    },
    error::{Error, Kind, Result},
    http::{Fields, Query, SignedIn, feed},
    model::{ChatId, MessageId, PersonId, Position, Title},
};

/// What is mounted.
pub(super) fn routes() -> Vec<Route> {
    routes![list, create, join, leave, read]
}

/// `GET /api/chats`: the open chats and mine, newest activity first.
#[get("/api/chats")]
pub(super) async fn list(
    services: &ChatServices,
    caller: SignedIn,
    query: &Query,
) -> RouteResult<Reply<wire::Chats>> {
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

/// The most people that are added to a chat while it is made.
const MEMBERS: usize = 1_000;

/// `POST /api/chats` title, private or open, members: with a title alone an open chat; with others, or
/// `private`, one of its members alone; with exactly one other and no title the direct chat with them.
#[post("/api/chats", data = "<fields>")]
pub(super) async fn create(
    services: &ChatServices,
    caller: SignedIn,
    key: IdempotencyKey,
    fields: &Fields,
) -> RouteResult<Reply<wire::StatusOk>> {
    let (visibility, title, members) = wanted(&caller, fields)?;
    let client_id = key.or_field(fields)?;
    let new = NewChat {
        visibility,
        title,
        members: &members,
        key: client_id.map(|client_id| CreateKey {
            person: Some(caller.id()),
            client_id,
        }),
    };
    let created = chats::create(services, &caller, new).await;
    let Created { chat, was } = created.map_err(about_members)?;
    let status = match (was, visibility) {
        // It is there, as a direct chat is that is made again without a key.
        (Was::Found, _) | (Was::Replayed, Visibility::Direct) => Status::Ok,
        (Was::New | Was::Replayed, _) => Status::Created,
    };
    let reply =
        Reply::new(status, wire::StatusOk::PLAIN).header("Location", format!("/api/chats/{chat}"));
    Ok(reply.replayed(was == Was::Replayed))
}

/// Who is to find the chat that somebody wants to make, its title, and with whom.
fn wanted(
    caller: &SignedIn,
    fields: &Fields,
) -> Result<(Visibility, Option<Title>, Vec<PersonId>)> {
    if fields
        .text("description")?
        .is_some_and(|text| !text.is_empty())
    {
        let sentence = "description is not kept by this server: leave it out";
        return Err(Error::invalid_field("description", sentence));
    }
    let private = match (fields.flag("private")?, fields.flag("open")?) {
        (Some(private), Some(open)) if private == open => {
            let sentence = "open and private contradict each other: send one of them";
            return Err(Error::invalid_field("open", sentence));
        }
        (private, open) => private.or(open.map(|open| !open)),
    };
    let mut members = Vec::new();
    for id in fields.numbers("members")?.into_iter().map(PersonId::new) {
        if id != caller.id() && !members.contains(&id) {
            members.push(id);
        }
        if members.len() > MEMBERS {
            let sentence = format!("members may name at most {MEMBERS}");
            return Err(Error::invalid_field("members", sentence));
        }
    }
    let (visibility, title) = match (fields.text("title")?, private, &members[..]) {
        (None, None | Some(true), [_]) => (Visibility::Direct, None),
        (None, ..) => return Err(fields.missing("title")),
        (Some(title), private, others) => {
            let visibility = if private.unwrap_or(!others.is_empty()) {
                Visibility::Private
            } else {
                Visibility::Open
            };
            (visibility, Some(Title::parse(title)?))
        }
    };
    Ok((visibility, title, members))
}

/// A person who does not exist was named among the members.
fn about_members(error: Error) -> Error {
    match error.kind() {
        Kind::NotFound => {
            let sentence = format!("members must be people of yours: {}", error.text());
            Error::invalid_field("members", sentence).because(error)
        }
        _ => error,
    }
}

/// `POST /api/chats/{id}/join`.
#[post("/api/chats/<chat>/join")]
pub(super) async fn join(
    services: &ChatServices,
    caller: SignedIn,
    chat: Id<ChatId>,
) -> RouteResult<Reply<wire::StatusOk>> {
    chats::join(services, &caller, chat.0).await?;
    Ok(ok())
}

/// `POST /api/chats/{id}/leave`.
#[post("/api/chats/<chat>/leave")]
pub(super) async fn leave(
    services: &ChatServices,
    caller: SignedIn,
    chat: Id<ChatId>,
) -> RouteResult<Reply<wire::StatusOk>> {
    chats::leave(services, &caller, chat.0).await?;
    Ok(ok())
}

/// `POST /api/chats/{id}/read` `up_to`.
#[post("/api/chats/<chat>/read", data = "<fields>")]
pub(super) async fn read(
    services: &ChatServices,
    caller: SignedIn,
    chat: Id<ChatId>,
    fields: &Fields,
) -> RouteResult<Reply<wire::StatusOk>> {
    let up_to = fields
        .number("up_to")?
        .filter(|id| *id > 0)
        .ok_or_else(|| {
            Error::invalid_field("up_to", "up_to must be the id of the last message read")
        })?;
    chats::read(services, &caller, chat.0, MessageId::new(up_to)).await?;
    Ok(ok())
}
