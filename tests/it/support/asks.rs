//! Random requests, valid or not, for the messenger API.

use percent_encoding::{NON_ALPHANUMERIC, percent_encode};
use proptest::{
    collection::vec,
    prelude::{Just, Strategy, any, prop_oneof},
    sample::select,
};
use reqwest::{Method, RequestBuilder};
use serde_json::Value;

use crate::{support::actor::Actor, support::world::World};

const PATHS: [&str; 23] = [
    "/api/reg",
    "/api/login",
    "/api/logout",
    "/api/logout-all",
    "/api/me",
    "/api/password",
    "/api/logins",
    "/api/logins/{n}",
    "/api/chats",
    "/api/chats/{n}",
    "/api/chats/{n}/join",
    "/api/chats/{n}/leave",
    "/api/chats/{n}/read",
    "/api/chats/{n}/reads",
    "/api/chats/{n}/typing",
    "/api/chats/{n}/messages/{n}",
    "/api/chats/{n}/messages/{n}/reactions/{s}",
    "/api/chats/{n}/{s}",
    "/api/{s}",
    "/api/events",
    "/api/events/{s}",
    "/{s}",
    "/api",
];

const NAMES: [&str; 21] = [
    "name",
    "password",
    "email",
    "new_password",
    "title",
    "content",
    "type",
    "client_id",
    "up_to",
    "reply_to",
    "typing",
    "around",
    "after",
    "before",
    "limit",
    "timeout",
    "types",
    "poll",
    "dialect",
    "room",
    "token",
];

const METHODS: [Method; 7] = [
    Method::GET,
    Method::POST,
    Method::PUT,
    Method::PATCH,
    Method::DELETE,
    Method::HEAD,
    Method::OPTIONS,
];

/// One random request.
#[derive(Debug, Clone)]
pub(crate) struct Ask {
    pub(crate) who: usize,
    pub(crate) method: Method,
    pub(crate) path: String,
    headers: Vec<(&'static str, Vec<u8>)>,
    body: Vec<u8>,
}

/// Bytes as a path or a form takes them.
pub(crate) fn percent(bytes: &[u8]) -> String {
    percent_encode(bytes, NON_ALPHANUMERIC).to_string()
}

/// Text as fields hold it: plausible, odd or broken, percent-encoded.
fn value() -> impl Strategy<Value = String> {
    prop_oneof![
        4 => select(vec!["1", "2", "0", "-1", "x", "true", "now", "message", "img", "9007199254740992",
            "99999999999999999999", "1.5", "", "%00", "%FF%FE", "%", "%F0%9F%8D%B5", "%40all", "+", "1.abcdefgh.1",
            "https://example.com/a", "support", "embed", "service", "messenger"])
            .prop_map(str::to_owned),
        2 => "[a-zA-Z0-9 .,:;@~_-]{0,20}".prop_map(|text| text.replace(' ', "+")),
        1 => vec(any::<u8>(), 0..20).prop_map(|bytes| percent(&bytes)),
        1 => (1_usize..40_000).prop_map(|length| "x".repeat(length)),
    ]
}

fn form() -> impl Strategy<Value = String> {
    vec((select(NAMES.to_vec()), value()), 0..5).prop_map(|pairs| {
        let pairs: Vec<_> = pairs
            .into_iter()
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        pairs.join("&")
    })
}

fn json() -> impl Strategy<Value = String> {
    let value = prop_oneof![
        "\\PC{0,12}".prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        any::<bool>().prop_map(Value::from),
        Just(Value::Null),
        Just(serde_json::json!([1, "a", {"b": []}])),
        Just(Value::from("a\u{0}b")),
    ];
    vec((select(NAMES.to_vec()), value), 0..5)
        .prop_map(|pairs| {
            pairs
                .into_iter()
                .map(|(name, value)| (name.to_owned(), value))
                .collect::<Value>()
        })
        .prop_map(|object| object.to_string())
}

fn body() -> impl Strategy<Value = (&'static str, Vec<u8>)> {
    let multipart = form().prop_map(|form| {
        let part = |pair: &str| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            format!("--b\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n")
        };
        form.split('&').map(part).collect::<String>() + "--b--\r\n"
    });
    prop_oneof![
        4 => form().prop_map(|form| ("application/x-www-form-urlencoded", form.into_bytes())),
        3 => json().prop_map(|json| ("application/json", json.into_bytes())),
        2 => multipart.prop_map(|form| ("multipart/form-data; boundary=b", form.into_bytes())),
        2 => (
            select(vec!["application/json", "application/x-www-form-urlencoded; charset=latin1", "multipart/form-data",
                "multipart/form-data; boundary=b", "text/plain", "application/xml", "", "x", "application/octet-stream"]),
            vec(any::<u8>(), 0..300)
        ),
    ]
}

fn header() -> impl Strategy<Value = (&'static str, Vec<u8>)> {
    let name = select(vec![
        "Accept",
        "Idempotency-Key",
        "Prefer",
        "Last-Event-ID",
        "Origin",
        "Sec-Fetch-Site",
        "Authorization",
        "X-Request-Id",
        "X-HTTP-Method-Override",
        "Cookie",
        "If-None-Match",
        "Range",
    ]);
    let plausible = select(vec![
        "text/event-stream",
        "text/html",
        "*/*",
        "return=representation",
        "null",
        "https://evil.example",
        "cross-site",
        "Bearer x",
        "user_id=1; token=x",
        "1.abcdefgh.1",
    ]);
    let value = prop_oneof![
        plausible.prop_map(|text| text.as_bytes().to_vec()),
        vec(0x20_u8..0x7f, 0..30),
        vec(0x80_u8..=0xff, 0..30),
    ];
    (name, value)
}

pub(crate) fn ask() -> impl Strategy<Value = Ask> {
    let number = prop_oneof![
        6 => (0_u64..6).prop_map(|number| number.to_string()),
        1 => select(vec!["-1", "x", "", "9007199254740992", "99999999999999999999", "1.0", "%31", "..", "%2e%2e"])
            .prop_map(str::to_owned),
    ];
    let segment =
        "[a-z%2F0E]{0,8}".prop_filter("percent signs come with digits", |text| !text.contains('%'));
    let path = (select(PATHS.to_vec()), number, segment)
        .prop_map(|(path, number, segment)| path.replace("{n}", &number).replace("{s}", &segment));
    (
        0..4_usize,
        select(METHODS.to_vec()),
        path,
        form(),
        vec(header(), 0..3),
        body(),
    )
        .prop_map(|(who, method, path, query, headers, (kind, body))| {
            let mut headers = headers;
            if !kind.is_empty() {
                headers.push(("Content-Type", kind.as_bytes().to_vec()));
            }
            let path = if query.is_empty() || query.len() > 4000 {
                path
            } else {
                format!("{path}?{query}")
            };
            Ask {
                who,
                method,
                path,
                headers,
                body,
            }
        })
}

impl Ask {
    /// The request, with the cookies of the person it picked.
    pub(crate) fn request(&self, world: &World, people: &[Actor]) -> RequestBuilder {
        let request = match people.get(self.who) {
            Some(actor) => actor.request(self.method.clone(), &self.path),
            None => world.http.request(
                self.method.clone(),
                format!("{}{}", world.base(), self.path),
            ),
        };
        let with = |request: RequestBuilder, (name, value): &(&'static str, Vec<u8>)| {
            request.header(*name, value.as_slice())
        };
        self.headers
            .iter()
            .fold(request, with)
            .body(self.body.clone())
    }
}
