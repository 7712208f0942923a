//! What a dialect announces, by plain HTTP: as a long-poll, or as a stream.

use std::{sync::Arc, time::Duration};

use rand::RngExt;
use rocket::{
    Request, State, get,
    http::Status,
    request::{FromRequest, Outcome},
    response::stream::{Event, EventStream},
    serde::json::Json,
};
use serde_json::{Value, json};

use super::{Brought, Nowhere};
use crate::{
    chat::{
        Caller, Services, accounts, apps,
        wait::{self, Batch, End, Wanted, Watch},
    },
    config::Settings,
    dialect::{self, Credentials, DIALECTS, Options, Speaker},
    error::{Error, Kind, Result},
    http::{Fields, Query, Refusal, refuse},
    live::Published,
    model::{Cursor, PersonId, Position},
};

/// How often a stream says that it is alive.
const HEARTBEAT: Duration = Duration::from_secs(15);

/// The request asks for what a dialect announces.
pub(super) struct InDialect(usize);

#[rocket::async_trait]
impl<'r> FromRequest<'r> for InDialect {
    type Error = Kind;

    async fn from_request(request: &'r Request<'_>) -> Outcome<Self, Kind> {
        let wanted = request
            .query_value::<&str>("dialect")
            .and_then(std::result::Result::ok);
        let Some(wanted) = wanted.filter(|name| !name.is_empty() && *name != MESSENGER) else {
            return Outcome::Forward(Status::NotFound);
        };
        match DIALECTS.iter().position(|dialect| dialect.name() == wanted) {
            Some(place) => Outcome::Success(Self(place)),
            None => refuse(
                request,
                Error::invalid_field("dialect", "there is no such dialect"),
            ),
        }
    }
}

/// The dialect whose events need no `?dialect=`.
const MESSENGER: &str = "messenger";

/// The request asks for a stream; with it the place it resumes from.
pub(super) struct WantsStream(Option<String>);

#[rocket::async_trait]
impl<'r> FromRequest<'r> for WantsStream {
    type Error = std::convert::Infallible;

    async fn from_request(request: &'r Request<'_>) -> Outcome<Self, Self::Error> {
        let accepted = request
            .headers()
            .get("Accept")
            .flat_map(|accept| accept.split(','));
        if !accepted
            .into_iter()
            .any(|kind| kind.trim().starts_with("text/event-stream"))
        {
            return Outcome::Forward(Status::NotAcceptable);
        }
        Outcome::Success(Self(
            request
                .headers()
                .get_one("Last-Event-ID")
                .map(str::to_owned),
        ))
    }
}

/// Somebody who overhears a dialect.
struct Overhearing {
    place: usize,
    speaker: Speaker,
    watch: Watch,
    limit: usize,
}

impl Overhearing {
    async fn begin(
        services: &Arc<Services>,
        options: &Arc<Options>,
        place: usize,
        brought: Credentials,
        (query, after): (&Fields, Option<&str>),
    ) -> std::result::Result<Self, Refusal> {
        if services.closing.is_cancelled() {
            return Err(Error::shutting_down().into());
        }
        let limit = query.number("limit")?.unwrap_or(100);
        let limit = usize::try_from(limit)
            .ok()
            .filter(|limit| (1..=200).contains(limit));
        let limit = limit.ok_or_else(|| Error::invalid_field("limit", "limit must be 1 to 200"))?;
        let (services, options) = (Arc::clone(services), Arc::clone(options));
        let mut speaker = Speaker::new(
            Arc::clone(&services),
            options,
            brought,
            Arc::new(Nowhere),
            (0, None),
        );
        let dialect = DIALECTS[place];
        dialect.welcome(&mut speaker).await?;
        let caller = who_listens(&mut speaker, query).await?;
        speaker.act_as(place, &caller).await?;
        if let Some(room) = query.text("room")? {
            dialect.enter(&mut speaker, room).await?;
        }
        let after = match after {
            None | Some("now") => services.hub.head(),
            Some(text) => {
                let cursor: Cursor = text.parse().map_err(|_| {
                    Error::new(
                        Kind::BadCursor,
                        "after must be a cursor that this server gave out",
                    )
                })?;
                wait::resume(&services, &cursor).map_err(|error| {
                    Refusal::from(error).with("cursor", services.cursor().to_string())
                })?
            }
        };
        let mut watch = Watch::person(&services, &caller, after, Wanted::ALL).await?;
        watch.admit(query.text("poll")?.map(str::to_owned))?;
        Ok(Self {
            place,
            speaker,
            watch,
            limit,
        })
    }

    /// What was announced since, now or as soon as there is something, each with its position.
    async fn next(&mut self, patience: Duration) -> Result<(Vec<(Position, Value)>, Batch)> {
        let deadline = tokio::time::Instant::now() + patience;
        loop {
            let left = deadline.saturating_duration_since(tokio::time::Instant::now());
            let batch = self.watch.next(self.limit, left).await?;
            let mut told = Vec::new();
            for published in &batch.changes {
                if !DIALECTS[self.place].hears(&self.speaker, &published.change) {
                    continue;
                }
                for emission in listed(self.place, &self.speaker.options, published) {
                    told.push((published.change.position, emission.clone()));
                }
            }
            let is_over = batch.end.is_some() || batch.more || left.is_zero();
            if is_over || !told.is_empty() {
                return Ok((told, batch));
            }
        }
    }
}

/// A change's emissions in a dialect, as a list shows them; made once.
fn listed<'p>(place: usize, options: &Options, published: &'p Published) -> &'p Vec<Value> {
    published.form(dialect::form::LISTED + place, |change| {
        let emissions = DIALECTS[place].announce_by(options, change).into_iter();
        let list = emissions.map(|emission| json!({"event": emission.name, "data": emission.data}));
        list.collect::<Vec<_>>()
    })
}

/// Who listens: with a tenant's key the person `user`, else whoever holds the token or the cookies.
async fn who_listens(speaker: &mut Speaker, query: &Fields) -> Result<Caller> {
    if let Some(key) = &speaker.credentials.key {
        let token = speaker.credentials.token.as_deref();
        let holder = apps::key_holder(&speaker.services, key, token).await?;
        let person = query.number("user")?.ok_or_else(|| {
            Error::invalid_field("user", "user must say which of the tenant's people listens")
        })?;
        return accounts::by_key(&speaker.services, &holder, PersonId::new(person)).await;
    }
    if let Some(token) = speaker.credentials.token.clone() {
        return speaker.holder(&token).await;
    }
    let caller = speaker.cookie_holder().await?;
    caller.ok_or_else(Error::unauthenticated)
}

/// `GET /api/events?dialect=`: waits for what is new, told as that dialect tells it.
#[get("/api/events", rank = 2)]
pub(super) async fn overhear(
    services: &State<Arc<Services>>,
    options: &State<Arc<Options>>,
    settings: &State<Settings>,
    dialect: InDialect,
    query: &Query,
    brought: Brought,
) -> std::result::Result<Json<Value>, Refusal> {
    let patience = query.number("timeout")?.map_or(25, i64::unsigned_abs);
    let patience = Duration::from_secs(patience).min(settings.poll_timeout_max);
    let after = query.text("after")?;
    let mut hearing =
        Overhearing::begin(services, options, dialect.0, brought.0, (query, after)).await?;
    let (told, batch) = hearing.next(patience).await?;
    let events: Vec<_> = told.into_iter().map(|(_, event)| event).collect();
    let retry_ms = match batch.end {
        Some(End::Closing) => rand::rng().random_range(0..=5000),
        Some(End::Superseded) | None => 0,
    };
    let cursor = services.cursor_at(batch.cursor).to_string();
    let mut body =
        json!({"events": events, "cursor": cursor, "more": batch.more, "retry_ms": retry_ms});
    if batch.end == Some(End::Superseded) {
        body["superseded"] = true.into();
    }
    Ok(Json(body))
}

/// The same as a stream.
#[get("/api/events", rank = 1)]
pub(super) async fn overhear_as_stream(
    services: &State<Arc<Services>>,
    options: &State<Arc<Options>>,
    wants: WantsStream,
    dialect: InDialect,
    query: &Query,
    brought: Brought,
) -> std::result::Result<EventStream![], Refusal> {
    let after = match &wants.0 {
        Some(id) => Some(id.as_str()),
        None => query.text("after")?,
    };
    let mut hearing =
        Overhearing::begin(services, options, dialect.0, brought.0, (query, after)).await?;
    let services = Arc::clone(services);
    Ok(EventStream! {
        yield Event::comment("parlance").id(services.cursor_at(hearing.watch.seen()).to_string());
        while let Ok((told, batch)) = hearing.next(HEARTBEAT).await {
            if told.is_empty() && batch.end.is_none() {
                yield Event::comment("");
            }
            for (position, event) in told {
                let name = event["event"].as_str().unwrap_or_default().to_owned();
                let id = services.cursor_at(position).to_string();
                yield Event::data(event["data"].to_string()).event(name).id(id);
            }
            if batch.end.is_some() {
                return;
            }
        }
    })
}
