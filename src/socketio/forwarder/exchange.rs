//! One request to another server, and its answer.
//!
//! Where servers are reached is said by their operators, so this goes wherever that is.

use std::{io, time::Duration};

use bytes::Bytes;
use http_body_util::Full;
use hyper::{Request, Response, body::Incoming, client::conn::http1};
use hyper_util::rt::TokioIo;
use tokio::{net::TcpStream, time::timeout};

/// How long connecting may take.
const CONNECT: Duration = Duration::from_secs(2);

pub(super) type Outgoing = Request<Full<Bytes>>;
pub(super) type Answer = Response<Incoming>;

/// Sends a request, on a connection of its own, and waits for the head of its answer.
pub(super) async fn send(address: &str, request: Outgoing) -> io::Result<Answer> {
    let stream = timeout(CONNECT, TcpStream::connect(address)).await??;
    stream.set_nodelay(true)?;
    let handshake = http1::handshake(TokioIo::new(stream)).await;
    let (mut sender, connection) = handshake.map_err(io::Error::other)?;
    // It ends with the answer, or when its reader is gone.
    tokio::spawn(async move {
        if let Err(error) = connection.with_upgrades().await {
            tracing::debug!(%error, "The connection to another server broke.");
        }
    });
    sender.send_request(request).await.map_err(io::Error::other)
}
