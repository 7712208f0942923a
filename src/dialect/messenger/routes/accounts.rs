//! Signing up, in and out, and one's own logins.

use rocket::{
    Route, State, delete, get,
    http::{CookieJar, Status},
    post, routes,
    time::Duration as CookieAge,
};

use crate::{
    chat::{
        accounts::{self, Device, IssuedLogin},
        sessions,
    },
    config::Settings,
    dialect::messenger::{
        routes::{ChatServices, Id, Reply, RouteResult, ok},
        wire,
    },
    http::{
        Fields, SignedIn, cookie,
        cookies::{TOKEN, USER_ID},
        set_device_cookie,
    },
    model::{Email, LoginId, Name, Password},
};

/// What is mounted.
pub(super) fn routes() -> Vec<Route> {
    routes![
        register,
        sign_in,
        sign_out,
        sign_out_by_post,
        sign_out_everywhere,
        password,
        logins,
        end_login
    ]
}

/// `POST /api/reg` name, password, email, invite.
#[post("/api/reg", data = "<fields>")]
pub(super) async fn register(
    services: &ChatServices,
    settings: &State<Settings>,
    jar: &CookieJar<'_>,
    device: Device,
    fields: &Fields,
) -> RouteResult<Reply<wire::StatusOk>> {
    let name = Name::parse_own(fields.required_text("name")?)?;
    let password = Password::attempt(fields.required_text("password")?.to_owned())?;
    let email = Email::parse(fields.required_text("email")?)?;
    let invitation = fields.text("invite")?.filter(|code| !code.is_empty());
    let fresh =
        accounts::register(services, (&name, &email), &password, invitation, &device).await?;
    Ok(signed_in(Status::Created, settings, jar, fresh))
}

/// `POST /api/login` name, password, code.
#[post("/api/login", data = "<fields>")]
pub(super) async fn sign_in(
    services: &ChatServices,
    settings: &State<Settings>,
    jar: &CookieJar<'_>,
    device: Device,
    fields: &Fields,
) -> RouteResult<Reply<wire::StatusOk>> {
    let name = fields.required_text("name")?;
    let password = Password::attempt(fields.required_text("password")?.to_owned())?;
    let code = fields.text("code")?.filter(|code| !code.is_empty());
    let fresh = accounts::sign_in(services, name, (&password, code), &device).await?;
    Ok(signed_in(Status::Ok, settings, jar, fresh))
}

/// `GET /api/logout`.
#[get("/api/logout")]
pub(super) async fn sign_out(
    services: &ChatServices,
    settings: &State<Settings>,
    jar: &CookieJar<'_>,
    caller: SignedIn,
) -> RouteResult<Reply<wire::StatusOk>> {
    sessions::sign_out(services, &caller).await?;
    Ok(signed_out(settings, jar))
}

/// `POST /api/logout`.
#[post("/api/logout")]
pub(super) async fn sign_out_by_post(
    services: &ChatServices,
    settings: &State<Settings>,
    jar: &CookieJar<'_>,
    caller: SignedIn,
) -> RouteResult<Reply<wire::StatusOk>> {
    sessions::sign_out(services, &caller).await?;
    Ok(signed_out(settings, jar))
}

/// `POST /api/logout-all` password: ends all my logins.
#[post("/api/logout-all", data = "<fields>")]
pub(super) async fn sign_out_everywhere(
    services: &ChatServices,
    settings: &State<Settings>,
    jar: &CookieJar<'_>,
    caller: SignedIn,
    device: Device,
    fields: &Fields,
) -> RouteResult<Reply<wire::StatusOk>> {
    let password = password_again(fields)?;
    let proof = (password.as_ref(), &device);
    sessions::sign_out_everywhere(services, &caller, proof).await?;
    Ok(signed_out(settings, jar))
}

/// `POST /api/password` password, `new_password`: the others of my logins end.
#[post("/api/password", data = "<fields>")]
pub(super) async fn password(
    services: &ChatServices,
    caller: SignedIn,
    device: Device,
    fields: &Fields,
) -> RouteResult<Reply<wire::StatusOk>> {
    let old = Password::attempt(fields.required_text("password")?.to_owned())?;
    let new = Password::attempt(fields.required_text("new_password")?.to_owned())
        .map_err(|error| error.about("new_password"))?;
    sessions::change_password(services, &caller, (&old, &new), &device).await?;
    Ok(ok())
}

/// `GET /api/logins`.
#[get("/api/logins")]
pub(super) async fn logins(
    services: &ChatServices,
    caller: SignedIn,
) -> RouteResult<Reply<wire::Logins>> {
    let current = caller.login().map(|login| login.login.id);
    let logins = sessions::logins(services, &caller).await?;
    let logins = logins
        .iter()
        .map(|login| wire::LoginWire::new(login, current))
        .collect();
    Ok(Reply::ok(wire::Logins { logins }))
}

/// `DELETE /api/logins/{id}` password.
#[delete("/api/logins/<login>", data = "<fields>")]
pub(super) async fn end_login(
    services: &ChatServices,
    caller: SignedIn,
    login: Id<LoginId>,
    device: Device,
    fields: &Fields,
) -> RouteResult<Reply<wire::StatusOk>> {
    let password = password_again(fields)?;
    let proof = (password.as_ref(), &device);
    sessions::end_other_login(services, &caller, login.0, proof).await?;
    Ok(ok())
}

/// The password, where it came: what matters asks for it that was not proved for a while.
pub(super) fn password_again(fields: &Fields) -> crate::Result<Option<Password>> {
    let password = fields.text("password")?;
    password
        .map(|password| Password::attempt(password.to_owned()))
        .transpose()
}

/// Sets the cookies and points to the chats, or to the one that an invitation led to.
fn signed_in(
    status: Status,
    settings: &Settings,
    jar: &CookieJar<'_>,
    fresh: IssuedLogin,
) -> Reply<wire::StatusOk> {
    let next = match fresh.chat {
        Some(chat) => format!("/api/chats/{chat}"),
        None => "/api/chats".to_owned(),
    };
    let age = CookieAge::try_from(settings.login_max).unwrap_or(CookieAge::MAX);
    for (name, value) in [
        (USER_ID, fresh.person.to_string()),
        (TOKEN, fresh.token.expose().to_owned()),
    ] {
        jar.add(cookie(settings, name, value, age));
    }
    set_device_cookie(settings, jar, fresh.device_cookie);
    Reply::new(status, wire::StatusOk::PLAIN).header("Location", next)
}

/// Empties both cookies and points to the sign-in.
pub(super) fn signed_out(settings: &Settings, jar: &CookieJar<'_>) -> Reply<wire::StatusOk> {
    for name in [USER_ID, TOKEN] {
        let mut gone = cookie(settings, name, String::new(), CookieAge::ZERO);
        gone.set_expires(rocket::time::OffsetDateTime::UNIX_EPOCH);
        jar.add(gone);
    }
    ok().header("Location", "/api/login")
}
