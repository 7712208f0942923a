//! The cookies that sign people in, read as RFC 6265 writes them, in one way for every transport.
//!
//! A client sends `name=value` pairs that a semicolon divides. Values may stand in quotes, as Java's
//! cookie store sends them, after a `$Version` of its own. A browser sends a name several times when
//! several paths or domains have set it, and which of them is still good nobody can tell by looking. So
//! all of them are [`Claims`], up to a bound, and the callers' side tries which proves itself. What
//! other software on the same host keeps in its cookies is passed over, whatever bytes it is.

use std::borrow::Cow;

use percent_encoding::percent_decode;

use crate::{chat::callers::Claims, model::PersonId};

/// The cookie that says who; it must match the token's owner and never decides.
pub const USER_ID: &str = "user_id";
/// The cookie that proves it.
pub const TOKEN: &str = "token";
/// Another name for it, under which it is taken but never set.
const ACCESS_TOKEN: &str = "access_token";
/// The cookie by which a browser is known that has signed in before; it lets nobody in.
pub const DEVICE: &str = "device";
/// What a browser takes from this host alone, over TLS, for all of its paths: no other host of the domain can
/// set a cookie whose name begins so.
const HOST_PREFIX: &str = "__Host-";
/// The most values of one kind that are tried: each unknown token is a question to the database.
const MOST: usize = 4;

/// Whom the `Cookie` header lines of a request name, and by which tokens; nothing unless both came.
pub fn claims<'a>(lines: impl Iterator<Item = &'a [u8]>) -> Option<Claims> {
    let pairs: Vec<_> = pairs(lines).collect();
    // Another host of the domain can set the others only: they count where there are no better ones.
    let ours = claims_among(spelt(&pairs, true));
    ours.or_else(|| claims_among(spelt(&pairs, false)))
}

fn claims_among<'a>(pairs: impl Iterator<Item = (&'a [u8], &'a [u8])>) -> Option<Claims> {
    let mut claims = Claims::default();
    let mut others = Vec::new();
    for (name, value) in pairs {
        match str::from_utf8(name) {
            Ok(USER_ID) => {
                for person in spellings(value).filter_map(|text| PersonId::from_any(&text).ok()) {
                    note(&mut claims.people, person);
                }
            }
            Ok(TOKEN) => spellings(value).for_each(|token| note(&mut claims.tokens, token)),
            Ok(ACCESS_TOKEN) => spellings(value).for_each(|token| note(&mut others, token)),
            Ok(_) | Err(_) => {}
        }
    }
    for token in others {
        note(&mut claims.tokens, token);
    }
    let complete = !claims.people.is_empty() && !claims.tokens.is_empty();
    complete.then_some(claims)
}

/// The name of a cookie that no other host of the domain can set.
pub fn prefixed(name: &str) -> Cow<'static, str> {
    format!("{HOST_PREFIX}{name}").into()
}

/// The name of a cookie by whichever spelling: both are read, so that a setting that changes ends no login.
fn plain(name: &[u8]) -> &[u8] {
    name.strip_prefix(HOST_PREFIX.as_bytes()).unwrap_or(name)
}

/// Those pairs whose names have the prefix, without it, or the others.
fn spelt<'a>(
    pairs: &[(&'a [u8], &'a [u8])],
    is_prefixed: bool,
) -> impl Iterator<Item = (&'a [u8], &'a [u8])> {
    let spelt = pairs.iter().filter_map(move |(name, value)| {
        let bare = name.strip_prefix(HOST_PREFIX.as_bytes());
        if is_prefixed {
            bare.map(|bare| (bare, *value))
        } else {
            bare.is_none().then_some((*name, *value))
        }
    });
    spelt.collect::<Vec<_>>().into_iter()
}

/// Whether a request brings a cookie that could sign somebody in, good or not.
pub fn has_token<'a>(lines: impl Iterator<Item = &'a [u8]>) -> bool {
    pairs(lines).any(|(name, _)| {
        let name = plain(name);
        name == TOKEN.as_bytes() || name == ACCESS_TOKEN.as_bytes()
    })
}

/// What device cookies say, one after the other.
pub fn device<'a>(lines: impl Iterator<Item = &'a [u8]>) -> String {
    let shown = pairs(lines).filter(|(name, _)| plain(name) == DEVICE.as_bytes());
    let shown = shown.filter_map(|(_, value)| str::from_utf8(value).ok());
    shown.take(MOST).collect::<Vec<_>>().join(".")
}

/// A value as it is and, where that differs, decoded: a page that sets a cookie encodes what a value must
/// not hold.
fn spellings(value: &[u8]) -> impl Iterator<Item = String> {
    let plain = str::from_utf8(value).ok().map(str::to_owned);
    let decoded = match Cow::from(percent_decode(value)) {
        Cow::Owned(bytes) => String::from_utf8(bytes).ok(),
        Cow::Borrowed(_) => None,
    };
    let both = plain.into_iter().chain(decoded);
    both.filter(|text| !text.is_empty())
}

/// Names and values, without the blanks around them and the quotes around a value.
fn pairs<'a>(lines: impl Iterator<Item = &'a [u8]>) -> impl Iterator<Item = (&'a [u8], &'a [u8])> {
    let pairs = lines.flat_map(|line| line.split(|byte| *byte == b';'));
    pairs.filter_map(|pair| {
        let equals = pair.iter().position(|byte| *byte == b'=')?;
        let name = pair[..equals].trim_ascii();
        let value = pair[equals + 1..].trim_ascii();
        let bare = value
            .strip_prefix(b"\"")
            .and_then(|rest| rest.strip_suffix(b"\""));
        Some((name, bare.unwrap_or(value)))
    })
}

fn note<T: PartialEq>(known: &mut Vec<T>, value: T) {
    if known.len() < MOST && !known.contains(&value) {
        known.push(value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    type Read = (Vec<i64>, Vec<String>);

    fn read(lines: &[&[u8]]) -> Read {
        let claims = claims(lines.iter().copied()).unwrap_or_default();
        let people = claims.people.iter().map(|person| person.get()).collect();
        (people, claims.tokens)
    }

    fn is(people: &[i64], tokens: &[&str]) -> Read {
        let tokens = tokens.iter().map(|token| (*token).to_owned()).collect();
        (people.to_vec(), tokens)
    }

    #[test]
    fn quotes_and_what_java_says_of_itself_are_taken_off() {
        for line in [
            &b"user_id=6; token=abc"[..],
            b"user_id=\"6\"; token=\"abc\"",
            b"$Version=\"1\"; user_id=\"6\";$Path=\"/\";$Domain=\"127.0.0.1\"; token=\"abc\";$Path=\"/\"",
            b"token=abc;user_id=6",
            b"  user_id = 6 ;\ttoken\t=  \"abc\"  ;;",
            b"user_id=000000000000000000000006; access_token=abc",
            b"theme=\"dark; user_id=6; token=abc",
        ] {
            let told = String::from_utf8_lossy(line);
            assert_eq!(read(&[line]), is(&[6], &["abc"]), "{told}");
        }
        assert_eq!(read(&[b"user_id=6", b"token=abc"]), is(&[6], &["abc"]));
        let odd = read(&[b"user_id=6; token=\"a"]);
        assert_eq!(odd, is(&[6], &["\"a"]), "one quote is a value's own");
    }

    #[test]
    fn other_peoples_cookies_spoil_nothing() {
        for other in [
            &b"name=Jos\xe9"[..],
            b"\xff\xfe=\xfd",
            b"flag",
            b"",
            b"=",
            b"=x",
            b"token2=x",
            b"Token=x",
            b"user_id=\xe9",
            b"user_id=ann",
            b"user_id=",
            b"token=",
            b"token=\xe9",
            b"token=\"\"",
        ] {
            for line in [
                [other, b"; user_id=6; token=abc"].concat(),
                [&b"user_id=6; token=abc; "[..], other].concat(),
            ] {
                let told = String::from_utf8_lossy(&line);
                assert_eq!(read(&[&line]), is(&[6], &["abc"]), "{told}");
            }
        }
    }

    #[test]
    fn every_candidate_is_kept_up_to_a_bound() {
        let line = b"user_id=6; token=good; token=stale; access_token=other; user_id=7; user_id=6";
        assert_eq!(read(&[line]), is(&[6, 7], &["good", "stale", "other"]));
        let encoded = b"user_id=6; token=a%3Db; token=a%zz; token=%ff";
        let expected = is(&[6], &["a%3Db", "a=b", "a%zz", "%ff"]);
        assert_eq!(read(&[encoded]), expected);
        let many: Vec<_> = (0..99)
            .map(|n| format!("user_id={n}; token=t{n}"))
            .collect();
        let many = many.join("; ");
        let (people, tokens) = read(&[many.as_bytes()]);
        assert_eq!((people.len(), tokens.len()), (MOST, MOST));
    }

    #[test]
    fn both_spellings_are_read_and_the_one_that_only_this_host_can_set_counts_first() {
        let prefixed = b"__Host-user_id=6; __Host-token=abc";
        assert_eq!(read(&[prefixed]), is(&[6], &["abc"]));
        let both = b"user_id=7; token=x; __Host-user_id=6; __Host-token=abc; access_token=y";
        assert_eq!(read(&[both]), is(&[6], &["abc"]));
        let half = b"user_id=7; token=x; __Host-token=abc";
        assert_eq!(read(&[half]), is(&[7], &["x"]));
        let has = |line: &'static [u8]| has_token(std::iter::once(line));
        assert!(has(b"__Host-token=abc") && !has(b"__Host-tokens=abc"));
        let shown = device(std::iter::once(&b"device=a; __Host-device=b"[..]));
        assert_eq!(shown, "a.b");
    }

    #[test]
    fn one_without_the_other_claims_nothing() {
        for line in [
            &b"user_id=6"[..],
            b"token=abc",
            b"",
            b"user_id=x; token=abc",
        ] {
            assert_eq!(read(&[line]), is(&[], &[]));
        }
        let has = |line: &'static [u8]| has_token(std::iter::once(line));
        assert!(has(b"a=b; token=\"\"") && has(b"access_token=\xe9"));
        assert!(!has(b"user_id=6; tokens=x; token"));
    }
}
