//! Long-polls that are held while the test goes on.

use reqwest::Method;
use tokio::task::JoinHandle;

use crate::support::actor::{Actor, Told};

/// Asks, and goes on while the answer is held.
pub(crate) fn hold(actor: &Actor, path: &str) -> JoinHandle<Told> {
    tokio::spawn(Told::of(actor.request(Method::GET, path)))
}

/// The answer of a held request.
pub(crate) async fn answer(held: JoinHandle<Told>) -> Told {
    held.await.expect("a held request is answered")
}
