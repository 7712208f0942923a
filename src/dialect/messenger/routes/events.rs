//! Events: everything in all my chats, by long-poll and as a stream.

use std::{fmt::Write as _, num::IntErrorKind, sync::Arc, time::Duration};

use rand::RngExt;
use rocket::{
    Request, State, get,
    http::Status,
    request::{FromRequest, Outcome},
    response::{
        self, Responder,
        stream::{Event, EventStream},
    },
};

use crate::{
    chat::{
        Caller, Services,
        wait::{self, Batch, End, Wanted, Watch},
    },
    config::Settings,
    dialect::messenger::{
        events as told,
        routes::{Answer, Verbs, Written, cursor, limit, with_fresh_cursor},
        wire,
    },
    error::{Error, Result},
    http::{Fields, Query, SignedIn},
    model::Position,
};

/// How long a poll waits when nobody says.
const PATIENCE: Duration = Duration::from_secs(25);
/// How often a stream says that it is alive; a client that left is noticed by it.
const HEARTBEAT: Duration = Duration::from_secs(15);
/// The most bytes of events in one answer.
const ANSWER_BYTES: usize = 1 << 20;
/// How long clients wait, at most, before they come back after a restart: spread, so that they do
/// not all come at once.
const RETURN_WITHIN_MS: u64 = 5000;

/// `GET /api/events`: waits for what is new.
#[get("/api/events", rank = 4)]
pub(super) async fn poll(
    services: &Verbs,
    settings: &State<Settings>,
    caller: SignedIn,
    query: &Query,
) -> Answer<Written> {
    let patience = patience(settings, query, PATIENCE)?;
    let limit = limit(query)?;
    refuse_when_closing(services)?;
    let mut watch = watch(services, &caller, query, query.text("after")?).await?;
    let batch = watch.next(limit, patience).await?;
    Ok(Written(events(services, &batch)))
}

/// The request asks for a stream.
pub(super) struct WantsStream {
    last_event_id: Option<String>,
}

#[rocket::async_trait]
impl<'r> FromRequest<'r> for WantsStream {
    type Error = std::convert::Infallible;

    async fn from_request(request: &'r Request<'_>) -> Outcome<Self, Self::Error> {
        let wanted = request
            .headers()
            .get("Accept")
            .flat_map(|accept| accept.split(','))
            .any(|kind| kind.trim().starts_with("text/event-stream"));
        if !wanted {
            return Outcome::Forward(Status::NotAcceptable);
        }
        let last_event_id = request
            .headers()
            .get_one("Last-Event-ID")
            .map(str::to_owned);
        Outcome::Success(Self { last_event_id })
    }
}

/// A stream that no proxy holds back.
pub(super) struct Unbuffered<R>(R);

impl<'r, 'o: 'r, R: Responder<'r, 'o>> Responder<'r, 'o> for Unbuffered<R> {
    fn respond_to(self, request: &'r Request<'_>) -> response::Result<'o> {
        let mut response = self.0.respond_to(request)?;
        response.set_raw_header("Cache-Control", "no-store");
        response.set_raw_header("X-Accel-Buffering", "no");
        Ok(response)
    }
}

/// `GET /api/events` with `Accept: text/event-stream`.
#[get("/api/events", rank = 3)]
pub(super) async fn stream(
    services: &Verbs,
    wants: WantsStream,
    caller: SignedIn,
    query: &Query,
) -> Answer<Unbuffered<EventStream![]>> {
    let limit = limit(query)?;
    refuse_when_closing(services)?;
    let after = match &wants.last_event_id {
        Some(id) => Some(id.as_str()),
        None => query.text("after")?,
    };
    let mut watch = watch(services, &caller, query, after).await?;
    let services = Arc::clone(services);
    Ok(Unbuffered(EventStream! {
        // The place to resume from, should nothing happen before the connection breaks.
        yield Event::comment("parlance").id(services.cursor_at(watch.seen()).to_string());
        loop {
            match watch.next(limit, HEARTBEAT).await {
                Ok(batch) if batch.changes.is_empty() && batch.end.is_none() => {
                    yield Event::comment("");
                }
                Ok(batch) => {
                    for published in &batch.changes {
                        let cursor = services.cursor_at(published.change.position);
                        yield Event::data(told::announce(published).to_owned())
                            .event(told::word(&published.change.what))
                            .id(cursor.to_string());
                    }
                    if let Some(end) = batch.end {
                        yield Event::retry(Duration::from_millis(return_after(Some(end))));
                        return;
                    }
                }
                // The login ended: the client learns why when it comes back.
                Err(_) => return,
            }
        }
    }))
}

/// Listens to what the caller hears, from where they left off.
async fn watch(
    services: &Arc<Services>,
    caller: &Caller,
    query: &Fields,
    after: Option<&str>,
) -> Answer<Watch> {
    let wanted = query
        .text("types")?
        .map_or(Ok(Wanted::ALL), Wanted::parse)?;
    let after = match after {
        None | Some("now") => services.hub.head(),
        Some(text) => resume(services, text).map_err(|error| with_fresh_cursor(services, error))?,
    };
    let mut watch = Watch::person(services, caller, after, wanted).await?;
    watch.admit(query.text("poll")?.map(str::to_owned))?;
    Ok(watch)
}

fn resume(services: &Services, text: &str) -> Result<Position> {
    wait::resume(services, &cursor(text)?)
}

/// How long to wait: `timeout` in whole seconds, clamped to what the operator allows.
pub(super) fn patience(
    settings: &Settings,
    query: &Fields,
    otherwise: Duration,
) -> Result<Duration> {
    let Some(text) = query.text("timeout")? else {
        return Ok(otherwise.min(settings.poll_timeout_max));
    };
    let seconds = match text.trim().parse::<i64>() {
        Ok(seconds) => u64::try_from(seconds).unwrap_or(0),
        Err(error) if *error.kind() == IntErrorKind::PosOverflow => u64::MAX,
        Err(error) if *error.kind() == IntErrorKind::NegOverflow => 0,
        Err(_) => {
            let sentence = "timeout must be a whole number of seconds";
            return Err(Error::invalid_field("timeout", sentence));
        }
    };
    Ok(Duration::from_secs(seconds).min(settings.poll_timeout_max))
}

/// Who comes while the server stops is sent on.
pub(super) fn refuse_when_closing(services: &Services) -> Result<()> {
    if services.closing.is_cancelled() {
        Err(Error::shutting_down())
    } else {
        Ok(())
    }
}

/// The answer of `/api/events`.
fn events(services: &Services, batch: &Batch) -> String {
    answer(services, batch, "events", |published| {
        Some(told::announce(published))
    })
}

/// The answer of a chat's own long-poll.
pub(super) fn messages(services: &Services, batch: &Batch) -> String {
    answer(services, batch, "messages", told::message)
}

/// Puts an answer together from what is already written.
fn answer<'a>(
    services: &Services,
    batch: &'a Batch,
    list: &str,
    form: impl Fn(&'a crate::live::Published) -> Option<&'a str>,
) -> String {
    let mut body = format!("{{\"{list}\":[");
    let (mut cursor, mut more) = (batch.cursor, batch.more);
    let mut told: Vec<&'a crate::live::Published> = Vec::new();
    for published in &batch.changes {
        let Some(form) = form(published) else {
            continue;
        };
        if let Some(last) = told.last() {
            if body.len() + form.len() > ANSWER_BYTES {
                (cursor, more) = (last.change.position, true);
                break;
            }
            body.push(',');
        }
        body.push_str(form);
        told.push(published);
    }
    let senders = told
        .iter()
        .map(|published| wire::PersonWire::from(&*published.change.actor));
    let people = serde_json::to_string(&wire::people(senders)).unwrap_or_default();
    // Writing to a string cannot fail.
    let _ = write!(
        body,
        "],\"cursor\":\"{}\",\"more\":{more},\"retry_ms\":{},\"people\":{people}",
        services.cursor_at(cursor),
        return_after(batch.end),
    );
    if batch.end == Some(End::Superseded) {
        body.push_str(",\"superseded\":true");
    }
    body.push('}');
    body
}

/// How many milliseconds to wait before coming back.
fn return_after(end: Option<End>) -> u64 {
    match end {
        Some(End::Closing) => rand::rng().random_range(0..=RETURN_WITHIN_MS),
        Some(End::Superseded) | None => 0,
    }
}
