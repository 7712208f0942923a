//! Invitations: making them, taking them back, and coming by one.

use std::time::Duration;

use rocket::{Route, delete, get, post, request::FromParam, routes};

use crate::{
    chat::{
        access,
        accounts::Device,
        invites::{self, GOOD_FOR, LONGEST},
    },
    dialect::{
        messenger::{
            routes::{ChatServices, Id, Reply, RouteResult, ok},
            wire,
        },
        page,
    },
    error::{Error, Result},
    http::{Fields, Query, SignedIn, feed},
    model::{ChatId, InviteId, InviteKey},
};

/// The most people that one invitation is for, where it is for a number of them.
const USES: i64 = 10_000;

/// What is mounted.
pub(super) fn routes() -> Vec<Route> {
    routes![create, list, remove, find, accept]
}

/// `POST /api/chats/{id}/invites` expires, uses.
#[post("/api/chats/<chat>/invites", data = "<fields>")]
pub(super) async fn create(
    services: &ChatServices,
    caller: SignedIn,
    chat: Id<ChatId>,
    fields: &Fields,
) -> RouteResult<Reply<wire::IssuedInviteWire>> {
    let terms = (expires(fields)?, uses(fields)?);
    let issued = invites::create(services, &caller, chat.0, terms).await?;
    let (code, until) = (issued.code.expose(), issued.expires_at);
    Ok(Reply::ok(wire::IssuedInviteWire::new(
        code,
        until,
        issued.uses,
    )))
}

/// For how long an invitation is to be good, in whole seconds.
fn expires(fields: &Fields) -> Result<Duration> {
    let Some(seconds) = fields.seconds("expires")? else {
        return Ok(GOOD_FOR);
    };
    if seconds.is_zero() || seconds > LONGEST {
        let sentence = format!(
            "expires must be a number of seconds from 1 to {}",
            LONGEST.as_secs()
        );
        return Err(Error::invalid_field("expires", sentence));
    }
    Ok(seconds)
}

/// How many people are to come by an invitation; any number, where nobody says.
fn uses(fields: &Fields) -> Result<Option<i64>> {
    let uses = fields.number("uses")?;
    if uses.is_some_and(|uses| !(1..=USES).contains(&uses)) {
        let sentence = format!("uses must be a number from 1 to {USES}");
        return Err(Error::invalid_field("uses", sentence));
    }
    Ok(uses)
}

/// `GET /api/chats/{id}/invites`: those by which somebody may come, the latest first.
#[get("/api/chats/<chat>/invites")]
pub(super) async fn list(
    services: &ChatServices,
    caller: SignedIn,
    chat: Id<ChatId>,
    query: &Query,
) -> RouteResult<Reply<wire::Invites>> {
    let before = query.number("before")?.map(InviteId::new);
    let limit = feed::limit(query)?;
    let reader = access::reader(services, &caller, chat.0).await?;
    let (listed, more) = invites::list(services, &caller, &reader, (before, limit)).await?;
    let (invites, left) = page::fitting(listed.iter().map(wire::InviteWire::from));
    Ok(Reply::ok(wire::Invites {
        invites,
        has_more: more || left,
    }))
}

/// Which invitation a path names, by its number or its code; anything else is no such path.
pub(super) struct Which(InviteKey);

impl<'a> FromParam<'a> for Which {
    type Error = crate::model::ids::NotAnId;

    fn from_param(text: &'a str) -> std::result::Result<Self, Self::Error> {
        invites::key(text)
            .map(Self)
            .ok_or(crate::model::ids::NotAnId)
    }
}

/// `DELETE /api/chats/{id}/invites/{code}`, or its id.
#[delete("/api/chats/<chat>/invites/<invite>")]
pub(super) async fn remove(
    services: &ChatServices,
    caller: SignedIn,
    chat: Id<ChatId>,
    invite: Which,
) -> RouteResult<Reply<wire::StatusOk>> {
    invites::delete(services, &caller, chat.0, invite.0).await?;
    Ok(ok())
}

/// `GET /api/invites/{code}`: what one is invited to, for everybody who has the code.
#[get("/api/invites/<code>")]
pub(super) async fn find(
    services: &ChatServices,
    device: Device,
    code: &str,
) -> RouteResult<Reply<wire::InvitationWire>> {
    let invitation = invites::find(services, code, &device).await?;
    Ok(Reply::ok(wire::InvitationWire::from(&invitation)))
}

/// `POST /api/invites/{code}`: comes to be in the chat.
#[post("/api/invites/<code>")]
pub(super) async fn accept(
    services: &ChatServices,
    caller: SignedIn,
    device: Device,
    code: &str,
) -> RouteResult<Reply<wire::StatusOk>> {
    let chat = invites::accept(services, &caller, code, &device).await?;
    Ok(ok().header("Location", format!("/api/chats/{chat}")))
}
