//! Reads single settings out of a figment, noting what is wrong instead of stopping at it.

use std::{fmt, ops::RangeInclusive, time::Duration};

use rocket::figment::{Figment, value::Value};

use super::{Mistakes, length};

/// Reads keys one by one; a key that is absent keeps its default.
pub(super) struct Reader<'a> {
    pub(super) figment: &'a Figment,
    pub(super) mistakes: Mistakes,
}

impl Reader<'_> {
    /// A whole number within `range`.
    pub(super) fn number<N>(&mut self, key: &str, range: RangeInclusive<N>, default: N) -> N
    where
        N: TryFrom<i128> + PartialOrd + fmt::Display,
    {
        let Some(value) = self.value(key) else {
            return default;
        };
        match whole(&value).map(N::try_from) {
            Some(Ok(number)) if range.contains(&number) => number,
            _ => {
                let (low, high) = (range.start(), range.end());
                let what = format!(
                    "must be between {low} and {high}, it is {}",
                    display(&value)
                );
                self.mistakes.note(key, what);
                default
            }
        }
    }

    /// `true` or `false`.
    pub(super) fn flag(&mut self, key: &str, default: bool) -> bool {
        let Some(value) = self.value(key) else {
            return default;
        };
        value.to_bool_lossy().unwrap_or_else(|| {
            let what = format!("must be true or false, it is {}", display(&value));
            self.mistakes.note(key, what);
            default
        })
    }

    /// One of a few words.
    pub(super) fn choice<T: Copy>(&mut self, key: &str, choices: &[(&str, T)], default: T) -> T {
        let Some(value) = self.value(key) else {
            return default;
        };
        let chosen = value
            .as_str()
            .and_then(|text| choices.iter().find(|(word, _)| *word == text));
        if let Some((_, choice)) = chosen {
            return *choice;
        }
        let words: Vec<_> = choices.iter().map(|(word, _)| *word).collect();
        let what = format!(
            "must be one of {}, it is {}",
            words.join(", "),
            display(&value)
        );
        self.mistakes.note(key, what);
        default
    }

    /// Any text.
    pub(super) fn text(&mut self, key: &str, default: &str) -> String {
        let Some(value) = self.value(key) else {
            return default.to_owned();
        };
        value.clone().into_string().unwrap_or_else(|| {
            let what = format!(
                "must be text in quotes, it is {} without them",
                display(&value)
            );
            self.mistakes.note(key, what);
            default.to_owned()
        })
    }

    /// Any text, where the empty text means "not set".
    pub(super) fn optional_text(&mut self, key: &str) -> Option<String> {
        Some(self.text(key, "")).filter(|text| !text.is_empty())
    }

    /// A list of texts, or one text with commas (handy in the environment).
    pub(super) fn texts(&mut self, key: &str) -> Vec<String> {
        let Some(value) = self.value(key) else {
            return Vec::new();
        };
        let texts = match &value {
            Value::String(_, text) => Some(
                text.split(',')
                    .map(|part| part.trim().to_owned())
                    .filter(|part| !part.is_empty())
                    .collect(),
            ),
            Value::Array(_, values) => values
                .iter()
                .map(|value| value.as_str().map(ToOwned::to_owned))
                .collect(),
            _ => None,
        };
        texts.unwrap_or_else(|| {
            let what = format!("must be a list of texts, it is {}", display(&value));
            self.mistakes.note(key, what);
            Vec::new()
        })
    }

    /// A length of time within `range`: seconds, or text with a unit such as `"30d"`.
    pub(super) fn length(
        &mut self,
        key: &str,
        range: RangeInclusive<Duration>,
        default: Duration,
    ) -> Duration {
        let Some(value) = self.value(key) else {
            return default;
        };
        let length = match value.as_str() {
            Some(text) => length::parse(text),
            None => whole(&value)
                .and_then(|seconds| u64::try_from(seconds).ok())
                .map(Duration::from_secs),
        };
        match length {
            Some(length) if range.contains(&length) => length,
            _ => {
                let what = format!(
                    "must be a time between {} and {} (units: s, m, h, d), it is {}",
                    length::spell(*range.start()),
                    length::spell(*range.end()),
                    display(&value)
                );
                self.mistakes.note(key, what);
                default
            }
        }
    }

    fn value(&self, key: &str) -> Option<Value> {
        self.figment.find_value(key).ok()
    }
}

/// A whole number; the figment tells signed ones (from files) from unsigned ones (from code).
fn whole(value: &Value) -> Option<i128> {
    value
        .to_i128()
        .or_else(|| value.to_u128().and_then(|number| number.try_into().ok()))
}

fn display(value: &Value) -> String {
    match value {
        Value::String(_, text) => format!("{text:?}"),
        Value::Char(_, character) => format!("{:?}", character.to_string()),
        Value::Bool(_, flag) => flag.to_string(),
        Value::Num(..) => whole(value)
            .map(|number| number.to_string())
            .or_else(|| value.to_f64().map(|number| number.to_string()))
            .unwrap_or_else(|| "a number out of range".to_owned()),
        Value::Empty(..) => "empty".to_owned(),
        Value::Dict(..) => "a table".to_owned(),
        Value::Array(..) => "a list".to_owned(),
    }
}
