//! Reads what a client of the embed dialect says.

use std::collections::HashSet;

use serde_json::{Map, Value};
use time::{OffsetDateTime, format_description::well_known::Rfc3339};

use super::twin;
use crate::{
    error::{Error, Result},
    model::{ChatId, ClientId, Content, MessageId, MessageKind, Millis, Name, PersonId, Title},
};

/// The most users that one event names.
const USERS: usize = 1_000;
/// The most messages that one answer lists, and what it lists when nobody says.
const MESSAGES: usize = 100;
/// The most chats that one answer lists.
const CHATS: usize = 200;
/// The most characters of an external id, and of a picture's address.
const EXTERNAL_ID_CHARS: usize = 255;
const PHOTO_CHARS: usize = 2_048;

/// Where a message's text is.
const VALUE: &str = "message.value";

/// Something a client wants.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Request {
    /// `create-user`.
    CreateUser(CreateUser),
    /// `create-chat`.
    CreateChat(CreateChat),
    /// `list-chats`.
    ListChats(ListChats),
    /// `list-messages`.
    ListMessages(ListMessages),
    /// `new-message`.
    NewMessage(NewMessage),
    /// `typing`.
    Typing(Typing),
    /// `seen`.
    Seen(Seen),
    /// `edit-message`.
    EditMessage(EditMessage),
    /// `delete-message`.
    DeleteMessage(Where, MessageId),
    /// `add-users`.
    AddUsers(Membership),
    /// `remove-users`.
    RemoveUsers(Membership),
}

/// Which user is meant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Who {
    /// One we know, if the number is right.
    Id(String),
    /// One as the product calls them.
    External(String),
    /// Both: the id wins where it is known.
    Either(String, String),
}

/// `{user:{external_id?,id?,name,photo}}`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CreateUser {
    /// Which user.
    pub who: Who,
    /// What they are called.
    pub name: Name,
    /// Their picture.
    pub photo: String,
}

/// `{chat:{name},users:[id]}`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CreateChat {
    /// What it is called.
    pub title: Title,
    /// Who is in it, each once.
    pub users: Vec<PersonId>,
}

/// `{user:{id},query?:{limit?,before?}}`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListChats {
    /// Whose.
    pub user: PersonId,
    /// Those whose newest activity was before this one's.
    pub before: Option<ChatId>,
    /// At most so many.
    pub limit: usize,
}

/// `{query:{from?,to?,limit?,before?},chat:{id},user?:{id}}`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListMessages {
    /// Where.
    pub chat: ChatId,
    /// In whose name, where somebody says.
    pub user: Option<PersonId>,
    /// Sent at this instant or after.
    pub from: Option<Millis>,
    /// Sent at this instant or before.
    pub to: Option<Millis>,
    /// Older than this one.
    pub before: Option<MessageId>,
    /// At most so many.
    pub limit: usize,
}

/// Who does something, and in which chat.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Where {
    /// The chat.
    pub chat: ChatId,
    /// Who.
    pub user: PersonId,
}

/// `{chat:{id},user:{id},message:{value,type},client_id?}`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewMessage {
    /// Who and where.
    pub place: Where,
    /// What the value is.
    pub kind: MessageKind,
    /// The value.
    pub content: Content,
    /// The sender's name for it.
    pub client_id: Option<ClientId>,
}

/// `{chat:{id},user:{id},typing}`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Typing {
    /// Who and where.
    pub place: Where,
    /// Whether they type.
    pub typing: bool,
}

/// `{chat:{id},user:{id},message?:{id}}`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seen {
    /// Who and where.
    pub place: Where,
    /// The last message seen; the newest where nobody says.
    pub message: Option<MessageId>,
}

/// `{chat:{id},user:{id},message:{id,value}}`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EditMessage {
    /// Who and where.
    pub place: Where,
    /// Which message.
    pub message: MessageId,
    /// What it says from now on.
    pub content: Content,
}

/// `{chat:{id},user:{id},users:[id]}`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Membership {
    /// Who does it, and where.
    pub place: Where,
    /// To whom.
    pub users: Vec<PersonId>,
}

/// Reads an event and its argument.
pub fn decode(event: &str, argument: Option<&Value>) -> Result<Request> {
    let Some(Value::Object(fields)) = argument else {
        return Err(Error::invalid("the argument must be an object"));
    };
    let told = Told(fields);
    Ok(match event {
        "create-user" => Request::CreateUser(told.create_user()?),
        "create-chat" => Request::CreateChat(told.create_chat()?),
        "list-chats" => Request::ListChats(told.list_chats()?),
        "list-messages" => Request::ListMessages(told.list_messages()?),
        "new-message" => {
            let place = told.place()?;
            Request::NewMessage(told.new_message(place)?)
        }
        "typing" => Request::Typing(Typing {
            place: told.place()?,
            typing: is_true(fields.get("typing")),
        }),
        "seen" => Request::Seen(Seen {
            place: told.place()?,
            message: told.message_id()?,
        }),
        "edit-message" => Request::EditMessage(told.edit()?),
        "delete-message" => {
            let message = told.message_id()?.ok_or_else(|| missing("message.id"))?;
            Request::DeleteMessage(told.place()?, message)
        }
        "add-users" => Request::AddUsers(told.membership()?),
        "remove-users" => Request::RemoveUsers(told.membership()?),
        name => {
            let chat = twin(name).ok_or_else(|| Error::invalid("there is no such event"))?;
            let chat = chat.parse().map_err(|_| no_chat())?;
            let place = Where {
                chat,
                user: told.user()?,
            };
            Request::NewMessage(told.new_message(place)?)
        }
    })
}

/// An argument's fields.
struct Told<'a>(&'a Map<String, Value>);

impl<'a> Told<'a> {
    fn object(&self, name: &'static str) -> Result<Told<'a>> {
        match self.0.get(name) {
            Some(Value::Object(fields)) => Ok(Told(fields)),
            Some(_) => Err(wrong(name, "must be an object")),
            None => Err(missing(name)),
        }
    }

    fn text(&self, name: &'static str) -> Result<Option<&'a str>> {
        match self.0.get(name) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::String(text)) => Ok(Some(text)),
            Some(_) => Err(wrong(name, "must be text")),
        }
    }

    fn required(&self, name: &'static str) -> Result<&'a str> {
        self.text(name)?.ok_or_else(|| missing(name))
    }

    /// A name of something: text, or a number.
    fn name(&self, name: &'static str) -> Result<Option<String>> {
        match self.0.get(name) {
            None | Some(Value::Null) => Ok(None),
            Some(value) => spelled(value)
                .map(Some)
                .ok_or_else(|| wrong(name, "must be text")),
        }
    }

    fn place(&self) -> Result<Where> {
        Ok(Where {
            chat: self.chat()?,
            user: self.user()?,
        })
    }

    fn chat(&self) -> Result<ChatId> {
        let id = self.object("chat")?.name("id")?;
        id.ok_or_else(|| missing("chat.id"))?
            .parse()
            .map_err(|_| no_chat())
    }

    fn user(&self) -> Result<PersonId> {
        let id = self.object("user")?.name("id")?;
        let id = id.ok_or_else(|| missing("user.id"))?;
        id.parse().map_err(|_| no_user(&id))
    }

    fn users(&self) -> Result<Vec<PersonId>> {
        let within = self.0.get("chat").and_then(|chat| chat.get("users"));
        let Some(users) = self.0.get("users").or(within) else {
            return Err(missing("users"));
        };
        let Some(users) = users.as_array().filter(|users| !users.is_empty()) else {
            return Err(wrong("users", "must be a list of users' ids"));
        };
        if users.len() > USERS {
            return Err(Error::invalid(format!("users may name at most {USERS}")));
        }
        let mut seen = HashSet::new();
        let mut ids = Vec::with_capacity(users.len());
        for user in users {
            let id = spelled(user).ok_or_else(|| wrong("users", "must be a list of users' ids"))?;
            let id: PersonId = id.parse().map_err(|_| no_user(&id))?;
            if seen.insert(id) {
                ids.push(id);
            }
        }
        Ok(ids)
    }

    fn create_user(&self) -> Result<CreateUser> {
        let user = self.object("user")?;
        let external = user.name("external_id")?.filter(|id| !id.is_empty());
        let id = user.name("id")?.filter(|id| !id.is_empty());
        if let Some(external) = &external {
            short("user.external_id", external, EXTERNAL_ID_CHARS)?;
        }
        let who = match (id, external) {
            (Some(id), Some(external)) => Who::Either(id, external),
            (Some(id), None) => Who::Id(id),
            (None, Some(external)) => Who::External(external),
            (None, None) => return Err(missing("user.external_id or user.id")),
        };
        let name = user.text("name")?.ok_or_else(|| missing("user.name"))?;
        let photo = user.text("photo")?.ok_or_else(|| missing("user.photo"))?;
        short("user.photo", photo, PHOTO_CHARS)?;
        Ok(CreateUser {
            who,
            name: Name::parse(name).map_err(|error| error.about("user.name"))?,
            photo: photo.to_owned(),
        })
    }

    fn create_chat(&self) -> Result<CreateChat> {
        let name = self.object("chat")?.text("name")?;
        let name = name.ok_or_else(|| missing("chat.name"))?;
        Ok(CreateChat {
            title: Title::parse(name).map_err(|error| error.about("chat.name"))?,
            users: self.users()?,
        })
    }

    fn list_chats(&self) -> Result<ListChats> {
        let empty = Map::new();
        let query = self.query(&empty)?;
        let before = query.name("before")?;
        let before = before.map(|id| id.parse().map_err(|_| no_chat()));
        Ok(ListChats {
            user: self.user()?,
            before: before.transpose()?,
            limit: query.limit(CHATS)?,
        })
    }

    fn query<'q>(&self, empty: &'q Map<String, Value>) -> Result<Told<'q>>
    where
        'a: 'q,
    {
        match self.0.get("query") {
            None | Some(Value::Null) => Ok(Told(empty)),
            Some(Value::Object(query)) => Ok(Told(query)),
            Some(_) => Err(wrong("query", "must be an object")),
        }
    }

    /// How many entries are wanted, at most `most`.
    fn limit(&self, most: usize) -> Result<usize> {
        match self.0.get("limit") {
            None | Some(Value::Null) => Ok(most),
            Some(limit) => spelled(limit)
                .and_then(|limit| limit.parse().ok())
                .filter(|limit| *limit >= 1)
                .map(|limit: usize| limit.min(most))
                .ok_or_else(|| wrong("query.limit", "must be a number from 1")),
        }
    }

    fn list_messages(&self) -> Result<ListMessages> {
        let empty = Map::new();
        let query = self.query(&empty)?;
        let before = query.name("before")?;
        let before = before.map(|id| id.parse().map_err(|_| no_message()));
        let user = match self.0.get("user") {
            None | Some(Value::Null) => None,
            Some(_) => Some(self.user()?),
        };
        Ok(ListMessages {
            chat: self.chat()?,
            user,
            from: query.instant("from")?,
            to: query.instant("to")?,
            before: before.transpose()?,
            limit: query.limit(MESSAGES)?,
        })
    }

    fn instant(&self, name: &'static str) -> Result<Option<Millis>> {
        let Some(text) = self.text(name)?.filter(|text| !text.is_empty()) else {
            return Ok(None);
        };
        let instant = OffsetDateTime::parse(text, &Rfc3339)
            .map_err(|_| wrong(name, "must be a date and time such as 2026-01-31T09:30:00Z"))?;
        let millis = instant.unix_timestamp_nanos().div_euclid(1_000_000);
        Ok(i64::try_from(millis).ok().map(Millis::new))
    }

    fn new_message(&self, place: Where) -> Result<NewMessage> {
        let message = self.object("message")?;
        let word = message.text("type")?.unwrap_or("text");
        let kind = MessageKind::from_word(word)
            .ok_or_else(|| wrong("message.type", "must be text, img or file"))?;
        let value = message
            .text("value")?
            .ok_or_else(|| missing(VALUE))?
            .to_owned();
        let content = match kind {
            MessageKind::Text => Content::parse(value),
            MessageKind::Image | MessageKind::File => Content::parse_url(value),
        };
        let content = content.map_err(|error| error.about(VALUE))?;
        let client_id = self.text("client_id")?.map(ClientId::parse).transpose()?;
        Ok(NewMessage {
            place,
            kind,
            content,
            client_id,
        })
    }

    fn message_id(&self) -> Result<Option<MessageId>> {
        let Some(message) = self.0.get("message").filter(|message| !message.is_null()) else {
            return Ok(None);
        };
        let id = match message {
            Value::Object(message) => Told(message).name("id")?,
            other => spelled(other),
        };
        let id = id.ok_or_else(|| missing("message.id"))?;
        id.parse().map(Some).map_err(|_| no_message())
    }

    fn edit(&self) -> Result<EditMessage> {
        let value = self.object("message")?.required("value")?;
        Ok(EditMessage {
            place: self.place()?,
            message: self.message_id()?.ok_or_else(|| missing("message.id"))?,
            content: Content::parse(value.to_owned()).map_err(|error| error.about(VALUE))?,
        })
    }

    fn membership(&self) -> Result<Membership> {
        Ok(Membership {
            place: self.place()?,
            users: self.users()?,
        })
    }
}

/// An id as text, whether it came as text or as a number.
fn spelled(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
    }
}

/// Whether somebody types, however they say it.
fn is_true(value: Option<&Value>) -> bool {
    match value {
        Some(Value::Bool(flag)) => *flag,
        Some(Value::String(text)) => text != "false" && text != "0",
        Some(Value::Number(number)) => number.as_f64() != Some(0.0),
        Some(Value::Array(_) | Value::Object(_)) | None => true,
        Some(Value::Null) => false,
    }
}

fn short(name: &str, text: &str, most: usize) -> Result<()> {
    if text.contains('\0') || text.chars().count() > most {
        let sentence = format!("{name} must have at most {most} characters, none of them U+0000");
        return Err(Error::invalid(sentence));
    }
    Ok(())
}

fn missing(name: &str) -> Error {
    Error::invalid(format!("{name} is missing"))
}

fn wrong(name: &str, what: &str) -> Error {
    Error::invalid(format!("{name} {what}"))
}

fn no_chat() -> Error {
    Error::not_found("there is no such chat")
}

fn no_message() -> Error {
    Error::not_found("there is no such message")
}

fn no_user(id: &str) -> Error {
    let id: String = id.chars().take(64).collect();
    Error::not_found(format!("there is no user {id}"))
}
