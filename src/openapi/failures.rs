//! The answers of what was refused or failed: which statuses an operation has, and what they hold.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use super::{
    answers::HealthParts,
    operation::{Access, Api, Operation},
};
use crate::{
    dialect::support,
    error::Kind,
    json::schema::{Definitions, Describe, any_of},
};

/// What every operation can come to: too many requests, a fault of ours, and a server that stops.
const ALWAYS: [u16; 3] = [429, 500, 503];

/// The statuses with which an operation is refused or fails.
pub(super) fn statuses(operation: &Operation, path: &str) -> BTreeSet<u16> {
    let mut statuses: BTreeSet<_> = operation.refusals.iter().copied().collect();
    statuses.extend(match operation.api {
        Api::Operations => &ALWAYS[1..],
        _ => &ALWAYS[..],
    });
    let wrong = if operation.api == Api::Service {
        422
    } else {
        400
    };
    if !operation.body.is_empty() {
        statuses.extend([wrong, 413, 415]);
    }
    if !operation.query.is_empty() {
        statuses.insert(wrong);
    }
    if path.contains('{') {
        statuses.insert(404);
    }
    match operation.access {
        Access::Public | Access::Token => {}
        // People of all APIs come with cookies, also those who have no such thing: guests, users of apps.
        Access::Cookies | Access::AppElsewhere => statuses.extend([401, 403, 404]),
        Access::Administrator => statuses.extend([401, 403]),
        Access::Developer | Access::Owner => {
            // 403: a token without the scope.
            statuses.extend([401, 403]);
        }
        // 403: the app is suspended.
        Access::App => statuses.extend([401, 403, 404, 422]),
        Access::Handshake => statuses.extend([400, 401, 403, 404, 410]),
        Access::HandshakeOrGuest => statuses.extend([400, 401, 403, 404, 409, 422]),
        Access::Scraper => statuses.extend([400, 403, 429]),
    }
    statuses
}

/// The answer with such a status, as a reference to a component.
pub(super) fn response(api: Api, status: u16) -> Value {
    json!({"$ref": format!("#/components/responses/{}", name(api, status))})
}

fn name(api: Api, status: u16) -> String {
    let family = match api {
        Api::Support => "Support",
        Api::Service => "Service",
        Api::Events => "Event",
        Api::Messenger | Api::Administration | Api::Operations => "",
    };
    format!("{family}{}", reason(status).replace(' ', ""))
}

const fn reason(status: u16) -> &'static str {
    match status {
        400 => "Bad Request",
        401 => "Unauthorized",
        403 => "Forbidden",
        404 => "Not Found",
        409 => "Conflict",
        410 => "Gone",
        413 => "Content Too Large",
        415 => "Unsupported Media Type",
        422 => "Unprocessable Content",
        429 => "Too Many Requests",
        503 => "Service Unavailable",
        _ => "Internal Server Error",
    }
}

/// All such answers, as components.
pub(super) fn responses(used: &BTreeSet<(&'static str, u16)>, known: &mut Definitions) -> Value {
    let mut responses = Map::new();
    for api in Api::ALL {
        for (_, status) in used.iter().filter(|(name, _)| *name == api.name()) {
            let schema = schema(api, *status, known);
            let mut response = json!({
                "description": about(api, *status),
                "content": {"application/json": {"schema": schema}},
            });
            if matches!(status, 429 | 503) {
                response["headers"] = json!({"Retry-After": {
                    "description": "After how many seconds another try can succeed.",
                    "schema": {"type": "integer", "minimum": 1},
                }});
            }
            responses.insert(name(api, *status), response);
        }
    }
    responses.into()
}

fn kinds(status: u16) -> impl Iterator<Item = &'static Kind> {
    Kind::ALL.iter().filter(move |kind| kind.status() == status)
}

fn about(api: Api, status: u16) -> String {
    if matches!(api, Api::Support | Api::Service) && status < 500 && status != 429 {
        return format!("{}: the sentence says why.", reason(status));
    }
    let lines: Vec<_> = kinds(status)
        .map(|kind| format!("`{}`: {}", kind.code(), kind.meaning()))
        .collect();
    lines.join("\n\n")
}

fn schema(api: Api, status: u16, known: &mut Definitions) -> Value {
    let plain = error(status, known);
    match (api, status) {
        (Api::Operations, 503) => not_serving(known),
        (Api::Messenger | Api::Administration | Api::Operations, _) => plain,
        // An event that is refused is answered as its own API does.
        (Api::Events, _) => any_of([plain, reply(known)]),
        (Api::Support, _) => any_of([support::wire::Failure::schema(known), plain]),
        (Api::Service, 401) => any_of([no_token(known), message(known), service(known)]),
        (Api::Service, 422) => validation(known),
        (Api::Service, _) => any_of([service(known), plain]),
    }
}

/// `{"error":…,"code":…}` with the codes of a status.
fn error(status: u16, known: &mut Definitions) -> Value {
    let codes: Vec<_> = kinds(status).map(|kind| kind.code()).collect();
    let name = format!("{}Error", reason(status).replace(' ', ""));
    let name = name.replace("ErrorError", "Error");
    known.define(
        &name,
        "an error of one status",
        "A refusal or a failure.",
        |_| {
            let mut properties = json!({
            "error": {"type": "string", "description": "A sentence for people."},
            "code": {
                "type": "string",
                "enum": codes,
                "description": "A word for programs.",
            }});
            let mut required = vec!["error", "code"];
            if status == Kind::Unauthenticated.status() {
                properties["hint"] = json!({
                    "type": "string",
                    "description": "Where the sentence is fixed by an API's document: what else there is to know.",
                });
            }
            if status == Kind::Gone.status() {
                properties["cursor"] =
                    json!({"type": "string", "description": "Where to go on from."});
                required.push("cursor");
            }
            json!({"type": "object", "properties": properties, "required": required})
        },
    )
}

/// The same, with how each part is where it was asked for.
fn not_serving(known: &mut Definitions) -> Value {
    let parts = HealthParts::schema(known);
    let codes: Vec<_> = kinds(503).map(|kind| kind.code()).collect();
    known.define(
        "NotServing",
        "a server that cannot serve",
        "The server cannot serve just now.",
        |_| {
            json!({
                "type": "object",
                "properties": {
                    "error": {"type": "string", "description": "A sentence for people."},
                    "code": {
                        "type": "string",
                        "enum": codes,
                        "description": "A word for programs.",
                    },
                    "parts": parts,
                },
                "required": ["error", "code"],
            })
        },
    )
}

fn reply(known: &mut Definitions) -> Value {
    known.define(
        "EventRefusal",
        "the refusal of an event",
        "An event that was refused: its data is the reply of its API.",
        |_| {
            json!({
                "type": "object",
                "properties": {
                    "event": {"type": "string"},
                    "data": {},
                    "emitted": {"type": "array", "items": {"type": "object"}},
                },
                "required": ["event", "data"],
            })
        },
    )
}

fn service(known: &mut Definitions) -> Value {
    known.define(
        "ServiceFailure",
        "service",
        "A refusal or a failure of the chat service.",
        |_| {
            json!({
                "type": "object",
                "properties": {
                    "status": {"type": "integer", "description": "The HTTP status."},
                    "message": {"type": "string", "description": "A sentence for people."},
                },
                "required": ["status", "message"],
            })
        },
    )
}

fn no_token(known: &mut Definitions) -> Value {
    let failure = service(known);
    known.define(
        "NoToken",
        "service",
        "No token came.",
        |_| json!({"type": "object", "properties": {"error": failure}, "required": ["error"]}),
    )
}

fn message(known: &mut Definitions) -> Value {
    known.define(
        "BadToken",
        "service",
        "The token, or the e-mail and password, are not good.",
        |_| {
            json!({
                "type": "object",
                "properties": {"name": {"type": "string"}, "message": {"type": "string"}},
                "required": ["message"],
            })
        },
    )
}

fn validation(known: &mut Definitions) -> Value {
    known.define("ValidationFailed", "service", "A field is wrong.", |_| {
        json!({
            "type": "object",
            "properties": {
                "message": {"type": "string"},
                "details": {
                    "type": "object",
                    "description": "What is wrong, by the field's name.",
                    "additionalProperties": {
                        "type": "object",
                        "properties": {"message": {"type": "string"}},
                        "required": ["message"],
                    },
                },
            },
            "required": ["message", "details"],
        })
    })
}
