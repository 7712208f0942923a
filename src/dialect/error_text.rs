//! What each kind of refusal is called where events are answered, and the HTTP status that fits it.

use crate::error::Kind;

/// The status and the code of a kind.
pub fn describe(kind: Kind) -> (u16, &'static str) {
    match kind {
        Kind::Invalid => (400, "bad_request"),
        Kind::BadCursor => (400, "bad_cursor"),
        Kind::Unauthenticated => (401, "unauthenticated"),
        Kind::Forbidden => (403, "forbidden"),
        Kind::CrossSite => (403, "csrf_rejected"),
        Kind::NotFound => (404, "not_found"),
        Kind::MethodNotAllowed => (405, "method_not_allowed"),
        Kind::Conflict => (409, "conflict"),
        Kind::Mismatch => (422, "idempotency_mismatch"),
        Kind::TooLarge => (413, "too_large"),
        Kind::UnsupportedType => (415, "unsupported_type"),
        Kind::TooMany => (429, "rate_limited"),
        Kind::Gone => (410, "gone"),
        Kind::Unavailable => (503, "busy"),
        Kind::ShuttingDown => (503, "shutting_down"),
        Kind::Internal => (500, "internal"),
    }
}
