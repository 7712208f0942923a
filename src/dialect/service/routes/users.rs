//! Users: an app's server registers them with the tokens that it issued, and deletes them.

use rocket::{Route, delete, get, post, routes};

use crate::{
    chat::{
        developers,
        people::{self, Profile},
    },
    dialect::service::{
        routes::{
            self, Body, ChatServices, Failure, JsonReply, RequestCredentials, RouteResult, missing,
            number,
        },
        wire,
    },
    error::Kind,
    model::{Names, PersonId},
};

/// What is mounted.
pub(super) fn routes() -> Vec<Route> {
    routes![upsert, list, delete]
}

const MISSING: &str = "ChatUser Not Found";

/// `POST /user` `{appId, appUserId, firstName, lastName, middleName?, token?}`.
#[post("/user", data = "<body>")]
pub(super) async fn upsert(
    services: &ChatServices,
    credentials: RequestCredentials,
    body: Body,
) -> RouteResult {
    let told = body.fields()?;
    let app = credentials.app(services, told.text("appId")?).await?;
    let external_id = told.own_id("appUserId")?;
    told.required("firstName")?;
    let names = Names {
        first: told.name("firstName")?,
        middle: told.name("middleName")?,
        last: told.name("lastName")?,
    };
    let profile = Profile {
        name: developers::full_name(&names)?,
        names: Some(names),
        photo: None,
    };
    let token = told.text("token")?.filter(|token| !token.is_empty());
    let outcome = people::register_with_token(services, &app, &external_id, &profile, token).await;
    match outcome {
        Ok(registered) => {
            let row = wire::User::from(&**registered.caller.person());
            JsonReply::ok(row.with_token(token.map(str::to_owned)))
        }
        Err(error) if error.kind() == Kind::Conflict => Err(Failure::with(400, error.text())),
        Err(error) => Err(error.into()),
    }
}

/// `GET /user/{appId}`, by the app's secret; `after` a user's number.
#[get("/user/<id>?<after>")]
pub(super) async fn list(
    services: &ChatServices,
    credentials: RequestCredentials,
    id: &str,
    after: Option<&str>,
) -> RouteResult {
    let app = credentials.app(services, Some(id)).await?;
    let after = PersonId::new(routes::after(after)?);
    let people = people::list(services, &app, after).await?;
    JsonReply::page(
        people.iter().map(wire::User::from).collect(),
        wire::User::id,
    )
}

/// `DELETE /user/{id}`, header `appId`.
#[delete("/user/<id>")]
pub(super) async fn delete(
    services: &ChatServices,
    credentials: RequestCredentials,
    id: &str,
) -> RouteResult {
    let app = credentials.app(services, None).await?;
    let outcome = people::delete(services, &app, PersonId::new(number(id, MISSING)?)).await;
    let person = outcome.map_err(missing(MISSING))?;
    JsonReply::ok(wire::User::from(&person))
}
