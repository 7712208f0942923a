//! The name of a namespace, free of charge for the one that nearly every packet is for.

use std::{fmt, ops::Deref};

/// A namespace's name, with its leading slash. The main one, `/`, allocates nothing.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct Namespace(Option<Box<str>>);

impl Namespace {
    /// The main namespace, `/`.
    pub const MAIN: Self = Self(None);

    /// The namespace of that name; the leading slash may be left out.
    pub fn new(name: &str) -> Self {
        match name {
            "" | "/" => Self::MAIN,
            slashed if slashed.starts_with('/') => Self(Some(slashed.into())),
            bare => Self(Some(format!("/{bare}").into())),
        }
    }

    /// The name, which begins with a slash.
    pub fn as_str(&self) -> &str {
        self.0.as_deref().unwrap_or("/")
    }

    /// Whether this is the main namespace.
    pub fn is_main(&self) -> bool {
        self.0.is_none()
    }
}

impl Deref for Namespace {
    type Target = str;

    fn deref(&self) -> &str {
        self.as_str()
    }
}

impl From<&str> for Namespace {
    fn from(name: &str) -> Self {
        Self::new(name)
    }
}

impl PartialEq<str> for Namespace {
    fn eq(&self, other: &str) -> bool {
        self.as_str() == other
    }
}

impl PartialEq<&str> for Namespace {
    fn eq(&self, other: &&str) -> bool {
        self.as_str() == *other
    }
}

impl AsRef<str> for Namespace {
    fn as_ref(&self) -> &str {
        self.as_str()
    }
}

impl fmt::Display for Namespace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for Namespace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.as_str(), f)
    }
}
