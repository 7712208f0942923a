//! Which pages may use our cookies: our own and the allowed origins', nobody else's.
//!
//! A browser sends our cookies along with requests that other sites' pages make. So cookies count
//! only when the request comes from our own origin or an allowed one:
//!
//! | `Sec-Fetch-Site` | `Origin` | cookies |
//! |---|---|---|
//! | `same-origin` | any | count |
//! | other or absent | our host and port | count |
//! | other or absent | in `allowed_origins` | count |
//! | other or absent | another one, `null`, several | ignored |
//! | absent or `none` | absent | count (curl, or an address typed in) |
//! | `cross-site`, `same-site` | absent | ignored |
//!
//! Where they are ignored, a request that would change something with them is refused before any route:
//! unsafe methods under `/api` and `GET /api/logout` that bring our cookies, and sign-up and sign-in
//! whatever they bring, because they would set cookies.

use rocket::{
    Data, Request, Response,
    fairing::{Fairing, Info, Kind},
    http::{Method, Status, uri::Path},
    outcome::Outcome,
    request::{self, FromRequest},
    route::{self, Route},
};

use super::{
    api_error,
    headers::{under, under_any},
    signed_in,
};
use crate::{
    config::{ServedHost, Settings, WebOrigin},
    error,
    http::cookies,
};

/// Paths whose callers bring their own token or key, so that pages of any origin may call them.
const OPEN: [&str; 8] = [
    "/api/events",
    "/socket.io",
    "/owner",
    "/auth",
    "/app",
    "/room",
    "/user",
    "/webhook",
];

/// The headers that mean something here, for a page that asks for none by name.
const HEADERS: &str = "appId, token, Authorization, Content-Type, Idempotency-Key, Last-Event-ID, \
    Prefer, X-Request-Id";

/// The most bytes of a list of headers that is given back.
const ASKED_BYTES: usize = 2_048;

/// Answers that set cookies: a foreign page must not sign its visitor in as somebody else.
const SIGN_IN: [&str; 2] = ["/api/login", "/api/reg"];

/// Where a request comes from, as far as cookies are concerned.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RequestOrigin {
    /// Our own pages, or no page at all.
    Ours,
    /// A page of an allowed origin.
    Allowed,
    /// A page of somebody else's.
    Elsewhere,
}

impl RequestOrigin {
    /// Where `request` comes from; found once for each request.
    pub fn of<'a>(request: &'a Request<'_>) -> &'a Self {
        request.local_cache(|| {
            let settings = request.rocket().state::<Settings>();
            judge(request, settings.map_or(&[], |it| &it.allowed_origins))
        })
    }

    /// Whether the cookies that came along may be believed.
    pub fn cookies_count(&self) -> bool {
        match self {
            Self::Ours | Self::Allowed => true,
            Self::Elsewhere => false,
        }
    }
}

#[rocket::async_trait]
impl<'r> FromRequest<'r> for &'r RequestOrigin {
    type Error = std::convert::Infallible;

    async fn from_request(request: &'r Request<'_>) -> request::Outcome<Self, Self::Error> {
        request::Outcome::Success(RequestOrigin::of(request))
    }
}

fn judge(request: &Request<'_>, allowed: &[WebOrigin]) -> RequestOrigin {
    let headers = request.headers();
    let site = headers.get_one("Sec-Fetch-Site");
    if site == Some("same-origin") {
        return RequestOrigin::Ours;
    }
    let mut origins = headers.get("Origin");
    let Some(origin) = origins.next() else {
        return match site {
            None | Some("none") => RequestOrigin::Ours,
            Some(_) => RequestOrigin::Elsewhere,
        };
    };
    let Some(origin) = WebOrigin::parse(origin).filter(|_| origins.next().is_none()) else {
        return RequestOrigin::Elsewhere;
    };
    let ours = headers
        .get_one("Host")
        .is_some_and(|host| origin.is_served_by(host));
    if ours {
        RequestOrigin::Ours
    } else if allowed.contains(&origin) {
        RequestOrigin::Allowed
    } else {
        RequestOrigin::Elsewhere
    }
}

/// Turns away, before any route sees it, what foreign pages would do with our cookies.
pub(super) struct CsrfFairing;

#[rocket::async_trait]
impl Fairing for CsrfFairing {
    fn info(&self) -> Info {
        Info {
            name: "origins",
            kind: Kind::Request,
        }
    }

    async fn on_request(&self, request: &mut Request<'_>, _: &mut Data<'_>) {
        if RequestOrigin::of(request).cookies_count() || !would_act(request) {
            return;
        }
        let error = error::Error::new(error::Kind::CrossSite, sentence(request));
        api_error::turn_away(request, error);
    }
}

/// Why the request is refused, and what an operator can do whose own page it came from. It
/// repeats nothing but values of the request itself, and these only where they are well-formed.
fn sentence(request: &Request<'_>) -> String {
    const SENTENCE: &str =
        "this request comes from a page of another site, whose requests may not use cookies";
    let headers = request.headers();
    let origin = headers.get_one("Origin").and_then(WebOrigin::parse);
    let host = headers.get_one("Host").and_then(ServedHost::parse);
    let (Some(origin), Some(host)) = (origin, host) else {
        return SENTENCE.to_owned();
    };
    let remedy = if host.is_host_of(&origin) {
        "when both are this server, its proxy must pass the port on as well \
         (nginx: proxy_set_header Host $http_host)"
    } else if host.is_internal() {
        "when the page is this server's own, its proxy must pass on the Host that browsers ask for \
         (nginx: proxy_set_header Host $http_host)"
    } else {
        "when the page may act for its visitors here, list its origin in allowed_origins"
    };
    format!("{SENTENCE}: its Origin is {origin}, its Host is {host}; {remedy}")
}

/// Whether a request would change something in the name of the holder of its cookies.
fn would_act(request: &Request<'_>) -> bool {
    let path = request.uri().path();
    let safe = matches!(
        request.method(),
        Method::Get | Method::Head | Method::Options
    );
    if !safe && under_any(&path, &SIGN_IN) {
        return true;
    }
    let acts = (!safe && under(&path, "/api")) || under(&path, "/api/logout");
    let own_token = request.headers().contains("Authorization");
    let has_cookies = cookies::has_token(signed_in::lines(request));
    acts && !is_open(&path) && has_cookies && !own_token && request.method() != Method::Options
}

fn is_open(path: &Path<'_>) -> bool {
    under_any(path, &OPEN)
}

/// Routes that answer the requests which the fairing refused.
pub(super) fn refused() -> Vec<Route> {
    fn handle<'r>(request: &'r Request<'_>, data: Data<'r>) -> route::BoxFuture<'r> {
        Box::pin(async move {
            match api_error::take(request) {
                Some(error) => Outcome::Success(api_error::ApiError::new(error).respond()),
                None => Outcome::Forward((data, Status::NotFound)),
            }
        })
    }
    [
        Method::Get,
        Method::Head,
        Method::Post,
        Method::Put,
        Method::Patch,
        Method::Delete,
    ]
    .into_iter()
    .map(|method| {
        let mut route = Route::ranked(-100, method, api_error::REFUSED, handle);
        route.name = Some("refused".into());
        route
    })
    .collect()
}

/// Tells the browser which origin's page may read this answer.
pub(super) fn answer(request: &Request<'_>, response: &mut Response<'_>) {
    let path = api_error::asked_path(request);
    let open = is_open(&path);
    if !open && !under(&path, "/api") {
        return;
    }
    vary(response);
    let Some(origin) = request.headers().get_one("Origin") else {
        return;
    };
    let allowed = *RequestOrigin::of(request) == RequestOrigin::Allowed;
    if !allowed && !open {
        return;
    }
    response.set_raw_header("Access-Control-Allow-Origin", origin.to_owned());
    if allowed || under(&path, "/socket.io") {
        response.set_raw_header("Access-Control-Allow-Credentials", "true");
    }
    if request.method() == Method::Options {
        // Socket.IO has said itself what it takes: the headers that were asked for, whatever they are.
        if response.headers().contains("Access-Control-Allow-Methods") {
            return;
        }
        response.set_raw_header(
            "Access-Control-Allow-Methods",
            "GET, POST, PUT, PATCH, DELETE",
        );
        response.set_raw_header("Access-Control-Allow-Headers", allowed_headers(request));
        response.adjoin_raw_header("Vary", "Access-Control-Request-Headers");
        response.set_raw_header("Access-Control-Max-Age", "600");
    } else {
        response.set_raw_header(
            "Access-Control-Expose-Headers",
            "Idempotency-Replayed, Location, Retry-After, X-Message-Id, X-Message-Time, \
             X-Request-Id",
        );
    }
}

/// The headers that a page may send: those it asks for, whatever they are. A page that may come at all
/// is stopped by none of them, and browsers, proxies and tracing add some of their own.
fn allowed_headers(request: &Request<'_>) -> String {
    let asked = request
        .headers()
        .get_one("Access-Control-Request-Headers")
        .filter(|asked| asked.len() <= ASKED_BYTES && asked.bytes().all(is_in_a_list));
    asked.unwrap_or(HEADERS).to_owned()
}

/// Whether a byte can be part of a list of headers' names.
fn is_in_a_list(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-_!#$%&'*+.^`|~, ".contains(&byte)
}

fn vary(response: &mut Response<'_>) {
    let already = response
        .headers()
        .get("Vary")
        .any(|value| value.contains("Origin"));
    if !already {
        response.adjoin_raw_header("Vary", "Origin");
    }
}
