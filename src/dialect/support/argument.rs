//! An event's argument, and its fields as this API knows them: ids are 24 hex digits.

use std::ops::Deref;

use serde_json::Value;

use super::events::Which;
use crate::{
    error::Result,
    json::Args,
    model::{ChatId, ClientId, MessageId},
};

/// The number of an id; none for one that this server cannot have given out.
type Id = Option<i64>;

/// The object that comes with an event.
#[derive(Clone, Copy)]
pub(super) struct Argument<'a>(Args<'a>);

impl<'a> Deref for Argument<'a> {
    type Target = Args<'a>;

    fn deref(&self) -> &Args<'a> {
        &self.0
    }
}

impl<'a> Argument<'a> {
    pub(super) fn of(argument: Option<&'a Value>) -> Result<Self> {
        Args::of(argument).map(Self)
    }

    /// Yes or no, which must be there.
    pub(super) fn flag(self, name: &'static str) -> Result<bool> {
        self.0.flag(name)?.ok_or_else(|| self.missing(name))
    }

    /// `chatId`: an id, or an object that has it as `_id`, as the lists of chats hold them. An id
    /// that this server cannot have given out is no chat of anybody's, and no mistake in form.
    pub(super) fn chat(self) -> Result<Which> {
        self.chat_called("chatId")?
            .ok_or_else(|| self.missing("chatId"))
    }

    /// A chat under any name, or nothing when it is absent.
    pub(super) fn chat_called(self, name: &'static str) -> Result<Option<Which>> {
        let Some(value) = self.get(name) else {
            return Ok(None);
        };
        let id = match value {
            Value::Object(chat) => Args::new(chat).get("_id").and_then(id_in),
            id => id_in(id),
        };
        let id = id.ok_or_else(|| self.wrong(name, "must be 24 hex digits"))?;
        Ok(Some(id.map(ChatId::new)))
    }

    /// What the client calls this, so that saying it again does nothing again.
    pub(super) fn client_id(self) -> Result<Option<ClientId>> {
        self.text("client_id")?.map(ClientId::parse).transpose()
    }

    /// `_id` of a message; nothing for one that this server cannot have given out.
    pub(super) fn message(self) -> Result<Option<MessageId>> {
        let id = self.get("_id").ok_or_else(|| self.missing("_id"))?;
        let id = id_in(id).ok_or_else(|| self.wrong("_id", "must be 24 hex digits"))?;
        Ok(id.map(MessageId::new))
    }
}

/// An id: its number, if it can be one of ours. Outer none: it has not the shape of one.
fn id_in(value: &Value) -> Option<Id> {
    match value {
        Value::String(text) => {
            let shaped = text.len() == 24 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
            let number = ChatId::from_hex(&text.to_ascii_lowercase()).ok();
            shaped.then(|| number.map(ChatId::get))
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_) => {
            None
        }
    }
}
