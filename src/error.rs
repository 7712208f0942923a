//! Errors: every way to be refused or to fail, with the HTTP status and the code of each.
//!
//! # Why
//! An error has a [`Kind`], by which callers branch, a sentence for the client and, optionally, a cause for
//! the log. Clients never see the cause: it may name tables, files or hosts.

use std::{borrow::Cow, fmt, time::Duration};

/// Declares the kinds; each with its HTTP status and its code, for every dialect that does not say otherwise.
macro_rules! kinds {
    ($($(#[doc = $meaning:literal])+ $kind:ident = ($status:literal, $code:literal),)+) => {
        /// What went wrong, as far as a caller needs to know to react.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum Kind {
            $($(#[doc = $meaning])+ $kind,)+
        }

        impl Kind {
            /// Every kind.
            pub const ALL: &'static [Self] = &[$(Self::$kind),+];

            /// What it means, in a sentence for callers.
            pub const fn meaning(self) -> &'static str {
                match self {
                    $(Self::$kind => concat!($($meaning),+).trim_ascii(),)+
                }
            }

            const fn answer(self) -> (u16, &'static str) {
                match self {
                    $(Self::$kind => ($status, $code),)+
                }
            }
        }
    };
}

kinds! {
    /// The request itself is wrong; repeating it cannot help.
    Invalid = (400, "bad_request"),
    /// A cursor that this server never made.
    BadCursor = (400, "bad_cursor"),
    /// Nobody is signed in, or no longer.
    Unauthenticated = (401, "unauthenticated"),
    /// The password is right, and the account has a second factor whose code did not come.
    CodeRequired = (400, "code_required"),
    /// The person is known, and is to prove their password again first.
    PasswordRequired = (403, "password_required"),
    /// The person is known and may not do this.
    Forbidden = (403, "forbidden"),
    /// Cookies came from a page that is not ours.
    CrossSite = (403, "csrf_rejected"),
    /// No such thing, or not theirs to see.
    NotFound = (404, "not_found"),
    /// The path exists, under another method: the header Allow tells which.
    MethodNotAllowed = (405, "method_not_allowed"),
    /// Something in that place already exists.
    Conflict = (409, "conflict"),
    /// An idempotency key came back with another body.
    Mismatch = (422, "idempotency_mismatch"),
    /// The body is over the limit.
    TooLarge = (413, "too_large"),
    /// The body is of a media type this API does not read.
    UnsupportedType = (415, "unsupported_type"),
    /// Too many requests; the header Retry-After says after how many seconds another may come.
    TooMany = (429, "rate_limited"),
    /// Continuity from the given cursor cannot be proven: read the lists again, and go on from the cursor that the answer has.
    Gone = (410, "gone"),
    /// The server cannot do it just now; the header Retry-After says when to try again.
    Unavailable = (503, "busy"),
    /// The server is stopping; the header Retry-After says when another one answers.
    ShuttingDown = (503, "shutting_down"),
    /// A fault of ours.
    Internal = (500, "internal"),
}

impl Kind {
    /// The HTTP status.
    pub const fn status(self) -> u16 {
        self.answer().0
    }

    /// The code, in one word.
    pub const fn code(self) -> &'static str {
        self.answer().1
    }
}

/// A refusal or a failure: a kind, a sentence for the caller, a cause for the log.
#[derive(Debug)]
pub struct Error {
    kind: Kind,
    text: Cow<'static, str>,
    hint: Option<&'static str>,
    field: Option<&'static str>,
    retry_after: Option<Duration>,
    cause: Option<Box<dyn std::error::Error + Send + Sync>>,
}

/// What fallible functions of this crate return.
pub type Result<T, E = Error> = std::result::Result<T, E>;

impl Error {
    /// An error of `kind` whose `text` is a sentence a stranger may read.
    pub fn new(kind: Kind, text: impl Into<Cow<'static, str>>) -> Self {
        Self {
            kind,
            text: text.into(),
            hint: None,
            field: None,
            retry_after: None,
            cause: None,
        }
    }

    /// The request itself is wrong.
    pub fn invalid(text: impl Into<Cow<'static, str>>) -> Self {
        Self::new(Kind::Invalid, text)
    }

    /// The request is wrong in one named field.
    pub fn invalid_field(field: &'static str, text: impl Into<Cow<'static, str>>) -> Self {
        Self {
            field: Some(field),
            ..Self::new(Kind::Invalid, text)
        }
    }

    /// The same of a field that the caller calls otherwise.
    #[must_use]
    pub fn about(mut self, field: &'static str) -> Self {
        let known = self.field.unwrap_or_default();
        if let (false, Some(rest)) = (known.is_empty(), self.text.strip_prefix(known)) {
            self.text = format!("{field}{rest}").into();
            self.field = Some(field);
        }
        self
    }

    /// The same, where it is one named field of the request that it is about.
    #[must_use]
    pub fn in_field(mut self, field: &'static str) -> Self {
        self.field = Some(field);
        self
    }

    /// Nobody is signed in, or no longer.
    pub fn unauthenticated() -> Self {
        Self::new(Kind::Unauthenticated, "you are not signed in")
    }

    /// The person is known and may not do this.
    pub fn forbidden(text: impl Into<Cow<'static, str>>) -> Self {
        Self::new(Kind::Forbidden, text)
    }

    /// No such thing, or not theirs to see.
    pub fn not_found(text: impl Into<Cow<'static, str>>) -> Self {
        Self::new(Kind::NotFound, text)
    }

    /// It cannot be proved what came after a place in the log.
    pub fn gone() -> Self {
        Self::new(
            Kind::Gone,
            "this server cannot tell what came after that cursor: start again from the present one",
        )
    }

    /// Something in that place already exists.
    pub fn conflict(text: impl Into<Cow<'static, str>>) -> Self {
        Self::new(Kind::Conflict, text)
    }

    /// Too many requests; try again after `wait`.
    pub fn too_many(text: impl Into<Cow<'static, str>>, wait: Duration) -> Self {
        Self {
            retry_after: Some(wait),
            ..Self::new(Kind::TooMany, text)
        }
    }

    /// The server cannot do it just now; try again after `wait`.
    pub fn unavailable(text: impl Into<Cow<'static, str>>, wait: Duration) -> Self {
        Self {
            retry_after: Some(wait),
            ..Self::new(Kind::Unavailable, text)
        }
    }

    /// The server is stopping; another one answers in a moment.
    pub fn shutting_down() -> Self {
        Self {
            retry_after: Some(Duration::from_secs(2)),
            ..Self::new(
                Kind::ShuttingDown,
                "the server is restarting, please try again",
            )
        }
    }

    /// A fault of ours, with its cause.
    pub fn internal(cause: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self::new(Kind::Internal, "something went wrong on our side").because(cause)
    }

    /// The same with one more sentence for the caller, beside one that an API's document has fixed. It is told
    /// where the answer's shape has room.
    #[must_use]
    pub fn with_hint(mut self, hint: Option<&'static str>) -> Self {
        self.hint = hint;
        self
    }

    /// Keeps what led here, for the log only.
    #[must_use]
    pub fn because(mut self, cause: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        self.cause = Some(cause.into());
        self
    }

    /// The same error for one more caller; its cause stays with the first.
    #[must_use]
    pub fn duplicate(&self) -> Self {
        Self {
            kind: self.kind,
            text: self.text.clone(),
            hint: self.hint,
            field: self.field,
            retry_after: self.retry_after,
            cause: None,
        }
    }

    /// A conflict as the error that is made of it, which keeps it as its cause; any other error as it is.
    #[must_use]
    pub fn conflict_as(self, refusal: impl FnOnce() -> Self) -> Self {
        if self.kind == Kind::Conflict {
            refusal().because(self)
        } else {
            self
        }
    }

    /// What went wrong, for branching.
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// The sentence for the caller.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// What else the caller may be told.
    pub fn hint(&self) -> Option<&'static str> {
        self.hint
    }

    /// The field that it is about, where it is one.
    pub fn field(&self) -> Option<&'static str> {
        self.field
    }

    /// How long to wait before trying again, where waiting helps.
    pub fn retry_after(&self) -> Option<Duration> {
        self.retry_after
    }

    /// The same in whole seconds, never fewer and at least one: `Retry-After: 0` invites a storm.
    pub fn retry_seconds(&self) -> Option<u64> {
        let wait = self.retry_after?;
        let rest = u64::from(wait.subsec_nanos() > 0);
        Some((wait.as_secs() + rest).max(1))
    }

    /// What led here, for the log only.
    pub fn cause(&self) -> Option<&(dyn std::error::Error + Send + Sync)> {
        self.cause.as_deref()
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.cause
            .as_deref()
            .map(|cause| cause as &(dyn std::error::Error + 'static))
    }
}
