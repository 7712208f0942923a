//! The id that ties a request's answer to its lines in the log.

use std::{convert::Infallible, fmt};

use rocket::request::{FromRequest, Outcome, Request};

/// Longest id taken from a caller, in characters.
const LONGEST: usize = 64;

/// A request's id: the caller's own `X-Request-Id` where it is sane, a random one otherwise.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestId(String);

impl RequestId {
    /// The header that carries it, both ways.
    pub const HEADER: &'static str = "X-Request-Id";

    /// The id of `request`; the same one each time it is asked for.
    pub fn of<'a>(request: &'a Request<'_>) -> &'a Self {
        request.local_cache(|| {
            request
                .headers()
                .get_one(Self::HEADER)
                .and_then(Self::from_caller)
                .unwrap_or_else(|| Self(format!("{:032x}", rand::random::<u128>())))
        })
    }

    /// The id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    fn from_caller(text: &str) -> Option<Self> {
        // Few characters, so that an id can neither break a log line nor fill it.
        let sane = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.:".contains(&byte);
        ((1..=LONGEST).contains(&text.len()) && text.bytes().all(sane))
            .then(|| Self(text.to_owned()))
    }
}

impl fmt::Display for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[rocket::async_trait]
impl<'r> FromRequest<'r> for &'r RequestId {
    type Error = Infallible;

    async fn from_request(request: &'r Request<'_>) -> Outcome<Self, Infallible> {
        Outcome::Success(RequestId::of(request))
    }
}
