//! Where a request's client is, as far as the network tells.

use std::{
    convert::Infallible,
    net::{IpAddr, Ipv4Addr},
};

use rocket::request::{FromRequest, Outcome, Request};

use crate::chat::throttle;

/// Headers by which proxies say that they passed a request on.
const PASSED_ON: [&str; 4] = ["Forwarded", "X-Forwarded-For", "X-Real-IP", "Via"];

/// The address of the client: of the peer, or the one in the header that `ip_header` names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ClientAddress {
    ip: IpAddr,
    passed_on: bool,
}

impl ClientAddress {
    /// The address of `request`'s client; `0.0.0.0` where the connection has none.
    pub fn of(request: &Request<'_>) -> Self {
        let told_by_proxy = request.real_ip();
        let ip = told_by_proxy
            .or_else(|| request.client_ip())
            .unwrap_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED));
        let passed_on = PASSED_ON
            .iter()
            .any(|header| request.headers().contains(*header));
        Self {
            ip: ip.to_canonical(),
            passed_on: passed_on && told_by_proxy.is_none(),
        }
    }

    /// The address itself; IPv4 in IPv6 is told as IPv4.
    pub fn ip(self) -> IpAddr {
        self.ip
    }

    /// What throttles count by: the address, of IPv6 its /64, which is what one customer gets.
    pub fn network(self) -> IpAddr {
        throttle::network(self.ip)
    }

    /// Whether the request was made on this machine.
    ///
    /// A proxy on this machine makes every peer look like it. So a request that says it was passed
    /// on counts only when `ip_header` tells whose it was.
    pub fn is_this_machine(self) -> bool {
        self.ip.is_loopback() && !self.passed_on
    }
}

#[rocket::async_trait]
impl<'r> FromRequest<'r> for ClientAddress {
    type Error = Infallible;

    async fn from_request(request: &'r Request<'_>) -> Outcome<Self, Infallible> {
        Outcome::Success(Self::of(request))
    }
}
