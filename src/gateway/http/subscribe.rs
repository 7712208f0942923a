//! Events of all dialects by plain HTTP: by long-poll or as a stream.

use std::{sync::Arc, time::Duration};

use rocket::{State, get};

use super::{NamedDialect, NoTransport, RequestCredentials};
use crate::{
    chat::{Caller, Services, callers, change_feed::ChangeFeed, change_filter::ChangeFilter},
    config::Settings,
    dialect::{ClientSession, DialectEntry, Options, messenger::events::AllEvents},
    error::{Error, Result},
    gateway::encodings::{self, EncodedText},
    http::{
        ApiError, Fields, Query,
        feed::{self, Ask, Feed},
        long_poll::LongPoll,
        sse::{Sse, WantsStream},
    },
    model::PersonId,
    pubsub::{EventFormat, EventText, Published, PublishedSignal},
};

/// How long a poll waits by default.
const TIMEOUT: Duration = Duration::from_secs(25);

/// `GET /api/events`: waits for new events.
#[get("/api/events", rank = 2)]
pub(super) async fn poll(
    services: &State<Arc<Services>>,
    options: &State<Arc<Options>>,
    settings: &State<Settings>,
    query: &Query,
    credentials: RequestCredentials,
) -> std::result::Result<LongPoll, ApiError> {
    let ask = Ask::read(query, settings, TIMEOUT)?;
    let whose = (services.inner(), options.inner(), credentials);
    let mut feed = Box::pin(subscribe(whose, query, &ask)).await?;
    if let (Some(name), false) = (ask.name, ask.timeout.is_zero()) {
        feed.watch.admit(Some(name))?;
    }
    LongPoll::answer(feed, ask.timeout).await
}

/// `GET /api/events` with `Accept: text/event-stream`.
#[get("/api/events", rank = 1)]
pub(super) async fn stream(
    services: &State<Arc<Services>>,
    options: &State<Arc<Options>>,
    settings: &State<Settings>,
    wants: WantsStream,
    query: &Query,
    credentials: RequestCredentials,
) -> std::result::Result<Sse, ApiError> {
    let mut ask = Ask::read(query, settings, TIMEOUT)?;
    ask.after = wants.after(ask.after);
    let whose = (services.inner(), options.inner(), credentials);
    let mut feed = Box::pin(subscribe(whose, query, &ask)).await?;
    feed.watch.admit(ask.name)?;
    Ok(Sse::of(feed))
}

/// The services, the options, and the credentials of a request.
type Whose<'a> = (&'a Arc<Services>, &'a Arc<Options>, RequestCredentials);

/// Authenticates a request, and subscribes to the events of its person.
async fn subscribe(
    (services, options, credentials): Whose<'_>,
    query: &Fields,
    ask: &Ask<'_>,
) -> std::result::Result<Feed, ApiError> {
    services.refuse_when_closing()?;
    let dialect = match NamedDialect::read(query, options)? {
        NamedDialect::None | NamedDialect::RoutesOnly => None,
        NamedDialect::EventStyle(dialect) => Some(dialect),
    };
    let wanted = query.text("types")?.map_or(Ok(ChangeFilter::ALL), filter)?;
    let mut session = ClientSession::new(
        Arc::clone(services),
        Arc::clone(options),
        credentials.0,
        Arc::new(NoTransport),
        (0, None),
    );
    if let Some(dialect) = dialect {
        dialect.on_connect(&mut session).await?;
    }
    let caller = subscriber_of(&mut session, query).await?;
    let wanted = match dialect {
        Some(dialect) if !dialect.tells_presence() => wanted.without_presence(),
        Some(_) | None => wanted,
    };
    let after = feed::place(services, caller.tenant(), ask.after);
    let watch = ChangeFeed::person(services, &caller, wanted, after)
        .await
        .map_err(|error| feed::with_fresh_cursor(services, caller.tenant(), error))?;
    let Some(dialect) = dialect else {
        return Ok(Feed::new(
            services,
            watch,
            AllEvents {
                reader: caller.id(),
            },
            (ask.limit, &options.metrics.messenger),
        ));
    };
    session.act_as(dialect.id(), &caller).await?;
    if let Some(room) = query.text("room")? {
        dialect.enter(&mut session, room).await?;
    }
    let format = Announced { dialect, session };
    let metrics = options.metrics.of(dialect);
    let metrics = metrics.ok_or_else(|| Error::internal("a dialect is not counted"))?;
    Ok(Feed::new(services, watch, format, (ask.limit, metrics)))
}

/// Reads `types`: words for kinds of change, separated by commas.
fn filter(types: &str) -> Result<ChangeFilter> {
    ChangeFilter::of(types.split(',').map(str::trim)).ok_or_else(|| {
        let known = [&ChangeFilter::WORDS[..], &ChangeFilter::SIGNALS].concat();
        let sentence = format!("types must be a list of {}", known.join(", "));
        Error::invalid_field("types", sentence)
    })
}

/// The person of a subscription: `user` with a tenant's key, or else the holder of the token or cookies.
async fn subscriber_of(session: &mut ClientSession, query: &Fields) -> Result<Caller> {
    if let Some(holder) = session.key_holder().await? {
        let person = query.number("user")?.ok_or_else(|| {
            Error::invalid_field("user", "user must say which of the tenant's people listens")
        })?;
        return callers::by_key(&session.services, &holder, PersonId::new(person)).await;
    }
    if let Some(token) = session.credentials.token.clone() {
        return session.holder(&token).await;
    }
    let caller = session.cookie_holder().await?;
    caller.ok_or_else(Error::unauthenticated)
}

/// Formats the events of an event-style dialect that are for this session.
struct Announced {
    dialect: DialectEntry,
    session: ClientSession,
}

impl EventFormat for Announced {
    fn events<'p>(&self, published: &'p Published) -> Vec<EventText<'p>> {
        if !self
            .dialect
            .should_deliver(&self.session, &published.change)
        {
            return Vec::new();
        }
        let aliases = self.dialect.wants_aliases(&self.session);
        let encoded = encoded(self.dialect, &self.session.options, published, aliases);
        encoded.iter().map(text).collect()
    }

    fn signals<'p>(&self, signal: &'p PublishedSignal) -> Vec<EventText<'p>> {
        let dialect = self.dialect;
        if !dialect.should_deliver_signal(&self.session, &signal.signal) {
            return Vec::new();
        }
        let texts = &encodings::of_signal(signal, dialect.id()).texts;
        let texts = texts.get_or_init(|| encodings::texts(dialect.encode_signal(&signal.signal)));
        texts.iter().map(text).collect()
    }
}

fn text(event: &EncodedText) -> EventText<'_> {
    EventText {
        name: &event.name,
        data: &event.data,
        listed: &event.listed,
    }
}

/// A change's events in a dialect, encoded once for all long-polls and streams.
fn encoded<'p>(
    dialect: DialectEntry,
    options: &Options,
    published: &'p Published,
    aliases: bool,
) -> &'p [EncodedText] {
    let texts = &encodings::of_change(published, dialect.id(), aliases).texts;
    texts.get_or_init(|| {
        let outgoing = encodings::outgoing(dialect, options, &published.change, aliases);
        encodings::texts(outgoing)
    })
}
