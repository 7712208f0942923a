//! JSON as bytes: a mark at its beginning is skipped, and half a character becomes U+FFFD.

use std::borrow::Cow;

use serde::de::DeserializeOwned;

/// U+FEFF in UTF-8, with which some programs begin every text.
const MARK: &[u8] = b"\xef\xbb\xbf";

/// Reads `text`, and reads it again mended if it holds half a character.
pub fn read<T: DeserializeOwned>(text: &str) -> serde_json::Result<T> {
    serde_json::from_str(text).or_else(|error| match mend(text) {
        Cow::Borrowed(_) => Err(error),
        Cow::Owned(mended) => serde_json::from_str(&mended),
    })
}

/// The same of bytes, which may begin with a byte order mark.
pub fn read_bytes<T: DeserializeOwned>(bytes: &[u8]) -> serde_json::Result<T> {
    let bytes = without_mark(bytes);
    match str::from_utf8(bytes) {
        Ok(text) => read(text),
        // It says where the text ends being text.
        Err(_) => serde_json::from_slice(bytes),
    }
}

/// What comes after a byte order mark, if there is one.
pub fn without_mark(bytes: &[u8]) -> &[u8] {
    bytes.strip_prefix(MARK).unwrap_or(bytes)
}

/// Replaces lone surrogates by U+FFFD.
///
/// JavaScript cuts text between UTF-16 units, so an honest client may send half an emoji, as
/// `\ud83d`. That is no reason to refuse all that came with it.
fn mend(text: &str) -> Cow<'_, str> {
    let mut mended = String::new();
    let mut kept = 0;
    let mut at = 0;
    while let Some(found) = text[at..].find('\\') {
        at += found;
        match (unit(text, at), unit(text, at + 6)) {
            (Some(0xd800..=0xdbff), Some(0xdc00..=0xdfff)) => at += 12,
            (Some(0xd800..=0xdfff), _) => {
                mended.push_str(&text[kept..at]);
                mended.push_str("\\ufffd");
                at += 6;
                kept = at;
            }
            // Another escape: step over the backslash and what it escapes, perhaps a backslash.
            _ => at += 1 + text[at + 1..].chars().next().map_or(0, char::len_utf8),
        }
    }
    if kept == 0 {
        return Cow::Borrowed(text);
    }
    mended.push_str(&text[kept..]);
    Cow::Owned(mended)
}

/// The UTF-16 unit that the escape at `at` spells, if it is such an escape.
fn unit(text: &str, at: usize) -> Option<u16> {
    let digits = text.get(at..at + 6)?.strip_prefix("\\u")?;
    let hex = digits.bytes().all(|byte| byte.is_ascii_hexdigit());
    hex.then(|| u16::from_str_radix(digits, 16).ok())?
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    #[test]
    fn half_a_character_is_replaced_and_a_whole_one_stays() {
        for (text, read_as) in [
            (r#""\ud83d""#, "\u{fffd}"),
            (r#""a\udc4bb""#, "a\u{fffd}b"),
            (r#""\ud83d\udc4b\ud83d""#, "\u{1f44b}\u{fffd}"),
            (r#""\ud83d\ud83d\udc4b""#, "\u{fffd}\u{1f44b}"),
            (r#""\\ud83d \ud83d""#, "\\ud83d \u{fffd}"),
            (r#""\uD83D\n""#, "\u{fffd}\n"),
        ] {
            assert_eq!(
                read::<String>(text).ok().as_deref(),
                Some(read_as),
                "{text}"
            );
        }
        for text in [r#""\ud83""#, r#""\ud83d"#, "\"\\", r"\ud83d"] {
            assert!(read::<Value>(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_byte_order_mark_is_skipped_once() {
        assert_eq!(read_bytes::<i64>(b"\xef\xbb\xbf5").ok(), Some(5));
        assert!(read_bytes::<i64>(b"\xef\xbb\xbf\xef\xbb\xbf5").is_err());
        assert!(read_bytes::<Value>(b"\"\xed\xa0\xbd\"").is_err());
        assert!(read_bytes::<Value>(b"\xef\xbb").is_err());
    }
}
