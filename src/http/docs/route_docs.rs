//! What the documentation says of each route.

use super::examples::{
    ACCOUNT, APP_ROW, CHATS, DOMAINS, EVENTS, HITS, INVITATION, INVITED, INVITES, MEMBERS,
    MESSAGES, ROOM_ROW, SAID, UPDATED, USER_ROW,
};
use crate::telemetry::Metrics;

/// What is said of one route.
pub(super) struct Words {
    /// Method and path.
    pub(super) route: &'static str,
    /// Which API it belongs to.
    pub(super) tag: &'static str,
    /// What it does.
    pub(super) summary: &'static str,
    /// The media types that its body may have.
    pub(super) forms: &'static [&'static str],
    /// The fields of its body; those with a question mark may be left out.
    pub(super) body: &'static [&'static str],
    /// What may be asked in the query.
    pub(super) query: &'static [&'static str],
    /// What is read from the headers.
    pub(super) headers: &'static [&'static str],
    /// The status and an example of its answer.
    pub(super) answer: (u16, &'static str),
    /// The media type of its answer.
    pub(super) media_type: &'static str,
}

pub(super) const ENCODING_SLOTS: &[&str] = &[
    "application/x-www-form-urlencoded",
    "multipart/form-data",
    "application/json",
];
const JSON: &[&str] = &["application/json"];
pub(super) const OK: (u16, &str) = (200, r#"{"status":"ok"}"#);
pub(super) const CREATED: (u16, &str) = (201, r#"{"status":"ok"}"#);
pub(super) const NONE: &[&str] = &[];
const AUTHORIZATION: &[&str] = &["Authorization?"];
const APP: &[&str] = &["appId", "Authorization?"];

pub(super) const fn words(
    route: &'static str,
    tag: &'static str,
    summary: &'static str,
    (forms, body): (&'static [&'static str], &'static [&'static str]),
    (query, headers): (&'static [&'static str], &'static [&'static str]),
    answer: (u16, &'static str),
) -> Words {
    Words {
        route,
        tag,
        summary,
        forms,
        body,
        query,
        headers,
        answer,
        media_type: JSON[0],
    }
}

pub(super) const fn messenger(
    route: &'static str,
    summary: &'static str,
    body: &'static [&'static str],
    query: &'static [&'static str],
    answer: (u16, &'static str),
) -> Words {
    words(
        route,
        "messenger",
        summary,
        (ENCODING_SLOTS, body),
        (query, NONE),
        answer,
    )
}

const fn service(
    route: &'static str,
    summary: &'static str,
    body: &'static [&'static str],
    headers: &'static [&'static str],
    answer: (u16, &'static str),
) -> Words {
    words(
        route,
        "service",
        summary,
        (JSON, body),
        (&["token?"], headers),
        answer,
    )
}

impl Words {
    /// The same with more that may be asked in the query.
    const fn asking(self, query: &'static [&'static str]) -> Self {
        Self { query, ..self }
    }

    /// The same with another media type of its answer.
    pub(super) const fn of(self, media_type: &'static str) -> Self {
        Self { media_type, ..self }
    }
}

const fn support(
    route: &'static str,
    summary: &'static str,
    body: &'static [&'static str],
    answer: (u16, &'static str),
) -> Words {
    words(
        route,
        "support",
        summary,
        (ENCODING_SLOTS, body),
        (NONE, NONE),
        answer,
    )
}

const fn operations(route: &'static str, summary: &'static str, example: &'static str) -> Words {
    words(
        route,
        "operations",
        summary,
        (JSON, NONE),
        (NONE, NONE),
        (200, example),
    )
}

/// Every route, by method and path.
pub(super) const WORDS: &[Words] = &[
    messenger(
        "GET /api/chats",
        "The open chats and mine, newest activity first",
        NONE,
        &["limit?", "before?"],
        (200, CHATS),
    ),
    messenger(
        "POST /api/chats",
        "Makes an open chat; with private or members one for its members alone, with one other and no title a direct chat; with client_id making it again is harmless",
        &[
            "title?",
            "description?",
            "private?",
            "open?",
            "members?",
            "client_id?",
        ],
        NONE,
        CREATED,
    ),
    messenger(
        "PATCH /api/chats/{chat}",
        "Renames a chat, says what it is about, opens or closes it: its admins may",
        &["title?", "description?", "private?", "open?"],
        NONE,
        OK,
    ),
    messenger(
        "DELETE /api/chats/{chat}",
        "Deletes a chat: its admins may",
        NONE,
        NONE,
        OK,
    ),
    messenger(
        "PATCH /api/chats/{chat}/settings",
        "What I am notified of (all, mentions, none), whether the chat is pinned, until when it is muted: mine alone",
        &["notify?", "pinned?", "muted_until?"],
        NONE,
        OK,
    ),
    messenger(
        "GET /api/chats/{chat}/members",
        "Who is in a chat, who came last first; before is a member's joined_position",
        NONE,
        &["limit?", "before?"],
        (200, MEMBERS),
    ),
    messenger(
        "POST /api/chats/{chat}/members",
        "Brings people into a chat: its admins may",
        &["members"],
        NONE,
        OK,
    ),
    messenger(
        "PATCH /api/chats/{chat}/members/{person}",
        "Makes a member an admin, or a member again: the chat's admins may",
        &["role"],
        NONE,
        OK,
    ),
    messenger(
        "DELETE /api/chats/{chat}/members/{person}",
        "Takes a member out of a chat: its admins may, and everybody themselves",
        NONE,
        NONE,
        OK,
    ),
    messenger(
        "POST /api/chats/{chat}/invites",
        "Invites to a chat for so many seconds and so many people: its admins may; the code is told once",
        &["expires?", "uses?"],
        NONE,
        (200, INVITED),
    ),
    messenger(
        "GET /api/chats/{chat}/invites",
        "The invitations to a chat, for its admins; before is an id",
        NONE,
        &["limit?", "before?"],
        (200, INVITES),
    ),
    messenger(
        "DELETE /api/chats/{chat}/invites/{invite}",
        "Takes an invitation back, by its id or its code: the chat's admins may",
        NONE,
        NONE,
        OK,
    ),
    messenger(
        "GET /api/invites/{code}",
        "What an invitation is to, for everybody who has its code",
        NONE,
        NONE,
        (200, INVITATION),
    ),
    messenger(
        "POST /api/invites/{code}",
        "Comes into the chat that an invitation is to",
        NONE,
        NONE,
        OK,
    ),
    messenger(
        "POST /api/chats/{chat}/join",
        "Comes to be in an open chat",
        NONE,
        NONE,
        OK,
    ),
    messenger(
        "POST /api/chats/{chat}/leave",
        "Leaves a chat",
        NONE,
        NONE,
        OK,
    ),
    messenger(
        "POST /api/chats/{chat}/read",
        "Moves my read mark forward",
        &["up_to"],
        NONE,
        OK,
    ),
    messenger(
        "GET /api/chats/{chat}",
        "A chat's messages; with timeout it waits for new ones",
        NONE,
        &["limit?", "before?", "around?", "after?", "timeout?"],
        (200, MESSAGES),
    ),
    messenger(
        "POST /api/chats/{chat}",
        "Sends a message; with client_id sending it again is harmless",
        &["content", "type?", "reply_to?", "client_id?"],
        NONE,
        CREATED,
    ),
    messenger(
        "GET /api/search",
        "Messages of my chats that have all words (the last may be the beginning of one) and \"phrases\", newest first",
        NONE,
        &["query", "chat?", "from?", "limit?", "before?"],
        (200, HITS),
    ),
    messenger(
        "GET /api/events",
        "What is new in all my chats: waits (timeout) or streams (Accept: text/event-stream); with dialect as that API tells it",
        NONE,
        &[
            "after?", "timeout?", "limit?", "types?", "poll?", "dialect?", "room?", "token?",
            "key?", "user?",
        ],
        (200, EVENTS),
    ),
    words(
        "POST /api/events/{event}",
        "events",
        "Any event of the embed, support and service APIs, as a socket would send it; room stands for a room that was joined",
        (ENCODING_SLOTS, &["value?"]),
        (
            &["dialect?", "token?", "key?", "appId?", "room?"],
            AUTHORIZATION,
        ),
        (200, SAID),
    ),
    support(
        "POST /owner/register",
        "Registers a site with live support, or a colleague of its owner",
        &["email", "password", "domain", "token?"],
        (
            200,
            r#"{"statusCode":200,"status":"success","data":"Owner registered"}"#,
        ),
    ),
    support(
        "POST /owner/login",
        "Signs an owner in",
        &["email", "password"],
        (
            200,
            r#"{"statusCode":200,"status":"success","data":{"ownerId":"000000000000000000000001","token":"…","level":"owner","appId":"6f1c2a9e-6c34-4b2e-9f7a-0d5b8f1f2c11"}}"#,
        ),
    ),
    support(
        "POST /owner/logout",
        "Signs an owner out",
        &["token"],
        (
            200,
            r#"{"statusCode":200,"status":"success","data":"Token has been removed"}"#,
        ),
    ),
    support(
        "POST /owner/domains",
        "Adds a domain to an owner's site",
        &["token", "domain"],
        (200, DOMAINS),
    ),
    support(
        "DELETE /owner/domains",
        "Removes a domain from an owner's site, which keeps one",
        &["token", "domain"],
        (
            200,
            r#"{"statusCode":200,"status":"success","data":"Domain removed","domains":["shop.example"]}"#,
        ),
    ),
    support(
        "GET /owner/domains/{host}",
        "Whether an owner has registered the domain of a host",
        NONE,
        (
            200,
            r#"{"statusCode":200,"status":"success","data":{"domain":"shop.example"}}"#,
        ),
    ),
    service(
        "POST /app",
        "Registers an app; its applicationId is its secret",
        &["name", "verifyUrl?", "requireAuth!?"],
        AUTHORIZATION,
        (201, APP_ROW),
    ),
    service(
        "GET /app",
        "My apps; all of them for an administrator",
        NONE,
        AUTHORIZATION,
        (200, "[]"),
    )
    .asking(&["token?", "after?"]),
    service(
        "DELETE /app/{app}",
        "Deletes an app, by its id or its applicationId",
        NONE,
        AUTHORIZATION,
        (200, APP_ROW),
    ),
    service(
        "POST /auth/login",
        "Signs an account in that registers apps",
        &["email", "password"],
        NONE,
        (200, ACCOUNT),
    ),
    service(
        "POST /auth/register",
        "Makes an account, by an administrator",
        &["firstName", "middleName?", "lastName?", "email", "password"],
        AUTHORIZATION,
        (201, ACCOUNT),
    ),
    service(
        "GET /auth/verify",
        "Whether a token is a live one of this server",
        NONE,
        &["token?"],
        (200, "true"),
    ),
    service(
        "POST /user",
        "Registers a user of an app, or brings one up to date; the token takes the place of the one before",
        &[
            "appId",
            "appUserId",
            "firstName",
            "lastName?",
            "middleName?",
            "token?",
        ],
        AUTHORIZATION,
        (200, USER_ROW),
    ),
    service(
        "GET /user/{app}",
        "An app's users, by its applicationId",
        NONE,
        AUTHORIZATION,
        (200, "[]"),
    )
    .asking(&["token?", "after?"]),
    service(
        "DELETE /user/{user}",
        "Deletes a user",
        NONE,
        APP,
        (200, USER_ROW),
    ),
    service(
        "POST /room",
        "Makes a room with these users, named by your own ids",
        &["room", "appId", "users[]", "extra{}?"],
        AUTHORIZATION,
        (200, ROOM_ROW),
    ),
    service(
        "GET /room",
        "An app's rooms, without their users",
        NONE,
        APP,
        (200, "[]"),
    )
    .asking(&["token?", "after?"]),
    service(
        "GET /room/{room}",
        "A room by its name",
        NONE,
        APP,
        (200, ROOM_ROW),
    )
    .asking(&["token?", "skip?"]),
    service(
        "PUT /room/add",
        "Makes users members of a room",
        &["room", "appId", "users[]"],
        AUTHORIZATION,
        (200, UPDATED),
    ),
    service(
        "PUT /room/remove",
        "Ends users' membership",
        &["room", "appId", "users[]"],
        AUTHORIZATION,
        (200, UPDATED),
    ),
    service(
        "DELETE /room/{room}",
        "Deletes a room, by its id",
        NONE,
        APP,
        (200, ROOM_ROW),
    ),
    operations(
        "GET /health",
        "Whether the server is ready",
        r#"{"status":"ok"}"#,
    ),
    operations(
        "GET /health/live",
        "Whether the process lives",
        r#"{"status":"ok"}"#,
    ),
    operations(
        "GET /health/ready",
        "Whether it can serve",
        r#"{"status":"ok"}"#,
    ),
    Words {
        media_type: Metrics::MEDIA_TYPE,
        ..operations(
            "GET /metrics",
            "Figures in the OpenMetrics format",
            "parlance_requests_total 4\n# EOF\n",
        )
    },
];
