//! The service dialect: chat for any application, whose server registers its users and rooms.
//!
//! # Why
//! An app is a tenant, and its uuid is its secret: a client that shows it is the app's server. Devices
//! connect with tokens that the app's own system issued; of those only hashes are kept, and where the
//! app names an address its system is asked whether a token is still good.
//!
//! The document's server let a socket be in one room at a time and told everybody in it who else
//! was. Who is *in* a room here is the chat's membership, as everywhere; who is *present* is the
//! connections that have joined it, and only those receive its events in this dialect.

pub mod events;
mod handlers;
pub mod routes;
mod table;
pub mod wire;

use serde_json::Value;

use crate::{
    chat::{Services, bus::Movement},
    dialect::{
        Boxed, ClientSession, Dialect, DialectId, DialectInfo, EventApi, EventReply, Handled,
        OutgoingEvent,
    },
    error::{Error, Result},
    model::{Change, ChatId, Signal, SignalKind, WebhookKind},
};

/// See the module.
pub struct Service;

/// The dialect's id.
const ID: DialectId = DialectId::new(2);

impl DialectInfo for Service {
    const ID: DialectId = ID;
    const NAME: &'static str = "service";
}

impl Dialect for Service {
    fn described(&self) -> &'static EventApi {
        &table::API
    }

    fn routes(&self) -> Vec<rocket::Route> {
        routes::all()
    }

    fn matches(&self, event: &str, argument: Option<&Value>) -> bool {
        events::matches(event, argument)
    }

    fn on_connect<'a>(&'a self, session: &'a mut ClientSession) -> Boxed<'a, Result<()>> {
        Box::pin(handlers::on_connect(session))
    }

    fn enter<'a>(&'a self, session: &'a mut ClientSession, room: &'a str) -> Boxed<'a, Result<()>> {
        Box::pin(handlers::enter(session, room))
    }

    fn entered(&self, session: &ClientSession) -> Vec<ChatId> {
        handlers::entered(session)
    }

    fn on_resume<'a>(
        &'a self,
        session: &'a mut ClientSession,
        entered: &'a [ChatId],
    ) -> Boxed<'a, Result<()>> {
        Box::pin(handlers::on_resume(session, entered))
    }

    fn on_ready(&self, session: &mut ClientSession) {
        handlers::on_ready(session);
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
        event == "send_message"
    }

    fn refuse(&self, _event: &str, error: &Error) -> EventReply {
        events::refuse(error)
    }

    fn on_change(&self, session: &mut ClientSession, change: &Change) {
        handlers::on_change(session, change);
    }

    fn should_deliver(&self, session: &ClientSession, change: &Change) -> bool {
        handlers::should_deliver(session, change)
    }

    fn tells(&self, kind: WebhookKind) -> bool {
        events::tells(kind)
    }

    fn encode_change(&self, change: &Change) -> Vec<OutgoingEvent> {
        events::encode_change(change)
    }

    fn should_deliver_signal(&self, session: &ClientSession, signal: &Signal) -> bool {
        match &signal.kind {
            SignalKind::Typing(typing) => handlers::is_present(session, typing.chat),
            SignalKind::Presence(_) => false,
        }
    }

    fn encode_signal(&self, signal: &Signal) -> Vec<OutgoingEvent> {
        events::encode_signal(signal)
    }

    fn encode_movement(
        &self,
        services: &Services,
        movement: &Movement,
    ) -> Option<(String, Vec<OutgoingEvent>)> {
        handlers::encode_movement(services, movement)
    }

    fn on_disconnect<'a>(&'a self, session: &'a mut ClientSession) -> Boxed<'a, ()> {
        Box::pin(async { handlers::on_disconnect(session) })
    }
}
