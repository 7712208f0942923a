//! The request that opened a session, as far as it is kept with the session.

use std::{
    borrow::Cow,
    fmt,
    net::{IpAddr, SocketAddr},
};

use percent_encoding::percent_decode_str;
use rocket::{Request, http::Header};

use super::{
    cors,
    options::Options,
    protocol::{Revision, Transport},
};

/// The headers that are kept: they identify the client.
const KEPT: [&str; 6] = [
    "host",
    "origin",
    "cookie",
    "authorization",
    "user-agent",
    "sec-fetch-site",
];

/// The length of a header's value above which it is not kept.
const MAX_VALUE: usize = 16 << 10;

/// How many bytes of headers are kept.
const MAX_HEADERS: usize = 32 << 10;

/// The length of the query above which the request is refused. The whole query is kept.
const MAX_QUERY: usize = 16 << 10;

/// The request that opened a session, as far as it is kept: its query, and the headers `Host`, `Origin`,
/// `Cookie`, `Authorization`, `User-Agent`, `Sec-Fetch-Site` and those named by
/// [`Options::kept_headers`](super::Options::kept_headers). A header of more than 16 KiB is not kept, nor
/// one with which all of them would exceed 32 KiB.
pub struct Handshake {
    revision: Revision,
    transport: Transport,
    peer: Option<SocketAddr>,
    client_ip: Option<IpAddr>,
    is_marked: bool,
    query: Box<str>,
    /// Lines of a name, a NUL and a value: one allocation, where a map of strings needs many.
    headers: Box<str>,
}

impl Handshake {
    /// Reads `request`; `None` if its query is too long.
    pub(super) fn of(
        request: &Request<'_>,
        (revision, transport): (Revision, Transport),
        options: &Options,
    ) -> Option<Self> {
        let query = request.uri().query().map_or("", |query| query.as_str());
        (query.len() <= MAX_QUERY).then(|| Self {
            revision,
            transport,
            peer: request.remote(),
            client_ip: request.client_ip(),
            is_marked: options.mark.is_some_and(|mark| mark(request)),
            query: query.into(),
            headers: keep(request.headers().iter(), &options.kept_headers),
        })
    }

    /// A handshake with these headers, by polling of revision 4.
    #[cfg(test)]
    pub(super) fn with_headers(headers: &[(&str, &str)], kept: &[String]) -> Self {
        let headers = headers
            .iter()
            .map(|(name, value)| Header::new(*name, *value));
        Self {
            revision: Revision::V4,
            transport: Transport::Polling,
            peer: None,
            client_ip: None,
            is_marked: false,
            query: "".into(),
            headers: keep(headers, kept),
        }
    }

    /// The revision of Engine.IO that the client speaks.
    pub fn revision(&self) -> Revision {
        self.revision
    }

    /// The transport that the session was opened with.
    pub fn transport(&self) -> Transport {
        self.transport
    }

    /// The address of the peer. Behind a proxy this is the proxy's.
    pub fn peer(&self) -> Option<SocketAddr> {
        self.peer
    }

    /// The client's address, which behind a proxy is found by Rocket's `ip_header`.
    pub fn client_ip(&self) -> Option<IpAddr> {
        self.client_ip
    }

    /// What [`Options::mark`](super::Options::mark) returned for the request.
    pub fn is_marked(&self) -> bool {
        self.is_marked
    }

    /// The raw query, without the question mark.
    pub fn query(&self) -> &str {
        &self.query
    }

    /// The first query parameter of that name, decoded.
    pub fn query_value(&self, name: &str) -> Option<Cow<'_, str>> {
        query_value(&self.query, name)
    }

    /// The kept headers, in the order of the request.
    pub fn headers(&self) -> impl Iterator<Item = (&str, &str)> {
        self.headers
            .lines()
            .filter_map(|line| line.split_once('\0'))
    }

    /// The first header of that name, if it is kept. The case of the name does not matter.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers()
            .find_map(|(found, value)| found.eq_ignore_ascii_case(name).then_some(value))
    }

    /// The raw `Cookie` header.
    pub fn cookies(&self) -> Option<&str> {
        self.header("cookie")
    }

    /// The origin of the page that the client runs in, if it runs in a browser.
    pub fn origin(&self) -> Option<&str> {
        self.header("origin")
    }

    /// The host and port that the request was addressed to.
    pub fn host(&self) -> Option<&str> {
        self.header("host")
    }

    /// Whether the client runs in a page of the server's own origin, or not in a browser. Only then may a
    /// cookie authenticate it.
    ///
    /// `Sec-Fetch-Site` takes precedence, since a proxy may change the host. A page of another site can
    /// cause requests without an `Origin` header, for example for an image, but not without this one.
    pub fn is_own_origin(&self) -> bool {
        match (self.header("sec-fetch-site"), self.origin()) {
            (Some("same-origin"), _) => true,
            (_, Some(origin)) => cors::is_own(origin, self.host()),
            (site, None) => site.is_none_or(|site| site == "none"),
        }
    }
}

impl fmt::Debug for Handshake {
    /// Omits the query and the headers, because they contain secrets.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Handshake")
            .field("revision", &self.revision)
            .field("transport", &self.transport)
            .field("peer", &self.peer)
            .finish_non_exhaustive()
    }
}

/// The headers that are kept, as lines.
fn keep<'h>(headers: impl Iterator<Item = Header<'h>>, wanted: &[String]) -> Box<str> {
    let mut lines = String::new();
    for header in headers {
        let (name, value) = (header.name().as_str(), header.value());
        let is_kept = KEPT
            .into_iter()
            .chain(wanted.iter().map(String::as_str))
            .any(|kept| kept.eq_ignore_ascii_case(name));
        let length = name.len() + value.len() + 2;
        if is_kept && value.len() <= MAX_VALUE && lines.len() + length <= MAX_HEADERS {
            lines.extend([name, "\0", value, "\n"]);
        }
    }
    lines.into()
}

/// The first parameter `name` of `query`, decoded.
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
        Handshake::with_headers(headers, &["x-two".to_owned()])
    }

    #[test]
    fn of_the_head_little_is_kept() {
        let (long, fits) = ("x".repeat(MAX_VALUE + 1), "y".repeat(MAX_VALUE));
        let handshake = with(&[
            ("X-One", "1"),
            ("Cookie", &long),
            ("cookie", &fits),
            ("X-Two", &fits),
            ("Authorization", "token"),
        ]);
        assert_eq!(handshake.header("x-one"), None);
        assert_eq!(handshake.cookies(), Some(&*fits));
        // A header that is too large does not prevent later ones from being kept.
        assert_eq!(handshake.header("x-two"), None);
        assert_eq!(handshake.header("authorization"), Some("token"));
        assert!(handshake.headers.len() <= MAX_HEADERS);
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
