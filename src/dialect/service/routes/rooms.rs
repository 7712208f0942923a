//! Rooms: an app's server makes them, fills them, and deletes them.

use rocket::{Route, delete, get, post, put, routes};
use serde_json::json;

use crate::{
    chat::{
        chats::MOST_AT_ONCE,
        rooms::{self, RoomError},
    },
    dialect::service::{
        routes::{
            self, Body, ChatServices, Failure, JsonReply, RequestCredentials, RouteResult, missing,
            number,
        },
        wire,
    },
    error::{Error, Kind},
    model::{ChatId, Title},
};

/// What is mounted.
pub(super) fn routes() -> Vec<Route> {
    routes![create, list, one, add, remove, delete]
}

const MISSING: &str = "Room Not Found";
/// The most users that are added or removed by one request.
const USERS: usize = 10_000;

fn row(room: &rooms::Room) -> wire::Room {
    wire::Room::new(&room.chat, rooms::name_of(&room.chat)).with_users(&room.people)
}

/// `POST /room` `{room, appId, users, extra?}`.
#[post("/room", data = "<body>")]
pub(super) async fn create(
    services: &ChatServices,
    credentials: RequestCredentials,
    body: Body,
) -> RouteResult {
    let told = body.fields()?;
    let app = credentials.app(services, told.text("appId")?).await?;
    let name = Title::parse(told.required("room")?).map_err(|error| error.about("room"))?;
    let (users, extra) = (told.users(MOST_AT_ONCE)?, told.extra()?);
    match rooms::create(services, &app, &name, extra, &users).await {
        Ok(room) => JsonReply::ok(row(&room)),
        Err(RoomError::NameTaken(_)) => Err(Failure::with(400, "Room Already Exists")),
        Err(RoomError::UnknownUsers(users)) => {
            let sentence = format!("Users {} not registered", users.join(","));
            Err(Failure::with(400, &sentence))
        }
        Err(RoomError::Other(error)) if error.kind() == Kind::Conflict => {
            Err(Failure::with(400, error.text()))
        }
        Err(RoomError::Other(error)) => Err(error.into()),
    }
}

/// `GET /room`, header `appId`; `after` a room's number.
#[get("/room?<after>")]
pub(super) async fn list(
    services: &ChatServices,
    credentials: RequestCredentials,
    after: Option<&str>,
) -> RouteResult {
    let app = credentials.app(services, None).await?;
    let after = ChatId::new(routes::after(after)?);
    let chats = rooms::list(services, &app, after).await?;
    let listed = chats
        .iter()
        .map(|chat| wire::Room::new(chat, rooms::name_of(chat)));
    JsonReply::page(listed.collect(), wire::Room::id)
}

/// `GET /room/{room}`, by its name, header `appId`; `skip` so many of its users.
#[get("/room/<room>?<skip>")]
pub(super) async fn one(
    services: &ChatServices,
    credentials: RequestCredentials,
    room: &str,
    skip: Option<&str>,
) -> RouteResult {
    let app = credentials.app(services, None).await?;
    let found = rooms::find(services, &app, room).await;
    let mut room = found.map_err(missing(MISSING))?;
    let skipped = routes::counted("skip", skip)?;
    let skipped = usize::try_from(skipped).unwrap_or(usize::MAX);
    room.people.drain(..skipped.min(room.people.len()));
    JsonReply::ok(row(&room))
}

/// `PUT /room/add` `{room, appId, users}`.
#[put("/room/add", data = "<body>")]
pub(super) async fn add(
    services: &ChatServices,
    credentials: RequestCredentials,
    body: Body,
) -> RouteResult {
    let told = body.fields()?;
    let app = credentials.app(services, told.text("appId")?).await?;
    let added = rooms::add(services, &app, told.required("room")?, &told.users(USERS)?).await;
    updated(added)
}

/// `PUT /room/remove` `{room, appId, users}`.
#[put("/room/remove", data = "<body>")]
pub(super) async fn remove(
    services: &ChatServices,
    credentials: RequestCredentials,
    body: Body,
) -> RouteResult {
    let told = body.fields()?;
    let app = credentials.app(services, told.text("appId")?).await?;
    let removed = rooms::remove(services, &app, told.required("room")?, &told.users(USERS)?).await;
    updated(removed)
}

fn updated(outcome: Result<(), RoomError>) -> RouteResult {
    match outcome {
        Ok(()) => JsonReply::ok(json!({"message": "updated"})),
        Err(RoomError::UnknownUsers(users)) => {
            let user = users.first().map_or("", String::as_str);
            Err(Error::not_found(format!("ChatUser id {user} Not Found")).into())
        }
        Err(RoomError::NameTaken(error) | RoomError::Other(error)) => {
            Err(missing(MISSING)(error).into())
        }
    }
}

/// `DELETE /room/{id}`, header `appId`.
#[delete("/room/<room>")]
pub(super) async fn delete(
    services: &ChatServices,
    credentials: RequestCredentials,
    room: &str,
) -> RouteResult {
    let app = credentials.app(services, None).await?;
    let deleted = rooms::delete(services, &app, ChatId::new(number(room, MISSING)?)).await;
    let chat = deleted.map_err(missing(MISSING))?;
    JsonReply::ok(wire::Room::new(&chat, rooms::name_of(&chat)))
}
