//! What somebody brings when they connect: tokens, keys, and cookies where cookies count.

use parlance_socketio::{engine::Handshake, server::Socket};

use crate::{chat::callers::Claims, config::WebOrigin, dialect::Credentials, http::cookies};

/// The most bytes of a credential that is looked at.
const MOST: usize = 1024;

/// Looks at what people bring.
#[derive(Debug, Clone)]
pub struct CredentialReader {
    /// Origins beside our own whose pages may use our cookies.
    pub allowed_origins: Vec<WebOrigin>,
}

impl CredentialReader {
    /// Whether somebody brings anything that is to be looked at before they are let in.
    pub(super) fn brings_credentials(&self, socket: &Socket) -> bool {
        let handshake = socket.handshake();
        told(socket, "token").is_some()
            || told(socket, "key").is_some()
            || handshake.header("authorization").is_some()
            || self.cookies(handshake).is_some()
    }

    /// Everything somebody brings.
    pub(super) fn read(&self, socket: &Socket) -> Credentials {
        let handshake = socket.handshake();
        let bearer = handshake.header("authorization").map(|value| {
            value
                .strip_prefix("Bearer ")
                .unwrap_or(value)
                .trim()
                .to_owned()
        });
        Credentials {
            token: told(socket, "token").or(bearer),
            key: told(socket, "key"),
            app: told(socket, "appId"),
            cookies: self.cookies(handshake),
            is_local: handshake.is_marked(),
            address: handshake.client_ip(),
        }
    }

    /// Whom somebody's cookies name: those of our own pages and of the allowed origins' count.
    fn cookies(&self, handshake: &Handshake) -> Option<Claims> {
        let counts = match handshake.origin() {
            None => handshake
                .header("sec-fetch-site")
                .is_none_or(|site| site == "none" || site == "same-origin"),
            Some(_) if handshake.is_own_origin() => true,
            Some(origin) => WebOrigin::parse(origin)
                .is_some_and(|origin| self.allowed_origins.contains(&origin)),
        };
        if !counts {
            return None;
        }
        let lines = handshake
            .headers()
            .filter(|(name, _)| name.eq_ignore_ascii_case("cookie"));
        cookies::claims(lines.map(|(_, value)| value.as_bytes()))
    }
}

/// Something told in the query or in the payload of CONNECT.
fn told(socket: &Socket, name: &str) -> Option<String> {
    let shown = socket
        .auth()
        .and_then(|auth| auth.get(name))
        .and_then(|value| value.as_str());
    let asked = || {
        socket
            .handshake()
            .query_value(name)
            .map(std::borrow::Cow::into_owned)
    };
    shown
        .map(str::to_owned)
        .or_else(asked)
        .filter(|value| !value.is_empty() && value.len() <= MOST)
}
