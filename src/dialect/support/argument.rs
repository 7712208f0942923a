//! An event's argument, and its fields as this API knows them.

use serde_json::{Map, Value};

use super::events::Which;
use crate::{
    error::{Error, Result},
    model::{ChatId, ClientId, MessageId},
};

/// The object that comes with an event. Forms bring numbers and flags as text, so both are read.
#[derive(Clone, Copy)]
pub(super) struct Argument<'a>(&'a Map<String, Value>);

impl<'a> Argument<'a> {
    pub(super) fn of(argument: Option<&'a Value>) -> Result<Self> {
        match argument {
            Some(Value::Object(fields)) => Ok(Self(fields)),
            Some(_) | None => Err(Error::invalid("the argument must be an object")),
        }
    }

    fn get(self, name: &str) -> Option<&'a Value> {
        self.0.get(name).filter(|value| !value.is_null())
    }

    /// Text, or nothing when it is absent.
    pub(super) fn text(self, name: &'static str) -> Result<Option<&'a str>> {
        match self.get(name) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text)),
            Some(_) => Err(wrong(name, "must be text")),
        }
    }

    /// Text that must be there.
    pub(super) fn required(self, name: &'static str) -> Result<&'a str> {
        self.text(name)?.ok_or_else(|| wrong(name, "is required"))
    }

    /// A whole number that is not negative, or nothing when it is absent.
    pub(super) fn number(self, name: &'static str) -> Result<Option<i64>> {
        let number = match self.get(name) {
            None => return Ok(None),
            Some(Value::Number(number)) => number.as_i64(),
            Some(Value::String(text)) => text.trim().parse().ok(),
            Some(_) => None,
        };
        number
            .filter(|number| *number >= 0)
            .map(Some)
            .ok_or_else(|| wrong(name, "must be a whole number, not negative"))
    }

    /// Yes or no.
    pub(super) fn flag(self, name: &'static str) -> Result<bool> {
        match self.get(name) {
            None => Err(wrong(name, "is required")),
            Some(Value::Bool(flag)) => Ok(*flag),
            Some(Value::String(text)) if text == "true" => Ok(true),
            Some(Value::String(text)) if text == "false" => Ok(false),
            Some(_) => Err(wrong(name, "must be true or false")),
        }
    }

    /// `chatId`: an id, or an object that has it as `_id`, as the lists of chats hold them. An id
    /// that this server cannot have given out is no chat of anybody's, and no mistake in form.
    pub(super) fn chat(self) -> Result<Which> {
        self.chat_called("chatId")?
            .ok_or_else(|| wrong("chatId", "is required"))
    }

    /// A chat under any name, or nothing when it is absent.
    pub(super) fn chat_called(self, name: &'static str) -> Result<Option<Which>> {
        let shape = || wrong(name, "must be 24 hex digits");
        let text = match self.get(name) {
            None => return Ok(None),
            Some(Value::String(text)) => text,
            Some(Value::Object(chat)) => match chat.get("_id") {
                Some(Value::String(text)) => text,
                Some(_) | None => return Err(shape()),
            },
            Some(_) => return Err(shape()),
        };
        hex(text)
            .map(|id| Some(ChatId::from_hex(&id).ok()))
            .ok_or_else(shape)
    }

    /// What the client calls this, so that saying it again does nothing again.
    pub(super) fn client_id(self) -> Result<Option<ClientId>> {
        self.text("client_id")?.map(ClientId::parse).transpose()
    }

    /// `_id` of a message; nothing for one that this server cannot have given out.
    pub(super) fn message(self) -> Result<Option<MessageId>> {
        hex(self.required("_id")?)
            .map(|id| MessageId::from_hex(&id).ok())
            .ok_or_else(|| wrong("_id", "must be 24 hex digits"))
    }
}

/// An id's digits in lower case, if it has the shape of one.
fn hex(text: &str) -> Option<String> {
    let shaped = text.len() == 24 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    shaped.then(|| text.to_ascii_lowercase())
}

fn wrong(name: &'static str, what: &str) -> Error {
    Error::invalid_field(name, format!("{name} {what}"))
}
