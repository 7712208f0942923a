//! The credentials of a handshake: tokens, keys, and cookies from allowed origins.

use parlance_socketio::{engine::Handshake, server::Socket};
use serde_json::Value;

use crate::{
    chat::callers::Claims,
    config::WebOrigin,
    dialect::Credentials,
    http::{cookies, credentials},
    json,
};

/// The length above which a credential is ignored, in bytes.
const MAX_CREDENTIAL: usize = 1024;

/// Reads the credentials of handshakes.
#[derive(Debug, Clone)]
pub struct CredentialReader {
    /// Origins, in addition to the own one, from which cookies are accepted.
    pub allowed_origins: Vec<WebOrigin>,
}

impl CredentialReader {
    /// Whether there are credentials to be checked before the client is admitted.
    pub(super) fn has_credentials(&self, socket: &Socket) -> bool {
        let handshake = socket.handshake();
        token(socket).is_some()
            || value_of(socket, "key").is_some()
            || self.cookies(handshake).is_some()
    }

    /// All credentials of a handshake.
    pub(super) fn read(&self, socket: &Socket) -> Credentials {
        let handshake = socket.handshake();
        Credentials {
            token: token(socket),
            key: value_of(socket, "key"),
            app: value_of(socket, "appId"),
            cookies: self.cookies(handshake),
            twin: is_on(socket, "twin"),
            is_local: handshake.is_marked(),
            address: handshake.client_ip(),
        }
    }

    /// The login of the cookies, if the request is from the own origin, an allowed one, or no browser.
    fn cookies(&self, handshake: &Handshake) -> Option<Claims> {
        let are_accepted = match handshake.origin() {
            None => handshake
                .header("sec-fetch-site")
                .is_none_or(|site| site == "none" || site == "same-origin"),
            Some(_) if handshake.is_own_origin() => true,
            Some(origin) => WebOrigin::parse(origin)
                .is_some_and(|origin| self.allowed_origins.contains(&origin)),
        };
        if !are_accepted {
            return None;
        }
        let lines = handshake
            .headers()
            .filter(|(name, _)| name.eq_ignore_ascii_case("cookie"));
        cookies::claims(lines.map(|(_, value)| value.as_bytes()))
    }
}

/// Whether an option is on, in the auth data or in the query.
pub(super) fn is_on(socket: &Socket, name: &str) -> bool {
    let is_on = |value: &Value| json::flag(value) == Some(true);
    let shown = socket.auth().and_then(|auth| auth.get(name));
    let query = socket.handshake().query_value(name);
    shown.is_some_and(is_on) || query.is_some_and(|value| is_on(&Value::from(value)))
}

/// The token of the auth data, the query or the Authorization header.
fn token(socket: &Socket) -> Option<String> {
    let parameter = value_of(socket, "token");
    let authorization = socket.handshake().header("authorization");
    credentials::token(parameter.as_deref(), authorization)
}

/// A value of the auth data, or else of the query.
fn value_of(socket: &Socket, name: &str) -> Option<String> {
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
        .filter(|value| !value.is_empty() && value.len() <= MAX_CREDENTIAL)
}
