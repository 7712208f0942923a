//! The table of live support's events: what each takes and answers, and what others receive.

use super::wire::{
    Closed, ClosedTold, Done, Entry, Failure, Messages, NewChat, Pushed, Queue, SeenTold, Sent,
    TypingTold,
};
use crate::{
    dialect::{
        ClientEvent, EventApi, Form, Push, Refusal, ServerEvent,
        described::{Described, may, must},
    },
    error::Kind,
    json::field::{Field, Kind as Holds, TEXT},
};

/// The dialect's description.
pub(super) const API: EventApi = EventApi {
    title: "Live support for a web site",
    about: "Guests of a site ask, its owners answer. A token comes with each event, or once with the connection (`auth.token`, `?token=`): \
            from then on the connection receives what its holder receives. An answer has a `statusCode`, a push has none.",
    preparation: r#"curl -s http://127.0.0.1:8000/owner/register \
  --json '{"email": "owner@toys.example", "password": "correct horse", "domain": "toys.example"}'
owner=$(curl -s http://127.0.0.1:8000/owner/login \
  --json '{"email": "owner@toys.example", "password": "correct horse"}' | jq -r .data.token)"#,
    query: "",
    options: "",
    samples: &[
        ("owner", "6f1c2a9e6c344b2e9f7a0d5b8f1f2c11"),
        ("guest", "0d5b8f1f2c116f1c2a9e6c344b2e9f7a"),
        ("chat", "000000000000000000000007"),
        ("message", "000000000000000000000004"),
    ],
    events: EVENTS,
    emits_answers: true,
    pushes: PUSHES,
    failure: Described::of::<Failure>(),
    refusals: &[
        Refusal(
            Kind::Invalid,
            "the argument must be an object, … is required, … must be …",
        ),
        Refusal(Kind::Unauthenticated, "Owner not found, Guest not found"),
        Refusal(Kind::TooMany, "too many requests, please slow down"),
    ],
};

/// A message.
pub(super) const NEW_MESSAGE: Push<Pushed> = Push::new(
    "newMessage",
    "Somebody else wrote, or the same person on another connection. For the guest and the owners.",
);
/// A conversation that waits.
pub(super) const WAITING_CHAT: Push<Entry> = Push::new(
    "waitingChat",
    "A conversation began, or waits again. For owners.",
);
/// One that was closed.
pub(super) const CHAT_CLOSED: Push<ClosedTold> = Push::new(
    "closeChat",
    "A conversation was closed. For the guest and the owners.",
);
/// A read mark.
pub(super) const SEEN: Push<SeenTold> = Push::new(
    "seen",
    "Somebody has read up to a message. For the guest and the owners.",
);
/// Somebody types.
pub(super) const TYPING: Push<TypingTold> = Push::new(
    "typing",
    "Somebody else types, or has stopped: at the latest 6 seconds after it was last said. For the guest and the owners.",
);

const PUSHES: &[ServerEvent] = &[
    NEW_MESSAGE.described(),
    WAITING_CHAT.described(),
    CHAT_CLOSED.described(),
    SEEN.described(),
    TYPING.described(),
];

const CHAT: Field = must(
    "chatId",
    Holds::HexOrEntry,
    "The chat's id, or an entry of a queue.",
);
const TOKEN: Field = may("token", TEXT, "Left out by who has connected with it.");
const CLIENT_ID: Field = may(
    "client_id",
    Holds::Text(1, 64),
    "A key of yours: under it the same is done once.",
);
const LIMIT: Field = may(
    "limit",
    Holds::Number(0, i64::MAX),
    "At most so many: 100 unless you say, at most 500.",
);
const SKIP: Field = may(
    "skip",
    Holds::Number(0, i64::MAX),
    "After the first so many.",
);
const KEY: Field = may(
    "client_id",
    Holds::Text(32, 64),
    "A secret of yours: under it the same chat is opened again.",
);
const NEW_GUEST: &[Field] = &[
    must("email", Holds::Text(3, 254), ""),
    must("name", Holds::Text(1, 64), ""),
    must("domain", TEXT, "The host of the page."),
    KEY,
];
const KNOWN_GUEST: &[Field] = &[
    must("guestToken", TEXT, "That of an earlier answer."),
    may("domain", TEXT, "The host of the page."),
    KEY,
];
const QUEUE: &[Field] = &[
    TOKEN,
    LIMIT,
    SKIP,
    may("before", Holds::HexOrEntry, "The last entry that you have."),
    may(
        "query",
        Holds::Text(0, 200),
        "What the guest's name or address, or the domain, contains.",
    ),
];
const NO_CHAT: Refusal = Refusal(Kind::NotFound, "Chat not found (or not theirs)");
const MISMATCH: Refusal = Refusal(
    Kind::Mismatch,
    "this client_id was used for another message in this chat",
);

const EVENTS: &[ClientEvent] = &[
    ClientEvent::new::<NewChat>("getNewChat", "Open a conversation with a site's owners, or come back to it")
        .about("With `guestToken` the same guest and chat, and one more token; without it a new guest in a new chat.")
        .takes(&[Form::Fields(NEW_GUEST), Form::Fields(KNOWN_GUEST)], r#"{"email": "gus@example.com", "name": "Gus", "domain": "toys.example"}"#)
        .keeps(&[("chat", "chatId"), ("guest", "guestToken")])
        .pushes(&["waitingChat"])
        .refuses(&[
            Refusal(Kind::Invalid, "Owner for this domain not found"),
            Refusal(Kind::Unauthenticated, "the login that was made under this client_id has ended: use a new one"),
            Refusal(Kind::Mismatch, "this client_id was used for another guest"),
        ]),
    ClientEvent::new::<Queue>("getWaitingChats", "Conversations that nobody has answered, the longest waiting first")
        .reads()
        .about("For owners.")
        .takes(&[Form::Fields(QUEUE)], r#"{"token": "$owner"}"#),
    ClientEvent::new::<Sent>("newMessage", "Say something")
        .about("A guest's message makes a closed conversation wait again, an owner's makes it active.")
        .takes(&[Form::Fields(&[CHAT, TOKEN, must("message", Holds::Text(1, 16_384), ""), CLIENT_ID])], r#"{"chatId": "$chat", "token": "$guest", "message": "Do you ship to Oslo?", "client_id": "first"}"#)
        .keeps(&[("message", "data._id")])
        .pushes(&["newMessage", "waitingChat"])
        .refuses(&[NO_CHAT, MISMATCH]),
    ClientEvent::new::<Messages>("getChatMessages", "Messages of a chat, oldest first")
        .reads()
        .takes(&[Form::Fields(&[CHAT, TOKEN, LIMIT, SKIP])], r#"{"chatId": "$chat", "token": "$owner", "limit": 10, "skip": 0}"#)
        .refuses(&[NO_CHAT]),
    ClientEvent::new::<Queue>("getActiveChats", "Conversations that an owner has answered, those with the newest activity first")
        .reads()
        .about("For owners.")
        .takes(&[Form::Fields(QUEUE)], r#"{"token": "$owner", "limit": 20}"#),
    ClientEvent::new::<Done>("typing", "Tell that you type, or have stopped")
        .takes(&[Form::Fields(&[CHAT, TOKEN, must("typing", Holds::Flag, "")])], r#"{"chatId": "$chat", "token": "$guest", "typing": true}"#)
        .pushes(&["typing"])
        .refuses(&[NO_CHAT]),
    ClientEvent::new::<Done>("seen", "Tell that you have read up to a message")
        .about("A read mark only moves forward.")
        .takes(&[Form::Fields(&[CHAT, TOKEN, must("_id", Holds::Hex, "The message's id.")])], r#"{"chatId": "$chat", "token": "$owner", "_id": "$message"}"#)
        .pushes(&["seen"])
        .refuses(&[NO_CHAT, Refusal(Kind::NotFound, "Message not found")]),
    ClientEvent::new::<Closed>("closeChat", "End a conversation")
        .takes(&[Form::Fields(&[CHAT, TOKEN, CLIENT_ID])], r#"{"chatId": "$chat", "token": "$owner"}"#)
        .pushes(&["closeChat"])
        .refuses(&[NO_CHAT]),
    ClientEvent::new::<Queue>("getClosedChats", "Conversations that were closed, the last one first")
        .reads()
        .about("For owners.")
        .takes(&[Form::Fields(QUEUE)], r#"{"token": "$owner", "query": "gus"}"#),
];
