//! The table of the chat service's events: what each takes and answers, and what others receive.

use super::wire::{Done, Failure, IsTyping, ListedMessage, MessageWire, Room, RoomData, User};
use crate::{
    dialect::{
        ClientEvent, EventApi, Form, Push, Refusal, ServerEvent,
        described::{Described, may, must},
    },
    error::Kind,
    json::field::{Field, ID, Kind as Holds},
};

/// The dialect's description.
pub(super) const API: EventApi = EventApi {
    title: "Chat as a service",
    about: "An application's server registers its users with the tokens that its own system issued to them, and its rooms. \
            Users' devices connect with `?token=` or `auth.token`, join a room by its name, and talk. \
            By plain HTTP `?room=` takes the place of having joined.",
    preparation: r#"# The server was started with ROCKET_ADMIN_EMAIL=admin@example.com ROCKET_ADMIN_PASSWORD='correct horse'.
admin=$(curl -s http://127.0.0.1:8000/auth/login \
  --json '{"email": "admin@example.com", "password": "correct horse"}' | jq -r .token)
app=$(curl -s http://127.0.0.1:8000/app -H "Authorization: $admin" \
  --json '{"name": "Shop"}' | jq -r .applicationId)
ann=$(openssl rand -hex 16) bo=$(openssl rand -hex 16)
curl -s http://127.0.0.1:8000/user \
  --json '{"appId": "'$app'", "appUserId": 1, "firstName": "Ann", "token": "'$ann'"}'
curl -s http://127.0.0.1:8000/user \
  --json '{"appId": "'$app'", "appUserId": 2, "firstName": "Bo", "token": "'$bo'"}'
curl -s http://127.0.0.1:8000/room \
  --json '{"appId": "'$app'", "room": "usr-1-2", "users": [1, 2]}'"#,
    query: "token=$ann&room=usr-1-2",
    options: "{ auth: { token: ann } }",
    samples: &[
        ("ann", "0d5b8f1f2c116f1c2a9e6c344b2e9f7a"),
        ("message", "4"),
    ],
    events: EVENTS,
    emits_answers: false,
    pushes: PUSHES,
    failure: Described::of::<Failure>(),
    refusals: &[
        Refusal(Kind::Invalid, "Input room name: no room was joined yet"),
        Refusal(Kind::Unauthenticated, "No token key found"),
        Refusal(
            Kind::NotFound,
            "Invalid room name: there is no such room, or you are not in it",
        ),
        Refusal(Kind::TooMany, "too many requests, please slow down"),
    ],
};

/// A message that is new, or was changed or deleted.
pub(super) const MESSAGE: Push<MessageWire> = Push::new(
    "message",
    "Somebody in the room has sent a message, you too; or has changed it (the same id), or deleted it (with `deletedAt`).",
);
/// Who has read.
pub(super) const SEEN_BY: Push<User> = Push::new(
    "seen_by",
    "Somebody in the room, you too, has read up to the newest message.",
);
/// Who types.
pub(super) const IS_TYPING: Push<IsTyping> = Push::new(
    "is_typing",
    "Somebody in the room, you too, types or has stopped; `false` at the latest when their socket goes.",
);
/// Who comes and goes.
pub(super) const INFO: Push<String> = Push::new(
    "info",
    "A sentence: you have joined, or somebody has come (`7 has joined!`) or gone (`7 has left`).",
);
/// Who is present.
pub(super) const ROOM_DATA: Push<RoomData> = Push::new(
    "roomData",
    "The connections in a room, after somebody has come or gone.",
);
/// The room that was joined.
const ROOM_INFO: Push<Room> = Push::new(
    "room_info",
    "The room that you have joined, with its users.",
);
/// The messages that were asked for.
const LOAD_MORE: Push<Vec<ListedMessage>> = Push::new(
    "load_more",
    "The messages that you have asked for, newest first.",
);
/// Why an event was refused.
pub(super) const ERR: Push<String> =
    Push::new("err", "A sentence: why an event of yours was refused.");

const PUSHES: &[ServerEvent] = &[
    MESSAGE.described(),
    SEEN_BY.described(),
    IS_TYPING.described(),
    INFO.described(),
    ROOM_DATA.described(),
    ROOM_INFO.described(),
    LOAD_MORE.described(),
    ERR.described(),
];

const TEXT: Holds = Holds::Text(1, 16_384);
const SENT: &[Field] = &[
    must("message", TEXT, "The text."),
    may(
        "client_id",
        Holds::Text(1, 64),
        "A name of yours for it: under it the message is there once.",
    ),
];
const LISTED: &[Field] = &[
    may("page", Holds::Number(1, 100_000), "Counted from 1."),
    may(
        "limit",
        Holds::Number(1, i64::MAX),
        "20 unless you say, at most 200.",
    ),
    may("before", ID, "The id of the oldest message that you have."),
];
const CHANGED: &[Field] = &[
    must("id", ID, "The message's id."),
    must("message", TEXT, "What it says from now on."),
];
const SENDER_ALONE: Refusal = Refusal(Kind::Forbidden, "only its sender may change a message");
const NO_MESSAGE: Refusal = Refusal(
    Kind::Invalid,
    "id must be the number of a message, there is no such message",
);
const EMPTY: Refusal = Refusal(
    Kind::Invalid,
    "No message or sender: the text is empty, or no room was joined",
);

const EVENTS: &[ClientEvent] = &[
    ClientEvent::new::<Room>("join", "Join a room")
        .reads()
        .about("The first is the current one, which events are about; another one is only listened to until you `leave` the first.")
        .takes(&[Form::Value(Holds::OwnId)], r#""usr-1-2""#)
        .emits(&["info", "room_info", "roomData"])
        .pushes(&["info", "roomData"]),
    ClientEvent::new::<Done>("typing", "Tell that you type, or have stopped")
        .about("The others are told what you send, whatever JSON of at most 64 bytes it is.")
        .takes(&[Form::Nothing, Form::Value(Holds::Anything)], "true")
        .emits(&["is_typing"])
        .pushes(&["is_typing"])
        .refuses(&[Refusal(Kind::Invalid, "typing must have at most 64 bytes of JSON")]),
    ClientEvent::new::<MessageWire>("send_message", "Say something")
        .about("Text goes in plain, and comes out in base64.")
        .takes(&[Form::Value(TEXT), Form::Fields(SENT)], r#"{"message": "Hey, you there", "client_id": "first"}"#)
        .keeps(&[("message", "id")])
        .emits(&["message"])
        .pushes(&["message"])
        .refuses(&[
            EMPTY,
            Refusal(Kind::Mismatch, "this client_id was used for another message in this chat"),
        ]),
    ClientEvent::new::<User>("seen", "Tell that you have read up to the newest message")
        .emits(&["seen_by"])
        .pushes(&["seen_by"]),
    ClientEvent::new::<Vec<ListedMessage>>("load_more", "Messages of the room, newest first")
        .reads()
        .about("Page with `before`, the id of the last one of the list, until the list is empty.")
        .takes(&[Form::Nothing, Form::Fields(LISTED)], r#"{"page": 1, "limit": 20}"#)
        .emits(&["load_more"])
        .refuses(&[Refusal(Kind::Invalid, "page must be a number from 1, limit must be a number from 1")]),
    ClientEvent::new::<MessageWire>("update", "Change what a message of yours says")
        .takes(&[Form::Fields(CHANGED)], r##"{"id": "#message", "message": "Hello, you there"}"##)
        .emits(&["message"])
        .pushes(&["message"])
        .refuses(&[SENDER_ALONE, NO_MESSAGE, EMPTY]),
    ClientEvent::new::<MessageWire>("delete", "Delete a message of yours")
        .takes(&[Form::Value(ID), Form::Fields(&[must("id", ID, "")])], r##""#message""##)
        .emits(&["message"])
        .pushes(&["message"])
        .refuses(&[SENDER_ALONE, NO_MESSAGE]),
    ClientEvent::new::<Done>("leave", "Leave the current room")
        .reads()
        .pushes(&["info", "roomData"]),
];
