//! The owners' routes: registering, signing in and out, and their sites' domains.

use std::{io::Cursor, sync::Arc};

use rocket::{
    Request, Response, Route, State,
    data::{self, Data, FromData},
    delete, get,
    http::{ContentType, CookieJar, Status},
    post,
    response::{self, Responder},
    routes,
};
use serde::Serialize;
use serde_json::Value;

use super::wire;
use crate::{
    chat::{
        Caller, Services,
        accounts::Device,
        conversations, domains,
        owners::{self, NewOwner},
    },
    config::{Registration, Settings},
    error::{Error, Kind, Result},
    http::{Fields, set_device_cookie},
    model::{Domain, Email, Password},
    telemetry::log_failure,
};

/// What is told somebody who is no owner of the site, or shows no token of one.
pub(super) const OWNER_NOT_FOUND: &str = "Owner not found";

/// What every route works with.
pub(super) type ChatServices = State<Arc<Services>>;

/// The fields of a request, or what is wrong with its body: reading it never fails.
pub(super) struct Body(pub(super) Result<Fields>);

#[rocket::async_trait]
impl<'r> FromData<'r> for Body {
    type Error = std::convert::Infallible;

    async fn from_data(request: &'r Request<'_>, data: Data<'r>) -> data::Outcome<'r, Self> {
        data::Outcome::Success(Self(Fields::receive(request, data).await))
    }
}

/// All routes, to be mounted at `/`.
pub fn all() -> Vec<Route> {
    routes![
        register,
        sign_in,
        sign_out,
        add_domain,
        remove_domain,
        find_domain
    ]
}

/// `POST /owner/register` email, password, domain; to join a domain's owners, one's token too.
#[post("/owner/register", data = "<body>")]
async fn register(
    services: &ChatServices,
    settings: &State<Settings>,
    device: Device,
    body: Body,
) -> Reply {
    let outcome = async {
        let fields = &body.0?;
        let email = Email::parse(required(fields, "email")?)?;
        let password = Password::attempt(required(fields, "password")?.to_owned())?;
        let domain = Domain::parse(required(fields, "domain")?)?;
        let colleague = match fields.text("token")? {
            Some(token) => owners::by_token(services, token, &device).await?,
            None => None,
        };
        if colleague.is_none() && settings.owner_registration == Registration::Closed {
            return Err(Error::forbidden("this server takes no new owners"));
        }
        let owner = NewOwner {
            email: &email,
            password: &password,
            domain: &domain,
            colleague: colleague.as_ref(),
        };
        owners::register(services, &owner, &device)
            .await
            .map_err(in_our_words)?;
        to_json(&wire::OwnerDone::new("Owner registered"))
    };
    Reply(outcome.await)
}

/// `POST /owner/login` email, password.
#[post("/owner/login", data = "<body>")]
async fn sign_in(
    services: &ChatServices,
    settings: &State<Settings>,
    jar: &CookieJar<'_>,
    device: Device,
    body: Body,
) -> Reply {
    let outcome = async {
        let fields = &body.0?;
        let email = required(fields, "email")?;
        let password = Password::attempt(required(fields, "password")?.to_owned())?;
        let signed_in = owners::sign_in(services, email, &password, &device).await;
        let (fresh, site) = signed_in.map_err(in_our_words)?;
        set_device_cookie(settings, jar, fresh.device_cookie);
        let token = fresh.token.expose();
        to_json(&wire::OwnerSignedIn::new(
            fresh.person,
            token,
            &site.application_id,
        ))
    };
    Reply(outcome.await)
}

/// `POST /owner/logout` token.
#[post("/owner/logout", data = "<body>")]
async fn sign_out(services: &ChatServices, device: Device, body: Body) -> Reply {
    let outcome = async {
        let fields = &body.0?;
        if owners::sign_out(services, required(fields, "token")?, &device).await? {
            to_json(&wire::OwnerDone::new("Token has been removed"))
        } else {
            Err(Error::invalid(OWNER_NOT_FOUND))
        }
    };
    Reply(outcome.await)
}

/// `POST /owner/domains` token, domain: one more domain of the owner's site.
#[post("/owner/domains", data = "<body>")]
async fn add_domain(services: &ChatServices, device: Device, body: Body) -> Reply {
    let outcome = async {
        let (owner, domain) = owners_domain(services, &device, &body.0?).await?;
        let domains = domains::add(services, &owner, &domain).await;
        let domains = domains.map_err(in_our_words)?;
        to_json(&wire::OwnerDone::new("Domain added").with_domains(domains))
    };
    Reply(outcome.await)
}

/// `DELETE /owner/domains` token, domain.
#[delete("/owner/domains", data = "<body>")]
async fn remove_domain(services: &ChatServices, device: Device, body: Body) -> Reply {
    let outcome = async {
        let (owner, domain) = owners_domain(services, &device, &body.0?).await?;
        let domains = domains::remove(services, &owner, &domain).await;
        let domains = domains.map_err(in_our_words)?;
        to_json(&wire::OwnerDone::new("Domain removed").with_domains(domains))
    };
    Reply(outcome.await)
}

/// `GET /owner/domains/{host}`: whether a site has a host. For pages that are about to offer
/// a chat: it tells nothing that opening one would not.
#[get("/owner/domains/<host>")]
async fn find_domain(services: &ChatServices, host: &str) -> Reply {
    let outcome = async {
        let unknown = || Error::not_found("Owner for this domain not found");
        let domain = Domain::parse(host).map_err(|error| unknown().because(error))?;
        let found = conversations::site(services, &domain).await;
        found.map_err(|error| match error.kind() {
            Kind::NotFound => unknown().because(error),
            _ => error,
        })?;
        to_json(&wire::SiteFound::new(domain.shown()))
    };
    Reply(outcome.await)
}

async fn owners_domain(
    services: &Services,
    device: &Device,
    fields: &Fields,
) -> Result<(Caller, Domain)> {
    let token = required(fields, "token")?;
    let domain = Domain::parse(required(fields, "domain")?)?;
    let owner = owners::by_token(services, token, device).await?;
    let owner = owner.ok_or_else(|| Error::new(Kind::Unauthenticated, OWNER_NOT_FOUND))?;
    Ok((owner, domain))
}

/// What the verbs refuse, in the words of this API's document.
fn in_our_words(error: Error) -> Error {
    let sentence = match (error.kind(), error.field()) {
        (Kind::Conflict, Some("email")) => "Email already taken",
        (Kind::Conflict, Some("domain")) => "Domain already taken",
        (Kind::NotFound, Some("domain")) => "Domain not found",
        (Kind::NotFound | Kind::Unauthenticated, _) => OWNER_NOT_FOUND,
        _ => return error,
    };
    Error::new(error.kind(), sentence).because(error)
}

pub(super) fn to_json(body: &impl Serialize) -> Result<Value> {
    serde_json::to_value(body).map_err(Error::internal)
}

pub(super) fn required<'a>(fields: &'a Fields, name: &'static str) -> Result<&'a str> {
    let missing = || Error::invalid_field(name, format!("{name} is required"));
    fields.text(name)?.ok_or_else(missing)
}

/// An answer in this API's shape, with the status that its body tells.
pub(super) struct Reply(pub(super) Result<Value>);

impl<'r> Responder<'r, 'static> for Reply {
    fn respond_to(self, _request: &'r Request<'_>) -> response::Result<'static> {
        let mut response = Response::build();
        let (status, body) = match self.0 {
            Ok(body) => (200, body),
            Err(error) => {
                log_failure(&error);
                if let Some(wait) = error.retry_seconds() {
                    response.raw_header("Retry-After", wait.to_string());
                }
                let body = wire::Failure::from(&error);
                (body.status(), to_json(&body).unwrap_or_default())
            }
        };
        let body = body.to_string();
        response
            .status(Status::new(status))
            .header(ContentType::JSON)
            .raw_header("Cache-Control", "no-store")
            .sized_body(body.len(), Cursor::new(body))
            .ok()
    }
}
