//! A web origin (scheme, host and port, as browsers write it in the `Origin` header) and a `Host`.

use std::{fmt, net::IpAddr};

use serde::Deserialize;

/// `https://chat.example.com` or `http://localhost:3000`, lower case, without the scheme's own port.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Deserialize)]
#[serde(try_from = "String")]
pub struct WebOrigin {
    scheme: Scheme,
    host: String,
    port: u16,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Scheme {
    Http,
    Https,
}

impl Scheme {
    fn own_port(self) -> u16 {
        match self {
            Self::Http => 80,
            Self::Https => 443,
        }
    }
}

impl WebOrigin {
    /// Reads an origin; a path, a query, user information or another scheme is none.
    pub fn parse(text: &str) -> Option<Self> {
        let (scheme, authority) = text.split_once("://")?;
        let scheme = if scheme.eq_ignore_ascii_case("http") {
            Scheme::Http
        } else if scheme.eq_ignore_ascii_case("https") {
            Scheme::Https
        } else {
            return None;
        };
        let (host, port) = split_authority(authority)?;
        Some(Self {
            scheme,
            host,
            port: port.unwrap_or(scheme.own_port()),
        })
    }

    /// Whether a `Host` header names this origin's host and port.
    ///
    /// The scheme is not compared: behind a proxy that ends TLS we cannot know our own. A `Host`
    /// without a port means the port of the origin's scheme.
    pub fn is_served_by(&self, host_header: &str) -> bool {
        split_authority(host_header).is_some_and(|(host, port)| {
            host == self.host && port.unwrap_or(self.scheme.own_port()) == self.port
        })
    }
}

impl TryFrom<String> for WebOrigin {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        Self::parse(&text).ok_or("not an origin")
    }
}

impl fmt::Display for WebOrigin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = match self.scheme {
            Scheme::Http => "http",
            Scheme::Https => "https",
        };
        write!(f, "{scheme}://{}", self.host)?;
        if self.port != self.scheme.own_port() {
            write!(f, ":{}", self.port)?;
        }
        Ok(())
    }
}

/// What a `Host` header names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServedHost {
    host: String,
    port: Option<u16>,
}

impl ServedHost {
    /// Reads a `Host` header.
    pub fn parse(header: &str) -> Option<Self> {
        split_authority(header).map(|(host, port)| Self { host, port })
    }

    /// Whether it is the origin's host, whatever the port.
    pub fn is_host_of(&self, origin: &WebOrigin) -> bool {
        self.host == origin.host
    }

    /// Whether no browser elsewhere would use it: an address of this machine or of a private
    /// network, or a name without a domain, as proxies use for their backends.
    pub fn is_internal(&self) -> bool {
        let bare = self.host.trim_start_matches('[').trim_end_matches(']');
        match bare.parse::<IpAddr>() {
            Ok(IpAddr::V4(address)) => address.is_loopback() || address.is_private(),
            Ok(IpAddr::V6(address)) => address.is_loopback() || address.is_unique_local(),
            Err(_) => !self.host.contains('.'),
        }
    }
}

impl fmt::Display for ServedHost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.host)?;
        self.port.map_or(Ok(()), |port| write!(f, ":{port}"))
    }
}

/// The host and the port of an authority without user information.
pub(super) fn split_authority(authority: &str) -> Option<(String, Option<u16>)> {
    let (host, port) = match authority.rsplit_once(':') {
        // The last colon of a bare IPv6 address is inside its brackets.
        Some((host, port)) if !port.ends_with(']') => (host, Some(port)),
        _ => (authority, None),
    };
    let port = match port {
        Some(port) if port.bytes().all(|byte| byte.is_ascii_digit()) => {
            Some(port.parse::<u16>().ok()?)
        }
        Some(_) => return None,
        None => None,
    };
    let bracketed = host.starts_with('[') && host.ends_with(']');
    let allowed = |byte: u8| {
        byte.is_ascii_alphanumeric()
            || matches!(byte, b'.' | b'-' | b'_')
            || (bracketed && matches!(byte, b':' | b'[' | b']'))
    };
    (!host.is_empty() && host.bytes().all(allowed)).then(|| (host.to_ascii_lowercase(), port))
}
