//! `/api/admin/chats`.

use rocket::{Route, delete, get, routes};

use super::{Admin, ChatServices, Id, Reply, RouteResult, before, ok, wire};
use crate::{
    chat::administration,
    dialect::messenger::wire::StatusOk,
    http::{Query, feed},
    model::{ChatId, MessageId},
};

/// What is mounted.
pub(super) fn routes() -> Vec<Route> {
    routes![list, one, delete_chat, take_down]
}

/// `GET /api/admin/chats`: the newest first, those whose titles begin with `query`.
#[get("/api/admin/chats")]
async fn list(
    services: &ChatServices,
    admin: Admin,
    query: &Query,
) -> RouteResult<Reply<wire::Chats>> {
    let prefix = query.text("query")?.unwrap_or_default();
    let (before, limit) = (before(query, ChatId::new)?, feed::limit(query)?);
    let found = administration::chats(services, &admin.0, prefix, before, limit).await?;
    Ok(Reply::ok(wire::Chats {
        chats: found.0.iter().map(Into::into).collect(),
        has_more: found.1,
    }))
}

/// `GET /api/admin/chats/{id}`: with its members, and without what is said there.
#[get("/api/admin/chats/<chat>")]
async fn one(
    services: &ChatServices,
    admin: Admin,
    chat: Id<ChatId>,
) -> RouteResult<Reply<wire::ChatWire>> {
    let details = administration::chat(services, &admin.0, chat.0).await?;
    Ok(Reply::ok((&details).into()))
}

/// `DELETE /api/admin/chats/{id}`.
#[delete("/api/admin/chats/<chat>")]
async fn delete_chat(
    services: &ChatServices,
    admin: Admin,
    chat: Id<ChatId>,
) -> RouteResult<Reply<StatusOk>> {
    administration::delete_chat(services, &admin.0, chat.0).await?;
    Ok(ok())
}

/// `DELETE /api/admin/chats/{id}/messages/{message}`: takes the message down.
#[delete("/api/admin/chats/<chat>/messages/<message>")]
async fn take_down(
    services: &ChatServices,
    admin: Admin,
    chat: Id<ChatId>,
    message: Id<MessageId>,
) -> RouteResult<Reply<StatusOk>> {
    administration::take_down(services, &admin.0, chat.0, message.0).await?;
    Ok(ok())
}
