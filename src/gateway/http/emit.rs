//! Events by POST: the body is the event's argument, and the response is the reply.

use std::sync::Arc;

use rocket::{
    Request, Response, State,
    data::{self, Data, FromData},
    http::Status,
    post,
    request::{FromRequest, Outcome},
    response::{self, Responder},
    serde::json::Json,
};
use serde_json::{Value, json};

use super::{NamedDialect, NoTransport, RequestCredentials};
use crate::{
    chat::Services,
    dialect::{self, ClientSession, Emitted, EventReply, Options, OutgoingEvent},
    error::{Error, Kind, Result},
    http::{ApiError, Fields, Query, fields::read_plain, refuse},
    json,
};

/// How many bytes of a body are examined to tell an object from other JSON.
const LOOKED_AT: usize = 64;

/// The reply to an event as a response, with the status for it.
pub(super) struct EventAnswer {
    event: String,
    answer: EventReply,
}

impl<'r> Responder<'r, 'static> for EventAnswer {
    fn respond_to(self, request: &'r Request<'_>) -> response::Result<'static> {
        let EventReply {
            status,
            data,
            outgoing,
            retry_after,
        } = self.answer;
        let mut body = json!({"event": self.event, "data": data});
        let others: Vec<_> = outgoing
            .into_iter()
            .filter_map(|emitted| match emitted {
                // This is the reply itself, which is in the response already.
                Emitted::Data(name) if name == self.event => None,
                Emitted::Data(name) => Some(json!({"event": name, "data": body["data"]})),
                Emitted::Other(OutgoingEvent { name, data }) => {
                    Some(json!({"event": name, "data": data}))
                }
            })
            .collect();
        if !others.is_empty() {
            body["emitted"] = Value::from(others);
        }
        let mut response = Response::build_from(Json(body).respond_to(request)?);
        response
            .status(Status::new(status))
            .raw_header("Cache-Control", "no-store");
        if let Some(wait) = retry_after {
            response.raw_header("Retry-After", wait.to_string());
        }
        response.ok()
    }
}

/// `POST /api/events/{event}`: the body is the event's argument, and the response is the reply.
#[post("/api/events/<event..>", data = "<argument>")]
pub(super) async fn emit(
    services: &State<Arc<Services>>,
    options: &State<Arc<Options>>,
    event: std::path::PathBuf,
    query: &Query,
    credentials: RequestCredentials,
    key: Key,
    argument: Argument,
) -> std::result::Result<EventAnswer, ApiError> {
    let event = name_of(options, &event)?;
    let Argument(argument) = argument;
    let dialects = options.dialects;
    let dialect = match NamedDialect::read(query, options)? {
        NamedDialect::None => dialects.of_event(&event, argument.as_ref()),
        NamedDialect::RoutesOnly => None,
        NamedDialect::EventStyle(dialect) => {
            Some(dialect).filter(|dialect| dialect.matches(&event, argument.as_ref()))
        }
    };
    let Some(dialect) = dialect else {
        let error = Error::not_found("there is no such event");
        let unknown = &options.metrics.delivery.unknown_events;
        unknown.answered(error.kind().status());
        return Err(error.into());
    };
    let mut session = ClientSession::new(
        Arc::clone(services),
        Arc::clone(options),
        credentials.0,
        Arc::new(NoTransport),
        (0, None),
    );
    dialect.on_connect(&mut session).await?;
    if let Some(room) = query.text("room")?
        && let Err(error) = dialect.enter(&mut session, room).await
    {
        let answer = dialect::refuse(dialect, options, &event, &error);
        return Ok(EventAnswer { event, answer });
    }
    let argument = match key.put_into(argument) {
        Ok(argument) => argument,
        Err(error) => {
            let answer = dialect::refuse(dialect, options, &event, &error);
            return Ok(EventAnswer { event, answer });
        }
    };
    let arguments: Vec<_> = argument.into_iter().collect();
    let answer = dialect::answer(dialect, &mut session, &event, &arguments).await;
    Ok(EventAnswer { event, answer })
}

/// The event's name, which may contain slashes.
fn name_of(options: &Options, path: &std::path::Path) -> Result<String> {
    let name = path
        .to_str()
        .ok_or_else(|| Error::not_found("there is no such event"))?;
    let event = options
        .dialects
        .iter()
        .flat_map(|dialect| dialect.events())
        .find(|event| event.name == name);
    Ok(event.map_or_else(|| format!("/{name}"), |event| event.name.to_owned()))
}

/// `Idempotency-Key`: the field `client_id` as a header.
pub(super) struct Key(Option<String>);

#[rocket::async_trait]
impl<'r> FromRequest<'r> for Key {
    type Error = std::convert::Infallible;

    async fn from_request(request: &'r Request<'_>) -> Outcome<Self, Self::Error> {
        let key = request.headers().get_one("Idempotency-Key");
        Outcome::Success(Self(key.map(str::to_owned)))
    }
}

impl Key {
    /// Adds the field to an event's argument.
    fn put_into(self, argument: Option<Value>) -> Result<Option<Value>> {
        let Self(Some(key)) = self else {
            return Ok(argument);
        };
        let Some(Value::Object(mut fields)) = argument else {
            return Err(Error::invalid(
                "an Idempotency-Key needs an argument with fields",
            ));
        };
        match fields.get("client_id") {
            Some(field) if field.as_str() != Some(&key) => Err(Error::invalid(
                "client_id and Idempotency-Key differ: send one of them",
            )),
            _ => {
                fields.insert("client_id".to_owned(), key.into());
                Ok(Some(Value::Object(fields)))
            }
        }
    }
}

/// The event's argument from the body: any JSON, or the fields of a form. `None` for an empty body. A form
/// with `value` as its only field is that text.
pub(super) struct Argument(Option<Value>);

#[rocket::async_trait]
impl<'r> FromData<'r> for Argument {
    type Error = Kind;

    async fn from_data(request: &'r Request<'_>, mut data: Data<'r>) -> data::Outcome<'r, Self> {
        let is_json = request
            .content_type()
            .is_some_and(|media_type| media_type.is_json());
        let start = json::without_mark(data.peek(LOOKED_AT).await)
            .iter()
            .find(|byte| !byte.is_ascii_whitespace())
            .copied();
        let read = if is_json && start.is_some_and(|byte| byte != b'{') {
            read_plain(request, data).await.map(Some)
        } else {
            let fields = Fields::receive(request, data).await;
            fields.and_then(|fields| argument(&fields, is_json))
        };
        match read {
            Ok(value) => data::Outcome::Success(Self(value)),
            Err(error) => refuse(request, error),
        }
    }
}

fn argument(fields: &Fields, is_json: bool) -> Result<Option<Value>> {
    let fields = fields.to_json()?;
    Ok(match fields.get("value") {
        _ if fields.is_empty() && !is_json => None,
        Some(value) if fields.len() == 1 && !is_json => Some(value.clone()),
        Some(_) | None => Some(Value::Object(fields)),
    })
}
