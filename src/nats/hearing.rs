//! Hearing what is said over NATS, from when it is certain that it can be heard.
//!
//! A server says a word that nobody else knows and waits until it comes back: so it knows that NATS lets it say and hear
//! something, and that whatever is said from then on is heard.

use std::time::Duration;

use async_nats::Subscriber;
use futures_util::{StreamExt, future::BoxFuture};
use rand::distr::{Alphanumeric, SampleString};
use tokio::sync::watch;

use super::{Begun, SOON, Subjects};
use crate::{
    error::{Error, Result},
    store::{self, Said},
};

/// How long the word may take to come back.
const PROBE_TIMEOUT: Duration = Duration::from_secs(2);
/// Letters and digits of it.
const WORD_LENGTH: usize = 16;
/// NATS carries a server's words to itself, unless its user may not say or hear them.
const UNHEARD: &str = "what this server says does not come back, see which subjects its user may publish and subscribe to";

/// See the module.
pub(super) struct Hearing {
    subscriber: Subscriber,
    subjects: Subjects,
    /// The number of the connection, and the one that this began with.
    connection: watch::Receiver<Option<u64>>,
    number: Option<u64>,
}

/// Begins to hear, once there is a connection.
pub(super) async fn begin(begun: &Begun) -> Result<Hearing> {
    let mut connection = begun.link.watch();
    let number = {
        let connected = connection.wait_for(Option::is_some).await;
        *connected.map_err(Error::internal)?
    };
    let subscribed = begun.client.subscribe(begun.subjects.all.clone()).await;
    let mut hearing = Hearing {
        subscriber: subscribed.map_err(Error::internal)?,
        subjects: begun.subjects.clone(),
        connection,
        number,
    };
    let probed = tokio::time::timeout(PROBE_TIMEOUT, hearing.probe(begun));
    let Ok(probed) = probed.await else {
        begun.link.fails(UNHEARD);
        return Err(Error::unavailable(UNHEARD, SOON));
    };
    probed?;
    begun.link.serves();
    Ok(hearing)
}

impl Hearing {
    /// Returns when a word that was said has come back. What others say meanwhile they said before anybody listened.
    async fn probe(&mut self, begun: &Begun) -> Result<()> {
        let word = Alphanumeric.sample_string(&mut rand::rng(), WORD_LENGTH);
        let (subject, payload) = (begun.subjects.probe.clone(), word.clone().into());
        let said = begun.client.publish(subject, payload).await;
        said.map_err(Error::internal)?;
        loop {
            let (subject, payload) = self.message().await?;
            if subject == self.subjects.probe && payload == word.as_bytes() {
                return Ok(());
            }
        }
    }

    /// The next message on the connection that this began with.
    async fn message(&mut self) -> Result<(String, Vec<u8>)> {
        loop {
            tokio::select! {
                message = self.subscriber.next() => {
                    let message = message.ok_or_else(lost)?;
                    return Ok((message.subject.into_string(), message.payload.into()));
                }
                changed = self.connection.changed() => {
                    changed.map_err(Error::internal)?;
                    if *self.connection.borrow_and_update() != self.number {
                        return Err(lost());
                    }
                }
            }
        }
    }
}

fn lost() -> Error {
    Error::unavailable("the connection to NATS was lost", SOON)
}

impl store::Hearing for Hearing {
    fn next(&mut self) -> BoxFuture<'_, Result<Option<Said>>> {
        Box::pin(async {
            loop {
                let (subject, payload) = self.message().await?;
                // What is no text is of nobody who is known.
                let Ok(payload) = String::from_utf8(payload) else {
                    continue;
                };
                if subject == self.subjects.news {
                    return Ok(Some(Said::News(payload)));
                }
                if subject == self.subjects.bus {
                    return Ok(Some(Said::Datagram(payload)));
                }
            }
        })
    }
}
