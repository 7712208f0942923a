//! Incoming hooks: making and ending them, and what programs say by them.

use rocket::{
    Route, delete, get,
    http::{ContentType, Status},
    post, routes,
};

use crate::{
    chat::{access, accounts::Device, incoming, messages::Draft},
    dialect::messenger::{
        routes::{ChatServices, Id, IdempotencyKey, Reply, RouteResult, ok},
        wire,
    },
    error::{Error, Result},
    http::{Fields, SignedIn},
    model::{ChatId, Content, HookId, MessageKind, Name},
};

/// What is mounted.
pub(super) fn routes() -> Vec<Route> {
    routes![create, list, remove, say]
}

/// `POST /api/chats/{id}/hooks` name: its address is told here alone.
#[post("/api/chats/<chat>/hooks", data = "<fields>")]
pub(super) async fn create(
    services: &ChatServices,
    caller: SignedIn,
    chat: Id<ChatId>,
    fields: &Fields,
) -> RouteResult<Reply<wire::IssuedHookWire>> {
    let name = Name::parse(fields.required_text("name")?)?;
    let reader = access::reader(services, &caller, chat.0).await?;
    let issued = incoming::create(services, &caller, &reader, name).await?;
    let body = wire::IssuedHookWire::new(issued.id, issued.secret.expose());
    Ok(Reply::new(Status::Created, body))
}

/// `GET /api/chats/{id}/hooks`: the oldest first.
#[get("/api/chats/<chat>/hooks")]
pub(super) async fn list(
    services: &ChatServices,
    caller: SignedIn,
    chat: Id<ChatId>,
) -> RouteResult<Reply<wire::Hooks>> {
    let reader = access::reader(services, &caller, chat.0).await?;
    let hooks = incoming::list(services, &caller, &reader).await?;
    let hooks = hooks.iter().map(wire::HookWire::from).collect();
    Ok(Reply::ok(wire::Hooks { hooks }))
}

/// `DELETE /api/chats/{id}/hooks/{hook}`: nothing is said by it any more.
#[delete("/api/chats/<chat>/hooks/<hook>")]
pub(super) async fn remove(
    services: &ChatServices,
    caller: SignedIn,
    chat: Id<ChatId>,
    hook: Id<HookId>,
) -> RouteResult<Reply<wire::StatusOk>> {
    let reader = access::reader(services, &caller, chat.0).await?;
    incoming::delete(services, &caller, &reader, hook.0).await?;
    Ok(ok())
}

/// `POST /hooks/{secret}` text, or a form with `payload`, which is that as JSON: says it in the hook's chat.
#[post("/hooks/<secret>", data = "<fields>")]
pub(super) async fn say(
    services: &ChatServices,
    device: Device,
    key: IdempotencyKey,
    secret: &str,
    fields: &Fields,
) -> RouteResult<(ContentType, &'static str)> {
    let client_id = key.or_field(fields)?;
    let draft = Draft {
        kind: MessageKind::Text,
        content: content(fields)?,
        reply_to: None,
        client_id,
    };
    incoming::say(services, secret, draft, &device).await?;
    Ok((ContentType::Plain, "ok"))
}

/// The text of a request.
fn content(fields: &Fields) -> Result<Content> {
    let wrong = |sentence| Error::invalid_field("payload", sentence);
    let text = match (fields.text("text")?, fields.text("payload")?) {
        (Some(_), Some(_)) => return Err(wrong("payload comes instead of text, not beside it")),
        (None, Some(payload)) => {
            let payload = Fields::from_json(payload.as_bytes());
            let payload =
                payload.map_err(|error| wrong("payload must be a JSON object").because(error))?;
            payload.required_text("text")?.to_owned()
        }
        (Some(text), None) => text.to_owned(),
        (None, None) => return Err(fields.missing("text")),
    };
    Content::parse(text).map_err(|error| error.about("text"))
}
