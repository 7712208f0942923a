//! The answer that ends a long-poll, the same in every dialect.

use std::{fmt::Write as _, time::Duration};

use rocket::{
    Request, Response,
    response::{self, Responder, content::RawJson},
};

use super::{
    ApiError,
    feed::{self, Feed},
};
use crate::{
    chat::change_feed::{Batch, End},
    pubsub::Published,
    telemetry::Transport,
};

/// The most bytes of events in one answer; a single event may be larger.
const ANSWER_BYTES: usize = 1 << 20;

/// An answer to a long-poll: JSON that is already written, which must not be cached.
#[derive(Debug)]
pub struct LongPoll(String);

impl LongPoll {
    /// Waits for what is new, at most as long as `timeout`, and writes it down.
    pub async fn answer(mut feed: Feed, timeout: Duration) -> Result<Self, ApiError> {
        let wait = feed.wait(Transport::LongPoll);
        let batch = feed.next(timeout).await;
        drop(wait);
        let batch = batch.map_err(|error| feed.with_fresh_cursor(error))?;
        Ok(Self(write(&feed, &batch)))
    }
}

impl<'r> Responder<'r, 'static> for LongPoll {
    fn respond_to(self, request: &'r Request<'_>) -> response::Result<'static> {
        Response::build_from(RawJson(self.0).respond_to(request)?)
            .raw_header("Cache-Control", "no-store")
            .ok()
    }
}

fn push_entry(body: &mut String, entry: &str) {
    if !body.ends_with('[') {
        body.push(',');
    }
    body.push_str(entry);
}

/// Puts an answer together from events that are written already.
fn write(feed: &Feed, batch: &Batch) -> String {
    let mut body = format!("{{\"{}\":[", feed.format.list_key());
    let (mut cursor, mut more) = (batch.cursor, batch.more);
    let mut listed: Vec<&Published> = Vec::new();
    for published in &batch.changes {
        let events = feed.format.events(published);
        let bytes: usize = events.iter().map(|event| event.listed.len() + 1).sum();
        if let Some(last) = listed.last()
            && body.len() + bytes > ANSWER_BYTES
        {
            (cursor, more) = (last.change.position, true);
            break;
        }
        for event in events {
            push_entry(&mut body, event.listed);
        }
        listed.push(published);
    }
    for event in batch
        .signals
        .iter()
        .flat_map(|signal| feed.format.signals(signal))
    {
        push_entry(&mut body, event.listed);
    }
    feed.delivered(Transport::LongPoll, listed.len());
    // Writing to a string cannot fail.
    let _ = write!(
        body,
        "],\"cursor\":\"{}\",\"more\":{more},\"retry_ms\":{}{}",
        feed.watch.cursor_at(cursor),
        feed::return_after_ms(batch.end),
        feed.format.more_keys(&listed),
    );
    if batch.end == Some(End::Superseded) {
        body.push_str(",\"superseded\":true");
    }
    body.push('}');
    body
}
