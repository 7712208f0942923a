//! The answer of another server as ours.
//!
//! # Why
//! Its body is read there in full before the client has read it here, and the server believes that the client has it.
//! A client that goes before it has read it loses packets, so the session is closed: as where the session is.
//!
//! A server that ends in the middle of its answer leaves a part of it. Said without a length that part would look like all: clients
//! would take in its packets, and be told them once more when they come back.

use std::{
    io,
    pin::Pin,
    task::{Context, Poll, ready},
    time::Duration,
};

use bytes::{Buf, Bytes};
use http_body_util::Full;
use hyper::{
    body::{Body, Incoming},
    header::{self, HeaderValue},
};
use rocket::{Request, Response, http::Status};
use tokio::{
    io::{AsyncRead, ReadBuf},
    runtime::Handle,
    time::timeout,
};

use super::{directory::Peer, exchange, request::prove};
use crate::engine::Revision;

/// How long it may take to close a session.
const TIMEOUT: Duration = Duration::from_secs(5);

/// What is needed to close a session at its server, as its client would.
pub(super) struct Closing {
    peer: Peer,
    uri: String,
    packet: &'static str,
}

impl Closing {
    /// For the session of this request.
    pub(super) fn new(request: &Request<'_>, peer: &Peer, revision: Revision) -> Self {
        let uri = request.uri().to_string();
        Self {
            peer: peer.clone(),
            // A session that has become a WebSocket is not closed by polling.
            uri: uri.replace("transport=websocket", "transport=polling"),
            packet: match revision {
                Revision::V3 => "1:1",
                Revision::V4 => "1",
            },
        }
    }

    /// Closes the session, beside whatever the caller does.
    pub(super) fn send(self) {
        let Ok(runtime) = Handle::try_current() else {
            return;
        };
        runtime.spawn(async move {
            let request = hyper::Request::post(&self.uri)
                .header(header::HOST, &self.peer.address)
                .header(header::CONTENT_TYPE, "text/plain;charset=UTF-8")
                .body(Full::new(Bytes::from_static(self.packet.as_bytes())));
            let Ok(mut request) = request else { return };
            prove(request.headers_mut(), &self.peer);
            // Where it cannot be told, the session ends when its client is not heard of.
            let _ = timeout(TIMEOUT, exchange::send(&self.peer.address, request)).await;
        });
    }
}

/// The body of an answer.
pub(super) struct RemoteBody {
    body: Incoming,
    read: Bytes,
    /// What is due if it is not read to its end.
    unread: Option<Closing>,
}

impl RemoteBody {
    /// The answer with the body that its client reads; what is due if the client does not.
    pub(super) fn respond<'r>(answer: exchange::Answer, unread: Option<Closing>) -> Response<'r> {
        let (head, body) = answer.into_parts();
        let mut response = Response::build();
        response.status(Status::new(head.status.as_u16()));
        for (name, header) in [
            ("Content-Type", header::CONTENT_TYPE),
            ("Content-Length", header::CONTENT_LENGTH),
        ] {
            let said = head.headers.get(header).map(HeaderValue::to_str);
            if let Some(said) = said.and_then(Result::ok) {
                response.raw_header(name, said.to_owned());
            }
        }
        let read = Bytes::new();
        response.streamed_body(Self { body, read, unread });
        response.finalize()
    }
}

impl AsyncRead for RemoteBody {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        while self.read.is_empty() {
            let frame = ready!(Pin::new(&mut self.body).poll_frame(cx));
            match frame.transpose().map_err(io::Error::other)? {
                Some(frame) => self.read = frame.into_data().unwrap_or_default(),
                None => {
                    self.unread = None;
                    return Poll::Ready(Ok(()));
                }
            }
        }
        let some = self.read.len().min(buf.remaining());
        buf.put_slice(&self.read[..some]);
        self.read.advance(some);
        Poll::Ready(Ok(()))
    }
}

impl Drop for RemoteBody {
    fn drop(&mut self) {
        if let Some(closing) = self.unread.take() {
            closing.send();
        }
    }
}

#[cfg(test)]
mod tests {
    use tokio::{
        io::{AsyncReadExt, AsyncWriteExt},
        net::TcpListener,
    };

    use super::*;

    /// The answer of a server that ends in the middle of it.
    async fn cut_short() -> exchange::Answer {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("it listens").to_string();
        tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.expect("a request comes");
            let asked = stream.read(&mut [0; 1024]).await;
            assert!(asked.is_ok_and(|read| read > 0), "it is asked");
            let answer = "HTTP/1.1 200 OK\r\nContent-Length: 11\r\n\r\n42[\"a";
            let told = stream.write_all(answer.as_bytes()).await;
            told.expect("it is read");
        });
        let request = hyper::Request::get("/")
            .header(header::HOST, &address)
            .body(Full::new(Bytes::new()));
        let answer = exchange::send(&address, request.expect("a request")).await;
        answer.expect("its head has come")
    }

    #[tokio::test]
    async fn an_answer_that_is_cut_short_does_not_look_whole() {
        let mut response = RemoteBody::respond(cut_short().await, None);
        assert_eq!(response.headers().get_one("Content-Length"), Some("11"));
        assert!(response.body_mut().to_bytes().await.is_err());
    }
}
