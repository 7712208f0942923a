//! What administrators read and write.
//!
//! # Why
//! Administration reads across people, chats and tenants in ways that no API of theirs does. Those
//! statements are kept apart from the ones that every request runs, with the lists' own indexes: partial ones
//! on home, whose tenant is 1, so that the guests of a thousand sites cost them nothing. That number stands in
//! the statements as it is, because a partial index is used only where the text itself implies its condition.

mod accounts;
mod audit;
mod figures;
mod links;
mod tenants;

use crate::{
    error::{Error, Result},
    model::{PersonId, RegistrationMode, Timestamp},
    store::{EngineSql, Store, Tx, failed},
};

/// Who may administer, in one order, so that two administrators who act on each other wait and do not
/// deadlock.
const ADMINISTRATORS: EngineSql = EngineSql {
    sqlite: "select id from people where administrator and tenant_id = 1 \
             and deleted_at is null and deactivated_at is null order by id",
    postgres: "select id from people where administrator and tenant_id = 1 \
               and deleted_at is null and deactivated_at is null order by id for update",
};

const REGISTRATION: &str = "select value from runtime_settings where name = 'registration'";

fn mode(word: &str) -> Result<RegistrationMode> {
    let unknown = || Error::internal(format!("unknown word {word:?} in runtime_settings.value"));
    RegistrationMode::from_stored(word).ok_or_else(unknown)
}

impl Tx {
    /// The administrators who may act; nobody becomes one, or ceases to be one, until the transaction ends.
    pub async fn administrators(&mut self) -> Result<Vec<PersonId>> {
        let ids: Vec<i64> = self.query(ADMINISTRATORS).scalars().await.map_err(failed)?;
        Ok(ids.into_iter().map(PersonId::new).collect())
    }

    /// Who may sign up, where an administrator has chosen.
    pub async fn registration(&mut self) -> Result<Option<RegistrationMode>> {
        let word: Option<String> = self
            .query(REGISTRATION)
            .scalar_optional()
            .await
            .map_err(failed)?;
        word.as_deref().map(mode).transpose()
    }

    /// Keeps who may sign up; none to leave it to the settings.
    pub async fn set_registration(
        &mut self,
        mode: Option<RegistrationMode>,
        now: Timestamp,
    ) -> Result<()> {
        let query = match mode {
            Some(mode) => self
                .query(
                    "insert into runtime_settings (name, value, changed_at) \
                     values ('registration', $1, $2) on conflict (name) do update set \
                     value = excluded.value, changed_at = excluded.changed_at",
                )
                .bind(mode.as_str())
                .bind(now.get()),
            None => self.query("delete from runtime_settings where name = 'registration'"),
        };
        query.execute().await.map(drop).map_err(failed)
    }

    /// Notes that another process has ended logins of a person. On PostgreSQL each of them is told by itself.
    pub async fn insert_revocation(&mut self, person: PersonId) -> Result<()> {
        if !self.is_sqlite() {
            return Ok(());
        }
        self.query("insert into revocations (person_id) values ($1)")
            .bind(person.get())
            .execute()
            .await
            .map(drop)
            .map_err(failed)
    }

    /// Deletes notes of this kind.
    pub async fn delete_revocations(&mut self, notes: &[i64]) -> Result<()> {
        for note in notes {
            let deleted = self
                .query("delete from revocations where id = $1")
                .bind(*note);
            deleted.execute().await.map_err(failed)?;
        }
        Ok(())
    }
}

impl Store {
    /// Whether a person may administer.
    pub async fn is_administrator(&self, person: PersonId) -> Result<bool> {
        let count: i64 = on!(&self.inner.read, pool => {
            sqlx::query_scalar(
                "select count(*) from people where id = $1 and administrator and tenant_id = 1 \
                 and deleted_at is null and deactivated_at is null",
            )
            .bind(person.get())
            .fetch_one(pool)
            .await
        })
        .map_err(failed)?;
        Ok(count > 0)
    }

    /// Who may sign up, where an administrator has chosen.
    pub async fn registration(&self) -> Result<Option<RegistrationMode>> {
        let word: Option<String> = on!(&self.inner.read, pool => {
            sqlx::query_scalar(REGISTRATION).fetch_optional(pool).await
        })
        .map_err(failed)?;
        word.as_deref().map(mode).transpose()
    }

    /// At most `limit` notes that another process has ended logins of a person.
    pub async fn revocations(&self, limit: i64) -> Result<Vec<(i64, PersonId)>> {
        let rows: Vec<(i64, i64)> = on!(&self.inner.read, pool => {
            sqlx::query_as("select id, person_id from revocations order by id limit $1")
                .bind(limit)
                .fetch_all(pool)
                .await
        })
        .map_err(failed)?;
        let rows = rows.into_iter();
        Ok(rows
            .map(|(note, person)| (note, PersonId::new(person)))
            .collect())
    }
}
