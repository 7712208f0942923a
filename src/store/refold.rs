//! Recomputes stored comparison keys once after an upgrade that folds text differently, because SQL cannot fold
//! text as we do.
//!
//! Every step is idempotent and keeps existing keys: where two rows would get the
//! same key, the later one stays as it is.

use crate::{
    error::Result,
    json,
    model::{PersonId, text::fold},
    store::{Store, failed},
};

/// The version of text folding. A change of the folding, or of Unicode's tables, is a new number.
const VERSION: i64 = 1;
/// How many rows are read in one transaction.
const ROWS: i64 = 500;

const NOTE_VERSION: &str = "insert into upkeep (name, version) values ('folding', $1) \
     on conflict (name) do update set version = excluded.version";

const SET_TITLE_KEY: &str = "update chats set title_key = $2 where id = $1 and not exists \
     (select 1 from chats as other where other.tenant_id = chats.tenant_id \
     and other.title_key = $2 and other.kind = 'open' and other.deleted_at is null)";

const SET_EXTERNAL_ID: &str = "update people set external_id = $2 where id = $1 and not exists \
     (select 1 from people as other where other.tenant_id = people.tenant_id \
     and other.external_id = $2)";

impl Store {
    /// Recomputes keys that an older version made.
    pub(super) async fn refold(&self) -> Result<()> {
        let version: Option<i64> = on!(&self.inner.read, pool => {
            sqlx::query_scalar("select version from upkeep where name = 'folding'")
                .fetch_optional(pool)
                .await
        })
        .map_err(failed)?;
        if version == Some(VERSION) {
            return Ok(());
        }
        self.refold_names().await?;
        self.refold_titles().await?;
        self.refold_ids().await?;
        self.write_anyway(|tx| {
            Box::pin(async move {
                let noted = tx.query(NOTE_VERSION).bind(VERSION).execute().await;
                noted.map(drop).map_err(failed)
            })
        })
        .await
    }

    /// What the names of accounts look like.
    async fn refold_names(&self) -> Result<()> {
        let mut last = 0;
        loop {
            let rows: Vec<(i64, String)> = on!(&self.inner.read, pool => {
                sqlx::query_as(
                    "select id, name from people where id > $1 and deleted_at is null \
                     and account_key like 'name/%' order by id limit $2",
                )
                .bind(last)
                .bind(ROWS)
                .fetch_all(pool)
                .await
            })
            .map_err(failed)?;
            let Some((id, _)) = rows.last() else {
                return Ok(());
            };
            last = *id;
            let looks: Vec<_> = rows
                .iter()
                .flat_map(|(id, name)| {
                    let person = PersonId::new(*id);
                    fold::looks(name)
                        .into_iter()
                        .map(move |look| (look, person))
                })
                .collect();
            self.write_anyway(move |tx| Box::pin(async move { tx.add_looks(&looks).await }))
                .await?;
        }
    }

    /// The titles of open chats.
    async fn refold_titles(&self) -> Result<()> {
        let mut last = 0;
        loop {
            let rows: Vec<(i64, String, String)> = on!(&self.inner.read, pool => {
                sqlx::query_as(
                    "select id, title, title_key from chats where id > $1 and kind = 'open' \
                     and title is not null and title_key is not null and deleted_at is null \
                     order by id limit $2",
                )
                .bind(last)
                .bind(ROWS)
                .fetch_all(pool)
                .await
            })
            .map_err(failed)?;
            let Some((id, ..)) = rows.last() else {
                return Ok(());
            };
            last = *id;
            let folded = rows.into_iter().filter_map(|(id, title, key)| {
                let folded = fold::fold(&title);
                (folded != key && !folded.is_empty()).then_some((id, folded))
            });
            self.update_each(SET_TITLE_KEY, folded.collect()).await?;
        }
    }

    /// Runs a statement for each of some rows, by its id and its new text.
    async fn update_each(&self, sql: &'static str, rows: Vec<(i64, String)>) -> Result<()> {
        self.write_anyway(move |tx| {
            Box::pin(async move {
                for (id, text) in rows {
                    let updated = tx.query(sql).bind(id).bind(text).execute().await;
                    updated.map_err(failed)?;
                }
                Ok(())
            })
        })
        .await
    }

    /// Tenants' own ids that were a number's spelling rather than its value.
    async fn refold_ids(&self) -> Result<()> {
        let rows: Vec<(i64, String)> = on!(&self.inner.read, pool => {
            sqlx::query_as(
                "select id, external_id from people where external_id like '%.0%' \
                 or external_id = '-0' order by id",
            )
            .fetch_all(pool)
            .await
        })
        .map_err(failed)?;
        if rows.is_empty() {
            return Ok(());
        }
        let plain = rows.into_iter().filter_map(|(id, written)| {
            let plain = json::own_id(&written.clone().into()).filter(|plain| *plain != written);
            plain.map(|plain| (id, plain))
        });
        self.update_each(SET_EXTERNAL_ID, plain.collect()).await
    }
}
