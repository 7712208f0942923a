//! The messenger over HTTP: accounts, chats, posts, long-polls and streams.

use std::{convert::Infallible, sync::Arc, time::Duration};

use axum::{
    Form, Router,
    extract::{Path, Query, State as Shared},
    http::{HeaderMap, StatusCode, header},
    response::{
        IntoResponse, Response,
        sse::{Event, Sse},
    },
    routing::{get, post},
};
use futures_util::stream;
use rand::RngExt as _;
use serde::Deserialize;
use tokio::{sync::oneshot, task::spawn_blocking, time::timeout};

use crate::{
    state::{Logged, State, now},
    store::Write,
};

type App = Shared<Arc<State>>;
type Answer = Result<Response, StatusCode>;

#[derive(Deserialize)]
struct Account {
    name: String,
    password: String,
}

#[derive(Deserialize)]
struct Chat {
    title: String,
}

#[derive(Deserialize)]
struct Post {
    content: String,
}

#[derive(Deserialize)]
struct Wait {
    after: Option<String>,
    timeout: Option<u64>,
}

pub fn router(state: Arc<State>) -> Router {
    Router::new()
        .route("/health/live", get(async || "ok"))
        .route("/api/reg", post(register))
        .route("/api/login", post(log_in))
        .route("/api/chats", post(open_chat))
        .route("/api/chats/{chat}/join", post(join))
        .route("/api/chats/{chat}", get(poll_chat).post(say))
        .route("/api/events", get(events))
        .with_state(state)
}

async fn register(Shared(state): App, Form(asked): Form<Account>) -> Answer {
    let cost = state.bcrypt_cost;
    let permit = state.hashing.acquire().await.map_err(fault)?;
    let hash = spawn_blocking(move || bcrypt::hash(asked.password, cost));
    let password = hash.await.map_err(fault)?.map_err(fault)?;
    drop(permit);
    let token = new_token();
    let write = Write::Account {
        name: asked.name,
        password,
        token: token.clone(),
    };
    let person = written(&state, write)
        .await
        .map_err(|_| StatusCode::CONFLICT)?;
    Ok(signed_in(&state, StatusCode::CREATED, person, token))
}

async fn log_in(Shared(state): App, Form(asked): Form<Account>) -> Answer {
    let permit = state.hashing.acquire().await.map_err(fault)?;
    let store = state.store.clone();
    let checked = spawn_blocking(move || {
        let (person, hash) = store.account(&asked.name).ok()?;
        bcrypt::verify(asked.password, &hash)
            .ok()?
            .then_some(person)
    });
    let person = checked
        .await
        .map_err(fault)?
        .ok_or(StatusCode::BAD_REQUEST)?;
    drop(permit);
    let token = new_token();
    let write = Write::Login {
        person,
        token: token.clone(),
    };
    written(&state, write).await?;
    Ok(signed_in(&state, StatusCode::OK, person, token))
}

fn signed_in(state: &State, status: StatusCode, person: i64, token: String) -> Response {
    let cookies = [
        (header::SET_COOKIE, format!("user_id={person}; Path=/")),
        (
            header::SET_COOKIE,
            format!("token={token}; HttpOnly; SameSite=Lax; Path=/"),
        ),
    ];
    state.sign_in(token, person);
    let mut answer = (status, r#"{"status":"ok"}"#).into_response();
    for (name, value) in cookies {
        // Letters and digits are always a header.
        answer
            .headers_mut()
            .append(name, value.parse().expect("a plain value"));
    }
    answer
}

async fn open_chat(Shared(state): App, headers: HeaderMap, Form(asked): Form<Chat>) -> Answer {
    let person = caller(&state, &headers)?;
    let write = Write::Chat {
        name: asked.title,
        users: vec![person],
    };
    let chat = written(&state, write).await?;
    state.add_members(chat, &[person]);
    let place = [(header::LOCATION, format!("/api/chats/{chat}"))];
    Ok((StatusCode::CREATED, place, r#"{"status":"ok"}"#).into_response())
}

async fn join(Shared(state): App, Path(chat): Path<i64>, headers: HeaderMap) -> Answer {
    let person = caller(&state, &headers)?;
    written(&state, Write::Member { chat, person }).await?;
    state.add_members(chat, &[person]);
    Ok(r#"{"status":"ok"}"#.into_response())
}

async fn say(
    Shared(state): App,
    Path(chat): Path<i64>,
    headers: HeaderMap,
    Form(asked): Form<Post>,
) -> Answer {
    let sender = caller(&state, &headers)?;
    if !state.is_member(chat, sender) {
        return Err(StatusCode::NOT_FOUND);
    }
    let (at, time) = now();
    let write = Write::Message {
        chat,
        sender,
        kind: "text".to_owned(),
        content: asked.content.clone(),
    };
    let (answer, answered) = oneshot::channel();
    let (publisher, told) = (Arc::clone(&state), time.clone());
    state.store.write(write, at, move |id| async move {
        if let Ok(id) = id {
            publisher.publish(id, chat, sender, &asked.content, &told);
        }
        answer.send(id).ok();
    });
    let id = answered.await.map_err(fault)?.map_err(fault)?;
    let headers = [
        ("location", format!("/api/chats/{chat}/messages/{id}")),
        ("x-message-id", id.to_string()),
        ("x-message-time", time),
    ];
    Ok((StatusCode::CREATED, headers, r#"{"status":"ok"}"#).into_response())
}

async fn poll_chat(
    Shared(state): App,
    Path(chat): Path<i64>,
    Query(wait): Query<Wait>,
    headers: HeaderMap,
) -> Answer {
    let person = caller(&state, &headers)?;
    if !state.is_member(chat, person) {
        return Err(StatusCode::NOT_FOUND);
    }
    let (found, cursor) = newer(&state, &wait, |it| it == chat).await;
    let messages = list(&found, |logged| logged.json.clone());
    Ok(json(format!(
        r#"{{"messages":[{messages}],"has_more":false,"cursor":"{cursor}","more":false,"retry_ms":0}}"#
    )))
}

async fn events(Shared(state): App, Query(wait): Query<Wait>, headers: HeaderMap) -> Answer {
    let person = caller(&state, &headers)?;
    let streams = headers
        .get(header::ACCEPT)
        .is_some_and(|accept| accept.as_bytes() == b"text/event-stream");
    if streams {
        return Ok(stream_events(state, person, &wait));
    }
    let (found, cursor) = newer(&state, &wait, |chat| state.is_member(chat, person)).await;
    let events = list(&found, event);
    Ok(json(format!(
        r#"{{"events":[{events}],"cursor":"{cursor}","more":false,"retry_ms":0}}"#
    )))
}

fn stream_events(state: Arc<State>, person: i64, wait: &Wait) -> Response {
    let newest = state.newest();
    let place = place(wait, *newest.borrow());
    let told = stream::unfold((state, newest, place, Vec::new()), move |it| async move {
        let (state, mut newest, mut place, mut found) = it;
        while found.is_empty() {
            newest.borrow_and_update();
            found = state.after(place, |chat| state.is_member(chat, person));
            found.reverse();
            if found.is_empty() {
                newest.changed().await.ok()?;
            }
        }
        let logged = found.pop()?;
        place = logged.id;
        let told = Event::default()
            .id(logged.id.to_string())
            .event("message")
            .data(event(&logged));
        Some((Ok::<_, Infallible>(told), (state, newest, place, found)))
    });
    Sse::new(told).into_response()
}

/// What came after the place that a poll names: waits for it as long as the poll says.
async fn newer(
    state: &State,
    wait: &Wait,
    counts: impl Fn(i64) -> bool,
) -> (Vec<Arc<Logged>>, i64) {
    let mut newest = state.newest();
    let place = place(wait, *newest.borrow());
    let look = async {
        loop {
            newest.borrow_and_update();
            let found = state.after(place, &counts);
            if !found.is_empty() || newest.changed().await.is_err() {
                return found;
            }
        }
    };
    let patience = Duration::from_secs(wait.timeout.unwrap_or(25).min(55));
    let found = timeout(patience, look).await.unwrap_or_default();
    let cursor = found.last().map_or(place, |logged| logged.id);
    (found, cursor)
}

/// Where a poll goes on.
fn place(wait: &Wait, newest: i64) -> i64 {
    let after = wait.after.as_deref();
    after.and_then(|after| after.parse().ok()).unwrap_or(newest)
}

fn event(logged: &Logged) -> String {
    let Logged { id, chat, json } = logged;
    format!(r#"{{"type":"message","position":{id},"chat_id":{chat},"message":{json}}}"#)
}

fn list(found: &[Arc<Logged>], each: impl Fn(&Logged) -> String) -> String {
    let told: Vec<_> = found.iter().map(|logged| each(logged)).collect();
    told.join(",")
}

fn json(body: String) -> Response {
    ([(header::CONTENT_TYPE, "application/json")], body).into_response()
}

/// Whoever holds the token in the cookie.
fn caller(state: &State, headers: &HeaderMap) -> Result<i64, StatusCode> {
    let cookies = headers.get(header::COOKIE).and_then(|it| it.to_str().ok());
    cookies
        .unwrap_or_default()
        .split("; ")
        .find_map(|cookie| cookie.strip_prefix("token="))
        .and_then(|token| state.signed_in(token))
        .ok_or(StatusCode::UNAUTHORIZED)
}

async fn written(state: &State, write: Write) -> Result<i64, StatusCode> {
    let (answer, answered) = oneshot::channel();
    state.store.write(write, now().0, |id| async {
        answer.send(id).ok();
    });
    answered.await.map_err(fault)?.map_err(fault)
}

fn new_token() -> String {
    format!("{:032x}", rand::rng().random::<u128>())
}

fn fault<E>(_: E) -> StatusCode {
    StatusCode::INTERNAL_SERVER_ERROR
}
