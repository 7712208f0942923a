//! Who is in a chat, and as what: the list, adding, promoting and removing.

use rocket::{Route, delete, get, patch, post, routes};

use crate::{
    chat::{
        access,
        members::{self, Authority},
    },
    dialect::{
        messenger::{
            routes::{ChatServices, Id, Reply, RouteResult, ok},
            wire,
        },
        page,
    },
    error::{Error, Kind, Result},
    http::{Fields, Query, SignedIn, feed},
    model::{ChatId, PersonId, Position, Role},
};

/// The most people that are added to a chat at once.
const MEMBERS: usize = 1_000;

/// What is mounted.
pub(super) fn routes() -> Vec<Route> {
    routes![list, add, set_role, remove]
}

/// `GET /api/chats/{id}/members`: who came last is first; `before` is a member's `joined_position`.
#[get("/api/chats/<chat>/members")]
pub(super) async fn list(
    services: &ChatServices,
    caller: SignedIn,
    chat: Id<ChatId>,
    query: &Query,
) -> RouteResult<Reply<wire::Members>> {
    let before = query.number("before")?.map(Position::new);
    let limit = feed::limit(query)?;
    let reader = access::reader(services, &caller, chat.0).await?;
    let listed = members::list(services, &reader, before, limit).await?;
    let (members, left) = page::fitting(listed.members.iter().map(wire::MemberWire::from));
    Ok(Reply::ok(wire::Members {
        members,
        has_more: listed.more || left,
        cursor: listed.cursor.to_string(),
    }))
}

/// `POST /api/chats/{id}/members` members.
#[post("/api/chats/<chat>/members", data = "<fields>")]
pub(super) async fn add(
    services: &ChatServices,
    caller: SignedIn,
    chat: Id<ChatId>,
    fields: &Fields,
) -> RouteResult<Reply<wire::StatusOk>> {
    let people = named(fields)?;
    if people.is_empty() {
        return Err(fields.missing("members").into());
    }
    // Whether the chat is theirs comes before who there is.
    access::reader(services, &caller, chat.0).await?;
    let added = members::add(services, &caller, Authority::Own, chat.0, &people).await;
    added.map_err(about_members)?;
    Ok(ok())
}

/// `PATCH /api/chats/{id}/members/{person}` role.
#[patch("/api/chats/<chat>/members/<person>", data = "<fields>")]
pub(super) async fn set_role(
    services: &ChatServices,
    caller: SignedIn,
    chat: Id<ChatId>,
    person: Id<PersonId>,
    fields: &Fields,
) -> RouteResult<Reply<wire::StatusOk>> {
    let role = Role::from_stored(fields.required_text("role")?);
    let role = role.ok_or_else(|| Error::invalid_field("role", "role must be admin or member"))?;
    members::set_role(services, &caller, Authority::Own, chat.0, (person.0, role)).await?;
    Ok(ok())
}

/// `DELETE /api/chats/{id}/members/{person}`: my own is leaving.
#[delete("/api/chats/<chat>/members/<person>")]
pub(super) async fn remove(
    services: &ChatServices,
    caller: SignedIn,
    chat: Id<ChatId>,
    person: Id<PersonId>,
) -> RouteResult<Reply<wire::StatusOk>> {
    members::remove(services, &caller, Authority::Own, chat.0, &[person.0]).await?;
    Ok(ok())
}

/// The people whom `members` names, each once.
pub(super) fn named(fields: &Fields) -> Result<Vec<PersonId>> {
    let mut members = Vec::new();
    for id in fields.numbers("members")?.into_iter().map(PersonId::new) {
        if !members.contains(&id) {
            members.push(id);
        }
        if members.len() > MEMBERS {
            let sentence = format!("members may name at most {MEMBERS}");
            return Err(Error::invalid_field("members", sentence));
        }
    }
    Ok(members)
}

/// A person who does not exist was named among the members; a chat that is gone meanwhile is another matter.
pub(super) fn about_members(error: Error) -> Error {
    match (error.kind(), error.field()) {
        (Kind::NotFound, Some(members::FIELD)) => {
            let sentence = format!("members must be people of yours: {}", error.text());
            Error::invalid_field("members", sentence).because(error)
        }
        _ => error,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_chat_that_is_gone_is_not_told_of_as_members_who_are_none() {
        let gone = about_members(Error::not_found("there is no such chat"));
        assert_eq!(gone.kind(), Kind::NotFound);
        let nobody = Error::not_found("there is no user 7").in_field(members::FIELD);
        let nobody = about_members(nobody);
        assert_eq!(nobody.kind(), Kind::Invalid);
        let sentence = "members must be people of yours: there is no user 7";
        assert_eq!(nobody.text(), sentence);
    }
}
