//! Reads `application/x-www-form-urlencoded`, as browsers write it and servers read it.

use percent_encoding::percent_decode;
use serde_json::Value;

use super::{MOST, too_many};
use crate::error::{Error, Result};

/// Splits at `&` and `=`, takes `+` for a blank and decodes `%XX`.
///
/// A `%` that no two hexadecimal digits follow stays as it is, as the URL standard says. Bytes that
/// are not UTF-8 are refused: the standard would replace them, and the text would be another one.
pub(super) fn parse(bytes: &[u8]) -> Result<Vec<(String, Value)>> {
    let mut pairs = Vec::new();
    for piece in bytes.split(|byte| *byte == b'&') {
        if piece.is_empty() {
            continue;
        }
        if pairs.len() == MOST {
            return Err(too_many());
        }
        let (name, value) = match piece.iter().position(|byte| *byte == b'=') {
            Some(place) => (&piece[..place], &piece[place + 1..]),
            None => (piece, &[][..]),
        };
        let name = decode(name).ok_or_else(|| Error::invalid("a field's name is not UTF-8"))?;
        let Some(value) = decode(value) else {
            return Err(Error::invalid(format!("{name} is not UTF-8")));
        };
        pairs.push((name, Value::String(value)));
    }
    Ok(pairs)
}

fn decode(bytes: &[u8]) -> Option<String> {
    let blanks: Vec<u8> = bytes
        .iter()
        .map(|byte| if *byte == b'+' { b' ' } else { *byte })
        .collect();
    String::from_utf8(percent_decode(&blanks).collect()).ok()
}
