//! The embed dialect: chat inside another product, over Socket.IO events.
//!
//! # Why
//! The document has five events and says nothing of who may send them. So whoever connects is one of
//! three: a tenant's server with the tenant's key, which speaks for all its users; somebody signed
//! in, who speaks for themselves; or, where the operator lets them, anybody, in a tenant of their
//! own. A socket acts for the users it has created or fetched, and hears all their chats.
//!
//! A message comes back to its sender as the event that everybody hears, not as a reply of its own:
//! the document shows one event, and a client that shows what it hears shows it once.

mod act;
pub mod events;
pub mod wire;

use serde_json::Value;

use crate::{
    dialect::{Answer, Boxed, Dialect, Emission, Speaker},
    error::Error,
    model::{Change, Sign, Signal},
};

/// See the module.
pub struct Embed;

impl Dialect for Embed {
    fn name(&self) -> &'static str {
        "embed"
    }

    fn events(&self) -> &'static [&'static str] {
        &events::NAMES
    }

    fn takes(&self, event: &str, argument: Option<&Value>) -> bool {
        events::takes(event, argument)
    }

    fn handle<'a>(
        &'a self,
        speaker: &'a mut Speaker,
        event: &'a str,
        arguments: &'a [Value],
    ) -> Boxed<'a, Answer> {
        Box::pin(act::handle(speaker, event, arguments.first()))
    }

    fn refuse(&self, event: &str, error: &Error) -> Answer {
        events::refuse(event, error)
    }

    fn hears(&self, speaker: &Speaker, change: &Change) -> bool {
        act::hears(speaker, change)
    }

    fn announce(&self, change: &Change) -> Vec<Emission> {
        events::announce(change)
    }

    fn hears_signal(&self, speaker: &Speaker, signal: &Signal) -> bool {
        match signal.sign {
            Sign::Typing(..) => signal.origin != Some(speaker.number),
        }
    }

    fn announce_signal(&self, signal: &Signal) -> Vec<Emission> {
        events::announce_signal(signal)
    }
}
