//! The request that opened a session, kept as long as the session lives.

use std::{
    borrow::Cow,
    fmt,
    net::{IpAddr, SocketAddr},
};

use percent_encoding::percent_decode_str;
use rocket::Request;

use super::{Revision, Transport, cors};

/// What the request said that opened a session.
pub struct Handshake {
    revision: Revision,
    transport: Transport,
    peer: Option<SocketAddr>,
    client_ip: Option<IpAddr>,
    query: Box<str>,
    /// Lines of a name, a NUL and a value: one allocation, where a map of strings takes forty.
    headers: Box<str>,
}

impl Handshake {
    /// Keeps what `request` says.
    pub(super) fn of(request: &Request<'_>, revision: Revision, transport: Transport) -> Self {
        let mut lines = String::new();
        for header in request.headers().iter() {
            lines.extend([header.name.as_str(), "\0", &header.value, "\n"]);
        }
        Self {
            revision,
            transport,
            peer: request.remote(),
            client_ip: request.client_ip(),
            query: request
                .uri()
                .query()
                .map_or("", |query| query.as_str())
                .into(),
            headers: lines.into(),
        }
    }

    /// The revision of Engine.IO that the client speaks.
    pub fn revision(&self) -> Revision {
        self.revision
    }

    /// The transport that the session began with.
    pub fn transport(&self) -> Transport {
        self.transport
    }

    /// The address the request came from: a proxy's, behind one.
    pub fn peer(&self) -> Option<SocketAddr> {
        self.peer
    }

    /// The client's address as Rocket is configured to find it, with `ip_header` behind a proxy.
    pub fn client_ip(&self) -> Option<IpAddr> {
        self.client_ip
    }

    /// The query as it was sent, without the question mark.
    pub fn query(&self) -> &str {
        &self.query
    }

    /// The first value of that name in the query, decoded.
    pub fn query_value(&self, name: &str) -> Option<Cow<'_, str>> {
        query_value(&self.query, name)
    }

    /// All headers, in the order in which they came.
    pub fn headers(&self) -> impl Iterator<Item = (&str, &str)> {
        self.headers
            .lines()
            .filter_map(|line| line.split_once('\0'))
    }

    /// The first header of that name, in any case.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers()
            .find_map(|(found, value)| found.eq_ignore_ascii_case(name).then_some(value))
    }

    /// The `Cookie` header as it was sent.
    pub fn cookies(&self) -> Option<&str> {
        self.header("cookie")
    }

    /// The page that the client runs in, if it runs in one.
    pub fn origin(&self) -> Option<&str> {
        self.header("origin")
    }

    /// The host and port that the client addressed.
    pub fn host(&self) -> Option<&str> {
        self.header("host")
    }

    /// Whether the client runs in a page of this server's own, or in none: only then may a cookie be
    /// taken for an identity.
    ///
    /// The browser's own word (`Sec-Fetch-Site`) counts most, since a proxy may change the host. A
    /// page of another site can make a browser ask without an `Origin`, as for an image, but not
    /// without that word.
    pub fn is_own_origin(&self) -> bool {
        match (self.header("sec-fetch-site"), self.origin()) {
            (Some("same-origin"), _) => true,
            (_, Some(origin)) => cors::is_own(origin, self.host()),
            (site, None) => site.is_none_or(|site| site == "none"),
        }
    }
}

impl fmt::Debug for Handshake {
    /// Leaves out the query and the headers, which hold secrets.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Handshake")
            .field("revision", &self.revision)
            .field("transport", &self.transport)
            .field("peer", &self.peer)
            .finish_non_exhaustive()
    }
}

/// The first value of `name` in `query`, decoded.
pub(super) fn query_value<'q>(query: &'q str, name: &str) -> Option<Cow<'q, str>> {
    query
        .split('&')
        .map(|pair| pair.split_once('=').unwrap_or((pair, "")))
        .find(|(found, _)| *found == name || decoded(found) == name)
        .map(|(_, value)| decoded(value))
}

fn decoded(text: &str) -> Cow<'_, str> {
    if text.contains('+') {
        let spaced = text.replace('+', " ");
        return percent_decode_str(&spaced)
            .decode_utf8_lossy()
            .into_owned()
            .into();
    }
    percent_decode_str(text).decode_utf8_lossy()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_query_is_read_as_a_form() {
        let query = "EIO=4&room=a%20b+c&room=d&flag&t%6fken=x%3D";
        assert_eq!(query_value(query, "room").as_deref(), Some("a b c"));
        assert_eq!(query_value(query, "flag").as_deref(), Some(""));
        assert_eq!(query_value(query, "token").as_deref(), Some("x="));
        assert_eq!(query_value(query, "none"), None);
    }

    fn with(headers: &[(&str, &str)]) -> Handshake {
        let lines: String = headers
            .iter()
            .flat_map(|(n, v)| [*n, "\0", *v, "\n"])
            .collect();
        Handshake {
            revision: Revision::V4,
            transport: Transport::Polling,
            peer: None,
            client_ip: None,
            query: "".into(),
            headers: lines.into(),
        }
    }

    #[test]
    fn headers_are_found_in_any_case() {
        let handshake = with(&[("Host", "a:1"), ("X-Two", "1"), ("x-two", "2")]);
        assert_eq!(handshake.header("x-TWO"), Some("1"));
        assert_eq!(handshake.cookies(), None);
        assert_eq!(handshake.headers().count(), 3);
    }

    #[test]
    fn a_browser_knows_best_whose_page_it_shows() {
        let host = ("Host", "a:1");
        let site = |site| ("Sec-Fetch-Site", site);
        for own in [
            &[host][..],
            &[host, ("Origin", "http://a:1")],
            &[host, ("Origin", "https://public"), site("same-origin")],
            &[host, site("none")],
        ] {
            assert!(with(own).is_own_origin(), "{own:?}");
        }
        for strange in [
            &[host, ("Origin", "http://b:1")][..],
            &[host, ("Origin", "null")],
            &[host, ("Origin", "http://b:1"), site("same-site")],
            &[host, site("cross-site")],
            &[host, site("same-site")],
        ] {
            assert!(!with(strange).is_own_origin(), "{strange:?}");
        }
    }

    #[test]
    fn what_is_secret_is_not_told() {
        let handshake = with(&[("Cookie", "token=secret")]);
        assert!(!format!("{handshake:?}").contains("secret"));
    }
}
