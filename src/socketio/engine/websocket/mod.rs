//! The WebSocket transport: from the request, over the upgrade, to one task for each socket.
//!
//! # Why
//! - tungstenite reads frames (masks, fragments, UTF-8, control frames); writing is ours, because a
//!   server's frames are ready-made and need no second buffer.
//! - The stream moves into a task of its own and Rocket's handler returns at once, so the request and
//!   all it holds can go.

mod claim;
mod task;
mod wire;

use std::{io, pin::Pin, sync::Arc, time::Duration};

use rocket::{
    Request, Response,
    data::{IoHandler, IoStream},
};
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;

use super::{Handshake, Session, Shared, refusal::Refusal};
use claim::Claim;
use wire::Wire;

/// The time between the answer to the upgrade and the first message. Clients that begin to listen once
/// they know that the WebSocket is open miss a message that arrives together with that news; the
/// protocol's own test suite is one of them.
const OPEN_GRACE: Duration = Duration::from_millis(2);

/// A request that asks for a WebSocket, and may have one.
pub(super) struct Upgrade {
    accept: String,
    /// The first of the subprotocols that the client offers, as Node's server chooses.
    protocol: Option<String>,
}

impl Upgrade {
    /// Reads the request's headers as RFC 6455 wants them.
    pub(super) fn of(request: &Request<'_>) -> Result<Self, Refusal> {
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
            None => Err(Refusal::BadRequest),
        }
    }

    /// Answers with a session that begins on the WebSocket.
    pub(super) fn open<'r>(
        self,
        shared: Arc<Shared>,
        handshake: Handshake,
        base64: bool,
    ) -> Response<'r> {
        self.answer(Plan::Open {
            shared,
            handshake,
            base64,
        })
    }

    /// Answers with a WebSocket that an existing session is to step up to.
    pub(super) fn step_up<'r>(self, session: Arc<Session>, base64: bool) -> Response<'r> {
        // Before the answer: a client that has read it may poll at once, and is then in an upgrade.
        let claim = Claim::stake(&session);
        self.answer(Plan::StepUp {
            session,
            claim,
            base64,
        })
    }

    fn answer<'r>(self, plan: Plan) -> Response<'r> {
        let mut response = Response::build();
        response.raw_header("Sec-WebSocket-Accept", self.accept);
        if let Some(protocol) = self.protocol {
            response.raw_header("Sec-WebSocket-Protocol", protocol);
        }
        response.upgrade("websocket", plan).finalize()
    }
}

/// Whether a byte may be in a token of HTTP (RFC 9110).
fn is_token(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}

/// What is to become of a stream once it is a WebSocket.
enum Plan {
    Open {
        shared: Arc<Shared>,
        handshake: Handshake,
        base64: bool,
    },
    StepUp {
        session: Arc<Session>,
        /// None if the session has another WebSocket already, which lives.
        claim: Option<Claim>,
        base64: bool,
    },
}

#[rocket::async_trait]
impl IoHandler for Plan {
    async fn io(self: Pin<Box<Self>>, io: IoStream) -> io::Result<()> {
        match *Pin::into_inner(self) {
            Plan::Open {
                shared,
                handshake,
                base64,
            } => {
                tokio::time::sleep(OPEN_GRACE).await;
                let wire = Wire::new(io, shared.options.max_payload);
                let session = Session::open(&shared, handshake, base64);
                tokio::spawn(task::Socket::new(session, wire));
            }
            Plan::StepUp {
                session,
                claim,
                base64,
            } => {
                let wire = Wire::new(io, session.shared.options.max_payload);
                match claim {
                    Some(claim) => tokio::spawn(claim::step_up(claim, wire, base64)),
                    None => tokio::spawn(claim::turn_away(wire)),
                };
            }
        }
        Ok(())
    }
}
