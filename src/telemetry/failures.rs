//! Log lines of errors: one for each, with its causes, where it is turned into an answer.

use crate::error::{Error, Kind};

/// Logs an error that is returned to a caller, whom the span names.
///
/// Faults of ours are errors, what cannot be done just now is a warning, and refusals are shown when debugging.
/// An error without a cause has nothing to tell, or was logged where its cause was known: the writer logs
/// a batch once, however many wait for it.
pub fn log_failure(error: &Error) {
    if error.cause().is_none() {
        return;
    }
    match error.kind() {
        Kind::Internal => {
            tracing::error!(causes = chain(error), "Something failed on our side.");
        }
        Kind::Unavailable | Kind::ShuttingDown => {
            tracing::warn!(causes = chain(error), "Something cannot be done just now.");
        }
        Kind::Invalid
        | Kind::BadCursor
        | Kind::Unauthenticated
        | Kind::CodeRequired
        | Kind::PasswordRequired
        | Kind::Forbidden
        | Kind::CrossSite
        | Kind::NotFound
        | Kind::MethodNotAllowed
        | Kind::Conflict
        | Kind::Mismatch
        | Kind::TooLarge
        | Kind::UnsupportedType
        | Kind::TooMany
        | Kind::Gone => {
            tracing::debug!(causes = chain(error), "Something was refused.");
        }
    }
}

/// The causes of an error, the nearest first.
fn chain(error: &Error) -> String {
    let mut text = String::new();
    let mut source = std::error::Error::source(error);
    while let Some(cause) = source {
        if !text.is_empty() {
            text.push_str(": ");
        }
        text.push_str(&cause.to_string());
        source = cause.source();
    }
    text
}
