//! JSON as bytes: a byte order mark at its beginning is skipped.

use parlance_socketio::packet::parse_json;
use serde::de::DeserializeOwned;

/// U+FEFF in UTF-8, with which some programs begin every text.
const MARK: &[u8] = b"\xef\xbb\xbf";

/// Parses bytes, which may begin with a byte order mark. Lone UTF-16 surrogates stand for U+FFFD, as in the
/// packets of sockets.
pub fn read_bytes<T: DeserializeOwned>(bytes: &[u8]) -> serde_json::Result<T> {
    let bytes = without_mark(bytes);
    match str::from_utf8(bytes) {
        Ok(text) => parse_json(text),
        // The error names the place that is not UTF-8.
        Err(_) => serde_json::from_slice(bytes),
    }
}

/// What comes after a byte order mark, if there is one.
pub fn without_mark(bytes: &[u8]) -> &[u8] {
    bytes.strip_prefix(MARK).unwrap_or(bytes)
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    #[test]
    fn a_byte_order_mark_is_skipped_once() {
        assert_eq!(read_bytes::<i64>(b"\xef\xbb\xbf5").ok(), Some(5));
        assert!(read_bytes::<i64>(b"\xef\xbb\xbf\xef\xbb\xbf5").is_err());
        assert!(read_bytes::<Value>(b"\"\xed\xa0\xbd\"").is_err());
        assert!(read_bytes::<Value>(b"\xef\xbb").is_err());
    }
}
