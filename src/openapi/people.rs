//! The operations of accounts and people.

use super::{
    answers::{ATTEMPTS, EXPORT, ME, OK, RECOVERY_CODES, REGISTRATION},
    fields::{
        BEFORE, BEGINNING, CODE, CODE_TOO, EMAIL, IDS, INVITE, LIMIT, NAME, NEW_EMAIL, NEW_NAME,
        NEW_PASSWORD, PASSWORD, PASSWORD_AGAIN, PHOTO,
    },
    operation::{Access, Answer, Operation, answer, messenger},
    programs::{TOKEN_EXPIRES, TOKEN_NAME, TOKEN_SCOPES},
};
use crate::dialect::messenger::{security_wire as security, wire};

const SIGNED_IN: Answer = OK.headers(&["Location", "Set-Cookie"]);

pub(super) const PEOPLES: &[Operation] = &[
    messenger("POST /api/reg", "sign_up")
        .says("Sign up, and in")
        .about("Sets the cookies `user_id` and `token`. With an invitation also where not everybody may sign up, and with one to a chat into that chat.")
        .access(Access::Public)
        .body(&[NAME, PASSWORD, EMAIL, INVITE])
        .answers(SIGNED_IN.status(201))
        .refuses(&[403, 404, 409]),
    messenger("POST /api/login", "sign_in")
        .says("Sign in")
        .about("Sets the cookies `user_id` and `token`.")
        .access(Access::Public)
        .body(&[NAME, PASSWORD, CODE_TOO])
        .answers(SIGNED_IN)
        .refuses(&[403]),
    messenger("GET /api/logout", "sign_out_by_get")
        .says("Sign out")
        .answers(SIGNED_IN)
        .refuses(&[403]),
    messenger("POST /api/logout", "sign_out")
        .says("Sign out")
        .answers(SIGNED_IN),
    messenger("POST /api/logout-all", "sign_out_everywhere")
        .says("End all my logins")
        .body(&[PASSWORD_AGAIN])
        .answers(SIGNED_IN),
    messenger("GET /api/registration", "registration")
        .says("Who may sign up")
        .access(Access::Public)
        .answers(REGISTRATION),
    messenger("GET /api/me", "me").says("Who I am").answers(ME),
    messenger("PATCH /api/me", "change_me")
        .says("Change what I say of myself")
        .about("What is left out stays. Those who share a chat with me are told.")
        .body(&[NEW_NAME, NEW_EMAIL, PHOTO, PASSWORD_AGAIN])
        .answers(ME)
        .refuses(&[409]),
    messenger("DELETE /api/me", "delete_me")
        .says("Delete my account")
        .about("What I wrote stays under the name \"deleted\".")
        .body(&[PASSWORD])
        .answers(SIGNED_IN)
        .refuses(&[409]),
    messenger("GET /api/me/export", "export_me")
        .says("Everything that is kept of me")
        .about("A JSON object a line; the last one is of the type `end`.")
        .answers(EXPORT.of("application/x-ndjson")),
    messenger("GET /api/me/second-factor", "second_factor")
        .says("Whether I have a second factor")
        .answers(answer::<security::SecondFactorStatus>(200, r#"{"enabled":true,"confirmed_at":"2021-07-15T05:14:12.117Z","recovery_codes_left":10}"#)),
    messenger("POST /api/me/second-factor", "begin_second_factor")
        .says("Begin a second factor")
        .about("Its secret is for an app that makes codes (TOTP).")
        .body(&[PASSWORD])
        .answers(answer::<security::Enrolment>(200, r#"{"secret":"JBSW…","url":"otpauth://totp/Parlance:ann?secret=JBSW…&issuer=Parlance","qr":"data:image/svg+xml;base64,PD94"}"#))
        .refuses(&[409]),
    messenger("POST /api/me/second-factor/confirm", "confirm_second_factor")
        .says("Confirm my second factor by a code")
        .about("Signing in asks for a code from now on. The recovery codes are told once.")
        .body(&[CODE])
        .answers(RECOVERY_CODES)
        .refuses(&[404, 409]),
    messenger("DELETE /api/me/second-factor", "end_second_factor")
        .says("End my second factor")
        .body(&[PASSWORD])
        .refuses(&[404]),
    messenger("POST /api/me/recovery-codes", "renew_recovery_codes")
        .says("New recovery codes in the place of those there are")
        .body(&[PASSWORD])
        .answers(RECOVERY_CODES)
        .refuses(&[404, 409]),
    messenger("POST /api/me/tokens", "create_token")
        .says("Make a token for a program of mine")
        .about("It is told once, and comes in the header Authorization. Asks for the password where it was not proved lately.")
        .body(&[TOKEN_NAME, TOKEN_SCOPES, TOKEN_EXPIRES, PASSWORD_AGAIN])
        .answers(answer::<security::IssuedToken>(200, r#"{"token":"pat_6f1c2a9e6c344b2e","id":7,"name":"my bot","scopes":["read","write"],"created_at":"2021-07-15T05:14:12.117Z","used_at":"2021-07-15T05:14:12.117Z","expires_at":"2021-10-13T05:14:12.117Z"}"#).status(201))
        .refuses(&[409]),
    messenger("GET /api/me/tokens", "tokens")
        .says("My tokens, the oldest first")
        .answers(answer::<security::Tokens>(200, r#"{"tokens":[{"id":7,"name":"my bot","scopes":["read","write"],"created_at":"2021-07-15T05:14:12.117Z","used_at":"2021-07-15T05:14:12.117Z","expires_at":"2021-10-13T05:14:12.117Z"}]}"#)),
    messenger("DELETE /api/me/tokens/{token}", "revoke_token")
        .says("End a token")
        .about("Everything that was opened by it ends."),
    messenger("POST /api/password", "change_password")
        .says("Set a new password")
        .about("My other logins end.")
        .body(&[PASSWORD, NEW_PASSWORD]),
    messenger("GET /api/logins", "logins")
        .says("My logins")
        .answers(answer::<wire::Logins>(200, r#"{"logins":[{"id":3,"client":"curl/8.5.0","address":"192.0.2.1","created_at":"2021-07-15T05:14:12.117Z","used_at":"2021-07-15T05:14:12.117Z","current":true}]}"#)),
    messenger("DELETE /api/logins/{login}", "end_login")
        .says("End one of my logins")
        .about("Asks for the password as `POST /api/logout-all` does, unless it is this login.")
        .body(&[PASSWORD_AGAIN]),
    messenger("GET /api/logins/attempts", "login_attempts")
        .says("Sign-ins to my account and failed ones, the latest first")
        .query(&[LIMIT, BEFORE])
        .answers(ATTEMPTS),
    messenger("GET /api/people", "people")
        .says("People whose names begin so, by name; with `ids` those people")
        .query(&[BEGINNING, LIMIT, BEFORE, IDS])
        .answers(answer::<wire::People>(200, r#"{"people":[{"id":2,"name":"bo","photo":null,"online":true,"last_seen":"2021-07-15T05:14:12.117Z"}],"has_more":false}"#)),
    messenger("GET /api/people/{person}", "person")
        .says("One person")
        .answers(answer::<wire::FoundWire>(200, r#"{"id":2,"name":"bo","photo":null,"online":true,"last_seen":"2021-07-15T05:14:12.117Z"}"#)),
];
