//! Handles the events of live support: one verb for each command.

use std::{collections::VecDeque, net::Ipv4Addr, sync::Arc};

use serde::Serialize;
use serde_json::Value;

use super::{
    ID,
    events::{self, Guest, Page, Request, Return, SupportCommand, Which},
    wire::{self, Entry},
};
use crate::{
    chat::{
        Caller,
        accounts::Device,
        chats,
        conversations::{self, GuestChatOpened, NewGuest},
        limits::login_throttle,
        messages::Draft,
        signals,
    },
    dialect::{ClientSession, EventReply, Handled, OwnAction, Sending, page},
    error::{Error, Kind, Result},
    model::{
        ChatId, ClientId, Content, ConversationStatus, Domain, MessageId, MessageKind, Person,
        PersonKind,
    },
};

/// How many conversations a connection remembers.
const CONVERSATIONS: usize = 64;

/// What is kept of a connection.
#[derive(Default)]
struct Memory {
    /// Chats that are known to be conversations.
    conversations: VecDeque<ChatId>,
}

impl Memory {
    fn note(&mut self, conversation: ChatId) {
        if self.conversations.len() == CONVERSATIONS {
            self.conversations.pop_front();
        }
        self.conversations.push_back(conversation);
    }
}

/// Who may send an event.
#[derive(Debug, Clone, Copy)]
enum Side {
    /// Agents alone.
    Owner,
    /// Agents and guests.
    Either,
}

/// A client that connects with a token acts for its holder from then on.
pub(super) async fn on_connect(session: &mut ClientSession) -> Result<()> {
    if let Some(token) = session.credentials.token.clone() {
        // A token of another kind is another API's business.
        let found = caller(session, &token, Side::Either).await;
        if let Err(error) = found
            && error.kind() != Kind::Unauthenticated
        {
            return Err(error);
        }
    }
    Ok(())
}

/// Answers an event.
pub(super) async fn handle(
    session: &mut ClientSession,
    event: &str,
    argument: Option<&Value>,
) -> Result<Handled> {
    let Request { token, command } = events::decode(event, argument)?;
    let side = match &command {
        SupportCommand::NewChat(guest) => {
            let body = new_chat(session, guest).await?;
            return Ok(reply(event, body).into());
        }
        SupportCommand::OldChat(guest) => {
            let body = old_chat(session, guest).await?;
            return Ok(reply(event, body).into());
        }
        SupportCommand::Queue(..) => Side::Owner,
        SupportCommand::Say(..)
        | SupportCommand::Read(..)
        | SupportCommand::Close(..)
        | SupportCommand::Type(..)
        | SupportCommand::See(..) => Side::Either,
    };
    let token = token
        .or_else(|| session.credentials.token.clone())
        .ok_or_else(|| Error::invalid_field("token", "token is required"))?;
    let caller = caller(session, &token, side).await?;
    let body = match command {
        SupportCommand::Say(chat, content, client_id) => {
            let message = (content, client_id);
            let sending = say(session, event, &caller, chat, message).await?;
            return Ok(Handled::Sending(sending));
        }
        SupportCommand::Read(chat, slice) => read(session, &caller, chat, slice).await?,
        SupportCommand::Queue(status, page) => queue(session, &caller, status, page).await?,
        SupportCommand::Close(chat, client_id) => close(session, &caller, chat, client_id).await?,
        SupportCommand::Type(chat, typing) => tell_typing(session, &caller, chat, typing).await?,
        SupportCommand::See(chat, message) => see(session, &caller, chat, message).await?,
        SupportCommand::NewChat(_) | SupportCommand::OldChat(..) => {
            return Err(Error::internal("answered before"));
        }
    };
    Ok(reply(event, body).into())
}

fn reply(event: &str, body: Value) -> EventReply {
    EventReply::reply(200, event.to_owned(), body)
}

fn value(body: impl Serialize) -> Value {
    serde_json::to_value(body).unwrap_or_default()
}

/// The answer to something that did not go well.
pub(super) fn refuse(event: &str, error: &Error) -> EventReply {
    let body = wire::Failure::from(error);
    let status = body.status();
    EventReply::reply(status, event.to_owned(), value(body)).waiting_as(error)
}

/// The holder of a token, if they may send the event. From now on this connection is
/// told what they are told.
async fn caller(session: &mut ClientSession, token: &str, side: Side) -> Result<Caller> {
    let found = session
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
    session.act_as(ID, &caller).await?;
    Ok(caller)
}

fn stranger(sentence: &'static str) -> Error {
    Error::new(Kind::Unauthenticated, sentence)
}

async fn new_chat(session: &mut ClientSession, guest: &Guest) -> Result<Value> {
    let no_owner = || Error::invalid("Owner for this domain not found");
    let services = Arc::clone(&session.services);
    let domain = Domain::parse(&guest.domain).map_err(|_| no_owner())?;
    let site = conversations::site(&services, &domain).await;
    let site = site.map_err(|error| match error.kind() {
        Kind::NotFound => no_owner(),
        _ => error,
    })?;
    let device = device(session);
    let new = NewGuest {
        name: &guest.name,
        email: &guest.email,
        domain: &domain,
        key: guest.key.as_ref(),
    };
    let known = if session.options.settings.support_resume_by_email {
        conversations::reopen_by_email(&services, &site, &new, &device).await?
    } else {
        None
    };
    let opened = match known {
        Some(opened) => opened,
        None => conversations::seat(&services, &site, &new, &device).await?,
    };
    welcome_guest(session, &opened).await
}

async fn old_chat(session: &mut ClientSession, back: &Return) -> Result<Value> {
    let no_guest = || stranger("Guest not found");
    let services = Arc::clone(&session.services);
    let guest = session.holder_who(&back.token, Person::is_guest).await?;
    let guest = guest.ok_or_else(no_guest)?;
    if let Some(domain) = &back.domain {
        let domain = Domain::parse(domain).map_err(|_| no_guest())?;
        let site = conversations::site(&services, &domain)
            .await
            .map_err(|error| {
                let unknown = error.kind() == Kind::NotFound;
                if unknown { no_guest() } else { error }
            })?;
        if site.id != guest.tenant() {
            return Err(no_guest());
        }
    }
    let device = device(session);
    let key = back.key.as_ref();
    let opened = conversations::reopen(&services, &guest, key, &device).await?;
    welcome_guest(session, &opened).await
}

async fn welcome_guest(session: &mut ClientSession, opened: &GuestChatOpened) -> Result<Value> {
    session.act_as(ID, &opened.guest).await?;
    let GuestChatOpened { guest, chat, token } = opened;
    let body = wire::NewChat::new(token.expose(), *chat, guest.id());
    Ok(value(body))
}

async fn say(
    session: &mut ClientSession,
    event: &str,
    caller: &Caller,
    chat: Which,
    (content, client_id): (Content, Option<ClientId>),
) -> Result<Sending> {
    let chat = conversation_of(session, caller, chat).await?;
    let draft = Draft {
        kind: MessageKind::Text,
        content,
        reply_to: None,
        client_id,
    };
    let message = session.begin_message(caller, chat, draft).await;
    let event = event.to_owned();
    Ok(Sending::new(message, move |session, sent| {
        let message = sent.map_err(as_no_chat)?.message;
        session.note_action(ID, OwnAction::Sent(message.id));
        Ok(reply(&event, value(wire::Sent::from(&message))))
    }))
}

/// A conversation, which need not be the caller's: the verb finds that out. Asked of the store once for
/// each chat of a connection, for a chat is a conversation for good.
async fn conversation_of(
    session: &mut ClientSession,
    caller: &Caller,
    chat: Which,
) -> Result<ChatId> {
    let chat = chat.ok_or_else(no_chat)?;
    if !session.memory::<Memory>().conversations.contains(&chat) {
        let found = conversations::reader(&session.services, caller, chat).await;
        found.map_err(as_no_chat)?;
        session.memory::<Memory>().note(chat);
    }
    Ok(chat)
}

async fn read(
    session: &ClientSession,
    caller: &Caller,
    chat: Which,
    slice: (i64, i64),
) -> Result<Value> {
    let chat = chat.ok_or_else(no_chat)?;
    let services = &session.services;
    let reader = conversations::reader(services, caller, chat).await;
    let reader = reader.map_err(as_no_chat)?;
    let messages = conversations::slice(services, &reader, one_more(slice)).await?;
    let (messages, more) = page::limited(messages, count(slice));
    let (listed, left) = page::fitting(messages.iter().map(wire::Listed::from));
    Ok(value(wire::Messages::new(listed, more || left)))
}

async fn queue(
    session: &ClientSession,
    caller: &Caller,
    status: ConversationStatus,
    wanted: Page,
) -> Result<Value> {
    let unknown = || Error::invalid_field("before", "before must name a chat of this site");
    let wanted = conversations::Page {
        slice: wanted.slice,
        before: wanted
            .before
            .map(|chat| chat.ok_or_else(unknown))
            .transpose()?,
        query: wanted.query,
    };
    let found = conversations::queue(&session.services, caller, status, &wanted).await;
    let queue = found.map_err(|error| match error.kind() {
        Kind::NotFound => unknown().because(error),
        _ => error,
    })?;
    let (entries, left) = page::fitting(queue.chats.iter().map(Entry::from));
    let more = queue.has_more || left;
    Ok(value(wire::Queue::new(entries, more, queue.total)))
}

/// A slice with one more entry, so as to know whether there are more.
fn one_more((skip, limit): (i64, i64)) -> (i64, i64) {
    (skip, limit.saturating_add(1))
}

fn count((_, limit): (i64, i64)) -> usize {
    usize::try_from(limit).unwrap_or_default()
}

async fn close(
    session: &mut ClientSession,
    caller: &Caller,
    chat: Which,
    client_id: Option<ClientId>,
) -> Result<Value> {
    let chat = chat.ok_or_else(no_chat)?;
    let services = Arc::clone(&session.services);
    let before = services.head(caller.tenant());
    conversations::close(&services, caller, chat, client_id)
        .await
        .map_err(as_no_chat)?;
    let span = session.span_since(caller.tenant(), before);
    session.note_action(ID, OwnAction::Closed(chat, span));
    Ok(value(wire::Closed::new(chat)))
}

async fn tell_typing(
    session: &ClientSession,
    caller: &Caller,
    chat: Which,
    typing: bool,
) -> Result<Value> {
    let chat = chat.ok_or_else(no_chat)?;
    let services = &session.services;
    let reader = conversations::reader(services, caller, chat).await;
    let reader = reader.map_err(as_no_chat)?;
    let told = (typing, typing.to_string());
    let ends = signals::Ends::AfterAWhile;
    signals::typing(services, caller, &reader, told, session.number, ends).map_err(as_no_chat)?;
    Ok(value(wire::Done::new("Typing has been told")))
}

async fn see(
    session: &mut ClientSession,
    caller: &Caller,
    chat: Which,
    message: Option<MessageId>,
) -> Result<Value> {
    let chat = conversation_of(session, caller, chat).await?;
    let message = message.ok_or_else(|| Error::not_found("Message not found"))?;
    let services = Arc::clone(&session.services);
    let before = services.head(caller.tenant());
    chats::read(&services, caller, chat, message)
        .await
        .map_err(as_no_chat)?;
    let span = session.span_since(caller.tenant(), before);
    session.note_action(ID, OwnAction::Read(chat, caller.id(), span));
    Ok(value(wire::Done::new("Message has been seen")))
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

/// Where the session is, for the list of logins and for throttling.
fn device(session: &ClientSession) -> Device {
    let address = session.credentials.address;
    let address = address.unwrap_or(Ipv4Addr::UNSPECIFIED.into());
    Device {
        client: None,
        address,
        network: login_throttle::network(address),
        cookie: String::new(),
    }
}
