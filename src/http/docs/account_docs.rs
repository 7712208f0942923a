//! What the documentation says of the routes of accounts and people.

use super::route_docs::{CREATED, NONE, OK, Words, messenger};

const ME: &str = r#"{"id":1,"name":"ann","email":"ann@example.com","photo":null,"created_at":"2021-07-15T05:14:12.117Z","external_photos":true}"#;
const PERSON: &str =
    r#"{"id":2,"name":"bo","photo":null,"online":true,"last_seen":"2021-07-15T05:14:12.117Z"}"#;
const PEOPLE: &str = r#"{"people":[{"id":2,"name":"bo","photo":null,"online":true,"last_seen":"2021-07-15T05:14:12.117Z"}],"has_more":false}"#;
const ATTEMPTS: &str = r#"{"attempts":[{"id":9,"outcome":"wrong_password","client":"curl/8.5.0","address":"192.0.2.1","time":"2021-07-15T05:14:12.117Z"}],"has_more":false}"#;
const RECOVERY_CODES: &str = r#"{"recovery_codes":["abcdef-ghijkl-mnopqr-stuvwx"]}"#;

/// These routes, by method and path.
pub(super) const ACCOUNT_WORDS: &[Words] = &[
    messenger(
        "POST /api/reg",
        "Signs up and in: sets the cookies user_id and token; by an invitation also where not everybody may, and by one to a chat into that chat",
        &["name", "password", "email", "invite?"],
        NONE,
        CREATED,
    ),
    messenger(
        "POST /api/login",
        "Signs in: sets the cookies user_id and token",
        &["name", "password", "code?"],
        NONE,
        OK,
    ),
    messenger("GET /api/logout", "Signs out", NONE, NONE, OK),
    messenger("POST /api/logout", "Signs out", NONE, NONE, OK),
    messenger(
        "POST /api/logout-all",
        "Ends all my logins; asks for the password where it was not proved for ten minutes",
        &["password?"],
        NONE,
        OK,
    ),
    messenger(
        "GET /api/logins/attempts",
        "Sign-ins to my account and failed ones, the latest first",
        NONE,
        &["limit?", "before?"],
        (200, ATTEMPTS),
    ),
    messenger(
        "GET /api/me/second-factor",
        "Whether I have a second factor, and how many recovery codes are left",
        NONE,
        NONE,
        (
            200,
            r#"{"enabled":true,"confirmed_at":"2021-07-15T05:14:12.117Z","recovery_codes_left":10}"#,
        ),
    ),
    messenger(
        "POST /api/me/second-factor",
        "Begins a second factor: its secret, for an app that makes codes (TOTP)",
        &["password"],
        NONE,
        (
            200,
            r#"{"secret":"JBSW…","url":"otpauth://totp/Parlance:ann?secret=JBSW…&issuer=Parlance","qr":"data:image/svg+xml;base64,PD94…"}"#,
        ),
    ),
    messenger(
        "POST /api/me/second-factor/confirm",
        "Confirms it by a code: signing in asks for one from now on; the recovery codes are told once",
        &["code"],
        NONE,
        (200, RECOVERY_CODES),
    ),
    messenger(
        "DELETE /api/me/second-factor",
        "Ends my second factor",
        &["password"],
        NONE,
        OK,
    ),
    messenger(
        "POST /api/me/recovery-codes",
        "New recovery codes in the place of those there are",
        &["password"],
        NONE,
        (200, RECOVERY_CODES),
    ),
    messenger(
        "GET /api/me/export",
        "Everything that is kept of me, a JSON object a line; the last one is of the type end",
        NONE,
        NONE,
        (200, r#"{"type":"end"}"#),
    )
    .of("application/x-ndjson"),
    messenger("GET /api/me", "Who I am", NONE, NONE, (200, ME)),
    messenger(
        "PATCH /api/me",
        "Changes what I say of myself; those who share a chat with me are told",
        &["name?", "email?", "photo?", "password?"],
        NONE,
        (200, ME),
    ),
    messenger(
        "DELETE /api/me",
        "Deletes my account: what I wrote stays under the name \"deleted\"",
        &["password"],
        NONE,
        OK,
    ),
    messenger(
        "GET /api/people",
        "People whose names begin so, by name; with ids those people",
        NONE,
        &["query?", "limit?", "before?", "ids?"],
        (200, PEOPLE),
    ),
    messenger(
        "GET /api/people/{person}",
        "A person",
        NONE,
        NONE,
        (200, PERSON),
    ),
    messenger(
        "POST /api/password",
        "Sets a new password and ends my other logins",
        &["password", "new_password"],
        NONE,
        OK,
    ),
    messenger(
        "GET /api/logins",
        "My logins",
        NONE,
        NONE,
        (200, r#"{"logins":[]}"#),
    ),
    messenger(
        "DELETE /api/logins/{login}",
        "Ends one of my logins; asks for the password as logout-all does, unless it is this one",
        &["password?"],
        NONE,
        OK,
    ),
];
