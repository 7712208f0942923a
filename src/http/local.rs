//! Whether a request was made on this machine.
//!
//! What a client writes into its request proves nothing of where it is: behind a proxy on this machine
//! every peer has a loopback address, and a `Host` is whatever the client says. So all of it must fit: the
//! peer's address is a loopback address, nothing shows that somebody passed the request on, it names a
//! loopback host, and no page of another site made it.

use std::net::IpAddr;

/// Headers by which proxies say that they passed a request on, or for whom.
const PASSED_ON: [&str; 9] = [
    "forwarded",
    "via",
    "x-real-ip",
    "x-client-ip",
    "x-cluster-client-ip",
    "x-original-forwarded-for",
    "true-client-ip",
    "cf-connecting-ip",
    "cdn-loop",
];
/// The same of a whole family.
const FORWARDED: &str = "x-forwarded-";

/// Whether a request was made on this machine, by its peer and its headers. `ip_header` is the header in
/// which the operator's proxy tells the client's address, if there is a proxy.
pub fn is_local(
    peer: Option<IpAddr>,
    ip_header: Option<&str>,
    headers: impl Iterator<Item = (impl AsRef<str>, impl AsRef<str>)>,
) -> bool {
    if !peer.is_some_and(|peer| peer.to_canonical().is_loopback()) {
        return false;
    }
    let (mut named, mut has_origin, mut is_cross_site) = (false, false, false);
    for (name, value) in headers {
        let (name, value) = (name.as_ref(), value.as_ref());
        let is = |other: &str| name.eq_ignore_ascii_case(other);
        let is_passed_on = PASSED_ON.iter().any(|other| is(other))
            || ip_header.is_some_and(is)
            || name
                .get(..FORWARDED.len())
                .is_some_and(|start| start.eq_ignore_ascii_case(FORWARDED));
        if is_passed_on {
            return false;
        }
        if is("host") {
            if !is_loopback_host(value) {
                return false;
            }
            named = true;
        } else if is("origin") {
            let host = value.split_once("://").map(|(_, host)| host);
            if !host.is_some_and(is_loopback_host) {
                return false;
            }
            has_origin = true;
        } else if is("sec-fetch-site") {
            is_cross_site = value == "cross-site";
        }
    }
    // Any page that is open in a browser here can send requests, some without an Origin.
    named && (has_origin || !is_cross_site)
}

/// Whether a host, with or without a port, is this machine.
fn is_loopback_host(host: &str) -> bool {
    let name = match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => name,
        Some(_) | None => host,
    };
    let name = name.trim_start_matches('[').trim_end_matches(']');
    name.eq_ignore_ascii_case("localhost")
        || name
            .parse::<IpAddr>()
            .is_ok_and(|address| address.to_canonical().is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    const HERE: &str = "127.0.0.1";

    fn judged(peer: &str, headers: &[(&str, &str)]) -> bool {
        is_local(peer.parse().ok(), Some("X-Mine"), headers.iter().copied())
    }

    #[test]
    fn a_foreign_page_is_not_this_machine() {
        let host = ("Host", "127.0.0.1:8000");
        for headers in [
            &[host][..],
            &[host, ("Sec-Fetch-Site", "none")],
            &[
                host,
                ("Origin", "http://127.0.0.1:8000"),
                ("Sec-Fetch-Site", "same-origin"),
            ],
            &[
                host,
                ("Origin", "http://localhost:3000"),
                ("Sec-Fetch-Site", "same-site"),
            ],
            &[
                host,
                ("Sec-Fetch-Site", "cross-site"),
                ("Origin", "http://localhost:3000"),
            ],
        ] {
            assert!(judged(HERE, headers), "{headers:?}");
        }
        for headers in [
            &[host, ("sec-fetch-site", "cross-site")][..],
            &[host, ("Origin", "null")],
            &[host, ("Origin", "")],
            &[host, ("Origin", "https://evil.example")],
            &[host, ("Origin", "https://localhost.evil.example")],
            &[
                host,
                ("Origin", "http://localhost"),
                ("Origin", "https://evil.example"),
            ],
        ] {
            assert!(!judged(HERE, headers), "{headers:?}");
        }
    }

    #[test]
    fn the_peer_decides_and_the_host_alone_does_not() {
        let host = [("Host", "localhost")];
        for peer in ["127.0.0.1", "127.8.8.8", "::1", "::ffff:127.0.0.1"] {
            assert!(judged(peer, &host), "{peer}");
            assert!(!judged(peer, &[]), "no host is named");
        }
        for peer in ["", "192.0.2.7", "::ffff:192.0.2.7", "10.0.0.1", "::2"] {
            assert!(!judged(peer, &host), "{peer}");
        }
        for host in [
            "localhost",
            "LOCALHOST:8000",
            "127.0.0.1",
            "127.9.9.9:1",
            "[::1]",
            "[::1]:8000",
        ] {
            assert!(judged(HERE, &[("host", host)]), "{host}");
        }
        for host in [
            "",
            "example.com",
            "localhost.evil.com",
            "10.0.0.1:8000",
            "[::2]:80",
        ] {
            assert!(!judged(HERE, &[("host", host)]), "{host}");
            let two = [("Host", "localhost"), ("Host", host)];
            assert!(!judged(HERE, &two), "{host}");
        }
    }

    #[test]
    fn any_sign_of_a_proxy_counts_whatever_it_says() {
        for name in [
            "X-Forwarded-For",
            "x-forwarded-proto",
            "X-FORWARDED-HOST",
            "X-Forwarded-Anything",
            "Forwarded",
            "Via",
            "X-Real-IP",
            "CF-Connecting-IP",
            "X-Mine",
        ] {
            for value in ["127.0.0.1", "", "localhost", "192.0.2.7"] {
                let headers = [("Host", "localhost"), (name, value)];
                assert!(!judged(HERE, &headers), "{name}: {value}");
            }
        }
        assert!(judged(HERE, &[("Host", "localhost"), ("X-Forwarde", "x")]));
    }
}
