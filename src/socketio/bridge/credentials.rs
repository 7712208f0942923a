//! What somebody brings when they connect: tokens, keys, and cookies where cookies count.

use crate::{
    config::WebOrigin,
    dialect::{Credentials, is_from_this_machine},
    model::PersonId,
    socketio::{engine::Handshake, server::Socket},
};

/// The most bytes of a credential that is looked at.
const MOST: usize = 1024;

/// Looks at what people bring.
#[derive(Debug, Clone)]
pub struct Doorman {
    /// Origins beside our own whose pages may use our cookies.
    pub allowed_origins: Vec<WebOrigin>,
}

impl Doorman {
    /// Whether somebody brings anything that is to be looked at before they are let in.
    pub(super) fn needs_a_look(socket: &Socket) -> bool {
        let bearer = || socket.handshake().header("authorization").is_some();
        told(socket, "token").is_some() || told(socket, "key").is_some() || bearer()
    }

    /// Everything somebody brings.
    pub(super) fn look_at(&self, socket: &Socket) -> Credentials {
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
            loopback: is_from_this_machine(
                handshake.host().unwrap_or_default(),
                handshake.origin(),
                handshake.header("sec-fetch-site"),
            ),
            address: handshake.client_ip(),
        }
    }

    /// Whom somebody's cookies name: those of our own pages and of the allowed origins' count.
    fn cookies(&self, handshake: &Handshake) -> Option<(PersonId, String)> {
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
        let cookies = handshake.cookies()?;
        let cookie = |name: &str| {
            cookies
                .split(';')
                .filter_map(|pair| pair.trim().split_once('='))
                .find(|(key, _)| *key == name)
                .map(|(_, value)| value)
        };
        let person = PersonId::from_any(cookie("user_id")?).ok()?;
        let token = cookie("token").or_else(|| cookie("access_token"))?;
        Some((person, token.to_owned()))
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
