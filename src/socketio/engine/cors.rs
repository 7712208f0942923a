//! Which origins may use the server, by polling and by WebSocket.

use std::{fmt, sync::Arc};

/// Which origins may use the server. Requests without an `Origin` header are always allowed.
///
/// Browsers do not apply CORS to WebSockets. So the server itself refuses an upgrade from an origin that
/// is not allowed.
#[derive(Clone, Default)]
pub enum Cors {
    /// The server's own origin: the request's host and port.
    #[default]
    OwnOrigin,
    /// Every origin, with credentials. The application must then not trust a cookie unless
    /// [`Handshake::is_own_origin`](super::Handshake::is_own_origin) is true.
    Any,
    /// The own origin and these, in the form `https://chat.example`.
    List(Vec<String>),
    /// The own origin and those for which the function returns true.
    Asking(Arc<dyn Fn(&str) -> bool + Send + Sync>),
}

impl Cors {
    /// Whether `origin` may use the server, to which the request was addressed as `host`.
    pub(super) fn allows(&self, origin: &str, host: Option<&str>) -> bool {
        is_own(origin, host)
            || match self {
                Self::OwnOrigin => false,
                Self::Any => true,
                Self::List(origins) => origins.iter().any(|o| o.eq_ignore_ascii_case(origin)),
                Self::Asking(allows) => allows(origin),
            }
    }
}

impl fmt::Debug for Cors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::OwnOrigin => f.write_str("OwnOrigin"),
            Self::Any => f.write_str("Any"),
            Self::List(origins) => f.debug_tuple("List").field(origins).finish(),
            Self::Asking(_) => f.write_str("Asking"),
        }
    }
}

/// Whether `origin` has the host and port that the request was addressed to.
pub(super) fn is_own(origin: &str, host: Option<&str>) -> bool {
    let Some(host) = host else { return false };
    origin
        .split_once("://")
        .is_some_and(|(_, authority)| authority.eq_ignore_ascii_case(host))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn own_pages_are_known_by_host_and_port() {
        let host = Some("chat.example:8000");
        assert!(Cors::OwnOrigin.allows("http://chat.example:8000", host));
        assert!(!Cors::OwnOrigin.allows("http://chat.example", host));
        assert!(!Cors::OwnOrigin.allows("null", host));
        assert!(!Cors::OwnOrigin.allows("http://chat.example:8000", None));
    }

    #[test]
    fn others_are_as_the_policy_says() {
        let shop = "https://shop.example";
        assert!(Cors::Any.allows(shop, None));
        assert!(Cors::List(vec![shop.into()]).allows(shop, None));
        assert!(!Cors::List(vec![shop.into()]).allows("https://else.example", None));
        let asking = Cors::Asking(Arc::new(|origin| origin.ends_with(".example")));
        assert!(asking.allows(shop, None));
        assert!(!asking.allows("https://shop.test", None));
    }
}
