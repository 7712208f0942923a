//! The embed dialect: chat inside another product, over Socket.IO events.
//!
//! # Why
//! The document has five events and says nothing of who may send them. So a client is one of three: a
//! tenant's server with the tenant's key, which acts for all its users; a user who is signed in, who acts
//! for themselves; or, where the operator allows it, a client without credentials, in a tenant for all of
//! them. A socket acts for the users it has created or fetched, and receives the events of all their chats.
//!
//! A message comes back to its sender as the event that all members receive, not as a reply of its own:
//! the document shows one event, and a client that shows what it receives shows it once.
//!
//! The document's server also told each message as `/chat/<chatId>/new-message`, its twin. Two events for
//! everybody cost twice, so only those connections receive the twin that ask for it.

pub mod events;
mod handlers;
mod texts;
pub mod wire;

use serde_json::Value;

use crate::{
    dialect::{
        Boxed, ClientSession, Dialect, DialectId, DialectInfo, EventApi, EventReply, Handled,
        OutgoingEvent,
    },
    error::{Error, Result},
    model::{Change, ChatId, Signal, SignalKind, WebhookKind},
};

/// See the module.
pub struct Embed;

/// The dialect's id.
const ID: DialectId = DialectId::new(0);

impl DialectInfo for Embed {
    const ID: DialectId = ID;
    const NAME: &'static str = "embed";
}

impl Dialect for Embed {
    fn described(&self) -> &'static EventApi {
        &events::API
    }

    fn matches(&self, event: &str, argument: Option<&Value>) -> bool {
        events::matches(event, argument)
    }

    fn handle<'a>(
        &'a self,
        session: &'a mut ClientSession,
        event: &'a str,
        arguments: &'a [Value],
    ) -> Boxed<'a, Result<Handled>> {
        Box::pin(handlers::handle(session, event, arguments.first()))
    }

    fn is_message(&self, event: &str) -> bool {
        events::counted_as(event) == "new-message"
    }

    fn event_name<'a>(&self, event: &'a str) -> &'a str {
        events::counted_as(event)
    }

    fn refuse(&self, event: &str, error: &Error) -> EventReply {
        events::refuse(event, error)
    }

    fn should_deliver(&self, session: &ClientSession, change: &Change) -> bool {
        handlers::should_deliver(session, change)
    }

    fn entered(&self, session: &ClientSession) -> Vec<ChatId> {
        handlers::entered(session)
    }

    fn on_resume<'a>(
        &'a self,
        session: &'a mut ClientSession,
        entered: &'a [ChatId],
    ) -> Boxed<'a, Result<()>> {
        Box::pin(async {
            handlers::on_resume(session, entered);
            Ok(())
        })
    }

    fn tells(&self, kind: WebhookKind) -> bool {
        events::tells(kind)
    }

    fn encode_change(&self, change: &Change) -> Vec<OutgoingEvent> {
        events::encode_change(change)
    }

    fn encode_aliases(&self, change: &Change) -> Vec<OutgoingEvent> {
        events::encode_twin(change)
    }

    fn wants_aliases(&self, session: &ClientSession) -> bool {
        handlers::wants_twin(session)
    }

    fn should_deliver_signal(&self, session: &ClientSession, signal: &Signal) -> bool {
        match signal.kind {
            SignalKind::Typing(_) => !session.is_own_signal(signal),
            SignalKind::Presence(_) => false,
        }
    }

    fn encode_signal(&self, signal: &Signal) -> Vec<OutgoingEvent> {
        events::encode_signal(signal)
    }
}
