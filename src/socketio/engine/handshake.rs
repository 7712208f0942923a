//! The request that opened a session, kept as long as the session lives.

use std::{
    borrow::Cow,
    fmt,
    net::{IpAddr, SocketAddr},
};

use percent_encoding::percent_decode_str;

use super::{Revision, Transport, cors};

/// What the request said that opened a session.
pub struct Handshake {
    revision: Revision,
    transport: Transport,
    peer: Option<SocketAddr>,
    address: Option<IpAddr>,
    query: Box<str>,
    /// Lines of a name, a NUL and a value: one allocation, where a map of strings takes forty.
    headers: Box<str>,
}

impl Handshake {
    pub(super) fn new<N: AsRef<str>, V: AsRef<str>>(
        revision: Revision,
        transport: Transport,
        (peer, address): (Option<SocketAddr>, Option<IpAddr>),
        query: &str,
        headers: impl Iterator<Item = (N, V)>,
    ) -> Self {
        let mut lines = String::new();
        for (name, value) in headers {
            lines.extend([name.as_ref(), "\0", value.as_ref(), "\n"]);
        }
        Self {
            revision,
            transport,
            peer,
            address,
            query: query.into(),
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

    /// The client's address: a proxy's word for it where Rocket's `ip_header` says in which header that
    /// is, else the peer's.
    pub fn address(&self) -> Option<IpAddr> {
        self.address
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

    /// Whether the client runs in a page of this server's own host and port, or in none.
    pub fn is_own_origin(&self) -> bool {
        self.origin()
            .is_none_or(|origin| cors::is_own(origin, self.host()))
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

    #[test]
    fn headers_are_found_in_any_case() {
        let headers = [("Host", "a:1"), ("Origin", "http://a:1"), ("X-Two", "1")];
        let handshake = Handshake::new(
            Revision::V4,
            Transport::Polling,
            (None, None),
            "",
            headers.into_iter(),
        );
        assert_eq!(handshake.header("x-two"), Some("1"));
        assert_eq!(handshake.cookies(), None);
        assert!(handshake.is_own_origin());
        assert_eq!(handshake.headers().count(), 3);
    }
}
