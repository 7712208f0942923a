//! Second factors and the codes that take their place once.

use crate::{
    error::Result,
    model::{PersonId, SecondFactor, Timestamp},
    store::{EngineSql, Store, Tx, failed},
};

const ADD_CODES: EngineSql = EngineSql {
    sqlite: "insert into recovery_codes (person_id, code_hash, created_at) \
             select $1, value, $3 from json_each($2)",
    postgres: "insert into recovery_codes (person_id, code_hash, created_at) \
               select $1, code, $3 from unnest($2::text[]) as d (code)",
};

row! {
    struct FactorRow {
        secret: String,
        step: i64,
        confirmed_at: Option<i64>,
        codes_left: i64,
    }
}

impl Tx {
    /// Begins a second factor, in the place of one that was never confirmed; says whether it could.
    pub async fn begin_second_factor(
        &mut self,
        person: PersonId,
        secret: &str,
        now: Timestamp,
    ) -> Result<bool> {
        self.query(
            "insert into second_factors (person_id, secret, step, created_at) \
             values ($1, $2, 0, $3) on conflict (person_id) do update \
             set secret = excluded.secret, step = 0, created_at = excluded.created_at \
             where second_factors.confirmed_at is null",
        )
        .bind(person.get())
        .bind(secret)
        .bind(now.get())
        .execute()
        .await
        .map(|rows| rows > 0)
        .map_err(failed)
    }

    /// Takes the code of a time step, once: says no when it, or a later one, was taken before, or the secret is
    /// another one by now. With a time the factor counts from then on, which it did not before.
    pub async fn take_step(
        &mut self,
        person: PersonId,
        (secret, step): (&str, i64),
        confirmed_at: Option<Timestamp>,
    ) -> Result<bool> {
        self.query(
            "update second_factors set step = $3, confirmed_at = coalesce(confirmed_at, $4) \
             where person_id = $1 and secret = $2 and step < $3 \
             and (confirmed_at is null) = ($4 is not null)",
        )
        .bind(person.get())
        .bind(secret)
        .bind(step)
        .bind(confirmed_at.map(Timestamp::get))
        .execute()
        .await
        .map(|rows| rows > 0)
        .map_err(failed)
    }

    /// Takes a recovery code, once; says whether it was there.
    pub async fn take_recovery_code(&mut self, person: PersonId, hash: &str) -> Result<bool> {
        self.query("delete from recovery_codes where person_id = $1 and code_hash = $2")
            .bind(person.get())
            .bind(hash)
            .execute()
            .await
            .map(|rows| rows > 0)
            .map_err(failed)
    }

    /// Replaces a person's recovery codes.
    pub async fn set_recovery_codes(
        &mut self,
        person: PersonId,
        hashes: &[String],
        now: Timestamp,
    ) -> Result<()> {
        let removed = self.query("delete from recovery_codes where person_id = $1");
        removed.bind(person.get()).execute().await.map_err(failed)?;
        self.query(ADD_CODES)
            .bind(person.get())
            .bind(hashes.to_vec())
            .bind(now.get())
            .execute()
            .await
            .map(drop)
            .map_err(failed)
    }

    /// Ends a second factor, and its recovery codes with it; says whether there was one.
    pub async fn end_second_factor(&mut self, person: PersonId) -> Result<bool> {
        let codes = self.query("delete from recovery_codes where person_id = $1");
        codes.bind(person.get()).execute().await.map_err(failed)?;
        let ended = self.query("delete from second_factors where person_id = $1");
        let ended = ended.bind(person.get()).execute().await.map_err(failed)?;
        Ok(ended > 0)
    }
}

impl Store {
    /// A person's second factor, confirmed or not.
    pub async fn second_factor(&self, person: PersonId) -> Result<Option<SecondFactor>> {
        let row: Option<FactorRow> = on!(&self.inner.read, pool => {
            sqlx::query_as(
                "select secret, step, confirmed_at, (select count(*) from recovery_codes c \
                 where c.person_id = f.person_id) as codes_left \
                 from second_factors f where person_id = $1",
            )
            .bind(person.get())
            .fetch_optional(pool)
            .await
        })
        .map_err(failed)?;
        Ok(row.map(|row| SecondFactor {
            secret: row.secret,
            step: row.step,
            confirmed_at: row.confirmed_at.map(Timestamp::new),
            codes_left: row.codes_left,
        }))
    }

    /// Whether a person has a recovery code.
    pub async fn has_recovery_code(&self, person: PersonId, hash: &str) -> Result<bool> {
        let count: i64 = on!(&self.inner.read, pool => {
            sqlx::query_scalar(
                "select count(*) from recovery_codes where person_id = $1 and code_hash = $2",
            )
            .bind(person.get())
            .bind(hash)
            .fetch_one(pool)
            .await
        })
        .map_err(failed)?;
        Ok(count > 0)
    }
}
