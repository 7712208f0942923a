//! Apps: registering, listing and deleting them.

use rocket::{delete, get, http::Status, post};

use crate::{
    chat::apps,
    dialect::service::{
        routes::{Answer, Body, Brought, Told, Verbs},
        wire,
    },
    model::Name,
};

/// `POST /app` `{name, verifyUrl?, requireAuth?}`.
#[post("/app", data = "<body>")]
pub(super) async fn create(services: &Verbs, brought: Brought, body: Body) -> Answer {
    let developer = brought.developer(services).await?;
    let told = body.fields()?;
    let name = Name::parse(told.required("name")?)?;
    let verify_url = told.text("verifyUrl")?.filter(|url| !url.is_empty());
    let require_auth = told.flag("requireAuth")?;
    let tenant = apps::create(services, &developer, &name, verify_url, require_auth).await?;
    Told::with(Status::Created, wire::App::from(&tenant))
}

/// `GET /app`: mine, or all of them for an administrator.
#[get("/app")]
pub(super) async fn list(services: &Verbs, brought: Brought) -> Answer {
    let developer = brought.developer(services).await?;
    let tenants = apps::list(services, &developer).await?;
    let listed: Vec<_> = tenants.iter().map(wire::App::from).collect();
    Told::ok(listed)
}

/// `DELETE /app/{id}`, by its number or its secret.
#[delete("/app/<app>")]
pub(super) async fn delete(services: &Verbs, brought: Brought, app: &str) -> Answer {
    let developer = brought.developer(services).await?;
    let tenant = apps::delete(services, &developer, app).await?;
    Told::ok(wire::App::from(&tenant))
}
