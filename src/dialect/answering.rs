//! Answers events: counts each, logs what went wrong, and waits for what is under way.

use std::sync::Arc;

use serde_json::Value;
use tracing::{Instrument, Span, field::Empty};

use super::{ClientSession, DialectEntry, EventReply, Handled, Options};
use crate::{
    chat::messages::{Sent, UnderWay},
    error::{Error, Result},
    telemetry::{EventMetrics, log_failure},
};

/// An event that was begun. What it does to its session is done but for the answer.
pub struct Begun {
    dialect: DialectEntry,
    options: Arc<Options>,
    event: String,
    span: Span,
    handled: Result<Handled>,
    sent: Option<Result<Sent>>,
}

impl Begun {
    /// The message that it waits for, if it sends one.
    pub fn message(&self) -> Option<&UnderWay> {
        match &self.handled {
            Ok(Handled::Sending(sending)) => Some(&sending.message),
            Ok(Handled::Answered(_)) | Err(_) => None,
        }
    }

    /// The message that it has sent, after [`Begun::outcome`].
    pub fn sent(&self) -> Option<&Sent> {
        self.sent.as_ref()?.as_ref().ok()
    }

    /// Waits until it can be answered.
    pub async fn outcome(&mut self) {
        if let Ok(Handled::Sending(sending)) = &mut self.handled {
            let outcome = sending.message.outcome().instrument(self.span.clone());
            self.sent = Some(outcome.await);
        }
    }

    /// Answers it, after [`Begun::outcome`].
    pub fn answer(self, session: &mut ClientSession) -> EventReply {
        let _entered = self.span.enter();
        let outcome = match (self.handled, self.sent) {
            (Ok(Handled::Answered(reply)), _) => Ok(reply),
            (Ok(Handled::Sending(sending)), Some(sent)) => (sending.answer)(session, sent),
            (Ok(Handled::Sending(_)), None) => Err(Error::internal("a message without an outcome")),
            (Err(error), _) => Err(error),
        };
        let reply = outcome.unwrap_or_else(|error| {
            log_failure(&error);
            self.dialect.refuse(&self.event, &error)
        });
        count(self.dialect, &self.options, &self.event, &reply);
        reply
    }
}

/// Begins an event, in a span of its own.
pub async fn begin(
    dialect: DialectEntry,
    session: &mut ClientSession,
    event: &str,
    arguments: &[Value],
) -> Begun {
    let options = Arc::clone(&session.options);
    let span = tracing::error_span!(
        "event",
        dialect = dialect.name(),
        event = metrics(dialect, &options, event).map(EventMetrics::name),
        connection = session.is_subscriber().then_some(session.number),
        caller = Empty,
    );
    if let [identity] = session.identities() {
        span.record("caller", identity.caller.id().get());
    }
    let handled = async {
        // A plain HTTP request was counted before, and its sender when they were authenticated.
        if session.is_subscriber() {
            session.count()?;
        }
        // A connection was authenticated when it began.
        session.services.prove_up_to_date().await?;
        session.require(dialect.scope(event))?;
        dialect.handle(session, event, arguments).await
    };
    let handled = handled.instrument(span.clone()).await;
    Begun {
        dialect,
        options,
        event: event.to_owned(),
        span,
        handled,
        sent: None,
    }
}

/// Answers an event.
pub async fn answer(
    dialect: DialectEntry,
    session: &mut ClientSession,
    event: &str,
    arguments: &[Value],
) -> EventReply {
    let mut begun = begin(dialect, session, event, arguments).await;
    begun.outcome().await;
    begun.answer(session)
}

/// The answer to an event that cannot be handled: counted and logged as those that are.
pub fn refuse(dialect: DialectEntry, options: &Options, event: &str, error: &Error) -> EventReply {
    log_failure(error);
    let reply = dialect.refuse(event, error);
    count(dialect, options, event, &reply);
    reply
}

fn metrics<'o>(
    dialect: DialectEntry,
    options: &'o Options,
    event: &str,
) -> Option<&'o EventMetrics> {
    let metrics = options.metrics.of(dialect)?;
    metrics.event(dialect.event_name(event))
}

fn count(dialect: DialectEntry, options: &Options, event: &str, reply: &EventReply) {
    if let Some(metrics) = metrics(dialect, options, event) {
        metrics.answered(reply.status);
    }
}
