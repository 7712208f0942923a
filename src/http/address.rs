//! Where a request's client is, as far as the network tells.

use std::{
    convert::Infallible,
    net::{IpAddr, Ipv4Addr},
};

use rocket::request::{FromRequest, Outcome, Request};

use crate::{chat::limits::login_throttle, http::local};

/// The address of the client: of the peer, or the one in the header that `ip_header` names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ClientAddress {
    ip: IpAddr,
    is_local: bool,
}

impl ClientAddress {
    /// The address of `request`'s client; `0.0.0.0` where the connection has none.
    pub fn of(request: &Request<'_>) -> Self {
        let ip = request
            .client_ip()
            .unwrap_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED));
        let peer = request.remote().map(|peer| peer.ip());
        let ip_header = request.rocket().config().ip_header.as_ref();
        let headers = request.headers().iter();
        let headers = headers.map(|header| (header.name, header.value));
        Self {
            ip: ip.to_canonical(),
            is_local: local::is_local(peer, ip_header.map(|name| name.as_str()), headers),
        }
    }

    /// The address itself; IPv4 in IPv6 is told as IPv4.
    pub fn ip(self) -> IpAddr {
        self.ip
    }

    /// What throttles count by: the address, of IPv6 its /64, which is what one customer gets.
    pub fn network(self) -> IpAddr {
        login_throttle::network(self.ip)
    }

    /// Whether the request was made on this machine: by the peer's address and every sign of a proxy,
    /// never by what a header says of the client.
    pub fn is_this_machine(self) -> bool {
        self.is_local
    }

    /// What requests are counted by, together with others from there; those of this machine, which are
    /// the operator's own, are not counted.
    pub fn counted(self) -> Option<IpAddr> {
        (!self.is_local).then(|| self.network())
    }
}

#[rocket::async_trait]
impl<'r> FromRequest<'r> for ClientAddress {
    type Error = Infallible;

    async fn from_request(request: &'r Request<'_>) -> Outcome<Self, Infallible> {
        Outcome::Success(Self::of(request))
    }
}
