//! What the documentation says of the routes of administration.

use super::route_docs::{CREATED, ENCODING_SLOTS, NONE, OK, Words, words};

const fn admin(
    route: &'static str,
    summary: &'static str,
    body: &'static [&'static str],
    query: &'static [&'static str],
    answer: (u16, &'static str),
) -> Words {
    words(
        route,
        "administration",
        summary,
        (ENCODING_SLOTS, body),
        (query, NONE),
        answer,
    )
}

const PAGE: &[&str] = &["limit?", "before?"];
const LINK: (u16, &str) = (
    201,
    r#"{"status":"ok","url":"/account/#/password/6f1c…","expires_at":"2021-07-16T05:14:12.117Z"}"#,
);

/// Every route of administration, by method and path.
pub(super) const ADMIN_WORDS: &[Words] = &[
    admin(
        "GET /api/admin/people",
        "People, the newest first: those whose names begin with query; only administrators, or only who is deactivated",
        NONE,
        &["query?", "only?", "limit?", "before?"],
        (
            200,
            r#"{"people":[{"id":1,"name":"ann","email":"ann@example.com","account":"messenger","has_password":true,"second_factor":false,"administrator":true,"created_at":"2021-07-15T05:14:12.117Z","deactivated_at":null,"last_seen":"2021-07-15T05:14:12.117Z","logins":1}],"has_more":false}"#,
        ),
    ),
    admin(
        "POST /api/admin/people",
        "Makes an account; without a password with a link by which the person sets one",
        &["name", "email?", "password?"],
        NONE,
        CREATED,
    ),
    admin(
        "GET /api/admin/people/{person}",
        "One person",
        NONE,
        NONE,
        (200, r#"{"id":1,"name":"ann","administrator":true}"#),
    ),
    admin(
        "PATCH /api/admin/people/{person}",
        "Makes somebody an administrator, or an ordinary person again; or gives them another name",
        &["administrator!?", "name?"],
        NONE,
        OK,
    ),
    admin(
        "DELETE /api/admin/people/{person}",
        "Deletes an account: what it wrote stays, and its name is free again",
        NONE,
        NONE,
        OK,
    ),
    admin(
        "POST /api/admin/people/{person}/logout",
        "Ends all logins of a person",
        NONE,
        NONE,
        OK,
    ),
    admin(
        "DELETE /api/admin/people/{person}/second-factor",
        "Ends the second factor of a person who has lost it",
        NONE,
        NONE,
        OK,
    ),
    admin(
        "POST /api/admin/people/{person}/password-link",
        "Makes a link by which a person sets a new password, once; expires is in seconds",
        &["expires?"],
        NONE,
        LINK,
    ),
    admin(
        "POST /api/admin/people/{person}/deactivate",
        "Deactivates a person: they cannot sign in, and all their connections end",
        NONE,
        NONE,
        OK,
    ),
    admin(
        "POST /api/admin/people/{person}/reactivate",
        "Lets a person in again who was deactivated",
        NONE,
        NONE,
        OK,
    ),
    admin(
        "GET /api/admin/logins",
        "Who is signed in, the newest login first, and whether they are connected now",
        NONE,
        PAGE,
        (200, r#"{"logins":[],"has_more":false}"#),
    ),
    admin(
        "DELETE /api/admin/logins/{login}",
        "Ends one login of a person",
        NONE,
        NONE,
        OK,
    ),
    admin(
        "POST /api/admin/invitations",
        "Makes a link by which one person may sign up; expires is in seconds",
        &["expires?"],
        NONE,
        LINK,
    ),
    admin(
        "GET /api/admin/invitations",
        "The invitations that nobody has used, the newest first",
        NONE,
        PAGE,
        (200, r#"{"invitations":[],"has_more":false}"#),
    ),
    admin(
        "DELETE /api/admin/invitations/{invitation}",
        "Takes back an invitation",
        NONE,
        NONE,
        OK,
    ),
    admin(
        "POST /api/password-link",
        "Whose password a link sets, and until when it is good",
        &["token"],
        NONE,
        (
            200,
            r#"{"name":"ann","expires_at":"2021-07-16T05:14:12.117Z"}"#,
        ),
    ),
    admin(
        "POST /api/password-link/use",
        "Sets a new password by a link, once, and ends all logins of its person",
        &["token", "new_password"],
        NONE,
        OK,
    ),
    admin(
        "GET /api/admin/chats",
        "Chats, the newest first: those whose titles begin with query",
        NONE,
        &["query?", "limit?", "before?"],
        (200, r#"{"chats":[],"has_more":false}"#),
    ),
    admin(
        "GET /api/admin/chats/{chat}",
        "One chat with its members, and without what is said there",
        NONE,
        NONE,
        (
            200,
            r#"{"id":7,"title":"general","kind":"open","members_count":2,"messages":40,"members":[{"id":1,"name":"ann","role":"admin"}]}"#,
        ),
    ),
    admin(
        "DELETE /api/admin/chats/{chat}",
        "Deletes a chat",
        NONE,
        NONE,
        OK,
    ),
    admin(
        "DELETE /api/admin/chats/{chat}/messages/{message}",
        "Takes a message down: what is left of it says that it was deleted",
        NONE,
        NONE,
        OK,
    ),
    admin(
        "GET /api/admin/tenants",
        "Sites with live support and apps, the newest first, with their owners and figures",
        NONE,
        PAGE,
        (200, r#"{"tenants":[],"has_more":false}"#),
    ),
    admin(
        "POST /api/admin/tenants/{tenant}/suspend",
        "Suspends a site or an app: nobody gets in by it, and all that is open by it ends",
        NONE,
        NONE,
        OK,
    ),
    admin(
        "POST /api/admin/tenants/{tenant}/resume",
        "Lets a site or an app go on",
        NONE,
        NONE,
        OK,
    ),
    admin(
        "GET /api/registration",
        "Who may sign up: open, invitation or closed",
        NONE,
        NONE,
        (200, r#"{"registration":"open"}"#),
    ),
    admin(
        "GET /api/admin/registration",
        "Who may sign up, what the settings say, and what was chosen",
        NONE,
        NONE,
        (
            200,
            r#"{"registration":"closed","default":"open","chosen":"closed"}"#,
        ),
    ),
    admin(
        "PUT /api/admin/registration",
        "Chooses who may sign up: open, invitation, closed, or default to leave it to the settings",
        &["registration"],
        NONE,
        OK,
    ),
    admin(
        "GET /api/admin/audit",
        "What administrators did, the newest first",
        NONE,
        PAGE,
        (
            200,
            r#"{"audit":[{"id":1,"at":"2021-07-15T05:14:12.117Z","by":{"id":1,"name":"ann"},"address":"192.0.2.7","act":"deactivate","target":{"kind":"person","id":2,"name":"bo"},"detail":null}],"has_more":false}"#,
        ),
    ),
    admin(
        "GET /api/admin/figures",
        "Figures of the server",
        NONE,
        NONE,
        (
            200,
            r#"{"people":2,"chats":1,"messages":40,"sockets":3,"version":"0.1.0"}"#,
        ),
    ),
];
