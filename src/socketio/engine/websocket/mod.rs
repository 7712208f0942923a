//! The WebSocket transport: the request, the HTTP upgrade, and one task for each WebSocket.
//!
//! # Why
//! - tungstenite reads frames (masks, fragments, UTF-8, control frames). They are written without it,
//!   because a server's frames are encoded already and need no second buffer.
//! - The stream is moved into a task of its own and Rocket's handler returns at once, so the request
//!   and its memory are freed.

mod claim;
mod task;
mod wire;

use std::{io, pin::Pin, sync::Arc, time::Duration};

use rocket::{
    Request, Response,
    data::{IoHandler, IoStream},
};
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;

use super::{handle::Engine, handshake::Handshake, request_error::RequestError, session::Session};
use claim::Claim;
use wire::Wire;

/// The time between the response to the upgrade and the first message. Clients that add their listener
/// after the WebSocket is open miss a message that arrives together with the response. The protocol's
/// official test suite is one of them.
const OPEN_GRACE: Duration = Duration::from_millis(2);

/// A valid request for a WebSocket.
pub(super) struct Upgrade {
    accept: String,
    /// The first subprotocol that the client offers, as Node's server chooses it.
    protocol: Option<String>,
}

impl Upgrade {
    /// Checks the request's headers as RFC 6455 requires.
    pub(super) fn of(request: &Request<'_>) -> Result<Self, RequestError> {
        let headers = request.headers();
        let lists = |name, wanted: &str| {
            headers
                .get(name)
                .flat_map(|value| value.split(','))
                .any(|item| item.trim().eq_ignore_ascii_case(wanted))
        };
        let asked = lists("upgrade", "websocket")
            && lists("connection", "upgrade")
            && headers.get_one("sec-websocket-version") == Some("13");
        let key = headers.get_one("sec-websocket-key");
        match key.filter(|key| asked && key.len() == 24) {
            Some(key) => Ok(Self {
                accept: derive_accept_key(key.as_bytes()),
                protocol: headers
                    .get("sec-websocket-protocol")
                    .flat_map(|value| value.split(','))
                    .map(str::trim)
                    .find(|protocol| !protocol.is_empty())
                    .filter(|protocol| protocol.bytes().all(is_token))
                    .map(str::to_owned),
            }),
            None => Err(RequestError::BadRequest),
        }
    }

    /// The response that opens a session on the WebSocket.
    pub(super) fn open<'r>(
        self,
        engine: Engine,
        handshake: Handshake,
        base64: bool,
    ) -> Response<'r> {
        self.respond(UpgradeHandler::Open {
            engine,
            handshake,
            base64,
        })
    }

    /// The response that opens a WebSocket to which an existing session is to be upgraded.
    pub(super) fn upgrade_session<'r>(self, session: Arc<Session>, base64: bool) -> Response<'r> {
        // Before the response: a client that has it may poll at once, and that poll is during the upgrade.
        let claim = Claim::acquire(&session);
        self.respond(UpgradeHandler::Existing {
            session,
            claim,
            base64,
        })
    }

    fn respond<'r>(self, plan: UpgradeHandler) -> Response<'r> {
        let mut response = Response::build();
        response.raw_header("Sec-WebSocket-Accept", self.accept);
        if let Some(protocol) = self.protocol {
            response.raw_header("Sec-WebSocket-Protocol", protocol);
        }
        response.upgrade("websocket", plan).finalize()
    }
}

/// Whether a byte may be part of an HTTP token (RFC 9110).
fn is_token(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}

/// What to do with the stream after the HTTP upgrade.
enum UpgradeHandler {
    /// Open a session.
    Open {
        engine: Engine,
        handshake: Handshake,
        base64: bool,
    },
    /// Upgrade an existing session.
    Existing {
        session: Arc<Session>,
        /// `None` if another WebSocket has claimed the session.
        claim: Option<Claim>,
        base64: bool,
    },
}

#[rocket::async_trait]
impl IoHandler for UpgradeHandler {
    async fn io(self: Pin<Box<Self>>, io: IoStream) -> io::Result<()> {
        match *Pin::into_inner(self) {
            UpgradeHandler::Open {
                engine,
                handshake,
                base64,
            } => {
                tokio::time::sleep(OPEN_GRACE).await;
                let wire = Wire::new(io, engine.options().max_payload);
                let session = engine.open_session(handshake, base64);
                tokio::spawn(task::Socket::new(session, wire));
            }
            UpgradeHandler::Existing {
                session,
                claim,
                base64,
            } => {
                let wire = Wire::new(io, session.shared.options.max_payload);
                match claim {
                    Some(claim) => tokio::spawn(claim::upgrade(claim, wire, base64)),
                    None => tokio::spawn(claim::reject(wire)),
                };
            }
        }
        Ok(())
    }
}
