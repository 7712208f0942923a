//! Accounts that register apps: signing in, being registered, and asking whether a token lives.

use rocket::{
    Route, State, get,
    http::{CookieJar, Status},
    post, routes,
};
use serde_json::json;

use crate::{
    chat::{
        accounts::Device,
        callers,
        developers::{self, Application},
    },
    config::Settings,
    dialect::service::{
        routes::{Body, ChatServices, Failure, JsonReply, RequestCredentials, RouteResult},
        wire,
    },
    error::Kind,
    http::set_device_cookie,
    model::{Email, Names, Password},
};

/// What is mounted.
pub(super) fn routes() -> Vec<Route> {
    routes![sign_in, register, verify]
}

/// `POST /auth/login` `{email, password}`.
#[post("/auth/login", data = "<body>")]
pub(super) async fn sign_in(
    services: &ChatServices,
    settings: &State<Settings>,
    jar: &CookieJar<'_>,
    device: Device,
    body: Body,
) -> RouteResult {
    let told = body.fields()?;
    let email = told.required("email")?;
    let password = Password::attempt(told.required("password")?.to_owned())?;
    match developers::sign_in(services, email, &password, &device).await {
        Ok(signed_in) => {
            set_device_cookie(settings, jar, signed_in.device_cookie);
            let token = signed_in.token.expose();
            JsonReply::ok(wire::Account::new(&signed_in.person, token))
        }
        Err(error) if error.kind() == Kind::Unauthenticated => {
            let body = json!({"name": "InvalidLogin", "message": "Login failed"});
            Err(Failure::Shaped(401, body))
        }
        Err(error) => Err(error.into()),
    }
}

/// `POST /auth/register` `{firstName, middleName, lastName, email, password}`, by an administrator.
#[post("/auth/register", data = "<body>")]
pub(super) async fn register(
    services: &ChatServices,
    credentials: RequestCredentials,
    body: Body,
) -> RouteResult {
    let admin = credentials.developer(services).await?;
    let told = body.fields()?;
    let first = told.name("firstName")?;
    told.required("firstName")?;
    let application = Application {
        names: Names {
            first,
            middle: told.name("middleName")?,
            last: told.name("lastName")?,
        },
        email: Email::parse(told.required("email")?)?,
        password: Password::attempt(told.required("password")?.to_owned())?,
    };
    match developers::register(services, &admin, &application, &credentials.device).await {
        Ok((person, token)) => {
            JsonReply::with(Status::Created, wire::Account::new(&person, token.expose()))
        }
        Err(error) if error.kind() == Kind::Conflict => {
            Err(Failure::with(400, "ChatUser Already Exists"))
        }
        Err(error) => Err(error.into()),
    }
}

/// `GET /auth/verify`, with the token in a header or the query: whether it is a live token of ours.
#[get("/auth/verify")]
pub(super) async fn verify(
    services: &ChatServices,
    credentials: RequestCredentials,
) -> RouteResult {
    // This authenticates nobody, and no other system is asked: an app may name this very route as its own.
    let candidates = match &credentials.token {
        Some(token) => {
            let from = (None, Some(credentials.device.network));
            callers::candidates(services, token, from).await?
        }
        None => Vec::new(),
    };
    JsonReply::ok(!candidates.is_empty())
}
