//! What the table says about a setting, and how a value is checked against it.

use std::{ops::RangeInclusive, time::Duration};

use rocket::figment::{
    util::map,
    value::{Dict, Value},
};

use super::length;

/// A group of settings, in the order of `Rocket.toml`.
#[derive(Debug, Clone, Copy)]
pub struct Section {
    /// Its title in `Rocket.toml`.
    pub title: &'static str,
    /// The TOML table that holds its keys, such as `databases.chat`; empty for the top.
    pub table: &'static str,
    /// Its settings.
    pub settings: &'static [Setting],
}

/// One setting: a row of the table.
#[derive(Debug, Clone)]
pub struct Setting {
    /// Its key within the section's table.
    pub name: &'static str,
    /// What holds when nobody sets it.
    pub default: Preset,
    /// Which values it takes.
    pub kind: Kind,
    /// A sentence for operators, in Markdown.
    pub about: &'static str,
    /// More about it, for `Rocket.toml` alone.
    pub more: &'static str,
}

/// A default, as it is written in `Rocket.toml`.
#[derive(Debug, Clone, Copy)]
pub enum Preset {
    /// `true` or `false`.
    Flag(bool),
    /// A whole number.
    Number(i64),
    /// Text in quotes.
    Text(&'static str),
    /// A list of texts.
    Texts(&'static [&'static str]),
    /// It depends on the machine: in words, and with an example.
    Machine(&'static str, &'static str),
}

/// Which values a setting takes.
#[derive(Debug, Clone)]
pub enum Kind {
    /// `true` or `false`.
    Flag,
    /// A whole number within bounds, with what it counts.
    Number(RangeInclusive<i64>, &'static str),
    /// A whole number of seconds within bounds.
    Seconds(RangeInclusive<u64>),
    /// A length of time within bounds, in seconds: a number of seconds, or text with a unit such as `"30d"`.
    Length(RangeInclusive<u64>),
    /// One of these words.
    Choice(&'static [&'static str]),
    /// `true`, `false` or this word.
    FlagOr(&'static str),
    /// Any text; what it means.
    Text(&'static str),
    /// Any text; the empty one means that it is not set.
    OptionalText,
    /// Text of one form. It may hold a password, so messages do not repeat it.
    Form {
        /// What it is.
        what: &'static str,
        /// One that has the form.
        example: &'static str,
        /// Whether a text has it.
        is_one: fn(&str) -> bool,
    },
    /// Texts of one form: which, with an example, and whether a text has it.
    List(&'static str, fn(&str) -> bool),
    /// The address of a database.
    DatabaseUrl,
    /// Rocket reads and checks it: which values that takes.
    Rocket(&'static str),
}

impl Section {
    /// The whole key of one of its settings, such as `databases.chat.url`.
    pub fn key(&self, setting: &Setting) -> String {
        if self.table.is_empty() {
            setting.name.to_owned()
        } else {
            format!("{}.{}", self.table, setting.name)
        }
    }
}

impl Setting {
    /// A row; `about` is a sentence for operators.
    pub(super) const fn new(
        name: &'static str,
        default: Preset,
        kind: Kind,
        about: &'static str,
    ) -> Self {
        Self {
            name,
            default,
            kind,
            about,
            more: "",
        }
    }

    /// The same row with more to say in `Rocket.toml`.
    pub(super) const fn more(mut self, more: &'static str) -> Self {
        self.more = more;
        self
    }
}

impl Preset {
    /// The default as a figment holds it, unless it depends on the machine.
    pub fn value(&self) -> Option<Value> {
        match *self {
            Self::Flag(flag) => Some(flag.into()),
            Self::Number(number) => Some(number.into()),
            Self::Text(text) => Some(text.into()),
            Self::Texts(texts) => Some(texts.to_vec().into()),
            Self::Machine(..) => None,
        }
    }
}

/// The schemes of the databases that there are.
const DATABASES: [&str; 3] = ["sqlite:", "postgres://", "postgresql://"];

impl Kind {
    /// What the field of [`Settings`](super::Settings) is read from, or what is wrong with `value`.
    pub(super) fn check(&self, value: &Value) -> Result<Value, String> {
        match self {
            Self::Flag => flag(value, "must be true or false").map(Value::from),
            Self::Number(range, _) => whole(value)
                .filter(|number| range.contains(number))
                .map(Value::from)
                .ok_or_else(|| outside(range.start(), range.end(), value)),
            Self::Seconds(range) => whole(value)
                .and_then(|seconds| u64::try_from(seconds).ok())
                .filter(|seconds| range.contains(seconds))
                .map(duration)
                .ok_or_else(|| outside(range.start(), range.end(), value)),
            Self::Length(range) => length(value)
                .filter(|seconds| range.contains(seconds))
                .map(duration)
                .ok_or_else(|| {
                    let (shortest, longest) = (spell(*range.start()), spell(*range.end()));
                    let value = display(value);
                    format!(
                        "must be a time between {shortest} and {longest} (units: s, m, h, d), it is {value}"
                    )
                }),
            Self::Choice(words) => match value.as_str() {
                Some(text) if words.contains(&text) => Ok(text.into()),
                _ => Err(format!(
                    "must be one of {}, it is {}",
                    words.join(", "),
                    display(value)
                )),
            },
            Self::FlagOr(word) if value.as_str() == Some(word) => Ok((*word).into()),
            Self::FlagOr(word) => flag(value, &format!("must be true, false or {word:?}"))
                .map(|flag| flag.to_string().into()),
            Self::Text(_) => text(value).map(Value::from),
            Self::OptionalText => text(value).map(|text| {
                let empty = || Value::from(rocket::figment::value::Empty::None);
                if text.is_empty() { empty() } else { text.into() }
            }),
            Self::Form {
                what,
                example,
                is_one,
            } => form(value, what, example, *is_one),
            Self::List(what, is_one) => list(value, what, *is_one),
            Self::DatabaseUrl => {
                let url = text(value)?;
                if DATABASES.iter().any(|scheme| url.starts_with(scheme)) {
                    Ok(url.into())
                } else {
                    // The address may hold a password: it is not repeated here.
                    Err("must begin with sqlite:// or postgres://".to_owned())
                }
            }
            Self::Rocket(_) => Ok(value.clone()),
        }
    }

    /// The values in words, for the documents.
    pub fn values(&self) -> String {
        match self {
            Self::Flag => "`true` or `false`".to_owned(),
            Self::Number(range, unit) => {
                let text = format!("{} to {} {unit}", range.start(), range.end());
                text.trim_end().to_owned()
            }
            Self::Seconds(range) => format!("{} to {} seconds", range.start(), range.end()),
            Self::Length(range) => {
                format!("`{}` to `{}`", spell(*range.start()), spell(*range.end()))
            }
            Self::Choice(words) => format!("`\"{}\"`", words.join("\"`, `\"")),
            Self::FlagOr(word) => format!("`true`, `false` or `{word:?}`"),
            Self::Text(what) => (*what).to_owned(),
            Self::OptionalText => "text; empty: not set".to_owned(),
            Self::Form { what, example, .. } => format!("{what}, such as `{example}`"),
            Self::List(what, _) => format!("a list of {what}"),
            Self::DatabaseUrl => "`sqlite://path`, `postgres://user:password@host/name`".to_owned(),
            Self::Rocket(values) => (*values).to_owned(),
        }
    }
}

fn flag(value: &Value, must: &str) -> Result<bool, String> {
    value
        .to_bool_lossy()
        .ok_or_else(|| format!("{must}, it is {}", display(value)))
}

fn text(value: &Value) -> Result<String, String> {
    value.clone().into_string().ok_or_else(|| {
        format!(
            "must be text in quotes, it is {} without them",
            display(value)
        )
    })
}

/// A text of a form. It may hold a password: it is not repeated.
fn form(
    value: &Value,
    what: &str,
    example: &str,
    is_one: fn(&str) -> bool,
) -> Result<Value, String> {
    let text = text(value)?;
    if is_one(&text) {
        Ok(text.into())
    } else {
        Err(format!("must be {what}, such as {example}"))
    }
}

/// A list of texts, or one text with commas (handy in the environment).
fn list(value: &Value, what: &str, is_one: fn(&str) -> bool) -> Result<Value, String> {
    let texts: Option<Vec<String>> = match value {
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
    let texts =
        texts.ok_or_else(|| format!("must be a list of texts, it is {}", display(value)))?;
    match texts.iter().find(|text| !is_one(text)) {
        Some(other) => Err(format!("must hold {what}, {other:?} is not one")),
        None => Ok(texts.into()),
    }
}

fn length(value: &Value) -> Option<u64> {
    match value.as_str() {
        Some(text) => length::parse(text).map(|length| length.as_secs()),
        None => whole(value).and_then(|seconds| seconds.try_into().ok()),
    }
}

fn spell(seconds: u64) -> String {
    length::spell(Duration::from_secs(seconds))
}

/// Seconds in the form from which serde reads a [`Duration`].
fn duration(seconds: u64) -> Value {
    let fields: Dict =
        map!["secs".to_owned() => seconds.into(), "nanos".to_owned() => 0_u32.into()];
    fields.into()
}

fn outside<N: std::fmt::Display>(low: N, high: N, value: &Value) -> String {
    format!("must be between {low} and {high}, it is {}", display(value))
}

/// A whole number; the figment tells signed ones (from files) from unsigned ones (from the environment).
fn whole(value: &Value) -> Option<i64> {
    value
        .to_i128()
        .or_else(|| value.to_u128().and_then(|number| number.try_into().ok()))
        .and_then(|number| number.try_into().ok())
}

fn display(value: &Value) -> String {
    match value {
        Value::String(_, text) => format!("{text:?}"),
        Value::Char(_, character) => format!("{:?}", character.to_string()),
        Value::Bool(_, flag) => flag.to_string(),
        Value::Num(..) => value
            .to_i128()
            .map(|number| number.to_string())
            .or_else(|| value.to_u128().map(|number| number.to_string()))
            .or_else(|| value.to_f64().map(|number| number.to_string()))
            .unwrap_or_else(|| "a number out of range".to_owned()),
        Value::Empty(..) => "empty".to_owned(),
        Value::Dict(..) => "a table".to_owned(),
        Value::Array(..) => "a list".to_owned(),
    }
}
