//! A feed as a stream of server-sent events, the same in every dialect.

use std::time::Duration;

use futures_util::{StreamExt, stream::BoxStream};
use rocket::{
    Request,
    http::Status,
    request::{FromRequest, Outcome},
    response::{
        self, Responder,
        stream::{Event, EventStream},
    },
};

use serde_json::json;
use tracing::{Instrument, Span};

use super::feed::{self, Feed};
use crate::{
    error::Kind,
    telemetry::{Transport, log_failure},
};

/// The event that tells of the end of continuity; its data is what a poll is answered then.
const GONE: &str = "gone";
/// How often a stream says that it is alive; a client that left is noticed by it.
const HEARTBEAT: Duration = Duration::from_secs(15);

/// The request asks for a stream.
pub struct WantsStream {
    last_event_id: Option<String>,
}

impl WantsStream {
    /// Where the stream goes on: a browser that comes back asks for the same address again, so what it
    /// received last counts before what stands there.
    pub fn after<'a>(&'a self, asked: Option<&'a str>) -> Option<&'a str> {
        self.last_event_id.as_deref().or(asked)
    }
}

#[rocket::async_trait]
impl<'r> FromRequest<'r> for WantsStream {
    type Error = std::convert::Infallible;

    async fn from_request(request: &'r Request<'_>) -> Outcome<Self, Self::Error> {
        let header = |name| request.headers().get(name);
        let wanted = header("Accept")
            .flat_map(|accept| accept.split(','))
            .any(|kind| kind.trim().starts_with("text/event-stream"));
        if !wanted {
            return Outcome::Forward(Status::NotAcceptable);
        }
        Outcome::Success(Self {
            last_event_id: header("Last-Event-ID").next().map(str::to_owned),
        })
    }
}

/// A stream of events that no proxy may buffer or cache.
pub struct Sse(EventStream<BoxStream<'static, Event>>);

impl Sse {
    /// Streams a feed until its login ends, a newer wait takes over, or the server stops.
    pub fn of(mut feed: Feed) -> Self {
        // A stream is read after its handler is done, and goes on in the span of its request.
        let (span, wait) = (Span::current(), feed.wait(Transport::Stream));
        let events = async_stream::stream! {
            let _wait = wait;
            // The place to resume from, should nothing happen before the connection breaks.
            let place = feed.watch.cursor_at(feed.watch.seen());
            yield Event::comment("parlance").id(place.to_string());
            loop {
                let batch = match feed.next(HEARTBEAT).instrument(span.clone()).await {
                    Ok(batch) => batch,
                    Err(error) => {
                        // The client learns of the end alone, and why when it comes back.
                        span.in_scope(|| log_failure(&error));
                        if error.kind() == Kind::Gone {
                            // Its place from before would only be refused: who comes back begins anew here.
                            let cursor = feed.services.cursor(feed.watch.tenant()).to_string();
                            let data = json!({"cursor": cursor}).to_string();
                            yield Event::data(data).event(GONE).id(cursor);
                        }
                        return;
                    }
                };
                if batch.changes.is_empty() && batch.signals.is_empty() && batch.end.is_none() {
                    yield Event::comment("");
                }
                feed.delivered(Transport::Stream, batch.changes.len());
                for published in &batch.changes {
                    let id = feed.watch.cursor_at(published.change.position).to_string();
                    for event in feed.format.events(published) {
                        yield Event::data(event.data.to_owned())
                            .event(event.name.to_owned())
                            .id(id.clone());
                    }
                }
                // Without an id: only what is in the log has a place to go on from.
                for signal in &batch.signals {
                    for event in feed.format.signals(signal) {
                        yield Event::data(event.data.to_owned()).event(event.name.to_owned());
                    }
                }
                if let Some(end) = batch.end {
                    yield Event::retry(Duration::from_millis(feed::stream_returns_after_ms(end)));
                    return;
                }
            }
        };
        Self(EventStream::from(events.boxed()))
    }
}

impl<'r> Responder<'r, 'r> for Sse {
    fn respond_to(self, request: &'r Request<'_>) -> response::Result<'r> {
        let mut response = self.0.respond_to(request)?;
        response.set_raw_header("Cache-Control", "no-store");
        response.set_raw_header("X-Accel-Buffering", "no");
        Ok(response)
    }
}
