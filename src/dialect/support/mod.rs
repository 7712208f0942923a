//! Live support for a web site: guests ask, owners answer.
//!
//! # Why
//! Two documents describe this API, a year apart and nearly the same. Replies hold what both of their
//! servers sent; only the pushed message differs so much that an operator has to choose
//! ([`Settings::support_push`](crate::config::Settings::support_push)). Their server told every message to everybody who was connected:
//! here a message is for its guest and for the owners of the site.
//!
//! A token comes with each event. A client that shows one receives from then on what its holder receives, as
//! long as the token lives: an owner's several tabs, or two guests on one socket, are nothing special.

mod argument;
mod events;
mod handlers;
pub mod routes;
mod table;
pub mod webhooks;
pub mod wire;

use serde_json::Value;

use crate::{
    config::SupportPush,
    dialect::{
        Boxed, ClientSession, Dialect, DialectId, DialectInfo, EventApi, EventReply, Handled,
        Options, OutgoingEvent, described,
    },
    error::{Error, Result},
    model::{
        Audience, Change, ChangeKind, ConversationStatus, PersonKind, Signal, SignalKind, TenantId,
        WebhookKind,
    },
};

/// The dialect.
pub struct Support;

/// The dialect's id.
const ID: DialectId = DialectId::new(1);

impl DialectInfo for Support {
    const ID: DialectId = ID;
    const NAME: &'static str = "support";
}

impl Dialect for Support {
    fn described(&self) -> &'static EventApi {
        &table::API
    }

    fn routes(&self) -> Vec<rocket::Route> {
        [routes::all(), webhooks::all()].concat()
    }

    fn matches(&self, event: &str, argument: Option<&Value>) -> bool {
        match event {
            // Others have these too; here they name a chat as this API does.
            "typing" | "seen" => argument.is_some_and(|it| it.get("chatId").is_some()),
            _ => described::has(table::API.events, event),
        }
    }

    fn on_connect<'a>(&'a self, session: &'a mut ClientSession) -> Boxed<'a, Result<()>> {
        Box::pin(handlers::on_connect(session))
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
        event == "newMessage"
    }

    fn refuse(&self, event: &str, error: &Error) -> EventReply {
        handlers::refuse(event, error)
    }

    fn should_deliver(&self, session: &ClientSession, change: &Change) -> bool {
        if change.audience != Audience::Agents || session.is_echo(ID, change) {
            return false;
        }
        match &change.what {
            ChangeKind::Message(_) | ChangeKind::Read(_) => {
                acts_for_guest_or_agent(session, change.tenant)
            }
            ChangeKind::Conversation(chat, _) => match chat.status {
                Some(ConversationStatus::Waiting) => is_agent(session, change.tenant),
                Some(ConversationStatus::Closed) => acts_for_guest_or_agent(session, change.tenant),
                Some(ConversationStatus::Active) | None => false,
            },
            ChangeKind::Edited(_)
            | ChangeKind::Deleted(_)
            | ChangeKind::Reaction(_)
            | ChangeKind::Chat(_)
            | ChangeKind::Joined(_)
            | ChangeKind::Role(_)
            | ChangeKind::Settings(_)
            | ChangeKind::Left
            | ChangeKind::Person(_) => false,
        }
    }

    fn tells(&self, kind: WebhookKind) -> bool {
        events::tells(kind)
    }

    fn encode_change(&self, change: &Change) -> Vec<OutgoingEvent> {
        events::encode_change(change, wire::Push::Second)
    }

    fn encode_change_with(&self, options: &Options, change: &Change) -> Vec<OutgoingEvent> {
        let push = match options.settings.support_push {
            SupportPush::V1 => wire::Push::First,
            SupportPush::V2 => wire::Push::Second,
        };
        events::encode_change(change, push)
    }

    fn should_deliver_signal(&self, session: &ClientSession, signal: &Signal) -> bool {
        match &signal.kind {
            SignalKind::Typing(typing) => {
                typing.to_agents
                    && !session.is_own_signal(signal)
                    && acts_for_guest_or_agent(session, signal.tenant)
            }
            SignalKind::Presence(_) => false,
        }
    }

    fn encode_signal(&self, signal: &Signal) -> Vec<OutgoingEvent> {
        events::encode_signal(signal)
    }
}

/// Whether the session acts for a guest or an agent of a site. Which chats reach a
/// guest is decided before: those they are in.
fn acts_for_guest_or_agent(session: &ClientSession, tenant: TenantId) -> bool {
    acts_for(session, tenant, |kind| {
        matches!(kind, PersonKind::Owner | PersonKind::Guest)
    })
}

/// Whether the session acts for an agent of a site.
fn is_agent(session: &ClientSession, tenant: TenantId) -> bool {
    acts_for(session, tenant, |kind| kind == PersonKind::Owner)
}

fn acts_for(
    session: &ClientSession,
    tenant: TenantId,
    as_who: impl Fn(PersonKind) -> bool,
) -> bool {
    session.identities().iter().any(|identity| {
        let caller = &identity.caller;
        identity.is_active_in(ID)
            && caller.tenant() == tenant
            && as_who(caller.person().kind)
            && !caller.is_gone()
    })
}
