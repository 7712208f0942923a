//! Who has read how far, and who types.

use rocket::{Route, get, post, routes};

use crate::{
    chat::{
        access, chats,
        signals::{self, Ends},
    },
    dialect::messenger::{
        routes::{ChatServices, Id, Reply, RouteResult, ok},
        wire,
    },
    http::{Fields, SignedIn},
    model::ChatId,
};

/// What is mounted.
pub(super) fn routes() -> Vec<Route> {
    routes![reads, typing]
}

/// `GET /api/chats/{id}/reads`.
#[get("/api/chats/<chat>/reads")]
pub(super) async fn reads(
    services: &ChatServices,
    caller: SignedIn,
    chat: Id<ChatId>,
) -> RouteResult<Reply<wire::Reads>> {
    let cursor = services.cursor(caller.tenant()).to_string();
    let marks = chats::reads(services, &caller, chat.0).await?;
    Ok(Reply::ok(wire::Reads {
        reads: marks.iter().map(wire::ReadMark::from).collect(),
        people: marks
            .iter()
            .map(|(person, _)| wire::PersonWire::from(person))
            .collect(),
        cursor,
    }))
}

/// `POST /api/chats/{id}/typing` typing: whether I type. It ends by itself, and with the login.
#[post("/api/chats/<chat>/typing", data = "<fields>")]
pub(super) async fn typing(
    services: &ChatServices,
    caller: SignedIn,
    chat: Id<ChatId>,
    fields: &Fields,
) -> RouteResult<Reply<wire::StatusOk>> {
    let typing = fields.flag("typing")?;
    let typing = typing.ok_or_else(|| fields.missing("typing"))?;
    let reader = access::reader(services, &caller, chat.0).await?;
    let told = (typing, typing.to_string());
    signals::typing(services, &caller, &reader, told, 0, Ends::AfterAWhile)?;
    Ok(ok())
}
