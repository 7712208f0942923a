//! The service dialect: chat for any application, whose server registers its users and rooms.
//!
//! # Why
//! An app is a tenant, and its uuid is its secret: whoever holds it is the app's server. Devices
//! connect with tokens that the app's own system issued; of those only hashes are kept, and where the
//! app names an address its system is asked whether a token is still good.
//!
//! The document's server let a socket be in one room at a time and told everybody in it who else
//! was. Who is *in* a room here is the chat's membership, as everywhere; who is *present* is the
//! connections that have joined it, and only those hear it in this dialect.

mod act;
pub mod events;
pub mod routes;
pub mod wire;

use serde_json::Value;

use crate::{
    dialect::{Answer, Boxed, Dialect, Emission, Speaker},
    error::{Error, Result},
    model::{Change, ChatId, Signal},
};

/// See the module.
pub struct Service;

impl Dialect for Service {
    fn name(&self) -> &'static str {
        "service"
    }

    fn events(&self) -> &'static [&'static str] {
        &events::NAMES
    }

    fn takes(&self, event: &str, argument: Option<&Value>) -> bool {
        events::takes(event, argument)
    }

    fn welcome<'a>(&'a self, speaker: &'a mut Speaker) -> Boxed<'a, Result<()>> {
        Box::pin(act::welcome(speaker))
    }

    fn enter<'a>(&'a self, speaker: &'a mut Speaker, room: &'a str) -> Boxed<'a, Result<()>> {
        Box::pin(act::enter(speaker, room))
    }

    fn entered(&self, speaker: &Speaker) -> Vec<ChatId> {
        act::entered(speaker)
    }

    fn come_back<'a>(
        &'a self,
        speaker: &'a mut Speaker,
        entered: &'a [ChatId],
    ) -> Boxed<'a, Result<()>> {
        Box::pin(act::come_back(speaker, entered))
    }

    fn arrived(&self, speaker: &mut Speaker) {
        act::arrived(speaker);
    }

    fn handle<'a>(
        &'a self,
        speaker: &'a mut Speaker,
        event: &'a str,
        arguments: &'a [Value],
    ) -> Boxed<'a, Answer> {
        Box::pin(act::handle(speaker, event, arguments))
    }

    fn refuse(&self, _event: &str, error: &Error) -> Answer {
        events::refuse(error)
    }

    fn notice(&self, speaker: &mut Speaker, change: &Change) {
        act::notice(speaker, change);
    }

    fn hears(&self, speaker: &Speaker, change: &Change) -> bool {
        act::hears(speaker, change)
    }

    fn announce(&self, change: &Change) -> Vec<Emission> {
        events::announce(change)
    }

    fn hears_signal(&self, speaker: &Speaker, signal: &Signal) -> bool {
        act::is_present(speaker, signal.chat)
    }

    fn announce_signal(&self, signal: &Signal) -> Vec<Emission> {
        events::announce_signal(signal)
    }

    fn farewell<'a>(&'a self, speaker: &'a mut Speaker) -> Boxed<'a, ()> {
        Box::pin(async { act::farewell(speaker) })
    }
}
