//! Rooms: an app's server makes them, fills them, and deletes them.

use rocket::{delete, get, post, put};
use serde_json::json;

use crate::{
    chat::{rooms, writer::MOST_AT_ONCE},
    dialect::service::{
        routes::{
            self, Body, ChatServices, Failure, JsonReply, RequestCredentials, RouteResult, number,
        },
        wire,
    },
    error::Kind,
    model::{ChatId, Title},
};

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
    brought: RequestCredentials,
    body: Body,
) -> RouteResult {
    let told = body.fields()?;
    let app = brought.app(services, told.text("appId")?).await?;
    let name = Title::parse(told.required("room")?).map_err(|error| error.about("room"))?;
    let (users, extra) = (told.users(MOST_AT_ONCE)?, told.extra()?);
    match rooms::create(services, &app, &name, extra, &users).await {
        Ok(room) => JsonReply::ok(row(&room)),
        Err(error) if error.kind() == Kind::Conflict => Err(Failure::with(400, error.text())),
        Err(error) => Err(error.into()),
    }
}

/// `GET /room`, header `appId`; `after` a room's number.
#[get("/room?<after>")]
pub(super) async fn list(
    services: &ChatServices,
    brought: RequestCredentials,
    after: Option<&str>,
) -> RouteResult {
    let app = brought.app(services, None).await?;
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
    brought: RequestCredentials,
    room: &str,
    skip: Option<&str>,
) -> RouteResult {
    let app = brought.app(services, None).await?;
    let mut room = rooms::find(services, &app, room).await?;
    let skipped = routes::counted("skip", skip)?;
    let skipped = usize::try_from(skipped).unwrap_or(usize::MAX);
    room.people.drain(..skipped.min(room.people.len()));
    JsonReply::ok(row(&room))
}

/// `PUT /room/add` `{room, appId, users}`.
#[put("/room/add", data = "<body>")]
pub(super) async fn add(
    services: &ChatServices,
    brought: RequestCredentials,
    body: Body,
) -> RouteResult {
    let told = body.fields()?;
    let app = brought.app(services, told.text("appId")?).await?;
    rooms::add(services, &app, told.required("room")?, &told.users(USERS)?).await?;
    JsonReply::ok(json!({"message": "updated"}))
}

/// `PUT /room/remove` `{room, appId, users}`.
#[put("/room/remove", data = "<body>")]
pub(super) async fn remove(
    services: &ChatServices,
    brought: RequestCredentials,
    body: Body,
) -> RouteResult {
    let told = body.fields()?;
    let app = brought.app(services, told.text("appId")?).await?;
    rooms::remove(services, &app, told.required("room")?, &told.users(USERS)?).await?;
    JsonReply::ok(json!({"message": "updated"}))
}

/// `DELETE /room/{id}`, header `appId`.
#[delete("/room/<room>")]
pub(super) async fn delete(
    services: &ChatServices,
    brought: RequestCredentials,
    room: &str,
) -> RouteResult {
    let app = brought.app(services, None).await?;
    let chat = rooms::delete(services, &app, ChatId::new(number(room, MISSING)?)).await?;
    JsonReply::ok(wire::Room::new(&chat, rooms::name_of(&chat)))
}
