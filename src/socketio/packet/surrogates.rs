//! JSON that may hold lone UTF-16 surrogates: they are replaced by U+FFFD.

use std::borrow::Cow;

use serde::de::DeserializeOwned;

/// Parses JSON in which lone UTF-16 surrogates stand for U+FFFD, as in the packets of clients.
pub fn parse_json<T: DeserializeOwned>(text: &str) -> serde_json::Result<T> {
    serde_json::from_str(text).or_else(|error| match replace_lone(text) {
        Cow::Borrowed(_) => Err(error),
        Cow::Owned(replaced) => serde_json::from_str(&replaced),
    })
}

/// Replaces the escapes of lone surrogates by that of U+FFFD.
///
/// JavaScript strings may be cut between the two UTF-16 units of one character, so an ordinary client
/// can send half an emoji, as `\ud83d`. The rest of its packet is good and is kept.
fn replace_lone(text: &str) -> Cow<'_, str> {
    let mut replaced = String::new();
    let mut copied = 0;
    let mut at = 0;
    while let Some(found) = text[at..].find('\\') {
        at += found;
        match (unit(text, at), unit(text, at + 6)) {
            (Some(0xd800..=0xdbff), Some(0xdc00..=0xdfff)) => at += 12,
            (Some(0xd800..=0xdfff), _) => {
                replaced.push_str(&text[copied..at]);
                replaced.push_str("\\ufffd");
                at += 6;
                copied = at;
            }
            // Another escape: skip the backslash and the escaped character, which may be a backslash.
            _ => at += 1 + text[at + 1..].chars().next().map_or(0, char::len_utf8),
        }
    }
    if copied == 0 {
        return Cow::Borrowed(text);
    }
    replaced.push_str(&text[copied..]);
    Cow::Owned(replaced)
}

/// The UTF-16 unit of the `\uXXXX` escape at `at`; `None` if there is no such escape.
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
                parse_json::<String>(text).ok().as_deref(),
                Some(read_as),
                "{text}"
            );
        }
        for text in [r#""\ud83""#, r#""\ud83d"#, "\"\\", r"\ud83d"] {
            assert!(parse_json::<Value>(text).is_err(), "{text}");
        }
    }
}
