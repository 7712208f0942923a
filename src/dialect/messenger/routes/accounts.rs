//! Signing up, in and out, and one's own logins.

use rocket::{
    Request, State, delete, get,
    http::{Cookie, CookieJar, SameSite, Status},
    post,
    request::{FromRequest, Outcome},
    time::Duration as CookieAge,
};

use crate::{
    chat::accounts::{self, Device, SignedIn as Fresh},
    config::{SameSite as Policy, Settings},
    dialect::{
        cookies::{TOKEN, USER_ID},
        messenger::{
            routes::{Answer, Id, Reply, Verbs, done},
            wire,
        },
    },
    http::{ClientAddress, Fields, SignedIn},
    model::{Email, LoginId, Name, Password},
};

/// What the request tells of the device it comes from.
pub(super) struct From(Device);

#[rocket::async_trait]
impl<'r> FromRequest<'r> for From {
    type Error = std::convert::Infallible;

    async fn from_request(request: &'r Request<'_>) -> Outcome<Self, Self::Error> {
        let client = request.headers().get_one("User-Agent").map(str::to_owned);
        let address = ClientAddress::of(request);
        let (address, network) = (address.ip(), address.network());
        Outcome::Success(Self(Device {
            client,
            address,
            network,
        }))
    }
}

/// `POST /api/reg` name, password, email.
#[post("/api/reg", data = "<fields>")]
pub(super) async fn register(
    services: &Verbs,
    settings: &State<Settings>,
    jar: &CookieJar<'_>,
    from: From,
    fields: &Fields,
) -> Answer<Reply<wire::Ok>> {
    let name = Name::parse_own(fields.required_text("name")?)?;
    let password = Password::attempt(fields.required_text("password")?.to_owned())?;
    let email = Email::parse(fields.required_text("email")?)?;
    let fresh = accounts::register(services, &name, &password, &email, &from.0).await?;
    Ok(welcome(Status::Created, settings, jar, &fresh))
}

/// `POST /api/login` name, password.
#[post("/api/login", data = "<fields>")]
pub(super) async fn sign_in(
    services: &Verbs,
    settings: &State<Settings>,
    jar: &CookieJar<'_>,
    from: From,
    fields: &Fields,
) -> Answer<Reply<wire::Ok>> {
    let name = fields.required_text("name")?;
    let password = Password::attempt(fields.required_text("password")?.to_owned())?;
    let fresh = accounts::sign_in(services, name, &password, &from.0).await?;
    Ok(welcome(Status::Ok, settings, jar, &fresh))
}

/// `GET /api/logout`.
#[get("/api/logout")]
pub(super) async fn sign_out(
    services: &Verbs,
    settings: &State<Settings>,
    jar: &CookieJar<'_>,
    caller: SignedIn,
) -> Answer<Reply<wire::Ok>> {
    accounts::sign_out(services, &caller).await?;
    Ok(farewell(settings, jar))
}

/// `POST /api/logout`.
#[post("/api/logout")]
pub(super) async fn sign_out_by_post(
    services: &Verbs,
    settings: &State<Settings>,
    jar: &CookieJar<'_>,
    caller: SignedIn,
) -> Answer<Reply<wire::Ok>> {
    accounts::sign_out(services, &caller).await?;
    Ok(farewell(settings, jar))
}

/// `POST /api/logout-all`: ends all my logins.
#[post("/api/logout-all")]
pub(super) async fn sign_out_everywhere(
    services: &Verbs,
    settings: &State<Settings>,
    jar: &CookieJar<'_>,
    caller: SignedIn,
) -> Answer<Reply<wire::Ok>> {
    accounts::sign_out_everywhere(services, &caller).await?;
    Ok(farewell(settings, jar))
}

/// `GET /api/me`.
#[get("/api/me")]
pub(super) async fn me(services: &Verbs, caller: SignedIn) -> Answer<Reply<wire::Me>> {
    Ok(Reply::ok(wire::Me::from(
        &accounts::me(services, &caller).await?,
    )))
}

/// `POST /api/password` password, `new_password`: the others of my logins end.
#[post("/api/password", data = "<fields>")]
pub(super) async fn password(
    services: &Verbs,
    caller: SignedIn,
    from: From,
    fields: &Fields,
) -> Answer<Reply<wire::Ok>> {
    let old = Password::attempt(fields.required_text("password")?.to_owned())?;
    let new = Password::attempt(fields.required_text("new_password")?.to_owned())
        .map_err(|error| error.about("new_password"))?;
    accounts::change_password(services, &caller, (&old, &new), &from.0).await?;
    Ok(done())
}

/// `GET /api/logins`.
#[get("/api/logins")]
pub(super) async fn logins(services: &Verbs, caller: SignedIn) -> Answer<Reply<wire::Logins>> {
    let current = caller.login().map(|login| login.login.id);
    let logins = accounts::logins(services, &caller).await?;
    let logins = logins
        .iter()
        .map(|login| wire::LoginWire::new(login, current))
        .collect();
    Ok(Reply::ok(wire::Logins { logins }))
}

/// `DELETE /api/logins/{id}`.
#[delete("/api/logins/<login>")]
pub(super) async fn end_login(
    services: &Verbs,
    caller: SignedIn,
    login: Id<LoginId>,
) -> Answer<Reply<wire::Ok>> {
    accounts::end_login(services, &caller, login.0).await?;
    Ok(done())
}

/// Sets both cookies and points to the chats.
fn welcome(
    status: Status,
    settings: &Settings,
    jar: &CookieJar<'_>,
    fresh: &Fresh,
) -> Reply<wire::Ok> {
    let age = CookieAge::try_from(settings.login_max).unwrap_or(CookieAge::MAX);
    for (name, value) in [
        (USER_ID, fresh.person.to_string()),
        (TOKEN, fresh.token.expose().to_owned()),
    ] {
        jar.add(cookie(settings, name, value, age));
    }
    Reply::new(status, wire::Ok::PLAIN).header("Location", "/api/chats")
}

/// Empties both cookies and points to the sign-in.
fn farewell(settings: &Settings, jar: &CookieJar<'_>) -> Reply<wire::Ok> {
    for name in [USER_ID, TOKEN] {
        let mut gone = cookie(settings, name, String::new(), CookieAge::ZERO);
        gone.set_expires(rocket::time::OffsetDateTime::UNIX_EPOCH);
        jar.add(gone);
    }
    done().header("Location", "/api/login")
}

fn cookie(
    settings: &Settings,
    name: &'static str,
    value: String,
    age: CookieAge,
) -> Cookie<'static> {
    let same_site = match settings.cookie_same_site {
        Policy::Lax => SameSite::Lax,
        Policy::Strict => SameSite::Strict,
        Policy::None => SameSite::None,
    };
    Cookie::build((name, value))
        .path("/")
        .same_site(same_site)
        .secure(settings.cookie_secure)
        .http_only(name == TOKEN)
        .max_age(age)
        .build()
}
