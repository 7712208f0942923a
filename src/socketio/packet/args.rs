//! What an event or an acknowledgement carries: JSON values, and binary values between them.

use bytes::Bytes;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

/// The arguments of an event or an acknowledgement.
///
/// A binary value is an attachment, and a placeholder object stands where it belongs. Whole
/// arguments are pushed ([`Args::push`], or a tuple turned into `Args`); binary inside an object goes
/// through [`Args::attach`].
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

/// One whole argument.
#[derive(Debug, Clone, PartialEq)]
pub enum Arg {
    /// Anything JSON can say.
    Json(Value),
    /// Bytes as they are.
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

    /// Values whose placeholders have all been checked against `expected` attachments to come.
    pub(super) fn awaiting(values: Vec<Value>, expected: usize) -> Self {
        Self {
            values,
            attachments: Vec::with_capacity(expected),
        }
    }

    /// Takes the next attachment that the placeholders already speak of.
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

    /// Adds one argument at the end and returns the whole.
    #[must_use]
    pub fn with(mut self, arg: impl Into<Arg>) -> Self {
        self.push(arg);
        self
    }

    /// Adds an attachment and returns the placeholder that is to stand for it in a value.
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

    /// The bytes that `value` stands for, if it is a placeholder of these arguments.
    pub fn resolve(&self, value: &Value) -> Option<&Bytes> {
        let Placeholder::At(index) = Placeholder::read(value)? else {
            return None;
        };
        self.attachments.get(index)
    }

    /// Without the first `count`, whose attachments stay.
    #[must_use]
    pub fn skip(mut self, count: usize) -> Self {
        self.values.drain(..count.min(self.values.len()));
        self
    }

    /// All arguments, placeholders included.
    pub fn values(&self) -> &[Value] {
        &self.values
    }

    /// The binary values, in the order in which they travel.
    pub fn attachments(&self) -> &[Bytes] {
        &self.attachments
    }

    /// Reads all arguments into a type of one's own: a tuple, or a struct read from an array.
    /// Fewer or more arguments than the type has are an error.
    pub fn parse<T: DeserializeOwned>(self) -> serde_json::Result<T> {
        serde_json::from_value(Value::Array(self.values))
    }

    /// The arguments and the attachments they speak of.
    pub fn into_parts(self) -> (Vec<Value>, Vec<Bytes>) {
        (self.values, self.attachments)
    }
}

/// What an object that claims to be a placeholder points at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Placeholder {
    /// The attachment of that index.
    At(usize),
    /// Nothing that can be counted.
    NoTransport,
}

impl Placeholder {
    /// Reads `value` as a placeholder; `None` if it is any other value.
    pub(super) fn read(value: &Value) -> Option<Self> {
        let object = value.as_object()?;
        if object.get("_placeholder") != Some(&Value::Bool(true)) {
            return None;
        }
        let index = object.get("num").and_then(Value::as_u64);
        Some(
            index
                .and_then(|index| usize::try_from(index).ok())
                .map_or(Self::NoTransport, Self::At),
        )
    }

    /// Whether every placeholder inside `value` points at one of `count` attachments.
    pub(super) fn all_within(value: &Value, count: usize) -> bool {
        match (Self::read(value), value) {
            (Some(Self::At(index)), _) => index < count,
            (Some(Self::NoTransport), _) => false,
            (None, Value::Array(values)) => values.iter().all(|v| Self::all_within(v, count)),
            (None, Value::Object(map)) => map.values().all(|v| Self::all_within(v, count)),
            (None, Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_)) => true,
        }
    }

    /// Puts null where a placeholder inside `value` points at none of `count` attachments.
    pub(super) fn clear_beyond(value: &mut Value, count: usize) {
        match Self::read(value) {
            Some(Self::At(index)) if index < count => {}
            Some(Self::At(_) | Self::NoTransport) => *value = Value::Null,
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

/// Values of plain types are arguments, alone or in a tuple.
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

/// A tuple is the list of its members.
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
