//! One value: a whole number, an id that a tenant gives somebody, yes or no.

use serde_json::{Number, Value};

/// The largest whole number that survives a trip through a client's floating point number.
const LARGEST: i64 = (1 << 53) - 1;
/// What a number with a fraction or an exponent must be below, 2^50.
const LARGEST_FLOAT: f64 = 1_125_899_906_842_624.0;

/// A whole number from -2^53 - 1 to 2^53 - 1, however it is spelled, as a number or as text.
pub fn whole(value: &Value) -> Option<i64> {
    match value {
        Value::Number(number) => whole_number(number),
        Value::String(text) => whole_text(text),
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
    }
}

/// A whole number in text: digits, or whatever JSON would take for that number.
pub fn whole_text(text: &str) -> Option<i64> {
    let text = text.trim();
    let digits = text.split_once('.').map_or(text, |(digits, zeros)| {
        let only_zeros = !zeros.is_empty() && zeros.bytes().all(|byte| byte == b'0');
        if only_zeros { digits } else { text }
    });
    if !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return digits.parse().ok().filter(|number| *number <= LARGEST);
    }
    whole_number(&serde_json::from_str(text).ok()?)
}

/// How many of something at least a client wants: a whole number, however large; nothing below zero.
pub fn at_least_none(value: &Value) -> Option<u64> {
    let number = match value {
        Value::Number(number) => number.as_f64()?,
        Value::String(text) => match whole_text(text) {
            Some(number) => return Some(u64::try_from(number).unwrap_or(0)),
            None => serde_json::from_str::<Number>(text.trim()).ok()?.as_f64()?,
        },
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => return None,
    };
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "what is out of bounds becomes the bound"
    )]
    (number.fract() == 0.0).then_some(number as u64)
}

fn whole_number(number: &Number) -> Option<i64> {
    let number = number.as_i64().or_else(|| whole_float(number.as_f64()?))?;
    (-LARGEST..=LARGEST).contains(&number).then_some(number)
}

/// The same of a number that was written with a fraction or an exponent. Of very large ones the reader
/// of JSON may have missed the last digit: they are none, rather than another number.
fn whole_float(number: f64) -> Option<i64> {
    #[expect(
        clippy::cast_possible_truncation,
        reason = "it is whole and within bounds"
    )]
    (number.fract() == 0.0 && number.abs() < LARGEST_FLOAT).then_some(number as i64)
}

/// What a tenant calls somebody: text, or a whole number, which is the same id as its text.
///
/// `5`, `5.0`, `5e0`, `"5"` and `"5.0"` are one id, and `5.5` is none. Other text is what it is, also
/// where it could be read as a number: `"5e3"`, `"007"` and `"5.5"`.
pub fn own_id(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(plain(text)),
        Value::Number(number) if number.is_u64() || number.is_i64() => Some(number.to_string()),
        Value::Number(number) => Some(whole_number(number)?.to_string()),
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
    }
}

/// Text without a fraction of zeros after a whole number.
fn plain(text: &str) -> String {
    let whole = match text.split_once('.') {
        Some((whole, zeros)) if !zeros.is_empty() && zeros.bytes().all(|byte| byte == b'0') => {
            whole
        }
        Some(_) => return text.to_owned(),
        None => text,
    };
    let digits = whole.strip_prefix('-').unwrap_or(whole);
    let sound = digits == "0" || !digits.starts_with('0') && !digits.is_empty();
    if !sound || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return text.to_owned();
    }
    let whole = if digits == "0" { digits } else { whole };
    whole.to_owned()
}

/// Yes or no: `true`, `1` or `on`; `false`, `0` or `off`.
pub fn flag(value: &Value) -> Option<bool> {
    match value {
        Value::Bool(flag) => Some(*flag),
        Value::String(text) => match text.as_str() {
            "true" | "1" | "on" => Some(true),
            "false" | "0" | "off" => Some(false),
            _ => None,
        },
        Value::Number(number) => match whole_number(number) {
            Some(1) => Some(true),
            Some(0) => Some(false),
            _ => None,
        },
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}

/// Whether something goes on, where clients send whatever they like to say so: null, `false`, zero and
/// no text say that it does not.
pub fn is_on(value: &Value) -> bool {
    match value {
        Value::Bool(flag) => *flag,
        Value::String(text) => !matches!(text.as_str(), "false" | "0" | "off" | ""),
        Value::Number(number) => number.as_f64() != Some(0.0),
        Value::Array(_) | Value::Object(_) => true,
        Value::Null => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn json(text: &str) -> Value {
        serde_json::from_str(text).unwrap_or_else(|error| panic!("{text}: {error}"))
    }

    #[test]
    fn a_number_is_its_value_and_not_its_spelling() {
        for (text, number) in [
            ("5", 5),
            ("5.0", 5),
            ("5e0", 5),
            ("50e-1", 5),
            ("0.5e1", 5),
            ("5.000000", 5),
            ("-0", 0),
            ("-0.0", 0),
            ("0e9", 0),
            ("-5.0", -5),
            ("1e15", 1_000_000_000_000_000),
            ("9007199254740991", LARGEST),
            ("1125899906842623.0", (1 << 50) - 1),
            ("1.125899906842623E15", (1 << 50) - 1),
            ("123456789012345.0", 123_456_789_012_345),
            ("-9007199254740991", -LARGEST),
        ] {
            assert_eq!(whole(&json(text)), Some(number), "{text}");
            assert_eq!(whole(&text.into()), Some(number), "{text:?}");
        }
        for text in [" 5 ", "007", "0", "9007199254740991.0", "05.0"] {
            assert!(whole(&text.into()).is_some(), "{text:?}");
        }
        for text in [
            "5.5",
            "1e-1",
            "5e-324",
            "9007199254740992",
            "9007199254740993",
            "18446744073709551615",
            "123456789012345678901234567890",
            "1e300",
            "-1e300",
            "1125899906842624e0",
        ] {
            assert_eq!(whole(&json(text)), None, "{text}");
            assert_eq!(whole(&text.into()), None, "{text:?}");
        }
        for text in [
            "", " ", ".", "5.", ".5", "+5", "5,0", "0x5", "5f", "1e400", "-1e400", "NaN",
            "Infinity", "\"5\"", "[5]", "\u{665}", "5 5", "--5", "-",
        ] {
            assert_eq!(whole(&text.into()), None, "{text:?}");
        }
        for value in ["null", "true", "[5]", "{}"] {
            assert_eq!(whole(&json(value)), None, "{value}");
        }
    }

    #[test]
    fn a_number_and_its_text_are_one_id() {
        for value in [
            "5",
            "5.0",
            "5e0",
            "0.5e1",
            r#""5""#,
            r#""5.0""#,
            r#""5.00""#,
        ] {
            assert_eq!(own_id(&json(value)).as_deref(), Some("5"), "{value}");
        }
        for value in ["-0", "0", "0.0", r#""0""#, r#""-0""#, r#""0.0""#] {
            assert_eq!(own_id(&json(value)).as_deref(), Some("0"), "{value}");
        }
        for (value, id) in [
            ("-5.0", "-5"),
            (r#""-5.0""#, "-5"),
            ("18446744073709551615", "18446744073709551615"),
            ("-9223372036854775808", "-9223372036854775808"),
            ("9007199254740993", "9007199254740993"),
            ("1e15", "1000000000000000"),
        ] {
            assert_eq!(own_id(&json(value)).as_deref(), Some(id), "{value}");
        }
        for text in [
            "007", "007.0", "00", "5e0", "5e3", "5.5", "5.50", "1.10", "5.", ".0", "-.0", "-",
            "5.0.0", "v5.0", "5.0 ", "+5", "-00", "u-1",
        ] {
            assert_eq!(own_id(&text.into()).as_deref(), Some(text), "{text:?}");
        }
        for value in [
            "5.5",
            "1e300",
            "123456789012345678901234567890",
            "true",
            "null",
            "[]",
        ] {
            assert_eq!(own_id(&json(value)), None, "{value}");
        }
    }

    #[test]
    fn a_wait_is_as_long_as_it_may_be() {
        for (text, seconds) in [
            ("25", 25),
            ("25.0", 25),
            ("2.5e1", 25),
            ("-0", 0),
            ("-7", 0),
            ("1e15", 1_000_000_000_000_000),
            ("99999999999999999999", u64::MAX),
            ("-99999999999999999999", 0),
            ("1e300", u64::MAX),
        ] {
            assert_eq!(at_least_none(&json(text)), Some(seconds), "{text}");
            assert_eq!(at_least_none(&text.into()), Some(seconds), "{text:?}");
        }
        for text in ["", "25.5", "1e400", "x", "true"] {
            assert_eq!(at_least_none(&text.into()), None, "{text:?}");
        }
        assert_eq!(at_least_none(&json("0.5")), None);
        assert_eq!(at_least_none(&json("true")), None);
    }

    #[test]
    fn yes_and_no_are_read_by_value_too() {
        for value in ["true", "1", "1.0", r#""true""#, r#""1""#, r#""on""#] {
            assert_eq!(flag(&json(value)), Some(true), "{value}");
        }
        for value in ["false", "0", "-0.0", r#""false""#, r#""0""#, r#""off""#] {
            assert_eq!(flag(&json(value)), Some(false), "{value}");
            assert!(!is_on(&json(value)), "{value}");
        }
        for value in ["2", "0.5", r#""yes""#, r#""""#, "null", "[]"] {
            assert_eq!(flag(&json(value)), None, "{value}");
        }
    }
}
