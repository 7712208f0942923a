//! The table of the embed dialect's events: what each takes and answers, and what others receive.

use crate::{
    dialect::{
        ClientEvent, EventApi, Form, Push, Refusal, ServerEvent,
        described::{Described, may, must},
        embed::wire::{
            ChatTold, ChatsTold, DeletedTold, EditedTold, Failure, MembersTold, MessageTold,
            MessagesTold, SeenTold, TypingTold, UserTold,
        },
    },
    error::Kind,
    json::field::{Field, Kind as Holds, TEXT},
    model::MessageKind,
};

/// The dialect's description.
pub const API: EventApi = EventApi {
    title: "Chat inside another product",
    about: "A product's server registers its users by the ids that it knows them by, puts them into chats, and sends and receives messages. \
            It connects with `key`, the application id of its tenant; a user who is signed in connects with `token`.",
    preparation: r#"# The server was started with ROCKET_ADMIN_EMAIL=admin@example.com ROCKET_ADMIN_PASSWORD='correct horse'.
admin=$(curl -s http://127.0.0.1:8000/auth/login \
  --json '{"email": "admin@example.com", "password": "correct horse"}' | jq -r .token)
key=$(curl -s http://127.0.0.1:8000/app -H "Authorization: $admin" \
  --json '{"name": "My product"}' | jq -r .applicationId)
bo=$(curl -s "http://127.0.0.1:8000/api/events/create-user?key=$key" \
  --json '{"user": {"external_id": "u-2", "name": "Bo", "photo": ""}}' | jq -r .data.user.id)"#,
    query: "key=$key",
    options: "{ auth: { key } }",
    samples: &[
        ("key", "6f1c2a9e-6c34-4b2e-9f7a-0d5b8f1f2c11"),
        ("ann", "2"),
        ("bo", "3"),
        ("chat", "7"),
        ("message", "4"),
    ],
    events: EVENTS,
    emits_answers: true,
    pushes: PUSHES,
    failure: Described::of::<Failure>(),
    refusals: &[
        Refusal(
            Kind::Invalid,
            "the argument must be an object, … is missing, … must be …",
        ),
        Refusal(
            Kind::Unauthenticated,
            "say who you are: connect with key or token",
        ),
        Refusal(
            Kind::Forbidden,
            "this connection does not speak for user 7: send create-user first, your token speaks for user 7 alone",
        ),
        Refusal(
            Kind::NotFound,
            "there is no user 7, there is no such chat (or not theirs)",
        ),
        Refusal(Kind::TooMany, "too many requests, please slow down"),
    ],
};

/// A message, told to all in its chat.
pub(super) const NEW_MESSAGE: Push<MessageTold> = Push::new(
    "new-message",
    "Somebody wrote in a chat of a user whom the connection acts for, its own users too.",
);
/// The same under the chat's own name.
pub(super) const TWIN: Push<MessageTold> = Push::new(
    "/chat/{chat}/new-message",
    "The same as `new-message`, for a connection that asked for it with `twin=1` in its query or `auth`, or has emitted under such a name.",
);
/// A message that was changed.
pub(super) const EDITED: Push<EditedTold> =
    Push::new("edit-message", "Somebody has changed a message.");
/// A message that was deleted.
pub(super) const DELETED: Push<DeletedTold> =
    Push::new("delete-message", "Somebody has deleted a message.");
/// A read mark.
pub(super) const SEEN: Push<SeenTold> = Push::new("seen", "Somebody has read up to a message.");
/// Somebody types.
pub(super) const TYPING: Push<TypingTold> = Push::new(
    "typing",
    "Somebody else types, or has stopped; at the latest when their connection goes.",
);
/// Somebody came.
pub(super) const USERS_ADDED: Push<MembersTold> = Push::new(
    "add-users",
    "Somebody came into the chat: once for each, who is both `user` and in `users`.",
);
/// Somebody went.
pub(super) const USERS_REMOVED: Push<MembersTold> = Push::new(
    "remove-users",
    "Somebody left the chat: once for each, who is both `user` and in `users`.",
);

const PUSHES: &[ServerEvent] = &[
    NEW_MESSAGE.described(),
    TWIN.described(),
    EDITED.described(),
    DELETED.described(),
    SEEN.described(),
    TYPING.described(),
    USERS_ADDED.described(),
    USERS_REMOVED.described(),
];

const ID: Holds = Holds::OwnId;
const CHAT: Field = must("chat", Holds::Object(&[must("id", ID, "")]), "The chat.");
const USER: Field = must(
    "user",
    Holds::Object(&[must("id", ID, "")]),
    "The user in whose name it is done.",
);
const USERS: Field = must("users", Holds::OwnIds, "Ids of users, at most 1,000.");
const CLIENT_ID: Field = may(
    "client_id",
    Holds::Text(1, 64),
    "A key of yours: under it the same is done once.",
);
const SENDER_ALONE: Refusal = Refusal(Kind::Forbidden, "only its sender may change a message");
const NO_MESSAGE: Refusal = Refusal(Kind::NotFound, "there is no such message");
const NO_ADMIN: Refusal = Refusal(Kind::Forbidden, "only an admin of the chat may do that");
const MISMATCH: Refusal = Refusal(
    Kind::Mismatch,
    "this client_id was used for another message in this chat, or for another chat",
);

const NEW_USER: &[Field] = &[must(
    "user",
    Holds::Object(&[
        may("external_id", Holds::OwnId, "What your product calls them."),
        may(
            "id",
            ID,
            "Ours, where you know it: it counts before `external_id`.",
        ),
        must("name", Holds::Text(1, 64), ""),
        must(
            "photo",
            Holds::Text(0, 2_048),
            "The address of a picture; empty for none.",
        ),
    ]),
    "With `external_id`, `id` or both.",
)];
const NEW_CHAT: &[Field] = &[
    must(
        "chat",
        Holds::Object(&[
            must("name", Holds::Text(1, 255), ""),
            may(
                "users",
                Holds::OwnIds,
                "Read where `users` is not beside `chat`.",
            ),
        ]),
        "",
    ),
    may(
        "users",
        Holds::OwnIds,
        "Ids of users, at least one of whom you act for.",
    ),
    CLIENT_ID,
];
const MESSAGE: Field = must(
    "message",
    Holds::Object(&[
        must(
            "value",
            Holds::Text(1, 16_384),
            "The text, or the address of the picture or the file.",
        ),
        may(
            "type",
            Holds::Words(MessageKind::WORDS),
            "`text` unless you say.",
        ),
    ]),
    "",
);
const LIMIT: Field = may("limit", Holds::Number(1, i64::MAX), "At most so many.");
const LISTED_CHATS: &[Field] = &[
    USER,
    may(
        "query",
        Holds::Object(&[
            LIMIT,
            may("before", ID, "The id of the last chat that you have."),
        ]),
        "",
    ),
];
const LISTED_MESSAGES: &[Field] = &[
    CHAT,
    may(
        "user",
        Holds::Object(&[must("id", ID, "")]),
        "As which user you read.",
    ),
    may(
        "query",
        Holds::Object(&[
            may(
                "from",
                TEXT,
                "Sent at this instant or after: `2026-01-31T09:30:00Z`.",
            ),
            may("to", TEXT, "Sent at this instant or before."),
            LIMIT,
            may("before", ID, "The id of the oldest message that you have."),
        ]),
        "",
    ),
];
const WITH_ID: Field = must(
    "message",
    Holds::Object(&[must("id", ID, "")]),
    "The message.",
);
const CHANGED: Field = must(
    "message",
    Holds::Object(&[
        must("id", ID, ""),
        must("value", Holds::Text(1, 16_384), "What it says from now on."),
    ]),
    "",
);

/// The events that clients send.
pub const EVENTS: &[ClientEvent] = &[
    ClientEvent::new::<UserTold>("create-user", "Find a user or make one, and act for them from now on")
        .about("By `id`, else by `external_id`; name and photo replace what was known. An unknown `id` alone is refused.")
        .takes(&[Form::Fields(NEW_USER)], r#"{"user": {"external_id": "u-1", "name": "Ann", "photo": "https://example.com/ann.png"}}"#)
        .keeps(&[("ann", "user.id")])
        .refuses(&[Refusal(Kind::Forbidden, "your token speaks for yourself alone")]),
    ClientEvent::new::<ChatTold>("create-chat", "Make a chat with these users")
        .about("The first of them whom you act for is its admin. Under the same `client_id` it is the same chat.")
        .takes(&[Form::Fields(NEW_CHAT)], r#"{"chat": {"name": "Breakfast"}, "users": ["$ann"], "client_id": "breakfast"}"#)
        .keeps(&[("chat", "chat.id")])
        .refuses(&[Refusal(Kind::Forbidden, "users must name somebody whom this connection speaks for"), MISMATCH]),
    ClientEvent::new::<MembersTold>("add-users", "Put users into a chat")
        .takes(&[Form::Fields(&[CHAT, USER, USERS])], r#"{"chat": {"id": "$chat"}, "user": {"id": "$ann"}, "users": ["$bo"]}"#)
        .pushes(&["add-users"])
        .refuses(&[NO_ADMIN]),
    ClientEvent::new::<MessageTold>("new-message", "Say something in a chat")
        .about("You receive the message as everybody does; there is no other answer by an event. `/chat/<id>/new-message` is the same without `chat`.")
        .takes(&[Form::Fields(&[CHAT, USER, MESSAGE, CLIENT_ID])], r#"{"chat": {"id": "$chat"}, "user": {"id": "$ann"}, "message": {"value": "Eggs?", "type": "text"}, "client_id": "first"}"#)
        .keeps(&[("message", "id")])
        .pushes(&["new-message", "/chat/{chat}/new-message"])
        .refuses(&[MISMATCH]),
    ClientEvent::new::<TypingTold>("typing", "Tell that a user types, or has stopped")
        .takes(&[Form::Fields(&[CHAT, USER, must("typing", Holds::Flag, "")])], r#"{"chat": {"id": "$chat"}, "user": {"id": "$bo"}, "typing": true}"#)
        .pushes(&["typing"]),
    ClientEvent::new::<SeenTold>("seen", "Tell that a user has read up to a message")
        .about("Without a message up to the newest. A read mark only moves forward.")
        .takes(&[Form::Fields(&[CHAT, USER, may("message", Holds::Object(&[must("id", ID, "")]), "The newest, unless you say.")])], r#"{"chat": {"id": "$chat"}, "user": {"id": "$bo"}, "message": {"id": "$message"}}"#)
        .pushes(&["seen"])
        .refuses(&[NO_MESSAGE]),
    ClientEvent::new::<EditedTold>("edit-message", "Change what a message says")
        .takes(&[Form::Fields(&[CHAT, USER, CHANGED])], r#"{"chat": {"id": "$chat"}, "user": {"id": "$ann"}, "message": {"id": "$message", "value": "Eggs and toast?"}}"#)
        .pushes(&["edit-message"])
        .refuses(&[SENDER_ALONE, NO_MESSAGE]),
    ClientEvent::new::<MessagesTold>("list-messages", "Messages of a chat, ascending")
        .reads()
        .about("The newest 100 unless you say fewer. As long as `has_more` is true, ask again with `before` the oldest one's id.")
        .takes(&[Form::Fields(LISTED_MESSAGES)], r#"{"chat": {"id": "$chat"}, "query": {"from": "2020-01-01T00:00:00Z", "limit": 50}}"#),
    ClientEvent::new::<ChatsTold>("list-chats", "A user's chats, those with the newest activity first")
        .reads()
        .about("At most 200. As long as `has_more` is true, ask again with `before` the last one's id.")
        .takes(&[Form::Fields(LISTED_CHATS)], r#"{"user": {"id": "$bo"}}"#),
    ClientEvent::new::<DeletedTold>("delete-message", "Delete a message")
        .takes(&[Form::Fields(&[CHAT, USER, WITH_ID])], r#"{"chat": {"id": "$chat"}, "user": {"id": "$ann"}, "message": {"id": "$message"}}"#)
        .pushes(&["delete-message"])
        .refuses(&[SENDER_ALONE, NO_MESSAGE]),
    ClientEvent::new::<MembersTold>("remove-users", "Take users out of a chat")
        .takes(&[Form::Fields(&[CHAT, USER, USERS])], r#"{"chat": {"id": "$chat"}, "user": {"id": "$ann"}, "users": ["$bo"]}"#)
        .pushes(&["remove-users"])
        .refuses(&[NO_ADMIN]),
];
