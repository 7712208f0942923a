//! The arguments of events and acknowledgements: JSON values with binary values among them.

use bytes::Bytes;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

/// The arguments of an event or an acknowledgement.
///
/// A binary value is an attachment, represented by a placeholder object among the JSON values. Arguments
/// are added with [`Args::push`] or made from a tuple. Binary inside an object is added with
/// [`Args::attach`].
///
/// ```
/// use bytes::Bytes;
/// use parlance_socketio::packet::Args;
/// use serde_json::json;
///
/// let mut args = Args::from(("holiday.png", Bytes::from_static(&[1, 2, 3])));
/// let thumbnail = args.attach(Bytes::from_static(&[4]));
/// args.push(json!({ "width": 64, "thumbnail": thumbnail }));
///
/// assert_eq!(args.text(0), Some("holiday.png"));
/// assert_eq!(args.binary(1).unwrap().as_ref(), [1, 2, 3]);
/// assert_eq!(args.resolve(&args.values()[2]["thumbnail"]).unwrap().as_ref(), [4]);
/// ```
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Args {
    values: Vec<Value>,
    attachments: Vec<Bytes>,
}

/// One argument.
#[derive(Debug, Clone, PartialEq)]
pub enum Arg {
    /// A JSON value.
    Json(Value),
    /// Binary.
    Binary(Bytes),
}

impl Args {
    /// No arguments.
    pub const fn new() -> Self {
        Self {
            values: Vec::new(),
            attachments: Vec::new(),
        }
    }

    /// Values of a packet whose `expected` attachments have not arrived. The placeholders are valid.
    pub(super) fn awaiting(values: Vec<Value>, expected: usize) -> Self {
        Self {
            values,
            attachments: Vec::with_capacity(expected),
        }
    }

    /// Adds the next attachment that arrives, and returns how many there are.
    pub(super) fn receive(&mut self, attachment: Bytes) -> usize {
        self.attachments.push(attachment);
        self.attachments.len()
    }

    /// Adds one argument at the end.
    pub fn push(&mut self, arg: impl Into<Arg>) {
        let value = match arg.into() {
            Arg::Json(value) => value,
            Arg::Binary(bytes) => self.attach(bytes),
        };
        self.values.push(value);
    }

    /// Adds one argument at the end, by value.
    #[must_use]
    pub fn with(mut self, arg: impl Into<Arg>) -> Self {
        self.push(arg);
        self
    }

    /// Adds an attachment, and returns the placeholder to be put into a value.
    ///
    /// Clients refuse a packet of more than [`MAX_ATTACHMENTS`](super::MAX_ATTACHMENTS).
    pub fn attach(&mut self, bytes: Bytes) -> Value {
        self.attachments.push(bytes);
        json!({ "_placeholder": true, "num": self.attachments.len() - 1 })
    }

    /// How many arguments there are.
    pub fn len(&self) -> usize {
        self.values.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    /// The argument at `index`.
    pub fn get(&self, index: usize) -> Option<&Value> {
        self.values.get(index)
    }

    /// The argument at `index`, if it is a string.
    pub fn text(&self, index: usize) -> Option<&str> {
        self.get(index)?.as_str()
    }

    /// The argument at `index`, if it is binary.
    pub fn binary(&self, index: usize) -> Option<&Bytes> {
        self.resolve(self.get(index)?)
    }

    /// The attachment of `value`, if it is a placeholder of these arguments.
    pub fn resolve(&self, value: &Value) -> Option<&Bytes> {
        let Placeholder::At(index) = Placeholder::read(value)? else {
            return None;
        };
        self.attachments.get(index)
    }

    /// Removes the first `count` arguments. Their attachments stay.
    #[must_use]
    pub fn skip(mut self, count: usize) -> Self {
        self.values.drain(..count.min(self.values.len()));
        self
    }

    /// All arguments, placeholders included.
    pub fn values(&self) -> &[Value] {
        &self.values
    }

    /// The attachments, in the order in which they are sent.
    pub fn attachments(&self) -> &[Bytes] {
        &self.attachments
    }

    /// Deserializes all arguments into a tuple, or into a struct with a field for each. It is an error if
    /// their number differs.
    pub fn parse<T: DeserializeOwned>(self) -> serde_json::Result<T> {
        serde_json::from_value(Value::Array(self.values))
    }
}

/// A placeholder object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Placeholder {
    /// It refers to the attachment of that index.
    At(usize),
    /// Its index is missing or is not a number.
    Dangling,
}

impl Placeholder {
    /// Reads a placeholder; `None` if `value` is any other value.
    pub(super) fn read(value: &Value) -> Option<Self> {
        let object = value.as_object()?;
        if object.get("_placeholder") != Some(&Value::Bool(true)) {
            return None;
        }
        let index = object.get("num").and_then(Value::as_u64);
        Some(
            index
                .and_then(|index| usize::try_from(index).ok())
                .map_or(Self::Dangling, Self::At),
        )
    }

    /// Whether all placeholders inside `value` refer to one of `count` attachments.
    pub(super) fn all_within(value: &Value, count: usize) -> bool {
        match (Self::read(value), value) {
            (Some(Self::At(index)), _) => index < count,
            (Some(Self::Dangling), _) => false,
            (None, Value::Array(values)) => values.iter().all(|v| Self::all_within(v, count)),
            (None, Value::Object(map)) => map.values().all(|v| Self::all_within(v, count)),
            (None, Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_)) => true,
        }
    }

    /// Replaces placeholders inside `value` that do not refer to one of `count` attachments by null.
    pub(super) fn clear_beyond(value: &mut Value, count: usize) {
        match Self::read(value) {
            Some(Self::At(index)) if index < count => {}
            Some(Self::At(_) | Self::Dangling) => *value = Value::Null,
            None => match value {
                Value::Array(values) => {
                    for value in values {
                        Self::clear_beyond(value, count);
                    }
                }
                Value::Object(map) => {
                    for value in map.values_mut() {
                        Self::clear_beyond(value, count);
                    }
                }
                Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
            },
        }
    }
}

impl From<Bytes> for Arg {
    fn from(bytes: Bytes) -> Self {
        Self::Binary(bytes)
    }
}

impl From<Bytes> for Args {
    fn from(bytes: Bytes) -> Self {
        Self::new().with(bytes)
    }
}

impl From<()> for Args {
    fn from((): ()) -> Self {
        Self::new()
    }
}

/// Each value is an argument.
impl From<Vec<Value>> for Args {
    fn from(values: Vec<Value>) -> Self {
        Self::awaiting(values, 0)
    }
}

/// Implements the conversions of a type whose values are arguments, alone or in a tuple.
macro_rules! plain {
    ($($plain:ty),*) => {$(
        impl From<$plain> for Arg {
            fn from(plain: $plain) -> Self {
                Self::Json(Value::from(plain))
            }
        }

        impl From<$plain> for Args {
            fn from(plain: $plain) -> Self {
                Self::new().with(plain)
            }
        }
    )*};
}

plain!(Value, &str, String, bool, i32, i64, u32, u64, usize, f64);

/// Implements the conversion of a tuple, whose members are the arguments.
macro_rules! tuple {
    ($($member:ident),*) => {
        impl<$($member: Into<Arg>),*> From<($($member,)*)> for Args {
            #[expect(non_snake_case, reason = "the members are named by their types")]
            fn from(($($member,)*): ($($member,)*)) -> Self {
                Self::new()$(.with($member))*
            }
        }
    };
}

tuple!(A);
tuple!(A, B);
tuple!(A, B, C);
tuple!(A, B, C, D);
tuple!(A, B, C, D, E);
tuple!(A, B, C, D, E, F);
