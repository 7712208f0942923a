//! What is sent most often, written as JSON at once instead of by way of a value.

use serde::Serialize;

use crate::{
    dialect::{
        Okay,
        described::Text,
        embed::wire::MessageTold,
        text::{At, Digits},
    },
    model::{Message, Person},
};

/// A [`MessageTold`] that is written at once: every message is sent as one. Its fields are in the order of their names,
/// as all others are sent.
#[derive(Debug, Serialize)]
pub(super) struct MessageText<'m> {
    _id: Digits,
    chat_id: Digits,
    #[serde(skip_serializing_if = "Option::is_none")]
    client_id: Option<&'m str>,
    created_at: At,
    id: Digits,
    modified_at: At,
    msg: &'m str,
    status: Okay,
    r#type: &'static str,
    updated_at: At,
    user_id: Digits,
}

impl Text<MessageTold> for MessageText<'_> {}

impl<'m> From<&'m Message> for MessageText<'m> {
    fn from(message: &'m Message) -> Self {
        let (id, modified) = (
            Digits(message.id.get()),
            At(message.edited_at.unwrap_or(message.at)),
        );
        Self {
            _id: id,
            chat_id: Digits(message.chat.get()),
            client_id: message.client_id.as_deref(),
            created_at: At(message.at),
            id,
            modified_at: modified,
            msg: &message.content,
            status: Okay,
            r#type: message.kind.as_str(),
            updated_at: modified,
            user_id: Digits(message.sender.get()),
        }
    }
}

/// A [`UserTold`](super::wire::UserTold) that is written at once.
#[derive(Debug, Serialize)]
pub(super) struct UserText<'p> {
    status: Okay,
    user: UserFields<'p>,
}

#[derive(Debug, Serialize)]
struct UserFields<'p> {
    _id: Digits,
    created_at: At,
    external_id: Option<&'p str>,
    id: Digits,
    modified_at: At,
    name: &'p str,
    photo: Option<&'p str>,
    updated_at: At,
}

impl<'p> From<&'p Person> for UserText<'p> {
    fn from(person: &'p Person) -> Self {
        let (id, modified) = (Digits(person.id.get()), At(person.updated_at));
        Self {
            status: Okay,
            user: UserFields {
                _id: id,
                created_at: At(person.created_at),
                external_id: person.external_id.as_deref(),
                id,
                modified_at: modified,
                name: &person.name,
                photo: person.photo.as_deref(),
                updated_at: modified,
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        dialect::embed::wire::{User, UserTold},
        model::{
            ChatId, Mentions, MessageId, MessageKind, PersonId, PersonKind, Seq, Timestamp, fixture,
        },
    };

    #[test]
    fn a_user_is_written_as_their_value_is() {
        let person = Person::clone(&fixture::person(2, PersonKind::Person));
        let known = Person {
            name: "\u{e9} \"x\"".into(),
            external_id: Some("u-2".to_owned()),
            photo: Some("https://a.example/1.png".to_owned()),
            updated_at: Timestamp::new(1_500_000_000_250),
            ..person.clone()
        };
        for person in [person, known] {
            let told = UserTold {
                status: Okay,
                user: User::from(&person),
            };
            let value = serde_json::to_value(told).expect("JSON");
            let text = serde_json::to_string(&UserText::from(&person)).expect("JSON");
            assert_eq!(text, value.to_string());
        }
    }

    #[test]
    fn a_message_is_written_as_its_value_is() {
        let message = Message {
            id: MessageId::new(9_007_199_254_740_991),
            chat: ChatId::new(7),
            seq: Seq::new(3),
            sender: PersonId::new(2),
            kind: MessageKind::Text,
            content: "a \"tea\"\n\u{1} \u{e9} \u{1f600}".to_owned(),
            client_id: None,
            at: Timestamp::new(1_500_000_000_250),
            edited_at: None,
            deleted_at: None,
            reply_to: None,
            mentions: Mentions::default(),
            reactions: Vec::new(),
        };
        let changed = Message {
            client_id: Some("k-1".to_owned()),
            edited_at: Some(Timestamp::new(1_500_000_000_251)),
            at: Timestamp::new(-1),
            ..message.clone()
        };
        for message in [message, changed] {
            let value = serde_json::to_value(MessageTold::from(&message)).expect("JSON");
            let text = serde_json::to_string(&MessageText::from(&message)).expect("JSON");
            assert_eq!(text, value.to_string());
        }
    }
}
