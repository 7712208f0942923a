//! Turns away, before any route sees it, what comes too often from one address.

use std::sync::Arc;

use rocket::{
    Data, Request,
    fairing::{Fairing, Info, Kind},
    http::Method,
};

use super::{ClientAddress, api_error, headers::under};
use crate::chat::{Services, limits};

/// Paths that are not counted: those that monitor the server.
const UNCOUNTED: [&str; 2] = ["/health", "/metrics"];
/// Of Socket.IO the handshakes are counted here, and the events one by one where they are answered: what
/// belongs to a session that is alive is not counted here, whatever only looks like that is.
const SOCKET_IO: &str = "/socket.io";

/// Knows which Engine.IO sessions are alive.
pub struct LiveSessions(Box<dyn Fn(&str) -> bool + Send + Sync>);

impl LiveSessions {
    /// Sessions that are alive when `is_alive` says so of their id.
    pub fn new(is_alive: impl Fn(&str) -> bool + Send + Sync + 'static) -> Self {
        Self(Box::new(is_alive))
    }

    /// Whether a request belongs to one.
    fn have(request: &Request<'_>) -> bool {
        let sessions = request.rocket().state::<Self>();
        let sid = request.query_value::<&str>("sid").and_then(Result::ok);
        sessions
            .zip(sid)
            .is_some_and(|(sessions, sid)| (sessions.0)(sid))
    }
}

/// See the module.
pub(super) struct RateLimitFairing;

#[rocket::async_trait]
impl Fairing for RateLimitFairing {
    fn info(&self) -> Info {
        Info {
            name: "limits",
            kind: Kind::Request,
        }
    }

    async fn on_request(&self, request: &mut Request<'_>, _: &mut Data<'_>) {
        // A browser asks whether it may ask, by itself, and takes anything but a yes for a no; to say
        // yes costs less than to count.
        if request.method() == Method::Options {
            return;
        }
        let path = request.uri().path();
        let of_session = || under(&path, SOCKET_IO) && LiveSessions::have(request);
        if UNCOUNTED.iter().any(|base| under(&path, base)) || of_session() {
            return;
        }
        let Some(services) = request.rocket().state::<Arc<Services>>() else {
            return;
        };
        let counted = ClientAddress::of(request).counted();
        if let Some(network) = counted
            && let Err(error) = limits::count_address(services, network)
        {
            api_error::turn_away(request, error);
        }
    }
}
