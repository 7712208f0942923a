//! Errors of requests, with Engine.IO's codes.

use rocket::http::Status;

/// Why a request is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum RequestError {
    UnknownTransport,
    UnknownSession,
    BadMethod,
    BadRequest,
    Forbidden,
    UnsupportedRevision,
    TooLarge,
    ShuttingDown,
}

impl RequestError {
    pub(super) fn status(self) -> Status {
        match self {
            Self::UnknownTransport
            | Self::UnknownSession
            | Self::BadMethod
            | Self::BadRequest
            | Self::UnsupportedRevision => Status::BadRequest,
            Self::Forbidden => Status::Forbidden,
            Self::TooLarge => Status::PayloadTooLarge,
            Self::ShuttingDown => Status::ServiceUnavailable,
        }
    }

    /// The body. It is empty where clients look at the status only.
    pub(super) fn body(self) -> &'static str {
        match self {
            Self::UnknownTransport => r#"{"code":0,"message":"Transport unknown"}"#,
            Self::UnknownSession => r#"{"code":1,"message":"Session ID unknown"}"#,
            Self::BadMethod => r#"{"code":2,"message":"Bad handshake method"}"#,
            Self::BadRequest => r#"{"code":3,"message":"Bad request"}"#,
            Self::Forbidden => r#"{"code":4,"message":"Forbidden"}"#,
            Self::UnsupportedRevision => r#"{"code":5,"message":"Unsupported protocol version"}"#,
            Self::TooLarge | Self::ShuttingDown => "",
        }
    }
}
