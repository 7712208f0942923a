//! The Rocket routes: every request of every method comes in here.

use std::io::Cursor;

use rocket::{
    Data, Request, Response, Route,
    data::ToByteUnit,
    http::{ContentType, Method, Status, uri::Origin},
    response::Builder,
    route::{Handler, Outcome},
};

use super::{
    Engine, Handshake, Session, Transport, params::Params, polling::Answer, refusal::Refusal,
    websocket,
};

/// The routes of `engine`, one for each method: Rocket would run a HEAD as a GET, which opens
/// sessions and eats packets.
pub(super) fn routes(engine: &Engine) -> Vec<Route> {
    use Method::{Delete, Get, Head, Options, Patch, Post, Put};
    let door = EngineRoutes(engine.clone());
    [Get, Post, Put, Patch, Delete, Head, Options]
        .into_iter()
        .map(|method| {
            // Whatever follows the path, as `/socket.io/default/`, is the same to clients.
            let mut route = Route::new(method, "/<_..>", door.clone());
            route.name = Some("socketio".into());
            route
        })
        .collect()
}

#[derive(Clone)]
struct EngineRoutes(Engine);

#[rocket::async_trait]
impl Handler for EngineRoutes {
    async fn handle<'r>(&self, request: &'r Request<'_>, data: Data<'r>) -> Outcome<'r> {
        let caller = Caller::of(request);
        let mut response = if request.method() == Method::Options {
            Response::build().status(Status::NoContent).finalize()
        } else {
            match self.answer(request, &caller, data).await {
                Ok(response) => response,
                Err(refusal) => refused(refusal),
            }
        };
        self.add_headers(&mut response, request, &caller);
        Outcome::Success(response)
    }
}

/// What a request's headers say about who asks.
struct Caller<'r> {
    origin: Option<&'r str>,
    host: Option<&'r str>,
    is_same_origin: bool,
    query: &'r str,
}

impl<'r> Caller<'r> {
    fn of(request: &'r Request<'_>) -> Self {
        let uri: &Origin<'_> = request.uri();
        Self {
            origin: request.headers().get_one("origin"),
            host: request.headers().get_one("host"),
            is_same_origin: request.headers().get_one("sec-fetch-site") == Some("same-origin"),
            query: uri.query().map_or("", |query| query.as_str()),
        }
    }
}

impl EngineRoutes {
    async fn answer<'r>(
        &self,
        request: &'r Request<'_>,
        caller: &Caller<'_>,
        data: Data<'r>,
    ) -> Result<Response<'r>, Refusal> {
        let shared = &self.0.0;
        let params = Params::read(caller.query, &shared.options)?;
        if !self.welcomes(caller) {
            return Err(Refusal::Forbidden);
        }
        let Some(sid) = &params.sid else {
            return self.open(request, &params);
        };
        let session = shared.registry.find(sid).ok_or(Refusal::UnknownSession)?;
        session.admit(params.transport, params.revision)?;
        match (params.transport, request.method()) {
            (Transport::WebSocket, Method::Get) => {
                let upgrade = websocket::Upgrade::of(request)?;
                Ok(upgrade.step_up(session, params.base64))
            }
            (Transport::Polling, Method::Get) => poll(session).await,
            (Transport::Polling, Method::Post) => post(&session, request, data).await,
            _ => Err(Refusal::BadRequest),
        }
    }

    /// Opens a session.
    fn open<'r>(
        &self,
        request: &'r Request<'_>,
        params: &Params<'_>,
    ) -> Result<Response<'r>, Refusal> {
        let shared = &self.0.0;
        if request.method() != Method::Get {
            return Err(Refusal::BadMethod);
        }
        if shared.is_stopping() {
            return Err(Refusal::ShuttingDown);
        }
        let spoken = (params.revision, params.transport);
        let handshake =
            Handshake::of(request, spoken, &shared.options).ok_or(Refusal::BadRequest)?;
        match params.transport {
            Transport::WebSocket => {
                let upgrade = websocket::Upgrade::of(request)?;
                Ok(upgrade.open(shared.clone(), handshake, params.base64))
            }
            // Such a client would wait for a WebSocket that never comes.
            Transport::Polling if websocket::Upgrade::of(request).is_ok() => {
                Err(Refusal::BadRequest)
            }
            Transport::Polling => {
                let session = Session::open(shared, handshake, params.base64);
                let frames = [super::Frame::packet(&session.open_packet())];
                let payload = super::payload::encode(params.revision, &frames, params.base64);
                Ok(carry(payload, session))
            }
        }
    }

    fn welcomes(&self, caller: &Caller<'_>) -> bool {
        let cors = &self.0.0.options.cors;
        // The browser itself says whose page it is; a proxy may have changed the host.
        caller.is_same_origin
            || caller
                .origin
                .is_none_or(|origin| cors.allows(origin, caller.host))
    }

    /// What every answer carries, errors too: a page could not read them otherwise.
    fn add_headers(&self, response: &mut Response<'_>, request: &Request<'_>, caller: &Caller<'_>) {
        response.set_raw_header("Cache-Control", "no-store");
        let Some(origin) = caller.origin else { return };
        response.adjoin_raw_header("Vary", "Origin");
        if !self.welcomes(caller) {
            return;
        }
        response.set_raw_header("Access-Control-Allow-Origin", origin.to_owned());
        response.set_raw_header("Access-Control-Allow-Credentials", "true");
        if request.method() == Method::Options {
            response.set_raw_header("Access-Control-Allow-Methods", "GET, POST");
            response.set_raw_header("Access-Control-Max-Age", "7200");
            if let Some(wanted) = request.headers().get_one("access-control-request-headers") {
                response.set_raw_header("Access-Control-Allow-Headers", wanted.to_owned());
            }
        }
    }
}

async fn poll<'r>(session: std::sync::Arc<Session>) -> Result<Response<'r>, Refusal> {
    let payload = session.fetch().await?;
    Ok(carry(payload, session))
}

async fn post<'r>(
    session: &std::sync::Arc<Session>,
    request: &Request<'_>,
    data: Data<'r>,
) -> Result<Response<'r>, Refusal> {
    let posting = session.begin_post()?;
    let limit = session.shared.options.max_payload;
    let Ok(body) = data.open((limit + 1).bytes()).into_bytes().await else {
        posting.broken();
        return Err(Refusal::BadRequest);
    };
    if body.len() > limit {
        return Err(Refusal::TooLarge);
    }
    let octets = request
        .content_type()
        .is_some_and(|kind| *kind == ContentType::Binary);
    posting.receive(body.into_inner(), octets).await?;
    Ok(text(Response::build(), "ok").finalize())
}

/// A payload for a poll, whose arrival the session depends on.
fn carry<'r>(payload: super::payload::Payload, session: std::sync::Arc<Session>) -> Response<'r> {
    let length = payload.bytes.len();
    let kind = if payload.binary {
        ContentType::Binary
    } else {
        ContentType::Plain
    };
    Response::build()
        .header(kind)
        .sized_body(length, Answer::new(payload.bytes, session))
        .finalize()
}

fn refused<'r>(refusal: Refusal) -> Response<'r> {
    let mut builder = Response::build();
    builder.status(refusal.status());
    text(builder, refusal.body())
        .header(ContentType::JSON)
        .finalize()
}

fn text<'r>(mut builder: Builder<'r>, body: &'static str) -> Builder<'r> {
    builder
        .header(ContentType::Plain)
        .sized_body(body.len(), Cursor::new(body));
    builder
}
