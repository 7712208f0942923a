//! Signals: told to whoever listens just now, and never stored.

use std::sync::Arc;

use crate::{
    chat::{Caller, Services, access::Reader},
    error::{Error, Result},
    model::{ChatKind, Sign, Signal, Standing},
};

/// Tells that the caller types in a chat, or has stopped. `value` is what was sent, in JSON, and
/// `origin` the connection it came by.
pub fn typing(
    services: &Services,
    caller: &Caller,
    reader: &Reader,
    (typing, value): (bool, String),
    origin: Option<u64>,
) -> Result<()> {
    let chat = reader.chat();
    let is_in = reader
        .membership()
        .is_some_and(|place| place.standing == Standing::In);
    let desk = chat.kind == ChatKind::Desk;
    let may = is_in || (desk && caller.person().runs_desk());
    if !may {
        return Err(Error::forbidden("join the chat first"));
    }
    services.hub.signal(Signal {
        tenant: chat.tenant,
        chat: chat.id,
        desk,
        actor: Arc::clone(caller.person()),
        origin,
        sign: Sign::Typing(typing, value),
    });
    Ok(())
}
