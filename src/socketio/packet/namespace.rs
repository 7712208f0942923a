//! The name of a namespace, without an allocation for the main one.

use std::{fmt, ops::Deref, sync::Arc};

/// The name of a namespace, with a leading slash. The main one, `/`, needs no allocation. Clones share the
/// text.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct NamespaceName(Option<Arc<str>>);

impl NamespaceName {
    /// The main namespace, `/`.
    pub const MAIN: Self = Self(None);

    /// The namespace of that name. The leading slash may be omitted.
    pub fn new(name: &str) -> Self {
        match name {
            "" | "/" => Self::MAIN,
            slashed if slashed.starts_with('/') => Self(Some(slashed.into())),
            bare => Self(Some(format!("/{bare}").into())),
        }
    }

    /// The name, with its leading slash.
    pub fn as_str(&self) -> &str {
        self.0.as_deref().unwrap_or("/")
    }

    /// Whether this is the main namespace.
    pub fn is_main(&self) -> bool {
        self.0.is_none()
    }
}

impl Deref for NamespaceName {
    type Target = str;

    fn deref(&self) -> &str {
        self.as_str()
    }
}

impl From<&str> for NamespaceName {
    fn from(name: &str) -> Self {
        Self::new(name)
    }
}

impl PartialEq<str> for NamespaceName {
    fn eq(&self, other: &str) -> bool {
        self.as_str() == other
    }
}

impl PartialEq<&str> for NamespaceName {
    fn eq(&self, other: &&str) -> bool {
        self.as_str() == *other
    }
}

impl AsRef<str> for NamespaceName {
    fn as_ref(&self) -> &str {
        self.as_str()
    }
}

impl fmt::Display for NamespaceName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for NamespaceName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.as_str(), f)
    }
}
