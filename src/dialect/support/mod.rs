//! Live support for a web site: guests ask, owners answer.
//!
//! # Why
//! Two documents describe this API, a year apart and nearly the same. Replies hold what both of their
//! servers sent; only the pushed message differs so much that an operator has to choose
//! ([`Options::support_push_v1`]). Their server told every message to everybody who was connected:
//! here a message is for its guest and for the owners of the site.
//!
//! A token comes with each event. Whoever shows one is from then on told what its holder is told, as
//! long as the token lives: an owner's several tabs, or two guests on one socket, are nothing special.

mod act;
mod argument;
mod deeds;
mod events;
pub mod routes;
pub mod wire;

use serde_json::Value;

use crate::{
    dialect::{Answer, Boxed, Dialect, Emission, Options, Speaker, number::SUPPORT},
    error::{Error, Result},
    model::{Audience, Change, DeskStatus, PersonKind, Signal, TenantId, What},
};

use deeds::Deeds;

/// The dialect.
pub struct Support;

impl Dialect for Support {
    fn name(&self) -> &'static str {
        "support"
    }

    fn events(&self) -> &'static [&'static str] {
        &events::NAMES
    }

    fn takes(&self, event: &str, argument: Option<&Value>) -> bool {
        match event {
            // Others have these too; here they name a chat as this API does.
            "typing" | "seen" => argument.is_some_and(|it| it.get("chatId").is_some()),
            _ => events::NAMES.contains(&event),
        }
    }

    fn welcome<'a>(&'a self, speaker: &'a mut Speaker) -> Boxed<'a, Result<()>> {
        Box::pin(act::welcome(speaker))
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
        act::refuse(event, error)
    }

    fn hears(&self, speaker: &Speaker, change: &Change) -> bool {
        let own = speaker.has_sent(change.position)
            || speaker
                .remembered::<Deeds>(SUPPORT)
                .is_some_and(|deeds| deeds.covers(change));
        if change.audience != Audience::Desk || own {
            return false;
        }
        match &change.what {
            What::Message(_) | What::Read(_) => is_at_desk(speaker, change.tenant),
            What::Desk(chat, _) => match chat.status {
                Some(DeskStatus::Waiting) => runs_desk(speaker, change.tenant),
                Some(DeskStatus::Closed) => is_at_desk(speaker, change.tenant),
                Some(DeskStatus::Active) | None => false,
            },
            What::Edited(_) | What::Deleted(_) | What::Chat(_) | What::Joined(_) | What::Left => {
                false
            }
        }
    }

    fn announce(&self, change: &Change) -> Vec<Emission> {
        events::announce(change, wire::Push::Second)
    }

    fn announce_by(&self, options: &Options, change: &Change) -> Vec<Emission> {
        let push = if options.support_push_v1 {
            wire::Push::First
        } else {
            wire::Push::Second
        };
        events::announce(change, push)
    }

    fn hears_signal(&self, speaker: &Speaker, signal: &Signal) -> bool {
        signal.desk && signal.origin != Some(speaker.number) && is_at_desk(speaker, signal.tenant)
    }

    fn announce_signal(&self, signal: &Signal) -> Vec<Emission> {
        events::announce_signal(signal)
    }
}

/// Whether the speaker acts for somebody at a site's desk, on either side of it. Which chats reach a
/// guest is decided before: those they are in.
fn is_at_desk(speaker: &Speaker, tenant: TenantId) -> bool {
    acts_for(speaker, tenant, |kind| {
        matches!(kind, PersonKind::Owner | PersonKind::Guest)
    })
}

/// Whether the speaker acts for somebody who runs a site's desk.
fn runs_desk(speaker: &Speaker, tenant: TenantId) -> bool {
    acts_for(speaker, tenant, |kind| kind == PersonKind::Owner)
}

fn acts_for(speaker: &Speaker, tenant: TenantId, as_who: impl Fn(PersonKind) -> bool) -> bool {
    speaker.acting().iter().any(|acting| {
        let caller = &acting.caller;
        acting.hears_in(SUPPORT)
            && caller.tenant() == tenant
            && as_who(caller.person().kind)
            && !caller.is_gone()
    })
}
