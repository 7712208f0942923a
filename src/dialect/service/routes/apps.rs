//! Apps: registering, listing and deleting them.

use rocket::{Route, delete, get, http::Status, post, routes};

use crate::{
    chat::apps,
    dialect::service::{
        routes::{
            self, Body, ChatServices, JsonReply, NO_APP, RequestCredentials, RouteResult, missing,
        },
        wire,
    },
    json::whole_text,
    model::{Name, TenantId},
};

/// What is mounted.
pub(super) fn routes() -> Vec<Route> {
    routes![create, list, delete]
}

/// `POST /app` `{name, verifyUrl?, requireAuth?}`.
#[post("/app", data = "<body>")]
pub(super) async fn create(
    services: &ChatServices,
    credentials: RequestCredentials,
    body: Body,
) -> RouteResult {
    let developer = credentials.developer(services).await?;
    let told = body.fields()?;
    let name = Name::parse(told.required("name")?)?;
    let verify_url = told.text("verifyUrl")?.filter(|url| !url.is_empty());
    let require_auth = told.flag("requireAuth")?;
    let made = apps::create(services, &developer, &name, verify_url, require_auth).await;
    let tenant = made.map_err(|error| error.about("verifyUrl"))?;
    JsonReply::with(Status::Created, wire::App::from(&tenant))
}

/// `GET /app`: mine, or all of them for an administrator; `after` an app's number.
#[get("/app?<after>")]
pub(super) async fn list(
    services: &ChatServices,
    credentials: RequestCredentials,
    after: Option<&str>,
) -> RouteResult {
    let developer = credentials.developer(services).await?;
    let after = TenantId::new(routes::after(after)?);
    let tenants = apps::list(services, &developer, after).await?;
    JsonReply::page(tenants.iter().map(wire::App::from).collect(), wire::App::id)
}

/// `DELETE /app/{id}`, by its number or its secret.
#[delete("/app/<app>")]
pub(super) async fn delete(
    services: &ChatServices,
    credentials: RequestCredentials,
    app: &str,
) -> RouteResult {
    let developer = credentials.developer(services).await?;
    // A number is its value, however a path spells it.
    let app = whole_text(app).map_or_else(|| app.to_owned(), |id| id.to_string());
    let deleted = apps::delete(services, &developer, &app).await;
    let tenant = deleted.map_err(missing(NO_APP))?;
    JsonReply::ok(wire::App::from(&tenant))
}
