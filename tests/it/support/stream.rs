//! A stream of server-sent events, read as a browser reads it.

use futures_util::{Stream, StreamExt};
use reqwest::{Method, RequestBuilder, Response};
use serde_json::Value;

use crate::{support::actor::Actor, support::poll::but_presence, support::world::FOREVER};

/// One block of a stream, as a browser reads it.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Block {
    pub(crate) id: Option<String>,
    pub(crate) event: Option<String>,
    pub(crate) data: Option<String>,
    pub(crate) retry: Option<u64>,
    pub(crate) comment: bool,
}

impl Block {
    pub(crate) fn json(&self) -> Value {
        let data = self.data.as_deref().expect("an event has data");
        serde_json::from_str(data).expect("data is JSON")
    }
}

/// A stream that is open.
pub(crate) struct Events {
    bytes: std::pin::Pin<Box<dyn Stream<Item = reqwest::Result<bytes::Bytes>> + Send>>,
    buffer: String,
}

impl Events {
    pub(crate) async fn open(actor: &Actor, path: &str, last: Option<&str>) -> Self {
        Self::of(actor.request(Method::GET, &but_presence(path)), last).await
    }

    pub(crate) async fn of(request: RequestBuilder, last: Option<&str>) -> Self {
        let response = Self::ask(request, last).await;
        assert_eq!(response.status(), 200);
        let header = |name| {
            response.headers()[name]
                .to_str()
                .expect("plain text")
                .to_owned()
        };
        assert_eq!(header("Content-Type"), "text/event-stream");
        assert_eq!(header("Cache-Control"), "no-store");
        assert_eq!(header("X-Accel-Buffering"), "no");
        Self {
            bytes: Box::pin(response.bytes_stream()),
            buffer: String::new(),
        }
    }

    pub(crate) async fn ask(request: RequestBuilder, last: Option<&str>) -> Response {
        let request = request.header("Accept", "text/event-stream");
        let request = match last {
            Some(id) => request.header("Last-Event-ID", id),
            None => request,
        };
        request.send().await.expect("the server answers")
    }

    /// The next block; nothing when the stream is over.
    pub(crate) async fn next(&mut self) -> Option<Block> {
        loop {
            if let Some(end) = self.buffer.find("\n\n") {
                let block: String = self.buffer.drain(..end + 2).collect();
                return Some(read(block.trim_end()));
            }
            let bytes = tokio::time::timeout(FOREVER, self.bytes.next()).await;
            let bytes = bytes
                .expect("the stream goes on")?
                .expect("the stream does not break");
            let text = std::str::from_utf8(&bytes).expect("a stream is text");
            self.buffer.push_str(&text.replace('\r', ""));
        }
    }

    /// The next block with an event.
    pub(crate) async fn event(&mut self) -> Block {
        loop {
            let block = self.next().await.expect("the stream goes on");
            if block.data.is_some() {
                return block;
            }
        }
    }
}

fn read(text: &str) -> Block {
    let mut block = Block::default();
    for line in text.lines() {
        let (field, value) = line.split_once(':').unwrap_or((line, ""));
        let value = value.strip_prefix(' ').unwrap_or(value).to_owned();
        match field {
            "" => block.comment = true,
            "id" => block.id = Some(value),
            "event" => block.event = Some(value),
            "data" => block.data = Some(value),
            "retry" => block.retry = value.parse().ok(),
            other => panic!("a stream has no field {other:?}"),
        }
    }
    block
}
