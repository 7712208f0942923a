//! The guards that read [`Fields`] from a body and [`Query`] from a path's end.

use std::ops::Deref;

use rocket::{
    data::{self, Data, FromData, ToByteUnit},
    request::{self, FromRequest, Request},
    tokio::io::AsyncReadExt,
};

use serde_json::Value;

use super::{Fields, object};
use crate::{
    error::{Error, Kind, Result},
    http::refuse,
    json,
};

/// Most bytes of a body where the settings name no limit, in KiB.
const BODY_KIB: u64 = 128;

/// So much room a body gets before any of it is there, whatever length was named.
const MOST_ROOM: usize = 16 << 10;

/// How many bytes of a body Rocket looks at before any guard does. When the connection breaks while
/// it looks, it goes on with what it has: a short body would seem whole.
const LOOKED_AT: usize = "_method=delete".len();

#[rocket::async_trait]
impl<'r> FromData<'r> for &'r Fields {
    type Error = Kind;

    async fn from_data(request: &'r Request<'_>, data: Data<'r>) -> data::Outcome<'r, Self> {
        match Fields::receive(request, data).await {
            Ok(fields) => data::Outcome::Success(request.local_cache(|| fields)),
            Err(error) => refuse(request, error),
        }
    }
}

/// The fields of the query string; a route takes `&Query`.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Query(pub Fields);

impl Query {
    /// Reads the query string of `request`.
    pub fn of(request: &Request<'_>) -> Result<Self> {
        let query = request.uri().query();
        let bytes = query.as_ref().map_or(&[][..], |query| query.as_bytes());
        Ok(Self(Fields::from_form(bytes)?))
    }
}

impl Deref for Query {
    type Target = Fields;

    fn deref(&self) -> &Fields {
        &self.0
    }
}

#[rocket::async_trait]
impl<'r> FromRequest<'r> for &'r Query {
    type Error = Kind;

    async fn from_request(request: &'r Request<'_>) -> request::Outcome<Self, Kind> {
        match Query::of(request) {
            Ok(query) => request::Outcome::Success(request.local_cache(|| query)),
            Err(error) => refuse(request, error),
        }
    }
}

/// The media types that are read.
enum Form {
    Urlencoded,
    Multipart,
    Json,
}

impl Form {
    fn of(media_type: &str) -> Option<Self> {
        let essence = media_type.split(';').next().unwrap_or_default().trim();
        match essence.to_ascii_lowercase().as_str() {
            "application/x-www-form-urlencoded" => Some(Self::Urlencoded),
            "multipart/form-data" => Some(Self::Multipart),
            "application/json" => Some(Self::Json),
            _ => None,
        }
    }

    fn limit(&self) -> &'static str {
        match self {
            Self::Urlencoded => "form",
            Self::Multipart => "data-form",
            Self::Json => "json",
        }
    }
}

impl Fields {
    /// Reads the fields of a body.
    pub async fn receive(request: &Request<'_>, mut data: Data<'_>) -> Result<Self> {
        let seen_whole = data.peek_complete();
        let start = data.peek(LOOKED_AT).await.len();
        if start < LOOKED_AT && !seen_whole {
            return Err(cut_short());
        }
        if start == 0 {
            // Clients name a type even when they send nothing, and send nothing to POST …/join.
            return Ok(Self::default());
        }
        let media_type = request.headers().get_one("Content-Type");
        let Some(form) = media_type.and_then(Form::of) else {
            return Err(Error::new(
                Kind::UnsupportedType,
                "the body must be application/x-www-form-urlencoded, multipart/form-data or \
                 application/json, and the Content-Type header must say which",
            ));
        };
        let body = read_whole(request, data, form.limit()).await?;
        match form {
            Form::Urlencoded => Self::from_form(json::without_mark(&body)),
            Form::Json => Self::from_json(&body),
            Form::Multipart => {
                let boundary = multer::parse_boundary(media_type.unwrap_or_default())
                    .map_err(|error| Error::invalid("the form names no boundary").because(error))?;
                Self::from_multipart(body, boundary).await
            }
        }
    }
}

/// Reads a body that is JSON of any kind.
pub(crate) async fn read_plain(request: &Request<'_>, data: Data<'_>) -> Result<Value> {
    let body = read_whole(request, data, Form::Json.limit()).await?;
    json::read_bytes(&body).map_err(object::refusal)
}

/// Reads a body as it was sent, up to the limit of that name.
async fn read_whole(request: &Request<'_>, data: Data<'_>, limit: &str) -> Result<Vec<u8>> {
    if let Some(coding) = coding(request) {
        let coding: String = coding
            .chars()
            .filter(|c| !c.is_control())
            .take(32)
            .collect();
        return Err(Error::new(
            Kind::UnsupportedType,
            format!("the body must be sent as it is: Content-Encoding {coding} is not read here"),
        ));
    }
    let limit = request.limits().get(limit).unwrap_or(BODY_KIB.kibibytes());
    // Read by hand: Rocket's own way copies through a buffer of 8 KiB that is zeroed first.
    let named = request.headers().get_one("Content-Length");
    let room = named
        .and_then(|length| length.parse().ok())
        .unwrap_or(0_usize);
    let mut body = Vec::with_capacity(room.min(MOST_ROOM) + 1);
    data.open(limit + 1.bytes())
        .read_to_end(&mut body)
        .await
        .map_err(|error| cut_short().because(error))?;
    if body.len() as u64 > limit.as_u64() {
        return Err(Error::new(
            Kind::TooLarge,
            format!("the body is larger than {} bytes", limit.as_u64()),
        ));
    }
    Ok(body)
}

/// How a body was packed, if it was.
fn coding<'a>(request: &'a Request<'_>) -> Option<&'a str> {
    request
        .headers()
        .get("Content-Encoding")
        .flat_map(|value| value.split(','))
        .map(str::trim)
        .find(|coding| !coding.is_empty() && !coding.eq_ignore_ascii_case("identity"))
}

fn cut_short() -> Error {
    Error::invalid("the body did not arrive whole")
}
