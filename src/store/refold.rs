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
        let mut tx = self.begin().await?;
        on!(&mut tx.0, tx => {
            sqlx::query(
                "insert into upkeep (name, version) values ('folding', $1) \
                 on conflict (name) do update set version = excluded.version",
            )
            .bind(VERSION)
            .execute(&mut **tx)
            .await
            .map(drop)
        })
        .map_err(failed)?;
        tx.commit().await
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
            let mut tx = self.begin().await?;
            tx.add_looks(&looks).await?;
            tx.commit().await?;
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
            let mut tx = self.begin().await?;
            for (id, title, key) in rows {
                let folded = fold::fold(&title);
                if folded == key || folded.is_empty() {
                    continue;
                }
                on!(&mut tx.0, tx => {
                    sqlx::query(
                        "update chats set title_key = $2 where id = $1 and not exists \
                         (select 1 from chats as other where other.tenant_id = chats.tenant_id \
                         and other.title_key = $2 and other.kind = 'open' \
                         and other.deleted_at is null)",
                    )
                    .bind(id)
                    .bind(folded)
                    .execute(&mut **tx)
                    .await
                    .map(drop)
                })
                .map_err(failed)?;
            }
            tx.commit().await?;
        }
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
        let mut tx = self.begin().await?;
        for (id, written) in rows {
            let Some(plain) = json::own_id(&written.clone().into()).filter(|id| *id != written)
            else {
                continue;
            };
            on!(&mut tx.0, tx => {
                sqlx::query(
                    "update people set external_id = $2 where id = $1 and not exists \
                     (select 1 from people as other where other.tenant_id = people.tenant_id \
                     and other.external_id = $2)",
                )
                .bind(id)
                .bind(plain)
                .execute(&mut **tx)
                .await
                .map(drop)
            })
            .map_err(failed)?;
        }
        tx.commit().await
    }
}
