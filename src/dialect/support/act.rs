//! Carries out what clients want: one verb for each wish.

use std::{net::Ipv4Addr, sync::Arc};

use serde_json::{Value, json};

use super::{
    deeds::{Deed, Deeds},
    events::{self, Guest, Page, Request, Return, Which, Wish},
    wire::{self, Entry},
};
use crate::{
    chat::{
        Caller,
        accounts::Device,
        chats,
        desk::{self, NewGuest, Seated},
        messages::{self, Draft},
        signals, throttle,
    },
    dialect::{Answer, Speaker, number::SUPPORT, page},
    error::{Error, Kind, Result},
    model::{
        ChatId, ClientId, Content, DeskStatus, Domain, MessageId, MessageKind, Person, PersonKind,
    },
};

/// Which side of the desk an event is for.
#[derive(Debug, Clone, Copy)]
enum Side {
    /// Owners alone.
    Owner,
    /// Owners and guests.
    Either,
}

/// Whoever connects with a token has used it.
pub(super) async fn welcome(speaker: &mut Speaker) -> Result<()> {
    if let Some(token) = speaker.credentials.token.clone() {
        // A token of another kind is another API's business.
        let found = caller(speaker, &token, Side::Either).await;
        if let Err(error) = found
            && error.kind() != Kind::Unauthenticated
        {
            return Err(error);
        }
    }
    Ok(())
}

/// Answers an event, whatever comes of it.
pub(super) async fn handle(speaker: &mut Speaker, event: &str, argument: Option<&Value>) -> Answer {
    let outcome = match events::decode(event, argument) {
        Ok(request) => carry_out(speaker, request).await,
        Err(error) => Err(error),
    };
    match outcome {
        Ok(body) => Answer::reply(200, event.to_owned(), body),
        Err(error) => {
            note(event, &error);
            refuse(event, &error)
        }
    }
}

/// The answer to something that did not go well.
pub(super) fn refuse(event: &str, error: &Error) -> Answer {
    let (status, body) = wire::failure(error);
    Answer::reply(status, event.to_owned(), body).waiting_as(error)
}

/// Strangers get a sentence, the log gets the cause.
fn note(event: &str, error: &Error) {
    if error.kind() == Kind::Internal {
        tracing::error!(event, cause = ?error.cause(), "An event failed on our side.");
    } else if let Some(cause) = error.cause() {
        tracing::debug!(event, ?cause, "An event was refused.");
    }
}

async fn carry_out(speaker: &mut Speaker, Request { token, wish }: Request) -> Result<Value> {
    let side = match &wish {
        Wish::NewChat(guest) => return new_chat(speaker, guest).await,
        Wish::OldChat(guest) => return old_chat(speaker, guest).await,
        Wish::Queue(..) => Side::Owner,
        Wish::Say(..) | Wish::Read(..) | Wish::Close(..) | Wish::Type(..) | Wish::See(..) => {
            Side::Either
        }
    };
    let token = token
        .or_else(|| speaker.credentials.token.clone())
        .ok_or_else(|| Error::invalid_field("token", "token is required"))?;
    let caller = caller(speaker, &token, side).await?;
    match wish {
        Wish::Say(chat, content, client_id) => {
            say(speaker, &caller, chat, content, client_id).await
        }
        Wish::Read(chat, slice) => read(speaker, &caller, chat, slice).await,
        Wish::Queue(status, page) => queue(speaker, &caller, status, page).await,
        Wish::Close(chat, client_id) => close(speaker, &caller, chat, client_id).await,
        Wish::Type(chat, typing) => tell_typing(speaker, &caller, chat, typing).await,
        Wish::See(chat, message) => see(speaker, &caller, chat, message).await,
        Wish::NewChat(_) | Wish::OldChat(..) => Err(Error::internal("answered before")),
    }
}

/// Whoever holds a token, on the side of the desk that an event is for. From now on this connection is
/// told what they are told.
async fn caller(speaker: &mut Speaker, token: &str, side: Side) -> Result<Caller> {
    let found = speaker
        .holder_who(token, |person| match (person.kind, side) {
            (PersonKind::Owner, _) | (PersonKind::Guest, Side::Either) => true,
            (PersonKind::Guest, Side::Owner) | (PersonKind::Person | PersonKind::Admin, _) => false,
        })
        .await?;
    let Some(caller) = found else {
        return Err(match side {
            Side::Owner => stranger("Owner not found"),
            Side::Either => stranger("Guest not found"),
        });
    };
    speaker.act_as(SUPPORT, &caller).await?;
    Ok(caller)
}

fn stranger(sentence: &'static str) -> Error {
    Error::new(Kind::Unauthenticated, sentence)
}

async fn new_chat(speaker: &mut Speaker, guest: &Guest) -> Result<Value> {
    let no_owner = || Error::invalid("Owner for this domain not found");
    let services = Arc::clone(&speaker.services);
    let domain = Domain::parse(&guest.domain).map_err(|_| no_owner())?;
    let site = desk::site(&services, &domain).await;
    let site = site.map_err(|error| match error.kind() {
        Kind::NotFound => no_owner(),
        _ => error,
    })?;
    let device = device(speaker);
    let new = NewGuest {
        name: &guest.name,
        email: &guest.email,
        domain: &domain,
        key: guest.key.as_ref(),
    };
    let known = if speaker.options.support_resume_by_email {
        desk::seat_by_email(&services, &site, &new, &device).await?
    } else {
        None
    };
    let seated = match known {
        Some(seated) => seated,
        None => desk::seat(&services, &site, &new, &device).await?,
    };
    welcome_guest(speaker, &seated).await
}

async fn old_chat(speaker: &mut Speaker, back: &Return) -> Result<Value> {
    let no_guest = || stranger("Guest not found");
    let services = Arc::clone(&speaker.services);
    let guest = speaker.holder_who(&back.token, Person::is_guest).await?;
    let guest = guest.ok_or_else(no_guest)?;
    if let Some(domain) = &back.domain {
        let domain = Domain::parse(domain).map_err(|_| no_guest())?;
        let site = desk::site(&services, &domain).await.map_err(|error| {
            let unknown = error.kind() == Kind::NotFound;
            if unknown { no_guest() } else { error }
        })?;
        if site.id != guest.tenant() {
            return Err(no_guest());
        }
    }
    let device = device(speaker);
    let key = back.key.as_ref();
    let seated = desk::seat_again(&services, &guest, key, &device).await?;
    welcome_guest(speaker, &seated).await
}

async fn welcome_guest(speaker: &mut Speaker, seated: &Seated) -> Result<Value> {
    speaker.act_as(SUPPORT, &seated.guest).await?;
    let Seated { guest, chat, token } = seated;
    Ok(wire::new_chat(token.expose(), *chat, guest.id()))
}

async fn say(
    speaker: &mut Speaker,
    caller: &Caller,
    chat: Which,
    content: Content,
    client_id: Option<ClientId>,
) -> Result<Value> {
    let chat = at_desk(speaker, caller, chat).await?;
    let draft = Draft {
        kind: MessageKind::Text,
        content: content.clone(),
        client_id,
    };
    let sent = messages::send(&speaker.services, caller, chat, draft).await;
    let sent = sent.map_err(as_no_chat)?;
    speaker.note_sent(sent.id.into());
    let place = (sent.id, sent.at);
    Ok(wire::sent(content.as_str(), caller.id(), place))
}

/// A chat at a desk, which need not be the caller's: the verb finds that out. Asked of the store once
/// for each chat of a connection, for a chat is at a desk for good.
async fn at_desk(speaker: &mut Speaker, caller: &Caller, chat: Which) -> Result<ChatId> {
    let chat = chat.ok_or_else(no_chat)?;
    if !speaker.memory::<Deeds>(SUPPORT).is_at_desk(chat) {
        let found = desk::reader(&speaker.services, caller, chat).await;
        found.map_err(as_no_chat)?;
        speaker.memory::<Deeds>(SUPPORT).note_at_desk(chat);
    }
    Ok(chat)
}

async fn read(speaker: &Speaker, caller: &Caller, chat: Which, slice: (i64, i64)) -> Result<Value> {
    let chat = chat.ok_or_else(no_chat)?;
    let services = &speaker.services;
    let reader = desk::reader(services, caller, chat).await;
    let reader = reader.map_err(as_no_chat)?;
    let messages = desk::slice(services, &reader, one_more(slice)).await?;
    let (messages, more) = page::limited(messages, count(slice));
    let (listed, left) = page::fitting(messages.iter().map(wire::listed));
    Ok(wire::page(listed, more || left))
}

async fn queue(
    speaker: &Speaker,
    caller: &Caller,
    status: DeskStatus,
    wanted: Page,
) -> Result<Value> {
    let unknown = || Error::invalid_field("before", "before must name a chat of this desk");
    let wanted = desk::Page {
        slice: wanted.slice,
        before: wanted
            .before
            .map(|chat| chat.ok_or_else(unknown))
            .transpose()?,
        query: wanted.query,
    };
    let found = desk::queue(&speaker.services, caller, status, &wanted).await;
    let queue = found.map_err(|error| match error.kind() {
        Kind::NotFound => unknown().because(error),
        _ => error,
    })?;
    let (entries, left) = page::fitting(queue.chats.iter().map(Entry::from));
    let mut body = wire::page(json!(entries), queue.has_more || left);
    body["total"] = queue.total.into();
    Ok(body)
}

/// A slice with one more entry, so as to know whether there are more.
fn one_more((skip, limit): (i64, i64)) -> (i64, i64) {
    (skip, limit.saturating_add(1))
}

fn count((_, limit): (i64, i64)) -> usize {
    usize::try_from(limit).unwrap_or_default()
}

async fn close(
    speaker: &mut Speaker,
    caller: &Caller,
    chat: Which,
    client_id: Option<ClientId>,
) -> Result<Value> {
    let chat = chat.ok_or_else(no_chat)?;
    let services = Arc::clone(&speaker.services);
    let before = services.hub.head();
    desk::close(&services, caller, chat, client_id)
        .await
        .map_err(as_no_chat)?;
    let span = (before, services.hub.head());
    speaker
        .memory::<Deeds>(SUPPORT)
        .note(chat, Deed::Closed, span);
    let mut body = wire::success("Chat has been closed");
    body["chatId"] = chat.to_hex().into();
    Ok(body)
}

async fn tell_typing(
    speaker: &Speaker,
    caller: &Caller,
    chat: Which,
    typing: bool,
) -> Result<Value> {
    let chat = chat.ok_or_else(no_chat)?;
    let services = &speaker.services;
    let reader = desk::reader(services, caller, chat).await;
    let reader = reader.map_err(as_no_chat)?;
    let told = (typing, typing.to_string());
    let ends = signals::Ends::AfterAWhile;
    signals::typing(services, caller, &reader, told, speaker.number, ends).map_err(as_no_chat)?;
    Ok(wire::success("Typing has been told"))
}

async fn see(
    speaker: &mut Speaker,
    caller: &Caller,
    chat: Which,
    message: Option<MessageId>,
) -> Result<Value> {
    let chat = at_desk(speaker, caller, chat).await?;
    let message = message.ok_or_else(|| Error::not_found("Message not found"))?;
    let services = Arc::clone(&speaker.services);
    let before = services.hub.head();
    chats::read(&services, caller, chat, message)
        .await
        .map_err(as_no_chat)?;
    let span = (before, services.hub.head());
    let deed = Deed::Read(caller.id());
    speaker.memory::<Deeds>(SUPPORT).note(chat, deed, span);
    Ok(wire::success("Message has been seen"))
}

fn no_chat() -> Error {
    Error::not_found("Chat not found")
}

/// A chat that is not there, and one that is not theirs, in this API's words.
fn as_no_chat(error: Error) -> Error {
    match error.kind() {
        Kind::NotFound | Kind::Forbidden => no_chat().because(error),
        _ => error,
    }
}

/// Where the speaker is, for the list of logins and for throttling.
fn device(speaker: &Speaker) -> Device {
    let address = speaker.credentials.address;
    let address = address.unwrap_or(Ipv4Addr::UNSPECIFIED.into());
    Device {
        client: None,
        address,
        network: throttle::network(address),
    }
}
