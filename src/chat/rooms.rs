//! Rooms: private chats that a tenant's server names, makes and fills.

use std::{collections::HashSet, sync::Arc};

use crate::{
    chat::{
        Services,
        callers::KeyHolder,
        members,
        writer::{ChatAction, CreateDraft, Right},
    },
    error::{Error, Kind, Result},
    model::{Chat, ChatId, ChatKind, Person, TenantId, Title},
};

/// What chats are called that have no name of their own: this and their number.
const UNNAMED: &str = "chat-";

/// In rooms of more people, reading who they are takes turns.
const CROWD: i64 = 200;

/// A chat and the people in it.
#[derive(Debug)]
pub struct Room {
    /// The chat.
    pub chat: Chat,
    /// Who is in it.
    pub people: Vec<Person>,
}

/// Why a room cannot be made or changed.
#[derive(Debug)]
pub enum RoomError {
    /// Another room has that name.
    NameTaken(Error),
    /// These are not registered.
    UnknownUsers(Vec<String>),
    /// Anything else.
    Other(Error),
}

impl From<Error> for RoomError {
    fn from(error: Error) -> Self {
        Self::Other(error)
    }
}

/// What a chat is called as a room.
pub fn name_of(chat: &Chat) -> String {
    chat.room
        .clone()
        .unwrap_or_else(|| format!("{UNNAMED}{}", chat.id))
}

/// Makes a room with these people, named as the tenant calls them.
pub async fn create(
    services: &Services,
    tenant: &KeyHolder,
    room: &Title,
    extra: Option<String>,
    users: &[String],
) -> Result<Room, RoomError> {
    let number = room.as_str().strip_prefix(UNNAMED);
    if number.is_some_and(|number| number.parse::<ChatId>().is_ok()) {
        let sentence = "chat- and a number names a chat that was not made as a room";
        return Err(Error::conflict(sentence).into());
    }
    let people = registered(services, tenant, users).await?;
    let Some(created_by) = people.first().cloned() else {
        return Err(Error::invalid_field("users", "users must not be empty").into());
    };
    let draft = CreateDraft {
        title: Some(room.clone()),
        room: Some(room.as_str().to_owned()),
        extra,
        members: people,
        ..CreateDraft::new(&created_by, ChatKind::Private)
    };
    let made = services
        .writer
        .create(draft)
        .await
        .map_err(|error| match error.kind() {
            Kind::Conflict => RoomError::NameTaken(error),
            _ => RoomError::Other(error),
        })?;
    Ok(with_people(
        services,
        find_by_id(services, tenant.tenant().id, made.chat).await?,
    )
    .await?)
}

/// The chats of the tenant, those after one.
pub async fn list(services: &Services, tenant: &KeyHolder, after: ChatId) -> Result<Vec<Chat>> {
    let tenant = tenant.tenant().id;
    let _turn = services.lists.take(tenant).await?;
    services.store.chats_of(tenant, after).await
}

/// The chat that is called so, and who is in it.
pub async fn find(services: &Services, tenant: &KeyHolder, room: &str) -> Result<Room> {
    let chat = find_named(services, tenant.tenant().id, room).await?;
    with_people(services, chat).await
}

/// The chat of a tenant that is called so.
pub async fn find_named(services: &Services, tenant: TenantId, room: &str) -> Result<Chat> {
    if let Some(chat) = services.store.room(tenant, room).await? {
        return Ok(chat);
    }
    let id = room.strip_prefix(UNNAMED).and_then(|id| id.parse().ok());
    let chat = match id {
        Some(id) => find_by_id(services, tenant, id).await?,
        None => return Err(missing()),
    };
    // A chat that has a name goes by that name alone.
    if chat.room.is_some() {
        return Err(missing());
    }
    Ok(chat)
}

async fn find_by_id(services: &Services, tenant: TenantId, id: ChatId) -> Result<Chat> {
    let chat = services.store.chat_of(tenant, id).await?;
    chat.ok_or_else(missing)
}

/// The people in a chat.
pub async fn with_people(services: &Services, chat: Chat) -> Result<Room> {
    let _turn = if chat.members > CROWD {
        Some(services.lists.take(chat.tenant).await?)
    } else {
        None
    };
    let people = services.store.members(chat.tenant, chat.id).await?;
    Ok(Room { chat, people })
}

/// Makes people members, named as the tenant calls them.
pub async fn add(
    services: &Services,
    tenant: &KeyHolder,
    room: &str,
    users: &[String],
) -> Result<(), RoomError> {
    let (change, people) = change_of(services, tenant, room, users).await?;
    Ok(members::add_found(services, &change, &people).await?)
}

/// Ends people's membership.
pub async fn remove(
    services: &Services,
    tenant: &KeyHolder,
    room: &str,
    users: &[String],
) -> Result<(), RoomError> {
    let (change, people) = change_of(services, tenant, room, users).await?;
    Ok(members::remove_found(services, &change, &people).await?)
}

/// Deletes a room.
pub async fn delete(services: &Services, tenant: &KeyHolder, id: ChatId) -> Result<Chat> {
    let chat = find_by_id(services, tenant.tenant().id, id).await?;
    let change = change_by_tenant(services, &chat).await?;
    change.act(services, ChatAction::DeleteChat).await?;
    let now = services.clock.now();
    Ok(Chat {
        deleted_at: Some(now),
        updated_at: now,
        ..chat
    })
}

/// These people of a tenant, by what its server calls them; counted as so many requests.
async fn registered(
    services: &Services,
    tenant: &KeyHolder,
    users: &[String],
) -> Result<Vec<Arc<Person>>, RoomError> {
    let tenant = tenant.tenant().id;
    members::count_for_tenant(services, tenant, users.len())?;
    let people = services.store.registered_among(tenant, users).await?;
    if people.len() < users.len() {
        let known: HashSet<_> = people
            .iter()
            .filter_map(|p| p.external_id.as_deref())
            .collect();
        let unknown = users.iter().filter(|user| !known.contains(user.as_str()));
        return Err(RoomError::UnknownUsers(unknown.cloned().collect()));
    }
    Ok(people.into_iter().map(Arc::new).collect())
}

/// The change of a room's members that a tenant asks for, and the people whom it is about.
async fn change_of(
    services: &Services,
    tenant: &KeyHolder,
    room: &str,
    users: &[String],
) -> Result<(members::Change, Vec<Arc<Person>>), RoomError> {
    let chat = find_named(services, tenant.tenant().id, room).await?;
    let people = registered(services, tenant, users).await?;
    let change = change_by_tenant(services, &chat).await?;
    Ok((change, people))
}

/// The actor of what a tenant changes by its right is the person who made the chat.
async fn change_by_tenant(services: &Services, chat: &Chat) -> Result<members::Change> {
    let created_by = services
        .store
        .former_person(chat.tenant, chat.created_by)
        .await?
        .ok_or_else(|| Error::internal("a chat whose maker was never there"))?;
    Ok(members::Change {
        actor: Arc::new(created_by),
        right: Right::Tenant,
        chat: chat.id,
    })
}

fn missing() -> Error {
    Error::not_found("there is no such room")
}
