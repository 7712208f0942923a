//! Chats: the list, making one and changing it, coming and going, read marks, one's own settings.

use rocket::{Route, delete, get, http::Status, patch, post, routes};

use crate::{
    chat::chats::{self, ChatEdit, CreateKey, Created, NewChat, SettingsEdit, Visibility, Was},
    dialect::{
        messenger::{
            routes::{
                ChatServices, Id, IdempotencyKey, Reply, RouteResult,
                members::{about_members, named},
                ok,
            },
            wire,
        },
        page,
    },
    error::{Error, Result},
    http::{Fields, Query, SignedIn, feed},
    model::{
        ChatId, ChatKind, Description, MessageId, Notify, PersonId, Position, Timestamp, Title,
    },
};

/// What is mounted.
pub(super) fn routes() -> Vec<Route> {
    routes![list, create, update, remove, join, leave, read, set]
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
    let description = described(visibility, fields)?;
    let client_id = key.or_field(fields)?;
    let new = NewChat {
        visibility,
        title,
        description,
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
    let private = privacy(fields)?;
    let mut members = named(fields)?;
    members.retain(|id| *id != caller.id());
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

/// Whether a chat is to be private, by whichever of two words; nothing where neither is said.
fn privacy(fields: &Fields) -> Result<Option<bool>> {
    match (fields.flag("private")?, fields.flag("open")?) {
        (Some(private), Some(open)) if private == open => {
            let sentence = "open and private contradict each other: send one of them";
            Err(Error::invalid_field("open", sentence))
        }
        (private, open) => Ok(private.or(open.map(|open| !open))),
    }
}

/// What a new chat is about: two people's direct chat is about nothing.
fn described(visibility: Visibility, fields: &Fields) -> Result<Option<Description>> {
    let description = fields.text("description")?.map(Description::parse);
    match (visibility, description.transpose()?.flatten()) {
        (Visibility::Direct, Some(_)) => {
            let sentence = "description is of chats with a title: send one, or leave it out";
            Err(Error::invalid_field("description", sentence))
        }
        (_, description) => Ok(description),
    }
}

/// `PATCH /api/chats/{id}` title, description, private or open.
#[patch("/api/chats/<chat>", data = "<fields>")]
pub(super) async fn update(
    services: &ChatServices,
    caller: SignedIn,
    chat: Id<ChatId>,
    fields: &Fields,
) -> RouteResult<Reply<wire::StatusOk>> {
    let description = fields.text("description")?.map(Description::parse);
    let edit = ChatEdit {
        title: fields.text("title")?.map(Title::parse).transpose()?,
        description: description.transpose()?,
        kind: privacy(fields)?.map(|private| {
            if private {
                ChatKind::Private
            } else {
                ChatKind::Open
            }
        }),
    };
    if edit.title.is_none() && edit.description.is_none() && edit.kind.is_none() {
        return Err(Error::invalid("send title, description or private").into());
    }
    chats::update(services, &caller, chat.0, edit).await?;
    Ok(ok())
}

/// `DELETE /api/chats/{id}`.
#[delete("/api/chats/<chat>")]
pub(super) async fn remove(
    services: &ChatServices,
    caller: SignedIn,
    chat: Id<ChatId>,
) -> RouteResult<Reply<wire::StatusOk>> {
    chats::delete(services, &caller, chat.0).await?;
    Ok(ok())
}

/// `PATCH /api/chats/{id}/settings` notify, pinned, `muted_until`: mine alone.
#[patch("/api/chats/<chat>/settings", data = "<fields>")]
pub(super) async fn set(
    services: &ChatServices,
    caller: SignedIn,
    chat: Id<ChatId>,
    fields: &Fields,
) -> RouteResult<Reply<wire::StatusOk>> {
    let edit = settings(fields)?;
    chats::set(services, &caller, chat.0, edit).await?;
    Ok(ok())
}

fn settings(fields: &Fields) -> Result<SettingsEdit> {
    let notify = fields.text("notify")?.map(|word| {
        let sentence = "notify must be all, mentions or none";
        Notify::from_stored(word).ok_or_else(|| Error::invalid_field("notify", sentence))
    });
    let muted_until = fields.text("muted_until")?.map(|text| {
        let sentence = "muted_until must be a date and time such as 2026-01-31T09:30:00Z, or empty";
        let refusal = || Error::invalid_field("muted_until", sentence);
        match text {
            "" => Ok(None),
            text => Timestamp::from_rfc3339(text).map(Some).ok_or_else(refusal),
        }
    });
    let edit = SettingsEdit {
        notify: notify.transpose()?,
        pinned: fields.flag("pinned")?,
        muted_until: muted_until.transpose()?,
    };
    if edit.notify.is_none() && edit.pinned.is_none() && edit.muted_until.is_none() {
        return Err(Error::invalid("send notify, pinned or muted_until"));
    }
    Ok(edit)
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
