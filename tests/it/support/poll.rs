//! Long-polls that are held while the test goes on.

use reqwest::Method;
use tokio::task::JoinHandle;

use crate::support::actor::{Actor, Told};

/// Asks, and goes on while the answer is held; of events for all but who comes online.
pub(crate) fn hold(actor: &Actor, path: &str) -> JoinHandle<Told> {
    hold_as_asked(actor, &but_presence(path))
}

/// The same, with who comes online where nobody chooses.
pub(crate) fn hold_as_asked(actor: &Actor, path: &str) -> JoinHandle<Told> {
    tokio::spawn(Told::of(actor.request(Method::GET, path)))
}

/// A request for events that chooses no types, with all of them but who comes online: that is told a moment after
/// somebody's first wait, which is of no matter to most tests.
pub(crate) fn but_presence(path: &str) -> String {
    if !path.starts_with("/api/events") || path.contains("types=") {
        return path.to_owned();
    }
    let joint = if path.contains('?') { '&' } else { '?' };
    let types = "message,edited,deleted,reaction,chat,member,read,settings,person,typing";
    format!("{path}{joint}types={types}")
}

/// The answer of a held request.
pub(crate) async fn answer(held: JoinHandle<Told>) -> Told {
    held.await.expect("a held request is answered")
}
