//! Messages: a chat's history and new messages, and sending.

use std::{sync::Arc, time::Duration};

use rocket::{
    Either, Request, Route, State, delete, get,
    http::Status,
    patch, post, put,
    request::{FromRequest, Outcome},
    routes,
};

use crate::{
    chat::{
        Services, access,
        change_feed::ChangeFeed,
        messages::{self, Draft, Sent},
    },
    config::Settings,
    dialect::{
        Options,
        messenger::{
            events::ChatMessages,
            routes::{ChatServices, Id, IdempotencyKey, Reply, RouteResult, ok},
            wire,
        },
        page,
    },
    error::{Error, Kind, Result},
    http::{
        ApiError, Fields, Query, SignedIn,
        feed::{self, Ask, Feed},
        long_poll::LongPoll,
    },
    json::whole_text,
    model::{
        ChatId, Content, Cursor, Emoji, Message, MessageId, MessageKind, Page, PersonId,
        PersonName, Position, Surroundings, TenantId,
    },
};

/// What is mounted.
pub(super) fn routes() -> Vec<Route> {
    routes![list, send, one, edit, remove, reactors, react, unreact]
}

/// `GET /api/chats/{id}`: the newest page, an older one with `before`, the one around a place with `around`,
/// or with `after` what is new, waiting for it when a `timeout` is given.
#[get("/api/chats/<chat>")]
pub(super) async fn list(
    services: &ChatServices,
    options: &State<Arc<Options>>,
    settings: &State<Settings>,
    caller: SignedIn,
    chat: Id<ChatId>,
    query: &Query,
) -> RouteResult<Either<Reply<wire::History>, LongPoll>> {
    let ask = Ask::read(query, settings, Duration::ZERO)?;
    let before = query.number("before")?.map(MessageId::new);
    let around = query.number("around")?.map(MessageId::new);
    let places = [ask.after.is_some(), before.is_some(), around.is_some()];
    if places.into_iter().filter(|is_given| *is_given).count() > 1 {
        return Err(Error::invalid("only one of after, before and around can be asked for").into());
    }
    if let Some(after) = ask.after {
        let after = place(services, caller.tenant(), after);
        let watch = ChangeFeed::chat(services, &caller, chat.0, after);
        let watch = watch.await;
        let mut watch =
            watch.map_err(|error| feed::with_fresh_cursor(services, caller.tenant(), error))?;
        if !ask.timeout.is_zero() {
            services.refuse_when_closing()?;
            if let Some(name) = ask.name {
                watch.admit(Some(name))?;
            }
        }
        let feed = Feed::new(
            services,
            watch,
            ChatMessages,
            (ask.limit, &options.metrics.messenger),
        );
        return LongPoll::answer(feed, ask.timeout).await.map(Either::Right);
    }
    let reader = access::reader(services, &caller, chat.0).await?;
    let cursor = services.cursor(caller.tenant());
    let mut found = match around {
        Some(place) => messages::around(services, &reader, place, ask.limit).await?,
        None => {
            let page = messages::before(services, &reader, before, ask.limit).await?;
            let Page { messages, more } = page;
            Surroundings {
                messages,
                older: more,
                newer: before.is_some(),
            }
        }
    };
    let listed = found.messages.iter_mut().map(|(message, _)| message);
    messages::note_own(services, &caller, listed).await?;
    let mut history = history(&found, around, &cursor);
    history.has_newer = history.has_newer.filter(|_| around.is_some());
    Ok(Either::Left(Reply::ok(history)))
}

/// A page of messages as far as they have room: the nearest to a place first, or else the newest.
fn history(found: &Surroundings, place: Option<MessageId>, cursor: &Cursor) -> wire::History {
    let Surroundings {
        messages,
        older,
        newer,
    } = found;
    let centre = place.map_or(messages.len(), |place| {
        messages.partition_point(|(message, _)| message.id < place)
    });
    let mut by_distance: Vec<_> = messages.iter().enumerate().collect();
    by_distance.sort_by_key(|(index, _)| index.abs_diff(centre));
    let nearest = by_distance.iter().map(|(_, (message, _))| message.into());
    let (mut listed, _) = page::fitting::<wire::MessageWire>(nearest);
    listed.sort_by_key(wire::MessageWire::id);
    let edges = listed.first().zip(listed.last());
    let (first, last) = edges.map_or((0, 0), |(first, last)| (first.id(), last.id()));
    let shown = |(message, _): &&(Message, PersonName)| (first..=last).contains(&message.id.get());
    let is_before = |(message, _): &(Message, PersonName)| message.id.get() < first;
    let is_after = |(message, _): &(Message, PersonName)| message.id.get() > last;
    wire::History {
        has_more: *older || messages.iter().any(is_before),
        has_newer: Some(*newer || messages.iter().any(is_after)),
        cursor: cursor.to_string(),
        people: wire::people(
            messages
                .iter()
                .filter(shown)
                .map(|(_, sender)| sender.into()),
        ),
        messages: listed,
    }
}

/// A message's id, or a cursor, which is no number.
async fn place(services: &Services, tenant: TenantId, text: &str) -> Result<Position> {
    if let Some(id) = whole_text(text).filter(|number| *number >= 0) {
        return Ok(Position::new(id));
    }
    if text.contains('.') {
        return feed::place(services, tenant, Some(text)).await;
    }
    Err(Error::new(
        Kind::BadCursor,
        "after must be a message's id or a cursor",
    ))
}

/// Whether a sender asks for the message itself.
pub(super) struct WantsMessage(bool);

#[rocket::async_trait]
impl<'r> FromRequest<'r> for WantsMessage {
    type Error = std::convert::Infallible;

    async fn from_request(request: &'r Request<'_>) -> Outcome<Self, Self::Error> {
        let representation = request
            .headers()
            .get("Prefer")
            .flat_map(|value| value.split([',', ';']))
            .any(|preference| {
                preference
                    .trim()
                    .eq_ignore_ascii_case("return=representation")
            });
        Outcome::Success(Self(representation))
    }
}

/// `POST /api/chats/{id}` content.
#[post("/api/chats/<chat>", data = "<fields>")]
pub(super) async fn send(
    services: &ChatServices,
    caller: SignedIn,
    chat: Id<ChatId>,
    key: IdempotencyKey,
    wants: WantsMessage,
    fields: &Fields,
) -> RouteResult<Reply<wire::StatusOk>> {
    let chat = chat.0;
    let Sent { message, replayed } =
        messages::send(services, &caller, chat, draft(fields, &key)?).await?;
    let body = if wants.0 {
        wire::StatusOk::with(seen(services, &caller, chat, message.id).await?)
    } else {
        wire::StatusOk::PLAIN
    };
    let reply = Reply::new(Status::Created, body)
        .header(
            "Location",
            format!("/api/chats/{chat}/messages/{}", message.id),
        )
        .header("X-Message-Id", message.id)
        .header("X-Message-Time", message.at.to_rfc3339());
    Ok(reply.replayed(replayed))
}

fn draft(fields: &Fields, key: &IdempotencyKey) -> Result<Draft> {
    let kind = match fields.text("type")? {
        None => MessageKind::Text,
        Some(word) => MessageKind::from_stored(word)
            .ok_or_else(|| Error::invalid_field("type", "type must be text, img or file"))?,
    };
    let content = fields.required_text("content")?.to_owned();
    let content = match kind {
        MessageKind::Text => Content::parse(content)?,
        MessageKind::Image | MessageKind::File => Content::parse_url(content)?,
    };
    let client_id = key.or_field(fields)?;
    Ok(Draft {
        kind,
        content,
        reply_to: fields.number("reply_to")?.map(MessageId::new),
        client_id,
    })
}

/// `GET /api/chats/{id}/messages/{message}`.
#[get("/api/chats/<chat>/messages/<message>")]
pub(super) async fn one(
    services: &ChatServices,
    caller: SignedIn,
    chat: Id<ChatId>,
    message: Id<MessageId>,
) -> std::result::Result<Reply<wire::MessageWire>, ApiError> {
    Ok(Reply::ok(seen(services, &caller, chat.0, message.0).await?))
}

/// A message as the caller sees it.
async fn seen(
    services: &ChatServices,
    caller: &SignedIn,
    chat: ChatId,
    message: MessageId,
) -> Result<wire::MessageWire> {
    let reader = access::reader(services, caller, chat).await?;
    let (mut message, _) = messages::one(services, &reader, message).await?;
    messages::note_own(services, caller, std::iter::once(&mut message)).await?;
    Ok((&message).into())
}

/// `PATCH /api/chats/{id}/messages/{message}` content.
#[patch("/api/chats/<chat>/messages/<message>", data = "<fields>")]
pub(super) async fn edit(
    services: &ChatServices,
    caller: SignedIn,
    chat: Id<ChatId>,
    message: Id<MessageId>,
    wants: WantsMessage,
    fields: &Fields,
) -> RouteResult<Reply<wire::StatusOk>> {
    let content = Content::parse(fields.required_text("content")?.to_owned())?;
    messages::edit(services, &caller, chat.0, message.0, content).await?;
    Ok(Reply::ok(if wants.0 {
        wire::StatusOk::with(seen(services, &caller, chat.0, message.0).await?)
    } else {
        wire::StatusOk::PLAIN
    }))
}

/// `DELETE /api/chats/{id}/messages/{message}`.
#[delete("/api/chats/<chat>/messages/<message>")]
pub(super) async fn remove(
    services: &ChatServices,
    caller: SignedIn,
    chat: Id<ChatId>,
    message: Id<MessageId>,
) -> RouteResult<Reply<wire::StatusOk>> {
    messages::delete(services, &caller, chat.0, message.0).await?;
    Ok(ok())
}

/// `GET /api/chats/{id}/messages/{message}/reactions/{emoji}` limit, before: who has set it.
#[get("/api/chats/<chat>/messages/<message>/reactions/<emoji>")]
pub(super) async fn reactors(
    services: &ChatServices,
    caller: SignedIn,
    chat: Id<ChatId>,
    message: Id<MessageId>,
    emoji: &str,
    query: &Query,
) -> RouteResult<Reply<wire::Reactors>> {
    let emoji = Emoji::parse(emoji)?;
    let before = query.number("before")?.map(PersonId::new);
    let limit = feed::limit(query)?;
    let reader = access::reader(services, &caller, chat.0).await?;
    let which = (message.0, &emoji);
    let (people, has_more) = messages::reactors(services, &reader, which, before, limit).await?;
    let people = people.iter().map(wire::PersonWire::from).collect();
    Ok(Reply::ok(wire::Reactors { people, has_more }))
}

/// `PUT /api/chats/{id}/messages/{message}/reactions/{emoji}`.
#[put("/api/chats/<chat>/messages/<message>/reactions/<emoji>")]
pub(super) async fn react(
    services: &ChatServices,
    caller: SignedIn,
    chat: Id<ChatId>,
    message: Id<MessageId>,
    emoji: &str,
) -> RouteResult<Reply<wire::StatusOk>> {
    let emoji = Emoji::parse(emoji)?;
    messages::react(services, &caller, chat.0, message.0, emoji).await?;
    Ok(ok())
}

/// `DELETE /api/chats/{id}/messages/{message}/reactions/{emoji}`.
#[delete("/api/chats/<chat>/messages/<message>/reactions/<emoji>")]
pub(super) async fn unreact(
    services: &ChatServices,
    caller: SignedIn,
    chat: Id<ChatId>,
    message: Id<MessageId>,
    emoji: &str,
) -> RouteResult<Reply<wire::StatusOk>> {
    let emoji = Emoji::parse(emoji)?;
    messages::unreact(services, &caller, chat.0, message.0, emoji).await?;
    Ok(ok())
}
