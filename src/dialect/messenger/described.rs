//! What the messenger says of its events: a table of all that its clients are told by `GET /api/events`.
//!
//! # Why
//! The messenger's clients send requests and no events, so this is not the table of a
//! [`Dialect`](crate::dialect::Dialect). What an event holds comes from the types in [`events`](super::events); here
//! stands when it comes, and which of their keys it has.

/// An event that clients receive.
#[derive(Debug, Clone, Copy)]
pub struct DescribedEvent {
    /// Its `type`.
    pub name: &'static str,
    /// When it comes.
    pub about: &'static str,
    /// The keys that it has beside its type and, unless it is a signal, its position.
    pub keys: &'static [&'static str],
    /// Those that it has only sometimes.
    pub more: &'static [&'static str],
    /// A request that leads to it, as a shell command.
    pub example: &'static str,
}

const fn event(
    name: &'static str,
    about: &'static str,
    keys: &'static [&'static str],
    example: &'static str,
) -> DescribedEvent {
    DescribedEvent {
        name,
        about,
        keys,
        more: &[],
        example,
    }
}

/// What the messenger is, in a sentence.
pub const ABOUT: &str = "People who sign up, their chats and messages. What its clients do are requests; what happens in their chats \
    they are told by one long-poll or stream of events. An event has a `type` and, unless it is a signal, a `position` in the log.";

/// Shell commands that prepare what the examples need: Ann and Bo in a chat.
pub const PREPARATION: &str = r#"curl -s -o eva.json -c eva http://127.0.0.1:8000/api/reg \
  --json '{"name": "eva", "password": "correct horse", "email": "eva@example.com"}'
curl -s -o leo.json -c leo http://127.0.0.1:8000/api/reg \
  --json '{"name": "leo", "password": "battery staple", "email": "leo@example.com"}'
leo=$(curl -s -b leo http://127.0.0.1:8000/api/me | jq .id)
curl -s -o made.json -D made.txt -b eva http://127.0.0.1:8000/api/chats \
  --json "{\"title\": \"Morning\", \"members\": [$leo]}"
chat=$(grep -i ^location made.txt | tr -dc 0-9)"#;

/// How Bo listens, as a shell command.
pub const LISTENING: &str =
    "curl -sN -b leo http://127.0.0.1:8000/api/events -H 'Accept: text/event-stream'";

/// Every change, in the order in which the examples make a conversation.
pub const CHANGES: &[DescribedEvent] = &[
    event(
        "message",
        "Somebody said something, you too. The message's id is the event's position.",
        &["chat_id", "message", "people"],
        r#"message=$(curl -s -b eva http://127.0.0.1:8000/api/chats/$chat -H 'Prefer: return=representation' \
  --json '{"content": "Eggs?", "client_id": "first"}' | jq .message.id)"#,
    ),
    event(
        "edited",
        "A message has another text. It keeps its id.",
        &["chat_id", "message", "people"],
        r#"curl -s -b eva -X PATCH http://127.0.0.1:8000/api/chats/$chat/messages/$message --json '{"content": "Eggs and toast?"}'"#,
    ),
    event(
        "reaction",
        "Somebody set a reaction (`added`) or took it back. `count` is how many have set that emoji now.",
        &[
            "chat_id",
            "message_id",
            "person_id",
            "emoji",
            "added",
            "count",
            "people",
        ],
        "curl -s -b leo -X PUT http://127.0.0.1:8000/api/chats/$chat/messages/$message/reactions/%F0%9F%91%8D",
    ),
    event(
        "read",
        "Somebody has read up to a message. In chats of more than 50 members you hear of your own reading alone.",
        &["chat_id", "person_id", "up_to"],
        r#"curl -s -b leo http://127.0.0.1:8000/api/chats/$chat/read --json "{\"up_to\": $message}""#,
    ),
    event(
        "deleted",
        "A message was deleted: it keeps its place, without a content.",
        &["chat_id", "message", "people"],
        "curl -s -b eva -X DELETE http://127.0.0.1:8000/api/chats/$chat/messages/$message",
    ),
    event(
        "chat",
        "A chat was made, or is changed: another title, opened or closed, deleted (`deleted_at`), answered.",
        &["chat_id", "chat"],
        r#"curl -s -b eva -X PATCH http://127.0.0.1:8000/api/chats/$chat --json '{"title": "Brunch"}'"#,
    ),
    DescribedEvent {
        more: &["role"],
        ..event(
            "member",
            "Somebody came (`joined`), with a `role`, or has left. A new role comes as one who joined.",
            &["chat_id", "person", "joined"],
            r#"curl -s -b eva -X PATCH http://127.0.0.1:8000/api/chats/$chat/members/$leo --json '{"role": "admin"}'"#,
        )
    },
    event(
        "settings",
        "You have set something for yourself, perhaps with another device. Nobody else hears of it.",
        &["chat_id", "settings"],
        r#"curl -s -b leo -X PATCH http://127.0.0.1:8000/api/chats/$chat/settings --json '{"pinned": true}'"#,
    ),
    event(
        "person",
        "Somebody with whom you share a chat, or you, has another name or photo, or is gone.",
        &["person"],
        r#"curl -s -b eva -X PATCH http://127.0.0.1:8000/api/me --json '{"photo": "https://example.com/ann.png"}'"#,
    ),
];

/// Every signal: told to who listens in that moment, and not kept.
pub const SIGNALS: &[DescribedEvent] = &[
    event(
        "typing",
        "Somebody else types, or has stopped: at the latest 6 seconds after it was last said.",
        &["chat_id", "person_id", "typing"],
        r#"curl -s -b eva http://127.0.0.1:8000/api/chats/$chat/typing --json '{"typing": true}'"#,
    ),
    event(
        "presence",
        "Somebody with whom you share a chat of at most 50 members is online, or has not been for a minute.",
        &["person_id", "online", "last_seen"],
        "curl -s -b eva 'http://127.0.0.1:8000/api/events?after=now&timeout=1'",
    ),
];
