//! The operations of chats and messages.

use super::{
    answers::{HOOK_SAID, MESSAGES, OK, SENT},
    fields::{
        AFTER_MESSAGE, AROUND, BEFORE, CLIENT_ID, CONTENT, DESCRIPTION, EXPIRES, FROM,
        IDEMPOTENCY_KEY, LIMIT, MEMBERS, MEMBERS_TOO, MUTED_UNTIL, NOTIFY, ONE_CHAT, OPEN, PINNED,
        POLL, PREFER, PRIVATE, QUERY, REPLY_TO, ROLE, TIMEOUT, TITLE, TYPE, TYPING, UP_TO, USES,
    },
    operation::{Access, Answer, Operation, answer, messenger},
    programs::{HOOK_NAME, HOOK_PAYLOAD, HOOK_TEXT},
};
use crate::dialect::messenger::{
    hits::Hits,
    wire::{self, MessageWire},
};

const MADE: Answer = OK
    .status(201)
    .headers(&["Location", "Idempotency-Replayed"]);
const WRITTEN: Answer = SENT.status(201).headers(&[
    "Location",
    "X-Message-Id",
    "X-Message-Time",
    "Idempotency-Replayed",
]);

pub(super) const CHATS_AND_MESSAGES: &[Operation] = &[
    messenger("GET /api/chats", "chats")
        .says("The open chats and mine, newest activity first")
        .about("`before` is the `last_position` of a chat.")
        .query(&[LIMIT, BEFORE])
        .answers(answer::<wire::Chats>(200, r#"{"chats":[{"id":7,"last_message":"Hello","last_message_time":"2021-07-15T05:14:12.117Z","sender_id":1,"title":"general","description":null,"open":true,"direct":false,"person_id":null,"member":true,"role":"member","members_count":2,"unread":0,"unread_mentions":0,"first_unread":null,"notify":"all","notify_chosen":false,"pinned":false,"muted_until":null,"last_position":4,"created_at":"2021-07-15T05:14:12.117Z"}],"has_more":false,"cursor":"1.k3v9x1ab.4","people":[{"id":1,"name":"ann"}]}"#)),
    messenger("POST /api/chats", "create_chat")
        .says("Make a chat")
        .about("With a title alone an open chat; with `private` or members one for its members alone; with one other person and no title the direct chat with them, which there is once.")
        .body(&[TITLE, DESCRIPTION, PRIVATE, OPEN, MEMBERS_TOO, CLIENT_ID])
        .headers(&[IDEMPOTENCY_KEY])
        .answers(MADE)
        .or(&[OK_THERE])
        .refuses(&[404, 409, 422]),
    messenger("GET /api/chats/{chat}", "messages")
        .says("A chat's messages")
        .about("The newest page; an older one with `before`, the one around a message with `around`. With `after` what is new, for which it waits where `timeout` says how long.")
        .query(&[LIMIT, BEFORE, AROUND, AFTER_MESSAGE, TIMEOUT, POLL])
        .answers(MESSAGES)
        .refuses(&[410]),
    messenger("POST /api/chats/{chat}", "send_message")
        .says("Send a message")
        .body(&[CONTENT, TYPE, REPLY_TO, CLIENT_ID])
        .headers(&[IDEMPOTENCY_KEY, PREFER])
        .answers(WRITTEN)
        .refuses(&[409, 422]),
    messenger("PATCH /api/chats/{chat}", "change_chat")
        .says("Rename a chat, say what it is about, open or close it")
        .about("Its admins may.")
        .body(&[TITLE, DESCRIPTION, PRIVATE, OPEN])
        .refuses(&[409]),
    messenger("DELETE /api/chats/{chat}", "delete_chat")
        .says("Delete a chat")
        .about("Its admins may.")
        .refuses(&[409]),
    messenger("PATCH /api/chats/{chat}/settings", "change_chat_settings")
        .says("What I am notified of, and whether the chat is pinned or muted: mine alone")
        .body(&[NOTIFY, PINNED, MUTED_UNTIL]),
    messenger("GET /api/chats/{chat}/members", "members")
        .says("Who is in a chat, who came last first")
        .about("`before` is the `joined_position` of a member.")
        .query(&[LIMIT, BEFORE])
        .answers(answer::<wire::Members>(200, r#"{"members":[{"id":1,"name":"ann","photo":null,"role":"admin","joined_position":2}],"has_more":false,"cursor":"1.k3v9x1ab.4"}"#)),
    messenger("POST /api/chats/{chat}/members", "add_members")
        .says("Add people to a chat")
        .about("Its admins may.")
        .body(&[MEMBERS])
        .refuses(&[409]),
    messenger("PATCH /api/chats/{chat}/members/{person}", "change_member")
        .says("Make a member an admin, or a member again")
        .about("The chat's admins may.")
        .body(&[ROLE])
        .refuses(&[409]),
    messenger("DELETE /api/chats/{chat}/members/{person}", "remove_member")
        .says("Remove a member")
        .about("The chat's admins may, and everybody themselves.")
        .refuses(&[409]),
    messenger("POST /api/chats/{chat}/invites", "create_invite")
        .says("Invite people to a chat")
        .about("Its admins may. The code is told once.")
        .body(&[EXPIRES, USES])
        .answers(answer::<wire::IssuedInviteWire>(200, r#"{"status":"ok","code":"3q2-7wAAAAAAAAAAAAAAAA","url":"/invite/3q2-7wAAAAAAAAAAAAAAAA","expires_at":"2021-07-22T05:14:12.117Z","uses_left":null}"#))
        .refuses(&[409]),
    messenger("GET /api/chats/{chat}/invites", "invites")
        .says("The invitations to a chat, the latest first")
        .about("Its admins may.")
        .query(&[LIMIT, BEFORE])
        .answers(answer::<wire::Invites>(200, r#"{"invites":[{"id":1,"prefix":"3q2-","created_by":1,"created_at":"2021-07-15T05:14:12.117Z","expires_at":"2021-07-22T05:14:12.117Z","uses_left":null}],"has_more":false}"#))
        .refuses(&[403]),
    messenger("DELETE /api/chats/{chat}/invites/{invite}", "delete_invite")
        .says("Take an invitation back")
        .about("The chat's admins may."),
    messenger("GET /api/invites/{code}", "invite")
        .says("What an invitation is to")
        .access(Access::Public)
        .answers(answer::<wire::InvitationWire>(200, r#"{"title":"general","members_count":2,"invited_by":"ann","expires_at":"2021-07-22T05:14:12.117Z"}"#)),
    messenger("POST /api/invites/{code}", "accept_invite")
        .says("Come into the chat that an invitation is to")
        .answers(OK.headers(&["Location"])),
    messenger("POST /api/chats/{chat}/hooks", "create_hook")
        .says("Make an address by which a program says something in a chat")
        .about("The chat's admins may. It speaks as a person of its own, and is told once.")
        .body(&[HOOK_NAME])
        .answers(answer::<wire::IssuedHookWire>(200, r#"{"status":"ok","id":1,"url":"/hooks/6f1c2a9e6c344b2e"}"#).status(201))
        .refuses(&[409]),
    messenger("GET /api/chats/{chat}/hooks", "hooks")
        .says("The hooks of a chat, the oldest first")
        .about("Its admins may.")
        .answers(answer::<wire::Hooks>(200, r#"{"hooks":[{"id":1,"person_id":9,"name":"Builds","created_by":1,"created_at":"2021-07-15T05:14:12.117Z","used_at":null}]}"#)),
    messenger("DELETE /api/chats/{chat}/hooks/{hook}", "delete_hook")
        .says("End a hook")
        .about("The chat's admins may. Its person leaves the chat."),
    messenger("POST /hooks/{secret}", "say_by_hook")
        .says("Say something in the chat of a hook")
        .about("As programs do that speak to Slack: `{\"text\": \"…\"}`, or a form with that as `payload`.")
        .access(Access::Public)
        .body(&[HOOK_TEXT, HOOK_PAYLOAD, CLIENT_ID])
        .headers(&[IDEMPOTENCY_KEY])
        .answers(HOOK_SAID)
        .refuses(&[403, 422]),
    messenger("POST /api/chats/{chat}/join", "join_chat").says("Join an open chat"),
    messenger("POST /api/chats/{chat}/leave", "leave_chat")
        .says("Leave a chat")
        .refuses(&[409]),
    messenger("POST /api/chats/{chat}/read", "mark_read")
        .says("Move my read mark forward")
        .body(&[UP_TO]),
    messenger("GET /api/chats/{chat}/reads", "reads")
        .says("How far the members have read")
        .about("In a chat of more than 50 my own mark alone.")
        .answers(answer::<wire::Reads>(200, r#"{"reads":[{"person_id":1,"up_to":4}],"people":[{"id":1,"name":"ann"}],"cursor":"1.k3v9x1ab.4"}"#))
        .refuses(&[403]),
    messenger("POST /api/chats/{chat}/typing", "typing")
        .says("Tell the members that I type, for 6 seconds, or that I have stopped")
        .body(&[TYPING]),
    messenger("GET /api/chats/{chat}/messages/{message}", "message")
        .says("One message")
        .answers(answer::<MessageWire>(200, r#"{"content":"Hello","id":4,"sender_id":1,"time":"2021-07-15T05:14:12.117Z","chat_id":7,"type":"text","client_id":null,"edited_at":null,"deleted_at":null,"reply_to":null,"reactions":[{"emoji":"👍","count":1,"me":false}],"mentions":[],"mentions_all":false}"#)),
    messenger("PATCH /api/chats/{chat}/messages/{message}", "edit_message")
        .says("Change what a message of mine says")
        .body(&[CONTENT])
        .headers(&[PREFER])
        .answers(SENT)
        .refuses(&[409]),
    messenger("DELETE /api/chats/{chat}/messages/{message}", "delete_message")
        .says("Delete a message")
        .about("One of mine, or as an admin of the chat anybody's: its place, sender and times are left.")
        .refuses(&[409]),
    messenger("GET /api/chats/{chat}/messages/{message}/reactions/{emoji}", "reactors")
        .says("Who has set that emoji on a message, by their ids")
        .query(&[LIMIT, BEFORE])
        .answers(answer::<wire::Reactors>(200, r#"{"people":[{"id":1,"name":"ann"}],"has_more":false}"#)),
    messenger("PUT /api/chats/{chat}/messages/{message}/reactions/{emoji}", "react")
        .says("Set a reaction of mine")
        .refuses(&[400, 409]),
    messenger("DELETE /api/chats/{chat}/messages/{message}/reactions/{emoji}", "unreact")
        .says("Take a reaction of mine back")
        .refuses(&[400, 409]),
    messenger("GET /api/search", "search")
        .says("Messages of my chats that have all these words, the newest first")
        .query(&[QUERY, ONE_CHAT, FROM, LIMIT, BEFORE])
        .answers(answer::<Hits>(200, r#"{"hits":[{"message":{"content":"Hello, Bo","id":4,"sender_id":1,"time":"2021-07-15T05:14:12.117Z","chat_id":7,"type":"text","client_id":null,"edited_at":null,"deleted_at":null,"reply_to":null,"reactions":[],"mentions":[],"mentions_all":false},"chat":{"id":7,"title":"general"},"excerpt":"Hello, Bo","marks":[[0,5]]}],"has_more":false,"before":null,"looked_back_to":null,"people":[{"id":1,"name":"ann"}]}"#))
        .refuses(&[403, 404]),
];

/// The direct chat was there, or was made before under the same key.
const OK_THERE: Answer = OK.headers(&["Location", "Idempotency-Replayed"]);
