//! Reads a multipart form that is already in memory.

use std::convert::Infallible;

use bytes::Bytes;
use futures_util::stream;
use multer::Multipart;
use serde_json::Value;

use super::{MOST, too_many};
use crate::error::{Error, Result};

/// Takes every part as text, a part with a file's name too: it is how curl sends `-F name=@file`.
pub(super) async fn parse(bytes: Vec<u8>, boundary: String) -> Result<Vec<(String, Value)>> {
    let whole = stream::iter([Ok::<_, Infallible>(Bytes::from(bytes))]);
    let mut parts = Multipart::new(whole, boundary);
    let mut pairs = Vec::new();
    while let Some(part) = parts.next_field().await.map_err(broken)? {
        if pairs.len() == MOST {
            return Err(too_many());
        }
        let Some(name) = part.name().map(ToOwned::to_owned) else {
            return Err(Error::invalid("a part of the form has no name"));
        };
        let value = part.bytes().await.map_err(broken)?;
        let Ok(value) = String::from_utf8(value.into()) else {
            return Err(Error::invalid(format!("{name} is not UTF-8")));
        };
        pairs.push((name, Value::String(value)));
    }
    Ok(pairs)
}

fn broken(error: multer::Error) -> Error {
    Error::invalid("the multipart form is broken").because(error)
}
