//! PostgreSQL's notifications as the carrier: `NOTIFY` on a connection that does nothing else, `LISTEN` on another.

use std::fmt;

use futures_util::future::BoxFuture;
use sqlx::{PgPool, postgres::PgListener};

use super::{
    STATEMENT_TIMEOUT,
    carrier::{Carrier, Hearing, Said},
};
use crate::{
    error::Result,
    store::{failed, failure::late},
};

/// Where it is said that there is something to read.
const NEWS: &str = "parlance";
/// Where datagrams are. A version that knows none does not listen there.
const BUS: &str = "parlance_bus";
const NOTIFY: &str = "select pg_notify(told.channel, told.payload) from unnest($1::text[], $2::text[]) as told (channel, payload)";

/// See the module.
pub(super) struct Postgres(pub(super) PgPool);

struct Listening(PgListener);

impl fmt::Debug for Postgres {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Postgres")
    }
}

impl Carrier for Postgres {
    /// Channels are a database's own.
    fn begin(&self, _: String) -> BoxFuture<'_, Result<()>> {
        Box::pin(std::future::ready(Ok(())))
    }

    fn say(&self, said: Vec<Said>) -> BoxFuture<'_, Result<()>> {
        let (channels, payloads): (Vec<_>, Vec<_>) = said
            .into_iter()
            .map(|said| match said {
                Said::News(node) => (NEWS, node),
                Said::Datagram(datagram) => (BUS, datagram),
            })
            .unzip();
        Box::pin(async move {
            let sent = sqlx::query(NOTIFY).bind(channels).bind(payloads);
            let sent = tokio::time::timeout(STATEMENT_TIMEOUT, sent.execute(&self.0));
            sent.await.map_err(late)?.map(drop).map_err(failed)
        })
    }

    fn hear(&self) -> BoxFuture<'_, Result<Box<dyn Hearing>>> {
        let listening = async {
            let mut listener = PgListener::connect_with(&self.0).await?;
            listener.listen_all([NEWS, BUS]).await?;
            Ok::<_, sqlx::Error>(listener)
        };
        Box::pin(async move {
            let listener = tokio::time::timeout(STATEMENT_TIMEOUT, listening);
            let listener = listener.await.map_err(late)?.map_err(failed)?;
            let hearing: Box<dyn Hearing> = Box::new(Listening(listener));
            Ok(hearing)
        })
    }

    fn close(&self) -> BoxFuture<'_, ()> {
        Box::pin(std::future::ready(()))
    }
}

impl Hearing for Listening {
    fn next(&mut self) -> BoxFuture<'_, Result<Option<Said>>> {
        Box::pin(async {
            // Without one its connection was lost, and it has another.
            let told = self.0.try_recv().await.map_err(failed)?;
            Ok(told.map(|told| {
                let payload = told.payload().to_owned();
                if told.channel() == BUS {
                    Said::Datagram(payload)
                } else {
                    Said::News(payload)
                }
            }))
        })
    }
}
