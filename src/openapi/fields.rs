//! The fields that operations take, each written once.

use super::field::{Field, ID, Kind, TEXT, apart, optional, required};
use crate::{
    model::{MessageKind, Notify, RegistrationMode, Role},
    telemetry::RequestId,
};

pub(super) const NAME_TEXT: Kind = Kind::Text(1, 64);
const TITLE_TEXT: Kind = Kind::Text(1, 255);
const CLIENT_ID_TEXT: Kind = Kind::Text(1, 64);
const SECONDS: Kind = Kind::Number(1, 31_536_000);

// People and their logins.
pub(super) const NAME: Field = required("name", NAME_TEXT, "kim", "");
pub(super) const NEW_NAME: Field = optional("name", NAME_TEXT, "kim", "");
pub(super) const PASSWORD: Field = required("password", Kind::Password, "correct horse", "");
pub(super) const PASSWORD_AGAIN: Field = optional(
    "password",
    Kind::Password,
    "correct horse",
    "Asked for where it was not proved for ten minutes.",
);
pub(super) const FIRST_PASSWORD: Field = optional(
    "password",
    Kind::Password,
    "correct horse",
    "Left out, the answer has a link by which the person sets one.",
);
pub(super) const NEW_PASSWORD: Field =
    required("new_password", Kind::Password, "battery staple", "");
pub(super) const EMAIL: Field = required("email", Kind::Text(3, 254), "kim@example.com", "");
pub(super) const NEW_EMAIL: Field = optional("email", Kind::Text(3, 254), "kim@example.com", "");
pub(super) const PHOTO: Field = optional(
    "photo",
    Kind::Text(0, 2_048),
    "https://example.com/ann.png",
    "The address of a picture; empty for none.",
);
pub(super) const INVITE: Field = apart(optional(
    "invite",
    TEXT,
    "3q2-7wAAAAAAAAAAAAAAAA",
    "The code of an invitation; one to a chat leads into that chat.",
));
pub(super) const CODE: Field = required(
    "code",
    TEXT,
    "123456",
    "A code of the app, or a recovery code.",
);
pub(super) const CODE_TOO: Field = apart(optional(
    "code",
    TEXT,
    "123456",
    "Where the account has a second factor: a code of the app, or a recovery code.",
));

// Chats.
pub(super) const TITLE: Field = optional("title", TITLE_TEXT, "general", "");
pub(super) const DESCRIPTION: Field = optional(
    "description",
    Kind::Text(0, 1_000),
    "What everybody should know",
    "",
);
pub(super) const PRIVATE: Field = optional("private", Kind::Flag, "true", "For its members alone.");
pub(super) const OPEN: Field = optional("open", Kind::Flag, "false", "The opposite of private.");
pub(super) const MEMBERS_TOO: Field = apart(optional(
    "members",
    Kind::People,
    "[2]",
    "Ids of people to be in it.",
));
pub(super) const MEMBERS: Field = required("members", Kind::People, "[2]", "Ids of people.");
pub(super) const ROLE: Field = required("role", Kind::Words(Role::WORDS), "admin", "");
pub(super) const CLIENT_ID: Field = apart(optional(
    "client_id",
    CLIENT_ID_TEXT,
    "6f1c2a9e",
    "A key of yours: the same request under it again is done once.",
));
pub(super) const NOTIFY: Field = optional(
    "notify",
    Kind::Words(Notify::WORDS),
    "mentions",
    "Of which messages I am notified.",
);
pub(super) const PINNED: Field = optional("pinned", Kind::Flag, "true", "");
pub(super) const MUTED_UNTIL: Field = optional(
    "muted_until",
    TEXT,
    "2031-01-31T09:30:00.000Z",
    "A date and time, or empty.",
);
pub(super) const UP_TO: Field = required(
    "up_to",
    Kind::Number(1, i64::MAX),
    "4",
    "The id of the last message that I have read.",
);
pub(super) const TYPING: Field = required("typing", Kind::Flag, "true", "");
pub(super) const EXPIRES: Field = optional(
    "expires",
    SECONDS,
    "86400",
    "For how many seconds it is good.",
);
pub(super) const USES: Field = optional(
    "uses",
    Kind::Number(1, 10_000),
    "5",
    "How many people may come by it; left out, any number.",
);

// Messages.
pub(super) const CONTENT: Field = required("content", Kind::Text(1, 16_384), "Hello", "");
pub(super) const TYPE: Field = optional(
    "type",
    Kind::Words(MessageKind::WORDS),
    "text",
    "Content of the types img and file is an http(s) address.",
);
pub(super) const REPLY_TO: Field = apart(optional(
    "reply_to",
    ID,
    "4",
    "The id of the message of this chat that it answers.",
));

// Pages of lists.
pub(super) const LIMIT: Field = optional(
    "limit",
    Kind::Number(1, 200),
    "50",
    "The most entries of one answer.",
);
pub(super) const BEFORE: Field = optional(
    "before",
    ID,
    "",
    "Goes on before the entry of this number: the last one's of the page before, where nothing else is said.",
);
pub(super) const AROUND: Field =
    optional("around", ID, "", "The page around the message of this id.");
pub(super) const AFTER_MESSAGE: Field = optional(
    "after",
    TEXT,
    "",
    "A cursor or the id of a message: what is newer.",
);
pub(super) const AFTER: Field = optional(
    "after",
    TEXT,
    "now",
    "A cursor, or `now`: what happened after it.",
);
pub(super) const TIMEOUT: Field = optional(
    "timeout",
    Kind::Number(0, 55),
    "0",
    "For how many seconds to wait where there is nothing new.",
);
pub(super) const POLL: Field = optional(
    "poll",
    TEXT,
    "",
    "A name of yours for this wait: a newer one of the same name takes its place.",
);
pub(super) const QUERY: Field = required(
    "query",
    Kind::Text(1, 0),
    "hello",
    "Words and \"phrases\"; the last word may be the beginning of one.",
);
pub(super) const BEGINNING: Field =
    optional("query", Kind::Text(0, 64), "a", "What names begin with.");
pub(super) const IDS: Field = optional("ids", TEXT, "", "Ids of people, divided by commas.");
pub(super) const TITLE_BEGINNING: Field = optional("query", TEXT, "g", "What titles begin with.");
pub(super) const ONE_CHAT: Field = optional("chat", ID, "", "In this chat alone.");
pub(super) const FROM: Field = optional("from", ID, "", "By this person alone.");

// Administration.
pub(super) const ONLY: Field = optional(
    "only",
    Kind::Words(&["administrators", "deactivated"]),
    "administrators",
    "",
);
pub(super) const ADMINISTRATOR: Field = apart(optional(
    "administrator",
    Kind::Flag,
    "true",
    "Send this or a name, not both.",
));
pub(super) const LINK_EXPIRES: Field = optional(
    "expires",
    Kind::Number(60, 2_592_000),
    "86400",
    "For how many seconds the link is good.",
);
pub(super) const LINK_TOKEN: Field = required("token", TEXT, "6f1c", "The token of the link.");
pub(super) const REGISTRATION: Field = required(
    "registration",
    Kind::Words(REGISTRATIONS),
    "open",
    "`default` leaves it to the settings.",
);
const REGISTRATIONS: &[&str] = &["open", "invitation", "closed", "default"];
const _: () = assert!(REGISTRATIONS.len() == RegistrationMode::WORDS.len() + 1);

// Events.
pub(super) const TYPES: Field = optional(
    "types",
    TEXT,
    "message,read",
    "Kinds of events, divided by commas; left out, all. See the type of an event.",
);
pub(super) const DIALECT: Field = optional(
    "dialect",
    Kind::Words(&["messenger", "embed", "service", "support"]),
    "messenger",
    "In the shapes of which API.",
);
pub(super) const ROOM_TOO: Field = optional(
    "room",
    TEXT,
    "",
    "The service API's room, as a socket would have joined it.",
);
pub(super) const USER_OF_KEY: Field = optional(
    "user",
    TEXT,
    "",
    "With a key: whose events, by the id of a user.",
);
pub(super) const APP_OF_TOKEN: Field = optional(
    "appId",
    TEXT,
    "",
    "Of which app, where a token is known in several.",
);
pub(super) const TWIN: Field = optional(
    "twin",
    Kind::Flag,
    "",
    "Whether messages of the embed API come under the name with the chat as well.",
);
pub(super) const ARGUMENT: Field = optional(
    "value",
    Kind::Anything,
    "",
    "Alone in a form: the argument is this text.",
);

// Live support.
pub(super) const OWNER_EMAIL: Field =
    required("email", Kind::Text(3, 254), "owner@example.com", "");
pub(super) const DOMAIN: Field = required(
    "domain",
    Kind::Text(1, 0),
    "shop.example",
    "A host name; what else an address has is cut off.",
);
pub(super) const OWNER_TOKEN: Field = required("token", TEXT, "6f1c", "An owner's token.");
pub(super) const COLLEAGUE_TOKEN: Field = apart(optional(
    "token",
    TEXT,
    "6f1c",
    "A token of an owner of that domain, to become a colleague.",
));

// The chat service.
pub(super) const APP_NAME: Field = required("name", NAME_TEXT, "shop", "");
pub(super) const VERIFY_URL: Field = apart(optional(
    "verifyUrl",
    TEXT,
    "",
    "Asked with every token of a user, where there is one: http(s).",
));
pub(super) const REQUIRE_AUTH: Field = optional(
    "requireAuth",
    Kind::Flag,
    "false",
    "Whether the owner's token is asked for beside the app's secret.",
);
pub(super) const FIRST_NAME: Field = required("firstName", Kind::Text(1, 255), "Ann", "");
pub(super) const MIDDLE_NAME: Field = optional("middleName", Kind::Text(0, 255), "B.", "");
pub(super) const LAST_NAME: Field = optional("lastName", Kind::Text(0, 255), "Lee", "");
pub(super) const APP_ID: Field = required(
    "appId",
    TEXT,
    "6f1c2a9e-6c34-4b2e-9f7a-0d5b8f1f2c11",
    "The app's applicationId.",
);
pub(super) const APP_USER_ID: Field = required(
    "appUserId",
    Kind::OwnId,
    "7",
    "The user's id in your system.",
);
pub(super) const USER_TOKEN: Field = optional(
    "token",
    Kind::Text(8, 0),
    "xyzbhgdkfjke",
    "The token that your system has issued; it takes the place of the one before.",
);
pub(super) const ROOM: Field = required("room", TITLE_TEXT, "usr-1-2", "The room's name.");
pub(super) const USERS: Field =
    required("users", Kind::OwnIds, "[7]", "Ids of users in your system.");
pub(super) const EXTRA: Field = optional(
    "extra",
    Kind::Anything,
    "{\"colour\":\"red\"}",
    "Whatever you want to keep with the room.",
);
pub(super) const AFTER_NUMBER: Field = optional(
    "after",
    ID,
    "0",
    "Goes on after the entry of this number; the header Link has the next page's.",
);
pub(super) const SKIP: Field = optional("skip", ID, "0", "So many users are left out.");

// Headers.
pub(super) const REQUEST_ID: Field = optional(
    RequestId::HEADER,
    Kind::Text(1, 64),
    "",
    "An id of yours for the request: the answer has it, and the log.",
);
pub(super) const IDEMPOTENCY_KEY: Field = optional(
    "Idempotency-Key",
    CLIENT_ID_TEXT,
    "",
    "What the field client_id says, as a header.",
);
pub(super) const PREFER: Field = optional(
    "Prefer",
    TEXT,
    "return=representation",
    "With return=representation the answer has the message.",
);
pub(super) const LAST_EVENT_ID: Field = optional(
    "Last-Event-ID",
    TEXT,
    "",
    "Of a stream: where it goes on, in the place of after.",
);

// Parts of paths.
pub(super) const BY_APPLICATION_ID: Field = required(
    "id",
    TEXT,
    "6f1c2a9e-6c34-4b2e-9f7a-0d5b8f1f2c11",
    "The app's applicationId.",
);
pub(super) const BY_USER_NUMBER: Field = required("id", ID, "2", "The user's number.");
pub(super) const BY_ROOM_NAME: Field = required("room", TEXT, "usr-1-2", "The room's name.");
pub(super) const BY_ROOM_NUMBER: Field = required("room", ID, "1", "The room's number.");

/// Parts of paths that say everywhere the same.
pub(super) const PATH: &[Field] = &[
    required("chat", ID, "1", "The chat's id."),
    required("message", ID, "4", "The message's id."),
    required("person", ID, "1", "The person's id."),
    required("login", ID, "1", "The login's id."),
    required("token", ID, "1", "The token's id."),
    required("tenant", ID, "2", "The site's or the app's number."),
    required(
        "invitation",
        Kind::Number(0, 4_294_967_295),
        "1",
        "The invitation's id.",
    ),
    required("invite", TEXT, "1", "The invitation's id or its code."),
    required(
        "code",
        TEXT,
        "3q2-7wAAAAAAAAAAAAAAAA",
        "The invitation's code.",
    ),
    required("emoji", TEXT, "👍", "One emoji."),
    required("hook", ID, "1", "The hook's id."),
    required("secret", TEXT, "6f1c2a9e6c344b2e", "The hook's secret."),
    required("webhook", ID, "1", "The webhook's id."),
    required("host", TEXT, "shop.example", "A host name."),
    required("app", TEXT, "3", "The app's number or its applicationId."),
];
