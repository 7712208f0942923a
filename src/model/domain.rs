//! The domain of a web site.

use crate::error::{Error, Result};

/// The most characters a host name may have (RFC 1035).
const HOST_CHARS: usize = 253;
/// The most characters of one of its labels.
const LABEL_CHARS: usize = 63;

/// A host name in lower case, without scheme, port or path; `localhost` is one.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Domain(String);

impl Domain {
    /// Inspects a host name. What browsers show in other scripts they send as ASCII.
    pub fn parse(text: &str) -> Result<Self> {
        let text = text.trim().to_ascii_lowercase();
        if text.len() <= HOST_CHARS && text.split('.').all(is_label) {
            Ok(Self(text))
        } else {
            Err(Error::invalid_field(
                "domain",
                "domain must be a host name without scheme, port or path",
            ))
        }
    }

    /// The host name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
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
    fn a_domain_is_a_bare_host_name_in_lower_case() {
        for (text, domain) in [
            ("localhost", "localhost"),
            (" Shop.Example.COM ", "shop.example.com"),
            ("xn--bcher-kva.example", "xn--bcher-kva.example"),
            ("127.0.0.1", "127.0.0.1"),
        ] {
            assert_eq!(Domain::parse(text).expect("sound").as_str(), domain);
        }
        let long = "a.".repeat(127);
        for text in [
            "",
            "http://localhost",
            "localhost:3000",
            "a/b",
            "a..b",
            "a.",
            "-a.b",
            "a b",
            "a\0b",
            "b\u{fc}cher.example",
            long.as_str(),
        ] {
            assert!(Domain::parse(text).is_err(), "{text:?}");
        }
    }
}
