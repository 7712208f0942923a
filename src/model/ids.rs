//! Ids as types, so that a person's id is never taken for a chat's.

use std::{collections::HashMap, fmt, str::FromStr};

use foldhash::fast::RandomState;

/// The largest id that a client's floating point number holds exactly.
const LARGEST: i64 = (1 << 53) - 1;
/// How many digits an id written in hex has.
const HEX_DIGITS: usize = 24;

/// A map by ids. They are given out by the server, so that nobody can choose those that collide, and each message is
/// looked for under a dozen of them: the standard hasher, which is made for keys of strangers, takes five times as long.
pub type IdMap<K, V> = HashMap<K, V, RandomState>;

macro_rules! id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(i64);

        impl $name {
            /// Takes a number that the store gave out.
            pub const fn new(number: i64) -> Self {
                Self(number)
            }

            /// The number itself.
            pub const fn get(self) -> i64 {
                self.0
            }

            /// The number as 24 lower-case hex digits, as some APIs write ids.
            pub fn to_hex(self) -> String {
                format!("{:024x}", self.0)
            }

            /// Reads what [`Self::to_hex`] writes.
            pub fn from_hex(text: &str) -> Result<Self, NotAnId> {
                hex_number(text).map(Self).ok_or(NotAnId)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl FromStr for $name {
            type Err = NotAnId;

            fn from_str(text: &str) -> Result<Self, NotAnId> {
                let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
                match text.parse() {
                    Ok(number) if digits && number <= LARGEST => Ok(Self(number)),
                    Ok(_) | Err(_) => Err(NotAnId),
                }
            }
        }
    };
}

id!(
    /// A tenant: a site, an app, or home.
    TenantId
);
id!(
    /// A person of a tenant.
    PersonId
);
id!(
    /// A signed-in token.
    LoginId
);
id!(
    /// A webhook.
    WebhookId
);
id!(
    /// An incoming hook.
    HookId
);
id!(
    /// A chat.
    ChatId
);
id!(
    /// An invitation to a chat.
    InviteId
);
id!(
    /// A message: the position of the change that added it.
    MessageId
);
id!(
    /// A position in the log; the first change has position 1.
    Position
);
id!(
    /// A message's number within its chat, from 1 without gaps.
    Seq
);

impl PersonId {
    /// Reads an id however the API that gave it out writes it: 24 hex digits, or the plain number.
    pub fn from_any(text: &str) -> Result<Self, NotAnId> {
        Self::from_hex(text).or_else(|_| text.parse())
    }
}

impl Position {
    /// The position before the first change.
    pub const START: Self = Self(0);

    /// The position `count` further on.
    #[must_use]
    pub const fn plus(self, count: i64) -> Self {
        Self(self.0 + count)
    }
}

impl From<MessageId> for Position {
    fn from(id: MessageId) -> Self {
        Self(id.0)
    }
}

impl From<Position> for MessageId {
    fn from(position: Position) -> Self {
        Self(position.0)
    }
}

/// Reads 24 lower-case hex digits.
fn hex_number(text: &str) -> Option<i64> {
    let digits = text.len() == HEX_DIGITS
        && text
            .bytes()
            .all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    let number = i64::from_str_radix(text, 16).ok()?;
    (digits && number <= LARGEST).then_some(number)
}

/// The error for text that is not the decimal number of an id.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NotAnId;

impl fmt::Display for NotAnId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an id is a whole number")
    }
}

impl std::error::Error for NotAnId {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_plain_digits_are_an_id() {
        assert_eq!("7".parse(), Ok(ChatId::new(7)));
        assert_eq!("9007199254740991".parse(), Ok(ChatId::new(LARGEST)));
        for text in [
            "",
            "+7",
            "-7",
            " 7",
            "7a",
            "0x7",
            "9007199254740992",
            "99999999999999999999",
        ] {
            assert_eq!(text.parse::<ChatId>(), Err(NotAnId), "{text:?}");
        }
    }

    #[test]
    fn an_id_in_hex_has_24_digits() {
        let person = PersonId::new(0x1a2b);
        assert_eq!(person.to_hex(), "000000000000000000001a2b");
        assert_eq!(PersonId::from_hex(&person.to_hex()), Ok(person));
        assert_eq!(PersonId::from_any(&person.to_hex()), Ok(person));
        assert_eq!(PersonId::from_any("6699"), Ok(person));
        for text in [
            "",
            "1a2b",
            "000000000000000000001A2B",
            "00000000000000000000 a2b",
            "+00000000000000000001a2b",
            "59f708172b16261fc0165f54",
            "ффффффффффff",
        ] {
            assert_eq!(PersonId::from_hex(text), Err(NotAnId), "{text:?}");
        }
    }
}
