//! A server with a few routes of a test behind the real fairings and catchers.

use std::sync::Arc;

use parlance::{
    Error,
    config::{Defaults, Settings},
    http::{self, ApiError, Fields, Query, RequestOrigin, ShutdownSignal},
    telemetry::Metrics,
};
use rocket::{
    Build, Rocket,
    figment::{
        Figment,
        providers::{Format, Toml},
    },
    get,
    http::{ContentType, Header, Status},
    local::asynchronous::{Client, LocalResponse},
    patch, post, routes,
};
use serde_json::Value;

/// A server with `toml` on top of the defaults.
pub(crate) fn rocket(toml: &str) -> Rocket<Build> {
    let figment = Figment::from(rocket::Config::default())
        .merge(Defaults)
        .merge(Toml::string(toml))
        .select(rocket::Config::DEFAULT_PROFILE);
    let (settings, _) = Settings::read(&figment).expect("the settings of a test are right");
    let metrics = Arc::new(Metrics::new());
    http::configure(
        rocket::custom(figment),
        settings,
        metrics,
        ShutdownSignal::new(),
    )
    .mount(
        "/",
        routes![
            echo, number, numbers, flag, query, thing, change, fail, busy, panic, cookies, sign_in,
            status, log_out, event, page
        ],
    )
}

/// A client of such a server.
pub(crate) async fn client(toml: &str) -> Client {
    Client::untracked(rocket(toml))
        .await
        .expect("the server of a test starts")
}

/// An answer, read whole.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: String,
}

impl Answer {
    pub(crate) async fn read(response: LocalResponse<'_>) -> Self {
        Self {
            status: response.status().code,
            headers: response
                .headers()
                .iter()
                .map(|header| (header.name.to_string(), header.value.to_string()))
                .collect(),
            body: response.into_string().await.unwrap_or_default(),
        }
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(other, _)| other.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_str())
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).expect("the body is JSON")
    }

    /// The code and sentence of an error, after checking that it has the shape of one.
    pub(crate) fn error(&self) -> (String, String) {
        assert_eq!(self.header("Content-Type"), Some("application/json"));
        assert_eq!(self.header("Cache-Control"), Some("no-store"));
        assert_eq!(self.header("X-Content-Type-Options"), Some("nosniff"));
        let json = self.json();
        let text = |key: &str| json[key].as_str().expect("a text").to_owned();
        assert_eq!(json.as_object().map(serde_json::Map::len), Some(2));
        (text("code"), text("error"))
    }
}

/// Posts `body` as `content_type` to `path`.
pub(crate) async fn post(client: &Client, path: &str, content_type: &str, body: &[u8]) -> Answer {
    let mut request = client.post(path.to_owned()).body(body);
    if !content_type.is_empty() {
        request = request.header(Header::new("Content-Type", content_type.to_owned()));
    }
    Answer::read(request.dispatch().await).await
}

/// Gets `path`.
pub(crate) async fn get(client: &Client, path: &str) -> Answer {
    Answer::read(client.get(path.to_owned()).dispatch().await).await
}

type Told = Result<String, ApiError>;

#[post("/api/echo", data = "<fields>")]
fn echo(fields: &Fields) -> Told {
    Ok(fields.required_text("content")?.to_owned())
}

#[post("/api/number", data = "<fields>")]
fn number(fields: &Fields) -> Told {
    Ok(format!("{:?}", fields.number("number")?))
}

#[post("/api/numbers", data = "<fields>")]
fn numbers(fields: &Fields) -> Told {
    Ok(format!("{:?}", fields.numbers("members")?))
}

#[post("/api/flag", data = "<fields>")]
fn flag(fields: &Fields) -> Told {
    Ok(format!("{:?}", fields.flag("private")?))
}

#[get("/api/query")]
fn query(query: &Query) -> Told {
    Ok(format!(
        "{:?} {:?}",
        query.number("limit")?,
        query.text("after")?
    ))
}

#[get("/api/things/<id>?<size>")]
fn thing(id: u32, size: Option<u8>) -> String {
    format!("{id} {size:?}")
}

#[patch("/api/things/<id>", data = "<_fields>")]
fn change(id: u32, _fields: &Fields) -> String {
    id.to_string()
}

#[get("/api/fail")]
fn fail() -> Told {
    Err(Error::internal("the table people is on fire").into())
}

#[get("/api/status/<code>")]
fn status(code: u16) -> Status {
    Status::new(code)
}

#[get("/api/busy")]
fn busy() -> Told {
    let wait = std::time::Duration::from_millis(1_200);
    Err(ApiError::new(Error::unavailable("come back later", wait)))
}

#[get("/api/panic")]
fn panic() -> String {
    std::panic::panic_any("this handler panics on purpose")
}

#[get("/api/cookies")]
fn cookies(provenance: &RequestOrigin) -> String {
    provenance.cookies_count().to_string()
}

#[post("/api/login")]
fn sign_in() -> &'static str {
    "signed in"
}

#[get("/api/logout")]
fn log_out() -> &'static str {
    "logged out"
}

#[post("/api/events/<event>", data = "<_fields>")]
fn event(event: &str, _fields: &Fields) -> String {
    event.to_owned()
}

#[get("/page")]
fn page() -> (Status, (ContentType, &'static str)) {
    (Status::Ok, (ContentType::HTML, "<!doctype html><p>page"))
}
