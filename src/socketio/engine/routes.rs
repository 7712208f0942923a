//! The Rocket routes: one handler for the requests of all methods.

use std::{io::Cursor, sync::Arc};

use rocket::{
    Data, Request, Response, Route,
    data::ToByteUnit,
    http::{ContentType, Method, Status, uri::Origin},
    response::Builder,
    route::{Handler, Outcome},
};

use super::{
    frame::Frame,
    handle::Engine,
    handshake::Handshake,
    params::Params,
    payload::{self, Payload},
    peers::RemoteSession,
    poll_mark::PollMark,
    polling::PollBody,
    protocol::Transport,
    request_error::RequestError,
    session::Session,
    websocket,
};

impl Engine {
    /// The routes, to be mounted by hand. The fairing does it otherwise. There is one for each method,
    /// because Rocket would run a HEAD as a GET, which opens sessions and takes packets.
    pub fn routes(&self) -> Vec<Route> {
        use Method::{Delete, Get, Head, Options, Patch, Post, Put};
        let handler = EngineRoutes(self.clone());
        [Get, Post, Put, Patch, Delete, Head, Options]
            .into_iter()
            .map(|method| {
                // Clients may add anything to the path, as in `/socket.io/default/`.
                let mut route = Route::new(method, "/<_..>", handler.clone());
                route.name = Some("socketio".into());
                route
            })
            .collect()
    }
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
            match self.respond(request, &caller, data).await {
                Ok(response) => response,
                Err(refusal) => refused(refusal),
            }
        };
        self.add_headers(&mut response, request, &caller);
        Outcome::Success(response)
    }
}

/// The parts of a request that identify the caller.
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
    async fn respond<'r>(
        &self,
        request: &'r Request<'_>,
        caller: &Caller<'_>,
        data: Data<'r>,
    ) -> Result<Response<'r>, RequestError> {
        let shared = &self.0.shared;
        let params = Params::read(caller.query, &shared.options)?;
        if !self.allows_origin(caller) {
            return Err(RequestError::Forbidden);
        }
        let Some(sid) = &params.sid else {
            return self.open(request, &params);
        };
        let peers = shared.options.peers.as_ref();
        if peers.is_some_and(|peers| !peers.admits(request)) {
            return Err(RequestError::Forbidden);
        }
        let Some(session) = shared.registry.find(sid) else {
            let revision = params.revision;
            let passed_on = match peers {
                Some(peers) => {
                    let session = RemoteSession { sid, revision };
                    peers.pass_on(request, session, data).await
                }
                None => None,
            };
            return passed_on.ok_or(RequestError::UnknownSession);
        };
        session.admit(params.transport, params.revision)?;
        match (params.transport, request.method()) {
            (Transport::WebSocket, Method::Get) => {
                let upgrade = websocket::Upgrade::of(request)?;
                Ok(upgrade.upgrade_session(session, params.base64))
            }
            (Transport::Polling, Method::Get) => {
                let mark = peers.and_then(|peers| PollMark::of(request, caller.query, &**peers));
                poll(session, mark).await
            }
            (Transport::Polling, Method::Post) => post(&session, request, data).await,
            _ => Err(RequestError::BadRequest),
        }
    }

    /// Opens a session.
    fn open<'r>(
        &self,
        request: &'r Request<'_>,
        params: &Params<'_>,
    ) -> Result<Response<'r>, RequestError> {
        let shared = &self.0.shared;
        if request.method() != Method::Get {
            return Err(RequestError::BadMethod);
        }
        if shared.is_stopping() {
            return Err(RequestError::ShuttingDown);
        }
        let spoken = (params.revision, params.transport);
        let handshake =
            Handshake::of(request, spoken, &shared.options).ok_or(RequestError::BadRequest)?;
        match params.transport {
            Transport::WebSocket => {
                let upgrade = websocket::Upgrade::of(request)?;
                Ok(upgrade.open(self.0.clone(), handshake, params.base64))
            }
            // This client would wait for a WebSocket that is never opened.
            Transport::Polling if websocket::Upgrade::of(request).is_ok() => {
                Err(RequestError::BadRequest)
            }
            Transport::Polling => {
                let session = self.0.open_session(handshake, params.base64);
                let frames = [Frame::packet(&session.open_packet())];
                shared.counters.sent(1, frames[0].len());
                let payload = payload::encode(params.revision, &frames, params.base64);
                Ok(poll_response(payload, session))
            }
        }
    }

    fn allows_origin(&self, caller: &Caller<'_>) -> bool {
        let cors = &self.0.shared.options.cors;
        // The browser itself compares the origins. A proxy may have changed the host.
        caller.is_same_origin
            || caller
                .origin
                .is_none_or(|origin| cors.allows(origin, caller.host))
    }

    /// Adds the headers of all responses. Without them a page could not read errors either.
    fn add_headers(&self, response: &mut Response<'_>, request: &Request<'_>, caller: &Caller<'_>) {
        response.set_raw_header("Cache-Control", "no-store");
        let Some(origin) = caller.origin else { return };
        response.adjoin_raw_header("Vary", "Origin");
        if !self.allows_origin(caller) {
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

async fn poll<'r>(
    session: Arc<Session>,
    mark: Option<PollMark>,
) -> Result<Response<'r>, RequestError> {
    let payload = session.fetch(mark).await?;
    Ok(poll_response(payload, session))
}

async fn post<'r>(
    session: &Arc<Session>,
    request: &Request<'_>,
    data: Data<'r>,
) -> Result<Response<'r>, RequestError> {
    let posting = session.begin_post()?;
    let limit = session.shared.options.max_payload;
    let Ok(body) = data.open((limit + 1).bytes()).into_bytes().await else {
        posting.aborted();
        return Err(RequestError::BadRequest);
    };
    if body.len() > limit {
        return Err(RequestError::TooLarge);
    }
    let octets = request
        .content_type()
        .is_some_and(|kind| *kind == ContentType::Binary);
    posting.receive(body.into_inner(), octets).await?;
    Ok(text(Response::build(), "ok").finalize())
}

/// The response to a poll. Its body closes the session if the client does not read it.
fn poll_response<'r>(payload: Payload, session: Arc<Session>) -> Response<'r> {
    let length = payload.bytes.len();
    let kind = if payload.binary {
        ContentType::Binary
    } else {
        ContentType::Plain
    };
    Response::build()
        .header(kind)
        .sized_body(length, PollBody::new(payload.bytes, session))
        .finalize()
}

fn refused<'r>(refusal: RequestError) -> Response<'r> {
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
