//! `/api/admin/people`.

use rocket::{Route, delete, get, http::Status, patch, post, routes};

use super::{Admin, ChatServices, Id, Reply, RouteResult, before, ok, server_wire, wire};
use crate::{
    chat::administration::{self, NewAccount},
    dialect::messenger::wire::StatusOk,
    error::{Error, Result},
    http::{Fields, Query, feed},
    model::{AccountFilter, Email, LoginId, Name, Password, PersonId},
};

/// What is mounted.
pub(super) fn routes() -> Vec<Route> {
    routes![
        list,
        create,
        one,
        change,
        remove,
        sign_out,
        reset_second_factor,
        password_link,
        deactivate,
        reactivate,
        logins,
        end_login
    ]
}

/// `GET /api/admin/people`: the newest first, those whose names begin with `query`.
#[get("/api/admin/people")]
async fn list(
    services: &ChatServices,
    admin: Admin,
    query: &Query,
) -> RouteResult<Reply<wire::People>> {
    let prefix = query.text("query")?.unwrap_or_default();
    let (before, limit) = (before(query, PersonId::new)?, feed::limit(query)?);
    let which = (prefix, filter(query)?);
    let found = administration::people(services, &admin.0, which, before, limit).await?;
    Ok(Reply::ok(wire::People {
        people: found.0.iter().map(Into::into).collect(),
        has_more: found.1,
    }))
}

fn filter(query: &Query) -> Result<AccountFilter> {
    match query.text("only")? {
        None => Ok(AccountFilter::All),
        Some("administrators") => Ok(AccountFilter::Administrators),
        Some("deactivated") => Ok(AccountFilter::Deactivated),
        Some(_) => {
            let sentence = "only must be administrators or deactivated";
            Err(Error::invalid_field("only", sentence))
        }
    }
}

/// `POST /api/admin/people` name, email, password: without a password the answer has a link by which the
/// person sets one.
#[post("/api/admin/people", data = "<fields>")]
async fn create(
    services: &ChatServices,
    admin: Admin,
    fields: &Fields,
) -> RouteResult<Reply<wire::LinkWire>> {
    let password = fields.text("password")?;
    let new = NewAccount {
        name: Name::parse_own(fields.required_text("name")?)?,
        email: fields.text("email")?.map(Email::parse).transpose()?,
        password: password
            .map(|password| Password::attempt(password.to_owned()))
            .transpose()?,
    };
    let (person, link) = administration::create(services, &admin.0, &new).await?;
    let body = wire::LinkWire::account(person.get(), link.as_ref());
    let location = format!("/api/admin/people/{person}");
    Ok(Reply::new(Status::Created, body).header("Location", location))
}

/// `GET /api/admin/people/{id}`.
#[get("/api/admin/people/<person>")]
async fn one(
    services: &ChatServices,
    admin: Admin,
    person: Id<PersonId>,
) -> RouteResult<Reply<wire::AccountWire>> {
    let account = administration::person(services, &admin.0, person.0).await?;
    Ok(Reply::ok((&account).into()))
}

/// `PATCH /api/admin/people/{id}` administrator, name: one of them.
#[patch("/api/admin/people/<person>", data = "<fields>")]
async fn change(
    services: &ChatServices,
    admin: Admin,
    person: Id<PersonId>,
    fields: &Fields,
) -> RouteResult<Reply<StatusOk>> {
    match (fields.flag("administrator")?, fields.text("name")?) {
        (Some(true), None) => administration::promote(services, &admin.0, person.0).await?,
        (Some(false), None) => administration::demote(services, &admin.0, person.0).await?,
        (None, Some(name)) => {
            let name = Name::parse_own(name)?;
            administration::rename(services, &admin.0, person.0, name).await?;
        }
        (None, None) => return Err(fields.missing("administrator").into()),
        // Each is an act of its own, and one of them might be refused.
        (Some(_), Some(_)) => {
            return Err(Error::invalid("send administrator or name, not both").into());
        }
    }
    Ok(ok())
}

/// `DELETE /api/admin/people/{id}`.
#[delete("/api/admin/people/<person>")]
async fn remove(
    services: &ChatServices,
    admin: Admin,
    person: Id<PersonId>,
) -> RouteResult<Reply<StatusOk>> {
    administration::delete(services, &admin.0, person.0).await?;
    Ok(ok())
}

/// `POST /api/admin/people/{id}/logout`: ends all their logins.
#[post("/api/admin/people/<person>/logout")]
async fn sign_out(
    services: &ChatServices,
    admin: Admin,
    person: Id<PersonId>,
) -> RouteResult<Reply<StatusOk>> {
    administration::sign_out(services, &admin.0, person.0).await?;
    Ok(ok())
}

/// `DELETE /api/admin/people/{id}/second-factor`: ends the one they have lost.
#[delete("/api/admin/people/<person>/second-factor")]
async fn reset_second_factor(
    services: &ChatServices,
    admin: Admin,
    person: Id<PersonId>,
) -> RouteResult<Reply<StatusOk>> {
    administration::reset_second_factor(services, &admin.0, person.0).await?;
    Ok(ok())
}

/// `POST /api/admin/people/{id}/password-link` expires: a link by which they set a new password, once.
#[post("/api/admin/people/<person>/password-link", data = "<fields>")]
async fn password_link(
    services: &ChatServices,
    admin: Admin,
    person: Id<PersonId>,
    fields: &Fields,
) -> RouteResult<Reply<wire::LinkWire>> {
    let expires = fields.seconds("expires")?;
    let link = administration::password_link(services, &admin.0, person.0, expires).await?;
    let body = wire::LinkWire::password(&link);
    Ok(Reply::new(Status::Created, body))
}

/// `POST /api/admin/people/{id}/deactivate`.
#[post("/api/admin/people/<person>/deactivate")]
async fn deactivate(
    services: &ChatServices,
    admin: Admin,
    person: Id<PersonId>,
) -> RouteResult<Reply<StatusOk>> {
    administration::deactivate(services, &admin.0, person.0).await?;
    Ok(ok())
}

/// `POST /api/admin/people/{id}/reactivate`.
#[post("/api/admin/people/<person>/reactivate")]
async fn reactivate(
    services: &ChatServices,
    admin: Admin,
    person: Id<PersonId>,
) -> RouteResult<Reply<StatusOk>> {
    administration::reactivate(services, &admin.0, person.0).await?;
    Ok(ok())
}

/// `GET /api/admin/logins`: who is signed in, the newest login first.
#[get("/api/admin/logins")]
async fn logins(
    services: &ChatServices,
    admin: Admin,
    query: &Query,
) -> RouteResult<Reply<server_wire::Logins>> {
    let (before, limit) = (before(query, LoginId::new)?, feed::limit(query)?);
    let found = administration::signed_in(services, &admin.0, before, limit).await?;
    Ok(Reply::ok(server_wire::Logins {
        logins: found.0.iter().map(Into::into).collect(),
        has_more: found.1,
    }))
}

/// `DELETE /api/admin/logins/{id}`.
#[delete("/api/admin/logins/<login>")]
async fn end_login(
    services: &ChatServices,
    admin: Admin,
    login: Id<LoginId>,
) -> RouteResult<Reply<StatusOk>> {
    administration::end_login(services, &admin.0, login.0).await?;
    Ok(ok())
}
