//! Where a server is reached by others of its database.

use std::net::{IpAddr, SocketAddr};

/// Where other servers reach one that listens there: what the operator says, with its own port where that has none, or
/// else its own address, if that is one that others may have.
pub fn reached(named: Option<&str>, listens: SocketAddr) -> Option<String> {
    let port = listens.port();
    match named {
        Some(named) => Some(match named.parse::<IpAddr>() {
            Ok(ip) => SocketAddr::new(ip, port).to_string(),
            Err(_) if named.contains(':') => named.to_owned(),
            Err(_) => format!("{named}:{port}"),
        }),
        None => {
            let ip = listens.ip();
            let is_own = !ip.is_loopback() && !ip.is_unspecified();
            is_own.then(|| listens.to_string())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_is_reached_where_its_operator_says_or_where_it_listens() {
        for (named, listens, expected) in [
            (None, "127.0.0.1:8000", None),
            (None, "[::1]:8000", None),
            (None, "0.0.0.0:8000", None),
            (None, "[::]:8000", None),
            (None, "10.0.0.1:8000", Some("10.0.0.1:8000")),
            (None, "[fd00::1]:8000", Some("[fd00::1]:8000")),
            (Some("10.0.0.1"), "0.0.0.0:8000", Some("10.0.0.1:8000")),
            (Some("fd00::1"), "[::]:8000", Some("[fd00::1]:8000")),
            (Some("node-a"), "127.0.0.1:8000", Some("node-a:8000")),
            (Some("node-a:81"), "127.0.0.1:8000", Some("node-a:81")),
            (Some("[fd00::1]:81"), "127.0.0.1:8000", Some("[fd00::1]:81")),
        ] {
            let listens = listens.parse().expect("an address");
            assert_eq!(
                reached(named, listens).as_deref(),
                expected,
                "{named:?} {listens}"
            );
        }
    }
}
