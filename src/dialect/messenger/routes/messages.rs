//! Messages: a chat's history and new messages, and sending.

use std::{sync::Arc, time::Duration};

use rocket::{
    Either, Request, Route, State, get,
    http::Status,
    post,
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
            routes::{ChatServices, Id, IdempotencyKey, Reply, RouteResult},
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
    model::{ChatId, Content, MessageId, MessageKind, Page, Position},
};

/// What is mounted.
pub(super) fn routes() -> Vec<Route> {
    routes![list, send, one]
}

/// `GET /api/chats/{id}`: the newest page, an older one with `before`, or with `after` what is new,
/// waiting for it when a `timeout` is given.
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
    if let Some(after) = ask.after {
        if before.is_some() {
            return Err(Error::invalid("after and before cannot go together").into());
        }
        let watch = ChangeFeed::chat(services, &caller, chat.0, |services| place(services, after));
        let watch = watch.await;
        let mut watch = watch.map_err(|error| feed::with_fresh_cursor(services, error))?;
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
        return Ok(Either::Right(LongPoll::answer(feed, ask.timeout).await?));
    }
    let reader = access::reader(services, &caller, chat.0).await?;
    let cursor = services.cursor();
    let Page { messages, more } = messages::before(services, &reader, before, ask.limit).await?;
    // The newest have room first.
    let newest = messages.iter().rev();
    let (mut listed, left) = page::fitting(newest.map(|(message, _)| message.into()));
    listed.reverse();
    let shown = &messages[messages.len() - listed.len()..];
    Ok(Either::Left(Reply::ok(wire::History {
        people: wire::people(shown.iter().map(|(_, sender)| sender.into())),
        messages: listed,
        has_more: more || left,
        cursor: cursor.to_string(),
    })))
}

/// A message's id, or a cursor, which is no number.
fn place(services: &Services, text: &str) -> Result<Position> {
    if let Some(id) = whole_text(text).filter(|number| *number >= 0) {
        return Ok(Position::new(id));
    }
    if text.contains('.') {
        return feed::place(services, Some(text));
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
        let reader = access::reader(services, &caller, chat).await?;
        wire::StatusOk::with((&messages::one(services, &reader, message.id).await?.0).into())
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
    if fields.number("reply_to")?.is_some() {
        // To send it without would say something else than its sender meant.
        let sentence = "reply_to is not kept by this server: leave it out";
        return Err(Error::invalid_field("reply_to", sentence));
    }
    let content = fields.required_text("content")?.to_owned();
    let content = match kind {
        MessageKind::Text => Content::parse(content)?,
        MessageKind::Image | MessageKind::File => Content::parse_url(content)?,
    };
    let client_id = key.or_field(fields)?;
    Ok(Draft {
        kind,
        content,
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
    let reader = access::reader(services, &caller, chat.0).await?;
    Ok(Reply::ok(
        (&messages::one(services, &reader, message.0).await?.0).into(),
    ))
}
