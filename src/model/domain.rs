//! The domain of a web site: parsed from what people paste, and normalised for comparison.

use std::borrow::Cow;

use url::{Host, Url};

use crate::error::{Error, Result};

/// The most characters a host name may have (RFC 1035).
const HOST_CHARS: usize = 253;
/// The most characters of one of its labels.
const LABEL_CHARS: usize = 63;
/// The most bytes that are looked at: an address with a path may be longer than a host name.
const PASTED_BYTES: usize = 2_048;
/// The prefix of many sites; a host with it and one without it are one site.
const WWW: &str = "www.";

/// A host: a name in lower case and in ASCII (`münchen.example` is `xn--mnchen-3ya.example`), or an
/// address.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Domain(String);

impl Domain {
    /// Reads what somebody pasted: a host, or an address with scheme, port and path. A dot at the end
    /// is left out.
    pub fn parse(text: &str) -> Result<Self> {
        let refusal = || {
            Error::invalid_field(
                "domain",
                "domain must be a host name such as shop.example, or an address that begins with one",
            )
        };
        let text = text.trim();
        if text.is_empty() || text.len() > PASTED_BYTES || text.contains(is_unsound) {
            return Err(refusal());
        }
        let address = match text.split_once("://") {
            Some((scheme, _)) if is_web(scheme) => Cow::Borrowed(text),
            Some(_) => return Err(refusal()),
            None => match text.strip_prefix("//").unwrap_or(text) {
                path if path.starts_with('/') => return Err(refusal()),
                host => Cow::Owned(format!("http://{host}")),
            },
        };
        let url = Url::parse(&address).map_err(|_| refusal())?;
        if !url.username().is_empty() || url.password().is_some() {
            return Err(refusal());
        }
        let host = match url.host() {
            Some(Host::Domain(name)) => {
                let name = name.strip_suffix('.').unwrap_or(name);
                if name.len() > HOST_CHARS || !name.split('.').all(is_label) {
                    return Err(refusal());
                }
                name.to_owned()
            }
            Some(address @ (Host::Ipv4(_) | Host::Ipv6(_))) => address.to_string(),
            None => return Err(refusal()),
        };
        Ok(Self(host))
    }

    /// The host itself, with the `www.` that it may begin with.
    pub fn host(&self) -> &str {
        &self.0
    }

    /// The site that the host belongs to: `shop.example` of `www.shop.example`.
    pub fn site(&self) -> &str {
        match self.0.strip_prefix(WWW) {
            // A name of one label is no site: `www.example` is a site of its own.
            Some(site) if site.contains('.') => site,
            Some(_) | None => &self.0,
        }
    }

    /// The site as people write it, in their own script.
    pub fn shown(&self) -> String {
        shown(self.site())
    }
}

/// A host in Unicode; the ASCII form where it cannot be decoded.
pub fn shown(host: &str) -> String {
    match idna::domain_to_unicode(host) {
        (name, Ok(())) => name,
        (_, Err(_)) => host.to_owned(),
    }
}

fn is_web(scheme: &str) -> bool {
    scheme.eq_ignore_ascii_case("http") || scheme.eq_ignore_ascii_case("https")
}

/// Characters that a URL parser drops silently, or takes for a slash.
fn is_unsound(letter: char) -> bool {
    letter.is_control() || letter.is_whitespace() || letter == '\\'
}

fn is_label(label: &str) -> bool {
    (1..=LABEL_CHARS).contains(&label.len())
        && !label.starts_with('-')
        && !label.ends_with('-')
        && label
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_people_paste_is_a_host() {
        for (text, site) in [
            ("localhost", "localhost"),
            (" Shop.Example.COM ", "shop.example.com"),
            ("xn--bcher-kva.example", "xn--bcher-kva.example"),
            ("b\u{fc}cher.example", "xn--bcher-kva.example"),
            ("BU\u{308}CHER.example", "xn--bcher-kva.example"),
            ("b\u{fc}cher\u{3002}example", "xn--bcher-kva.example"),
            ("http://localhost", "localhost"),
            ("localhost:3000", "localhost"),
            ("HTTPS://www.Shop.example:8443/a/b?c=d#e", "shop.example"),
            ("//shop.example/", "shop.example"),
            ("shop.example/a", "shop.example"),
            ("shop.example.", "shop.example"),
            ("shop.example.:80", "shop.example"),
            ("www.shop.example", "shop.example"),
            ("www.example", "www.example"),
            ("www.www.shop.example", "www.shop.example"),
            ("wwww.shop.example", "wwww.shop.example"),
            ("my_host.example", "my_host.example"),
            ("127.0.0.1", "127.0.0.1"),
            ("http://127.0.0.1:8000/shop", "127.0.0.1"),
            ("http://[::1]:8000", "[::1]"),
            ("[0:0::1]", "[::1]"),
        ] {
            let domain = Domain::parse(text).unwrap_or_else(|error| panic!("{text:?}: {error}"));
            assert_eq!(domain.site(), site, "{text:?}");
        }
    }

    #[test]
    fn what_names_no_host_is_refused() {
        let long = "a.".repeat(128);
        let label = "a".repeat(64);
        let path = format!("a/{}", "b".repeat(PASTED_BYTES));
        for text in [
            "",
            " ",
            ".",
            "/",
            "/shop",
            "///shop",
            "http://",
            "https:///",
            "ftp://shop.example",
            "javascript://shop.example",
            "mailto:ann@shop.example",
            "ann@shop.example",
            "http://ann:secret@shop.example",
            "a..b",
            "a...",
            ".a",
            "-a.b",
            "a-.b",
            "a b",
            "a\0b",
            "a\nb",
            "a\\b",
            "a:b",
            "a:99999",
            "256.1.1.1",
            "[::1",
            "shop.example, other.example",
            "\u{ad}",
            "xn--a",
            long.as_str(),
            label.as_str(),
            path.as_str(),
        ] {
            let parsed = Domain::parse(text);
            assert!(parsed.is_err(), "{text:?}: {parsed:?}");
        }
    }

    #[test]
    fn a_domain_is_shown_as_people_write_it() {
        for (text, host, shown) in [
            (
                "www.M\u{fc}nchen.example",
                "www.xn--mnchen-3ya.example",
                "m\u{fc}nchen.example",
            ),
            (
                "xn--mnchen-3ya.example",
                "xn--mnchen-3ya.example",
                "m\u{fc}nchen.example",
            ),
            (
                "stra\u{df}e.example",
                "xn--strae-oqa.example",
                "stra\u{df}e.example",
            ),
            ("shop.example", "shop.example", "shop.example"),
        ] {
            let domain = Domain::parse(text).expect("sound");
            assert_eq!((domain.host(), domain.shown().as_str()), (host, shown));
        }
        assert_eq!(super::shown("xn--\u{fc}"), "xn--\u{fc}");
    }
}
