//! Where NATS is, and by what a client signs in there: `nats://user:password@host:4222`.

use rocket::http::RawStr;
use serde::Deserialize;

use super::origin::split_authority;

/// The port of a NATS server that names none.
const PORT: u16 = 4222;

/// The addresses of NATS servers that are one; none means that NATS is not used.
#[derive(Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(try_from = "String")]
pub struct NatsAddresses {
    /// Each with a scheme (`nats`, or `tls` which insists on TLS), a host and a port.
    pub servers: Vec<String>,
    /// By what a client signs in, where the addresses say so.
    pub login: Option<NatsLogin>,
}

/// By what a client signs in at NATS.
#[derive(Clone, PartialEq, Eq)]
pub enum NatsLogin {
    /// A user and a password.
    Password(String, String),
    /// A token.
    Token(String),
}

impl NatsAddresses {
    /// Reads addresses with commas between them. Those that say who signs in have to say the same.
    pub fn parse(text: &str) -> Option<Self> {
        let mut addresses = Self::default();
        for part in text.split(',').map(str::trim) {
            if text.is_empty() {
                break;
            }
            let (server, login) = address(part)?;
            addresses.servers.push(server);
            if login.is_some() {
                if addresses.login.is_some() && addresses.login != login {
                    return None;
                }
                addresses.login = login;
            }
        }
        Some(addresses)
    }

    /// Whether NATS is used.
    pub fn is_set(&self) -> bool {
        !self.servers.is_empty()
    }

    /// Whether nothing may be said without TLS: where one of the servers has it, all have.
    pub fn insist_on_tls(&self) -> bool {
        self.servers.iter().any(|server| server.starts_with("tls:"))
    }
}

impl TryFrom<String> for NatsAddresses {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        Self::parse(&text).ok_or("not addresses of NATS")
    }
}

/// Whether subjects may begin with this: words of letters, digits, `-` and `_`, with dots between them.
pub(super) fn is_subject(text: &str) -> bool {
    let is_word = |word: &str| {
        let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
        !word.is_empty() && word.bytes().all(is_plain)
    };
    text.split('.').all(is_word)
}

fn address(text: &str) -> Option<(String, Option<NatsLogin>)> {
    let (scheme, rest) = text.split_once("://")?;
    if !matches!(scheme, "nats" | "tls") {
        return None;
    }
    let rest = rest.strip_suffix('/').unwrap_or(rest);
    let (login, authority) = match rest.rsplit_once('@') {
        Some((login, authority)) => (Some(self::login(login)?), authority),
        None => (None, rest),
    };
    let (host, port) = split_authority(authority)?;
    let port = port.unwrap_or(PORT);
    (port != 0).then(|| (format!("{scheme}://{host}:{port}"), login))
}

fn login(text: &str) -> Option<NatsLogin> {
    let decode = |text: &str| {
        let decoded = RawStr::new(text).percent_decode().ok()?;
        (!decoded.is_empty()).then(|| decoded.into_owned())
    };
    match text.split_once(':') {
        Some((user, password)) => Some(NatsLogin::Password(decode(user)?, decode(password)?)),
        None => decode(text).map(NatsLogin::Token),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Option<(Vec<String>, Option<NatsLogin>)> {
        NatsAddresses::parse(text).map(|read| (read.servers, read.login))
    }

    fn servers(servers: &[&str]) -> Vec<String> {
        servers.iter().map(|server| (*server).to_owned()).collect()
    }

    #[test]
    fn addresses_and_who_signs_in_are_read() {
        let none = |addresses: &[&str]| Some((servers(addresses), None));
        assert!(read("") == none(&[]));
        assert!(!NatsAddresses::default().is_set());
        assert!(read("nats://a") == none(&["nats://a:4222"]));
        assert!(read("tls://a.example:1/") == none(&["tls://a.example:1"]));
        assert!(read("nats://[::1]:2") == none(&["nats://[::1]:2"]));
        assert!(read("nats://a, tls://b:3") == none(&["nats://a:4222", "tls://b:3"]));
        let ann = NatsLogin::Password("ann@b".to_owned(), "p:/ä".to_owned());
        let one = servers(&["nats://a:4222", "nats://b:4222"]);
        let both = "nats://ann%40b:p:%2F%C3%A4@a,nats://b";
        assert!(read(both) == Some((one, Some(ann))));
        let token = NatsLogin::Token("secret".to_owned());
        let one = servers(&["nats://a:4222"]);
        assert!(read("nats://secret@a") == Some((one, Some(token))));
    }

    #[test]
    fn one_address_with_tls_is_enough_to_insist_on_it() {
        for (text, insist) in [
            ("", false),
            ("nats://tls:tls@tls", false),
            ("tls://a", true),
            ("nats://a,tls://b", true),
        ] {
            let read = NatsAddresses::parse(text).expect("addresses");
            assert_eq!(read.insist_on_tls(), insist, "{text}");
        }
    }

    #[test]
    fn what_is_no_address_is_refused() {
        for text in [
            "a",
            "a:4222",
            "http://a",
            "ws://a",
            "nats://",
            "nats://a:x",
            "nats://a:0",
            "nats://a:70000",
            "nats://a/path",
            "nats://a?b=c",
            "nats://@a",
            "nats://:b@a",
            "nats://a:@b",
            "nats://%FF@a",
            "nats://a,",
            "nats://a,b",
            "nats://one@a,nats://two@b",
            "nats://a b",
            " ",
        ] {
            assert!(read(text).is_none(), "{text}");
        }
    }

    #[test]
    fn a_prefix_is_words_with_dots_between_them() {
        for text in ["parlance", "a.b-c.d_1"] {
            assert!(is_subject(text), "{text}");
        }
        for text in ["", ".", "a.", ".a", "a b", "a.*", ">", "a\r\nb", "ä"] {
            assert!(!is_subject(text), "{text}");
        }
    }
}
