//! The request that is passed on: as it came, but for what is between two neighbours on its way.

use bytes::Bytes;
use http_body_util::Full;
use hyper::{
    Method as HyperMethod,
    header::{self, HeaderName, HeaderValue},
};
use rocket::{
    Data, Request,
    data::ToByteUnit,
    http::{Method, Status},
};

use super::{
    directory::{PROOF, Peer},
    exchange::Outgoing,
};
use crate::engine::Options;

/// What is said to the next neighbour alone, or is said anew.
const NOT_PASSED_ON: [&str; 11] = [
    "connection",
    "keep-alive",
    "proxy-connection",
    "proxy-authenticate",
    "proxy-authorization",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "content-length",
    PROOF,
];

/// The request that goes to a server; the status of the refusal if its body is too large or does not come.
pub(super) async fn outgoing(
    request: &Request<'_>,
    peer: &Peer,
    data: Data<'_>,
) -> Result<Outgoing, Status> {
    let body = match request.method() {
        Method::Post => read(data).await?,
        _ => Bytes::new(),
    };
    let method = match request.method() {
        Method::Post => HyperMethod::POST,
        _ => HyperMethod::GET,
    };
    let mut outgoing = hyper::Request::builder()
        .method(method)
        .uri(request.uri().to_string())
        .body(Full::new(body))
        .map_err(|_| Status::BadRequest)?;
    let headers = outgoing.headers_mut();
    let config = request.rocket().config();
    let ip_header = config.ip_header.as_ref().map(|name| name.as_str());
    for header in request.headers().iter() {
        let name = header.name().as_str();
        let is = |other: &str| other.eq_ignore_ascii_case(name);
        if NOT_PASSED_ON.into_iter().any(is) || ip_header.is_some_and(is) {
            continue;
        }
        let name = HeaderName::from_bytes(name.as_bytes());
        let value = HeaderValue::from_bytes(header.value().as_bytes());
        if let (Ok(name), Ok(value)) = (name, value) {
            headers.append(name, value);
        }
    }
    if let (Some(name), Some(ip)) = (ip_header, request.client_ip())
        && let (Ok(name), Ok(value)) = (
            HeaderName::from_bytes(name.as_bytes()),
            HeaderValue::from_str(&ip.to_string()),
        )
    {
        headers.insert(name, value);
    }
    if let Some(protocol) = request.headers().get_one("upgrade")
        && let Ok(protocol) = HeaderValue::from_str(protocol)
    {
        headers.insert(header::UPGRADE, protocol);
        headers.insert(header::CONNECTION, HeaderValue::from_static("upgrade"));
    }
    prove(headers, peer);
    Ok(outgoing)
}

/// Shows a server what it wants to be shown.
pub(super) fn prove(headers: &mut hyper::HeaderMap, peer: &Peer) {
    if let Ok(mut secret) = HeaderValue::from_str(&peer.secret) {
        secret.set_sensitive(true);
        headers.insert(HeaderName::from_static(PROOF), secret);
    }
}

/// A whole body, of no more than what the engine takes.
async fn read(data: Data<'_>) -> Result<Bytes, Status> {
    let most = Options::default().max_payload;
    let read = data.open((most + 1).bytes()).into_bytes().await;
    let body = read.map_err(|_| Status::BadRequest)?;
    if body.len() > most {
        return Err(Status::PayloadTooLarge);
    }
    Ok(body.into_inner().into())
}
