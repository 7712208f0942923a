//! Who I am and what I say of myself, and finding others.

use rocket::{Route, State, delete, get, http::CookieJar, patch, routes};

use crate::{
    chat::{
        accounts::Device,
        deletion,
        profiles::{self, Found, OwnProfile},
    },
    config::Settings,
    dialect::messenger::{
        routes::{
            ChatServices, Id, Reply, RouteResult,
            accounts::{password_again, signed_out},
        },
        wire,
    },
    error::Error,
    http::{Fields, Query, SignedIn, feed, set_device_cookie},
    model::{Email, Name, Password, Person, PersonId, Photo},
};

/// The most characters of what names are to begin with: no name has more.
const QUERY_CHARS: usize = 64;

/// The most people who are asked for by their ids.
const IDS: usize = 200;

/// What is mounted.
pub(super) fn routes() -> Vec<Route> {
    routes![me, describe_me, delete_me, list, find]
}

/// `GET /api/me`.
#[get("/api/me")]
pub(super) async fn me(
    services: &ChatServices,
    settings: &State<Settings>,
    caller: SignedIn,
) -> RouteResult<Reply<wire::MeHere>> {
    let me = profiles::me(services, &caller).await?;
    Ok(Reply::ok(here(settings, &me)))
}

fn here(settings: &Settings, me: &Person) -> wire::MeHere {
    wire::MeHere {
        me: wire::Me::from(me),
        external_photos: settings.external_photos,
    }
}

/// `PATCH /api/me` name, email, photo, password: what is left out stays, and an empty photo is none. The password is
/// for another name or address of mail, some time after the last proof of it.
#[patch("/api/me", data = "<fields>")]
pub(super) async fn describe_me(
    services: &ChatServices,
    settings: &State<Settings>,
    jar: &CookieJar<'_>,
    caller: SignedIn,
    device: Device,
    fields: &Fields,
) -> RouteResult<Reply<wire::MeHere>> {
    let photo = match fields.text("photo")? {
        Some("") => Some(None),
        Some(photo) => Some(Some(Photo::parse(photo)?)),
        None => None,
    };
    let profile = OwnProfile {
        name: fields.text("name")?.map(Name::parse_own).transpose()?,
        email: fields.text("email")?.map(Email::parse).transpose()?,
        photo,
    };
    let password = password_again(fields)?;
    let proof = (password.as_ref(), &device);
    let (me, cookie) = profiles::describe_me(services, &caller, profile, proof).await?;
    if let Some(cookie) = cookie {
        set_device_cookie(settings, jar, cookie);
    }
    Ok(Reply::ok(here(settings, &me)))
}

/// `DELETE /api/me` password: ends my account.
#[delete("/api/me", data = "<fields>")]
pub(super) async fn delete_me(
    services: &ChatServices,
    settings: &State<Settings>,
    jar: &CookieJar<'_>,
    caller: SignedIn,
    device: Device,
    fields: &Fields,
) -> RouteResult<Reply<wire::StatusOk>> {
    let password = Password::attempt(fields.required_text("password")?.to_owned())?;
    deletion::delete_me(services, &caller, &password, &device).await?;
    Ok(signed_out(settings, jar))
}

/// `GET /api/people` query, limit, before: people whose names begin so, by name. With `ids`: those people.
#[get("/api/people")]
pub(super) async fn list(
    services: &ChatServices,
    caller: SignedIn,
    query: &Query,
) -> RouteResult<Reply<wire::People>> {
    if let Some(ids) = query.text("ids")? {
        let people = profiles::list_of(services, &caller, &ids_of(query, ids)?).await?;
        let people = people.iter().map(on_the_wire).collect();
        let has_more = false;
        return Ok(Reply::ok(wire::People { people, has_more }));
    }
    let beginning = query.text("query")?.unwrap_or_default();
    if beginning.chars().count() > QUERY_CHARS {
        let sentence = format!("query must have at most {QUERY_CHARS} characters");
        return Err(Error::invalid_field("query", sentence).into());
    }
    let before = query.number("before")?.map(PersonId::new);
    let limit = feed::limit(query)?;
    let (people, has_more) = profiles::list(services, &caller, (beginning, before), limit).await?;
    let people = people.iter().map(on_the_wire).collect();
    Ok(Reply::ok(wire::People { people, has_more }))
}

/// Reads `ids`: numbers of people, separated by commas; with it nothing else is asked for.
fn ids_of(query: &Fields, ids: &str) -> crate::Result<Vec<PersonId>> {
    for other in ["query", "before", "limit"] {
        if query.text(other)?.is_some() {
            let sentence = format!("send ids or {other}, not both");
            return Err(Error::invalid_field("ids", sentence));
        }
    }
    let ids: Option<Vec<i64>> = ids.split(',').map(|id| id.trim().parse().ok()).collect();
    let ids = ids.filter(|ids| ids.len() <= IDS);
    let sentence = || format!("ids must be at most {IDS} ids of people");
    let ids = ids.ok_or_else(|| Error::invalid_field("ids", sentence()))?;
    Ok(ids.into_iter().map(PersonId::new).collect())
}

/// `GET /api/people/{id}`.
#[get("/api/people/<person>")]
pub(super) async fn find(
    services: &ChatServices,
    caller: SignedIn,
    person: Id<PersonId>,
) -> RouteResult<Reply<wire::FoundWire>> {
    let found = profiles::find(services, &caller, person.0).await?;
    Ok(Reply::ok(on_the_wire(&found)))
}

fn on_the_wire(found: &Found) -> wire::FoundWire {
    wire::FoundWire::new(&found.person, found.online, found.last_seen)
}
