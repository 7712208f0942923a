//! A list of servers that does not change.

use rocket::async_trait;

use super::directory::{Directory, Peer};

/// The servers of a list, each known by a tag of its own: letters and digits, none the beginning of another. Without a secret
/// nothing that another server has passed on is believed.
///
/// ```
/// use std::time::Duration;
/// use parlance_socketio::{SocketIo, forwarder::{Fixed, Forwarder}};
/// use tokio_util::sync::CancellationToken;
///
/// let others = [("b", "10.0.0.2:8000"), ("c", "10.0.0.3:8000")];
/// let forwarder = Forwarder::new(
///     Fixed::new("a", "a secret that all of them share", others),
///     Duration::from_secs(60),
///     CancellationToken::new(),
/// );
/// let io = SocketIo::builder().peers(forwarder).build();
/// ```
pub struct Fixed {
    tag: String,
    secret: String,
    others: Vec<(String, Peer)>,
}

impl Fixed {
    /// This server's tag, the secret that all servers share, and the tags and addresses of the others.
    pub fn new<'a>(
        tag: &str,
        secret: &str,
        others: impl IntoIterator<Item = (&'a str, &'a str)>,
    ) -> Self {
        let peer = |address: &str| Peer {
            address: address.to_owned(),
            secret: secret.to_owned(),
        };
        let others = others.into_iter();
        Self {
            tag: tag.to_owned(),
            secret: secret.to_owned(),
            others: others
                .map(|(tag, address)| (tag.to_owned(), peer(address)))
                .collect(),
        }
    }
}

#[async_trait]
impl Directory for Fixed {
    fn tag(&self) -> &str {
        &self.tag
    }

    fn is_secret(&self, shown: &str) -> bool {
        // How long it takes does not tell how much is right.
        let differs = |(a, b): (u8, u8)| a ^ b;
        let pairs = self.secret.bytes().zip(shown.bytes());
        let is_same = pairs.map(differs).fold(0, |all, one| all | one) == 0;
        !self.secret.is_empty() && self.secret.len() == shown.len() && is_same
    }

    async fn find(&self, sid: &str) -> Option<Peer> {
        let mut others = self.others.iter();
        let found = others.find(|(tag, _)| !tag.is_empty() && sid.starts_with(tag.as_str()))?;
        Some(found.1.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_session_is_of_whose_tag_it_begins_with() {
        let fixed = Fixed::new(
            "a",
            "secret",
            [("b", "one:80"), ("c", "two:80"), ("", "three:80")],
        );
        for (sid, address) in [
            ("bXY", Some("one:80")),
            ("cXY", Some("two:80")),
            ("aXY", None),
            ("", None),
        ] {
            let found = fixed.find(sid).await;
            assert_eq!(found.map(|peer| peer.address).as_deref(), address, "{sid}");
        }
    }

    #[test]
    fn nothing_but_the_secret_proves_that_another_server_has_passed_on() {
        let fixed = Fixed::new("a", "secret", []);
        assert!(fixed.is_secret("secret"));
        for shown in ["", "secre", "secrets", "Secret"] {
            assert!(!fixed.is_secret(shown), "{shown}");
        }
        assert!(!Fixed::new("a", "", []).is_secret(""), "nobody has one");
    }
}
