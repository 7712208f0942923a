//! Reads what a client of the embed dialect says.

use std::collections::HashSet;

use serde_json::Value;

use super::twin;
use crate::{
    error::{Error, Result},
    json::{self, Args},
    model::{ChatId, ClientId, Content, MessageId, MessageKind, Name, PersonId, Timestamp, Title},
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

/// `{chat:{name},users:[id],client_id?}`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CreateChat {
    /// What it is called.
    pub title: Title,
    /// Who is in it, each once.
    pub users: Vec<PersonId>,
    /// The key under which it is made once.
    pub client_id: Option<ClientId>,
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
    pub from: Option<Timestamp>,
    /// Sent at this instant or before.
    pub to: Option<Timestamp>,
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
    let told = Told(Args::of(argument)?);
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
            // Without the field the user types.
            typing: told.0.flag("typing")?.unwrap_or(true),
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

/// An argument, and the things it names.
struct Told<'a>(Args<'a>);

impl<'a> Told<'a> {
    fn object(&self, name: &'static str) -> Result<Args<'a>> {
        self.0.object(name)?.ok_or_else(|| missing(name))
    }

    fn place(&self) -> Result<Where> {
        Ok(Where {
            chat: self.chat()?,
            user: self.user()?,
        })
    }

    fn chat(&self) -> Result<ChatId> {
        let id = self.object("chat")?.own_id("id")?;
        number_of(&id.ok_or_else(|| missing("chat.id"))?)
            .map(ChatId::new)
            .ok_or_else(no_chat)
    }

    fn user(&self) -> Result<PersonId> {
        let id = self.object("user")?.own_id("id")?;
        person(&id.ok_or_else(|| missing("user.id"))?)
    }

    fn users(&self) -> Result<Vec<PersonId>> {
        let refusal = || self.0.wrong("users", "must be a list of users' ids");
        let within = || self.0.get("chat").and_then(|chat| chat.get("users"));
        let Some(users) = self.0.get("users").or_else(within) else {
            return Err(missing("users"));
        };
        let Some(users) = users.as_array().filter(|users| !users.is_empty()) else {
            return Err(refusal());
        };
        if users.len() > USERS {
            return Err(Error::invalid(format!("users may name at most {USERS}")));
        }
        let mut seen = HashSet::new();
        let mut ids = Vec::with_capacity(users.len());
        for user in users {
            let id = person(&json::own_id(user).ok_or_else(refusal)?)?;
            if seen.insert(id) {
                ids.push(id);
            }
        }
        Ok(ids)
    }

    fn create_user(&self) -> Result<CreateUser> {
        let user = self.object("user")?;
        let external = user.own_id("external_id")?.filter(|id| !id.is_empty());
        let id = user.own_id("id")?.filter(|id| !id.is_empty());
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
            client_id: self.client_id()?,
        })
    }

    fn list_chats(&self) -> Result<ListChats> {
        let query = self.0.object("query")?;
        let before = query.and_then(|query| query.get("before"));
        let before = before.map(|id| {
            let id = json::own_id(id).ok_or_else(|| missing("query.before"))?;
            number_of(&id).map(ChatId::new).ok_or_else(no_chat)
        });
        Ok(ListChats {
            user: self.user()?,
            before: before.transpose()?,
            limit: limit(query, CHATS)?,
        })
    }

    fn list_messages(&self) -> Result<ListMessages> {
        let query = self.0.object("query")?;
        let user = match self.0.get("user") {
            None => None,
            Some(_) => Some(self.user()?),
        };
        let before = query.and_then(|query| query.get("before"));
        let before = before.map(|id| message_id(Some(id)));
        let within = |name| query.map_or(Ok(None), |query| instant(query, name));
        Ok(ListMessages {
            chat: self.chat()?,
            user,
            from: within("from")?,
            to: within("to")?,
            before: before.transpose()?,
            limit: limit(query, MESSAGES)?,
        })
    }

    fn new_message(&self, place: Where) -> Result<NewMessage> {
        let message = self.object("message")?;
        let word = message.text("type")?.unwrap_or("text");
        let kind = MessageKind::from_stored(word)
            .ok_or_else(|| message.wrong("type", "must be text, img or file"))?;
        let value = message
            .text("value")?
            .ok_or_else(|| missing(VALUE))?
            .to_owned();
        let content = match kind {
            MessageKind::Text => Content::parse(value),
            MessageKind::Image | MessageKind::File => Content::parse_url(value),
        };
        let content = content.map_err(|error| error.about(VALUE))?;
        Ok(NewMessage {
            place,
            kind,
            content,
            client_id: self.client_id()?,
        })
    }

    fn client_id(&self) -> Result<Option<ClientId>> {
        self.0.text("client_id")?.map(ClientId::parse).transpose()
    }

    fn message_id(&self) -> Result<Option<MessageId>> {
        let id = match self.0.get("message") {
            None => return Ok(None),
            Some(Value::Object(message)) => Args::new(message).get("id"),
            Some(other) => Some(other),
        };
        message_id(id).map(Some)
    }

    fn edit(&self) -> Result<EditMessage> {
        let value = self.object("message")?.text("value")?;
        let value = value.ok_or_else(|| missing(VALUE))?;
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

/// How many entries are wanted, at most `most`.
fn limit(query: Option<Args<'_>>, most: usize) -> Result<usize> {
    let Some((query, limit)) = query.and_then(|query| Some((query, query.get("limit")?))) else {
        return Ok(most);
    };
    let limit = json::whole(limit).filter(|limit| *limit >= 1);
    let limit = limit.ok_or_else(|| query.wrong("limit", "must be a number from 1"))?;
    Ok(usize::try_from(limit).map_or(most, |limit| limit.min(most)))
}

fn instant(query: Args<'_>, name: &'static str) -> Result<Option<Timestamp>> {
    let Some(text) = query.text(name)?.filter(|text| !text.is_empty()) else {
        return Ok(None);
    };
    let instant = Timestamp::from_rfc3339(text);
    let refusal = || query.wrong(name, "must be a date and time such as 2026-01-31T09:30:00Z");
    instant.map(Some).ok_or_else(refusal)
}

/// A message's id, where one must be.
fn message_id(id: Option<&Value>) -> Result<MessageId> {
    let id = id.and_then(json::own_id);
    number_of(&id.ok_or_else(|| missing("message.id"))?)
        .map(MessageId::new)
        .ok_or_else(no_message)
}

/// A person's id, if it could be one.
fn person(id: &str) -> Result<PersonId> {
    number_of(id).map(PersonId::new).ok_or_else(|| no_user(id))
}

/// An id of ours, if text can be one.
fn number_of(id: &str) -> Option<i64> {
    json::whole_text(id).filter(|number| *number >= 0)
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
