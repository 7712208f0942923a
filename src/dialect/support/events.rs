//! The events: what a client says, read, and what is told to others, written down.

use serde_json::Value;

use super::{
    argument::Argument,
    table,
    wire::{self, Entry, Push},
};
use crate::{
    dialect::OutgoingEvent,
    error::{Error, Result},
    model::{
        Change, ChangeKind, ChatId, ClientId, Content, ConversationStatus, Email, MessageId, Name,
        Signal, SignalKind, WebhookKind,
    },
};

/// How many entries a list has when nobody says.
const LIMIT_DEFAULT: i64 = 100;
/// The most entries a list has.
const LIMIT_MOST: i64 = 500;
/// The fewest characters of the key under which a chat is begun: a client that shows it again is let into
/// that chat, so it must be beyond guessing.
const KEY_CHARS: usize = 32;
/// The most characters that are searched for.
const QUERY_CHARS: usize = 200;

/// What a client wants, and the token it shows. Without one of its own an event goes by that of the
/// connection.
#[derive(Debug)]
pub(super) struct Request {
    pub(super) token: Option<String>,
    pub(super) command: SupportCommand,
}

/// A chat by its id; none for an id that this server cannot have given out.
pub(super) type Which = Option<ChatId>;

/// What a client wants.
#[derive(Debug)]
pub(super) enum SupportCommand {
    /// A conversation with the agents of a domain's site.
    NewChat(Guest),
    /// To be back in the chat of a guest's token.
    OldChat(Return),
    /// To say something.
    Say(Which, Content, Option<ClientId>),
    /// To read: skip so many, then at most so many.
    Read(Which, (i64, i64)),
    /// The chats that stand so.
    Queue(ConversationStatus, Page),
    /// To end a conversation.
    Close(Which, Option<ClientId>),
    /// To tell that they type, or have stopped.
    Type(Which, bool),
    /// To have read up to a message.
    See(Which, Option<MessageId>),
}

/// A guest who opens a conversation. The domain is looked up as it is: one that is none has no owner.
#[derive(Debug)]
pub(super) struct Guest {
    pub(super) email: Email,
    pub(super) name: Name,
    pub(super) domain: String,
    pub(super) key: Option<ClientId>,
}

/// A guest who comes back to their conversation, on that domain if the event names one.
#[derive(Debug)]
pub(super) struct Return {
    pub(super) token: String,
    pub(super) domain: Option<String>,
    pub(super) key: Option<ClientId>,
}

/// A part of a queue: of what is searched for, what comes after a chat, and of that so many after the
/// first few.
#[derive(Debug)]
pub(super) struct Page {
    pub(super) slice: (i64, i64),
    pub(super) before: Option<Which>,
    pub(super) query: Option<String>,
}

/// Reads an event.
pub(super) fn decode(event: &str, argument: Option<&Value>) -> Result<Request> {
    let argument = Argument::of(argument)?;
    let command = match event {
        "getNewChat" => new_chat(argument)?,
        "newMessage" => {
            let chat = argument.chat()?;
            SupportCommand::Say(chat, content(argument)?, argument.client_id()?)
        }
        "getChatMessages" => SupportCommand::Read(argument.chat()?, slice(argument)?),
        "getActiveChats" => SupportCommand::Queue(ConversationStatus::Active, page(argument)?),
        "getWaitingChats" => SupportCommand::Queue(ConversationStatus::Waiting, page(argument)?),
        "getClosedChats" => SupportCommand::Queue(ConversationStatus::Closed, page(argument)?),
        "closeChat" => SupportCommand::Close(argument.chat()?, argument.client_id()?),
        "typing" => SupportCommand::Type(argument.chat()?, argument.flag("typing")?),
        "seen" => SupportCommand::See(argument.chat()?, argument.message()?),
        _ => return Err(Error::not_found("there is no such event")),
    };
    let token = argument.text("token")?.map(str::to_owned);
    Ok(Request { token, command })
}

fn new_chat(argument: Argument<'_>) -> Result<SupportCommand> {
    if let Some(token) = argument
        .text("guestToken")?
        .filter(|token| !token.is_empty())
    {
        return Ok(SupportCommand::OldChat(Return {
            token: token.to_owned(),
            domain: argument.text("domain")?.map(str::to_owned),
            key: key(argument)?,
        }));
    }
    Ok(SupportCommand::NewChat(Guest {
        email: Email::parse(argument.required("email")?)?,
        name: Name::parse(argument.required("name")?)?,
        domain: argument.required("domain")?.to_owned(),
        key: key(argument)?,
    }))
}

/// The key under which a chat is begun.
fn key(argument: Argument<'_>) -> Result<Option<ClientId>> {
    let key = argument.client_id()?;
    match &key {
        Some(short) if short.as_str().len() < KEY_CHARS => {
            let sentence = format!(
                "client_id must have at least {KEY_CHARS} characters here: it opens the chat"
            );
            Err(Error::invalid_field("client_id", sentence))
        }
        _ => Ok(key),
    }
}

fn content(argument: Argument<'_>) -> Result<Content> {
    Content::parse(argument.required("message")?.to_owned()).map_err(|error| error.about("message"))
}

fn slice(argument: Argument<'_>) -> Result<(i64, i64)> {
    let limit = argument.number("limit")?.unwrap_or(LIMIT_DEFAULT);
    let skip = argument.number("skip")?.unwrap_or(0);
    Ok((skip, limit.min(LIMIT_MOST)))
}

fn page(argument: Argument<'_>) -> Result<Page> {
    let query = argument.text("query")?.map(str::trim);
    let query = query.filter(|query| !query.is_empty());
    if query.is_some_and(|query| query.chars().count() > QUERY_CHARS) {
        let sentence = format!("query must have at most {QUERY_CHARS} characters");
        return Err(Error::invalid_field("query", sentence));
    }
    Ok(Page {
        slice: slice(argument)?,
        before: argument.chat_called("before")?,
        query: query.map(str::to_owned),
    })
}

/// Whether there is a word for changes of that kind, as [`encode_change`] has it.
pub(super) const fn tells(kind: WebhookKind) -> bool {
    matches!(
        kind,
        WebhookKind::MessageCreated
            | WebhookKind::ChatRead
            | WebhookKind::ConversationWaiting
            | WebhookKind::ConversationClosed
    )
}

/// A change as others are told of it.
pub(super) fn encode_change(change: &Change, push: Push) -> Vec<OutgoingEvent> {
    let chat_id = change.chat.to_hex();
    let event = match &change.what {
        ChangeKind::Message(message) => table::NEW_MESSAGE.of(&wire::Pushed::new(message, push)),
        ChangeKind::Read(up_to) => table::SEEN.of(&wire::SeenTold {
            chat_id,
            from: change.actor.id.to_hex(),
            _id: up_to.to_hex(),
        }),
        ChangeKind::Conversation(chat, last) => match chat.status {
            Some(ConversationStatus::Waiting) => {
                table::WAITING_CHAT.of(&Entry::new(chat, &change.actor, last.as_ref()))
            }
            Some(ConversationStatus::Closed) => {
                let chat_id = chat.id.to_hex();
                table::CHAT_CLOSED.of(&wire::ClosedTold { chat_id })
            }
            Some(ConversationStatus::Active) | None => return Vec::new(),
        },
        ChangeKind::Edited(_)
        | ChangeKind::Deleted(_)
        | ChangeKind::Reaction(_)
        | ChangeKind::Chat(_)
        | ChangeKind::Joined(_)
        | ChangeKind::Role(_)
        | ChangeKind::Settings(_)
        | ChangeKind::Left
        | ChangeKind::Person(_) => {
            return Vec::new();
        }
    };
    vec![event]
}

/// A signal as others are told of it.
pub(super) fn encode_signal(signal: &Signal) -> Vec<OutgoingEvent> {
    match &signal.kind {
        SignalKind::Typing(typing) => vec![table::TYPING.of(&wire::TypingTold {
            chat_id: typing.chat.to_hex(),
            from: signal.actor.id.to_hex(),
            typing: typing.typing,
        })],
        // The documents have no word for who is online.
        SignalKind::Presence(_) => Vec::new(),
    }
}
