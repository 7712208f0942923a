//! A WebSocket to which a session of another server is upgraded: bytes that go through.

use std::{io, pin::Pin};

use hyper::{header::HeaderName, upgrade::OnUpgrade};
use hyper_util::rt::TokioIo;
use rocket::{
    Response,
    data::{IoHandler, IoStream},
};
use tokio::io::copy_bidirectional;
use tokio_util::sync::CancellationToken;

use super::exchange::Answer;

/// What of the answer proves that the other server has opened the WebSocket.
const SHOWN: [&str; 2] = ["sec-websocket-accept", "sec-websocket-protocol"];

/// The other server's end, once there is one.
pub(super) struct Tunnel {
    far: OnUpgrade,
    closing: CancellationToken,
}

impl Tunnel {
    /// The answer that opens it.
    pub(super) fn open<'r>(mut answer: Answer, closing: CancellationToken) -> Response<'r> {
        let mut response = Response::build();
        for name in SHOWN {
            let value = answer.headers().get(HeaderName::from_static(name));
            if let Some(value) = value.and_then(|value| value.to_str().ok()) {
                response.raw_header(name, value.to_owned());
            }
        }
        let far = hyper::upgrade::on(&mut answer);
        response.upgrade("websocket", Self { far, closing });
        response.finalize()
    }
}

#[rocket::async_trait]
impl IoHandler for Tunnel {
    /// Returns at once: a handler that keeps running keeps the whole request in memory.
    async fn io(self: Pin<Box<Self>>, mut near: IoStream) -> io::Result<()> {
        tokio::spawn(async move {
            let Self { far, closing } = *Pin::into_inner(self);
            let Ok(far) = far.await else { return };
            let mut far = TokioIo::new(far);
            // What breaks is seen at either end.
            tokio::select! {
                () = closing.cancelled() => {}
                _ = copy_bidirectional(&mut near, &mut far) => {}
            }
        });
        Ok(())
    }
}
