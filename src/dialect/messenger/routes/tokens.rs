//! Personal access tokens, for my programs.

use std::time::Duration;

use rocket::{Route, delete, get, http::Status, post, routes};
use serde_json::Value;

use crate::{
    chat::{
        accounts::Device,
        tokens::{self, GOOD_FOR, LONGEST},
    },
    dialect::messenger::{
        routes::{ChatServices, Id, Reply, RouteResult, ok},
        security_wire as wire,
        wire::StatusOk,
    },
    error::{Error, Result},
    http::{Fields, SignedIn},
    model::{LoginId, Name, Password, Scope},
};

/// What is mounted.
pub(super) fn routes() -> Vec<Route> {
    routes![create, list, revoke]
}

/// `POST /api/me/tokens` name, scopes, expires, password: the token is told here alone.
#[post("/api/me/tokens", data = "<fields>")]
pub(super) async fn create(
    services: &ChatServices,
    caller: SignedIn,
    device: Device,
    fields: &Fields,
) -> RouteResult<Reply<wire::IssuedToken>> {
    let name = Name::parse(fields.required_text("name")?)?;
    let terms = (name, scopes(fields)?, expires(fields)?);
    let password = fields.text("password")?.map(str::to_owned);
    let password = password.map(Password::attempt).transpose()?;
    let proof = (password.as_ref(), &device);
    let issued = tokens::create(services, &caller, terms, proof).await?;
    let body = wire::IssuedToken::new(issued.token.expose(), &issued.listed);
    Ok(Reply::new(Status::Created, body))
}

/// `GET /api/me/tokens`: the oldest first.
#[get("/api/me/tokens")]
pub(super) async fn list(
    services: &ChatServices,
    caller: SignedIn,
) -> RouteResult<Reply<wire::Tokens>> {
    let tokens = tokens::list(services, &caller).await?;
    let tokens = tokens.iter().map(wire::TokenWire::from).collect();
    Ok(Reply::ok(wire::Tokens { tokens }))
}

/// `DELETE /api/me/tokens/{id}`: everything that was opened by it ends.
#[delete("/api/me/tokens/<token>")]
pub(super) async fn revoke(
    services: &ChatServices,
    caller: SignedIn,
    token: Id<LoginId>,
) -> RouteResult<Reply<StatusOk>> {
    tokens::revoke(services, &caller, token.0).await?;
    Ok(ok())
}

/// What a token is to be good for: words in a list, or with commas between them.
fn scopes(fields: &Fields) -> Result<Vec<Scope>> {
    let wrong = || {
        let sentence = format!("scopes must be a list of {}", Scope::WORDS.join(", "));
        Error::invalid_field("scopes", sentence)
    };
    let words: Vec<&str> = match fields.value("scopes")? {
        Some(Value::String(text)) => text.split(',').map(str::trim).collect(),
        Some(Value::Array(words)) => {
            let words = words.iter().map(|word| word.as_str().ok_or_else(wrong));
            words.collect::<Result<_>>()?
        }
        Some(_) | None => return Err(wrong()),
    };
    let scopes = words
        .into_iter()
        .map(|word| Scope::from_stored(word).ok_or_else(wrong));
    let mut scopes = scopes.collect::<Result<Vec<_>>>()?;
    scopes.sort_by_key(|scope| scope.as_str());
    scopes.dedup();
    if scopes.is_empty() {
        return Err(wrong());
    }
    Ok(scopes)
}

/// For how long, in whole seconds.
fn expires(fields: &Fields) -> Result<Duration> {
    let Some(seconds) = fields.seconds("expires")? else {
        return Ok(GOOD_FOR);
    };
    if seconds.is_zero() || seconds > LONGEST {
        let sentence = format!("expires must be 1 to {} seconds", LONGEST.as_secs());
        return Err(Error::invalid_field("expires", sentence));
    }
    Ok(seconds)
}
