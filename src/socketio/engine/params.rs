//! The query parameters of a request.

use std::borrow::Cow;

use super::{
    handshake::query_value,
    options::Options,
    protocol::{Revision, Transport},
    request_error::RequestError,
};

/// The query parameters of a request.
#[derive(Debug)]
pub(super) struct Params<'q> {
    pub(super) transport: Transport,
    pub(super) revision: Revision,
    pub(super) sid: Option<Cow<'q, str>>,
    /// The client cannot receive binary on this transport, so it gets base64.
    pub(super) base64: bool,
}

impl<'q> Params<'q> {
    pub(super) fn read(query: &'q str, options: &Options) -> Result<Self, RequestError> {
        let transport = match query_value(query, "transport").as_deref() {
            Some("polling") => Transport::Polling,
            Some("websocket") => Transport::WebSocket,
            _ => return Err(RequestError::UnknownTransport),
        };
        if !options.transports.contains(&transport) {
            return Err(RequestError::UnknownTransport);
        }
        let revision = match query_value(query, "EIO").as_deref() {
            Some("4") => Revision::V4,
            Some("3") | None if options.allow_eio3 => Revision::V3,
            _ => return Err(RequestError::UnsupportedRevision),
        };
        if query_value(query, "j").is_some() {
            // JSONP: a script tag sends no Origin header, so no origin could be refused.
            return Err(RequestError::BadRequest);
        }
        Ok(Self {
            transport,
            revision,
            sid: query_value(query, "sid"),
            base64: query_value(query, "b64").is_some_and(|value| !value.is_empty()),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(query: &str, allow_eio3: bool) -> Result<(Transport, Revision, bool), RequestError> {
        let options = Options {
            allow_eio3,
            ..Options::default()
        };
        Params::read(query, &options).map(|p| (p.transport, p.revision, p.base64))
    }

    #[test]
    fn no_revision_means_3_where_3_is_allowed() {
        let polling = (Transport::Polling, Revision::V3, false);
        assert_eq!(read("transport=polling", true), Ok(polling));
        let refused = Err(RequestError::UnsupportedRevision);
        assert_eq!(read("transport=polling", false), refused);
        assert_eq!(read("transport=polling&EIO=3", false), refused);
        assert_eq!(read("transport=polling&EIO=abc", true), refused);
    }

    #[test]
    fn any_value_of_b64_counts_but_none() {
        let query = "EIO=4&transport=websocket&b64=";
        assert!(!read(query, false).unwrap().2);
        assert!(read(&format!("{query}0"), false).unwrap().2);
    }

    #[test]
    fn jsonp_is_not_offered() {
        let refused = Err(RequestError::BadRequest);
        assert_eq!(read("EIO=3&transport=polling&j=0", true), refused);
    }

    #[test]
    fn a_transport_is_known_or_refused() {
        for query in [
            "",
            "EIO=4",
            "EIO=4&transport=abc",
            "EIO=4&transport=__proto__",
        ] {
            assert_eq!(read(query, false), Err(RequestError::UnknownTransport));
        }
    }
}
