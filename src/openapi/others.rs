//! The operations of events, of live support, of the chat service, and of those who run the server.

use super::{
    answers::{
        ACCOUNT, APP, EVENT_REPLY, EVENTS, HEALTH, HEALTH_BY_PART, IS_LIVE, METRICS, OWNER_DONE,
        ROOM as ROOM_ANSWER, STREAM, UPDATED, USER, USERS as USERS_ANSWER,
    },
    fields::{
        AFTER, AFTER_NUMBER, APP_ID, APP_NAME, APP_OF_TOKEN, APP_USER_ID, ARGUMENT,
        BY_APPLICATION_ID, BY_ROOM_NAME, BY_ROOM_NUMBER, BY_USER_NUMBER, COLLEAGUE_TOKEN, DIALECT,
        DOMAIN, EMAIL, EXTRA, FIRST_NAME, IDEMPOTENCY_KEY, LAST_EVENT_ID, LAST_NAME, LIMIT,
        MIDDLE_NAME, OWNER_EMAIL, OWNER_TOKEN, PASSWORD, POLL, REQUIRE_AUTH, ROOM, ROOM_TOO, SKIP,
        TIMEOUT, TWIN, TYPES, USER_OF_KEY, USER_TOKEN, USERS, VERIFY_URL,
    },
    operation::{Access, Operation, answer, events, operations, service, support},
};
use crate::dialect;

pub(super) const EVENTS_OF_ALL: &[Operation] = &[
    events("GET /api/events", "events")
        .says("What is new in all my chats")
        .about("Waits for it, or with `Accept: text/event-stream` streams it. With `dialect` in the shapes of that API. Where a poll would come to 410, a stream ends with an event `gone`, whose data has the fresh `cursor`.")
        .query(&[
            AFTER, TIMEOUT, LIMIT, TYPES, POLL, DIALECT, ROOM_TOO, APP_OF_TOKEN, USER_OF_KEY, TWIN,
        ])
        .headers(&[LAST_EVENT_ID])
        .answers(EVENTS)
        .or(&[STREAM]),
    events("POST /api/events/{event}", "emit_event")
        .says("Any event of the embed, support and service APIs, as a socket would send it")
        .about("The body is the event's argument, of any kind of JSON, or a form of its fields; the answer is its reply. The API's own document says what each event takes.")
        .access(Access::HandshakeOrGuest)
        .query(&[DIALECT, APP_OF_TOKEN, ROOM_TOO, TWIN])
        .headers(&[IDEMPOTENCY_KEY])
        .body(&[ARGUMENT])
        .answers(EVENT_REPLY),
];

pub(super) const SUPPORT: &[Operation] = &[
    support("POST /owner/register", "register_owner")
        .says("Register a site with live support, or a colleague of its owner")
        .body(&[OWNER_EMAIL, PASSWORD, DOMAIN, COLLEAGUE_TOKEN])
        .answers(OWNER_DONE)
        .refuses(&[403]),
    support("POST /owner/login", "sign_owner_in")
        .says("Sign an owner in")
        .body(&[OWNER_EMAIL, PASSWORD])
        .answers(answer::<dialect::support::wire::OwnerSignedIn>(200, r#"{"statusCode":200,"status":"success","data":{"ownerId":"000000000000000000000001","token":"6f1c2a9e6c344b2e","level":"owner","appId":"6f1c2a9e-6c34-4b2e-9f7a-0d5b8f1f2c11"}}"#))
        .refuses(&[404]),
    support("POST /owner/logout", "sign_owner_out")
        .says("Sign an owner out")
        .body(&[OWNER_TOKEN])
        .answers(OWNER_DONE)
        .refuses(&[403]),
    support("POST /owner/domains", "add_domain")
        .says("Add a domain to an owner's site")
        .body(&[OWNER_TOKEN, DOMAIN])
        .answers(OWNER_DONE)
        .refuses(&[401, 403]),
    support("DELETE /owner/domains", "remove_domain")
        .says("Remove a domain from an owner's site, which keeps one")
        .body(&[OWNER_TOKEN, DOMAIN])
        .answers(OWNER_DONE)
        .refuses(&[401, 403, 404]),
    support("GET /owner/domains/{host}", "find_domain")
        .says("Whether an owner has registered the domain of a host")
        .answers(answer::<dialect::support::wire::SiteFound>(200, r#"{"statusCode":200,"status":"success","data":{"domain":"shop.example"}}"#)),
];

pub(super) const SERVICE: &[Operation] = &[
    service("POST /app", "create_app")
        .says("Register an app")
        .about("Its `applicationId` is its secret.")
        .access(Access::Developer)
        .body(&[APP_NAME, VERIFY_URL, REQUIRE_AUTH])
        .answers(APP.status(201)),
    service("GET /app", "apps")
        .says("My apps; all of them for an administrator")
        .access(Access::Developer)
        .query(&[AFTER_NUMBER])
        .answers(answer::<Vec<dialect::service::wire::App>>(200, "[]").headers(&["Link"])),
    service("DELETE /app/{app}", "delete_app")
        .says("Delete an app")
        .access(Access::Developer)
        .answers(APP),
    service("POST /auth/login", "sign_developer_in")
        .says("Sign in an account that registers apps")
        .access(Access::Public)
        .body(&[EMAIL, PASSWORD])
        .answers(ACCOUNT)
        .refuses(&[401]),
    service("POST /auth/register", "register_developer")
        .says("Make an account that registers apps; an administrator may")
        .access(Access::Developer)
        .body(&[FIRST_NAME, MIDDLE_NAME, LAST_NAME, EMAIL, PASSWORD])
        .answers(ACCOUNT.status(201))
        .refuses(&[400, 403]),
    service("GET /auth/verify", "verify_token")
        .says("Whether a token is a live one of this server")
        .access(Access::Token)
        .answers(IS_LIVE),
    service("POST /user", "put_user")
        .says("Register a user of an app, or bring one up to date")
        .access(Access::AppElsewhere)
        .body(&[
            APP_ID,
            APP_USER_ID,
            FIRST_NAME,
            LAST_NAME,
            MIDDLE_NAME,
            USER_TOKEN,
        ])
        .answers(USER)
        .refuses(&[400]),
    service("GET /user/{id}", "users")
        .says("An app's users, by its applicationId")
        .access(Access::AppElsewhere)
        .path(&[BY_APPLICATION_ID])
        .query(&[AFTER_NUMBER])
        .answers(USERS_ANSWER.headers(&["Link"])),
    service("DELETE /user/{id}", "delete_user")
        .says("Delete a user")
        .path(&[BY_USER_NUMBER])
        .answers(USER),
    service("POST /room", "create_room")
        .says("Make a room with these users")
        .access(Access::AppElsewhere)
        .body(&[ROOM, APP_ID, USERS, EXTRA])
        .answers(ROOM_ANSWER)
        .refuses(&[400]),
    service("GET /room", "rooms")
        .says("An app's rooms, without their users")
        .query(&[AFTER_NUMBER])
        .answers(answer::<Vec<dialect::service::wire::Room>>(200, "[]").headers(&["Link"])),
    service("GET /room/{room}", "room")
        .says("A room by its name")
        .path(&[BY_ROOM_NAME])
        .query(&[SKIP])
        .answers(ROOM_ANSWER),
    service("PUT /room/add", "add_users")
        .says("Make users members of a room")
        .access(Access::AppElsewhere)
        .body(&[ROOM, APP_ID, USERS])
        .answers(UPDATED),
    service("PUT /room/remove", "remove_users")
        .says("End users' membership")
        .access(Access::AppElsewhere)
        .body(&[ROOM, APP_ID, USERS])
        .answers(UPDATED),
    service("DELETE /room/{room}", "delete_room")
        .says("Delete a room")
        .path(&[BY_ROOM_NUMBER])
        .answers(ROOM_ANSWER),
];

pub(super) const OPERATIONS: &[Operation] = &[
    operations("GET /health", "health")
        .says("Whether the server is ready, and how each part is")
        .about("A part that fails answers 503, with all parts: each has its state and since when this server has seen it so.")
        .answers(HEALTH_BY_PART),
    operations("GET /health/live", "live")
        .says("Whether the process lives")
        .answers(HEALTH),
    operations("GET /health/ready", "ready")
        .says("Whether it can serve")
        .answers(HEALTH),
    operations("GET /metrics", "metrics")
        .says("Figures in the OpenMetrics format")
        .access(Access::Scraper)
        .answers(METRICS),
];
