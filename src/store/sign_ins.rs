//! The latest sign-ins to each account.

use crate::{
    error::Result,
    model::{PersonId, SignIn, Timestamp},
    store::{Store, Tx, failed, rows::sign_in_outcome},
};

/// The most that are kept of the sign-ins of one account, and as many of the failed ones: strangers who fail
/// are not to wash away who succeeded.
const KEPT: i64 = 50;

// Nothing is written down of people who are gone since.
const ADD: &str = "insert into sign_ins (person_id, outcome, client, address, at) \
     select p.id, $2, $3, $4, $5 from people p where p.id = $1 and p.deleted_at is null";

const BOUND_SUCCEEDED: &str = "delete from sign_ins where person_id = $1 and outcome = 'succeeded' \
     and id not in (select id from sign_ins where person_id = $1 and outcome = 'succeeded' \
     order by id desc limit $2)";

const BOUND_FAILED: &str = "delete from sign_ins where person_id = $1 and outcome <> 'succeeded' \
     and id not in (select id from sign_ins where person_id = $1 and outcome <> 'succeeded' \
     order by id desc limit $2)";

row! {
    struct SignInRow {
        id: i64,
        outcome: String,
        client: Option<String>,
        address: Option<String>,
        at: i64,
    }
}

impl Tx {
    /// Writes down sign-ins, and forgets the oldest of those accounts beyond `KEPT`.
    pub async fn add_sign_ins(&mut self, sign_ins: &[(PersonId, SignIn)]) -> Result<()> {
        for (person, sign_in) in sign_ins {
            self.query(ADD)
                .bind(person.get())
                .bind(sign_in.outcome.as_str())
                .bind(sign_in.client.as_deref())
                .bind(sign_in.address.as_deref())
                .bind(sign_in.at.get())
                .execute()
                .await
                .map_err(failed)?;
        }
        let mut people: Vec<_> = sign_ins.iter().map(|(person, _)| *person).collect();
        people.sort_unstable();
        people.dedup();
        for person in people {
            for sql in [BOUND_SUCCEEDED, BOUND_FAILED] {
                let bounded = self.query(sql).bind(person.get()).bind(KEPT);
                bounded.execute().await.map_err(failed)?;
            }
        }
        Ok(())
    }

    /// Forgets at most so many sign-ins from before a time.
    pub async fn forget_sign_ins(&mut self, before: Timestamp, limit: i64) -> Result<()> {
        self.query(
            "delete from sign_ins where id in \
             (select id from sign_ins where at < $1 order by at limit $2)",
        )
        .bind(before.get())
        .bind(limit)
        .execute()
        .await
        .map(drop)
        .map_err(failed)
    }
}

impl Store {
    /// Whether there are sign-ins from before a time.
    pub async fn has_sign_ins_before(&self, before: Timestamp) -> Result<bool> {
        let first: Option<i64> = on!(&self.inner.read, pool => {
            sqlx::query_scalar("select id from sign_ins where at < $1 order by at limit 1")
                .bind(before.get())
                .fetch_optional(pool)
                .await
        })
        .map_err(failed)?;
        Ok(first.is_some())
    }

    /// A person's sign-ins, the latest first, those before one of them.
    pub async fn sign_ins(
        &self,
        person: PersonId,
        before: i64,
        limit: usize,
    ) -> Result<Vec<SignIn>> {
        let rows: Vec<SignInRow> = on!(&self.inner.read, pool => {
            sqlx::query_as(
                "select id, outcome, client, address, at from sign_ins \
                 where person_id = $1 and id < $2 order by id desc limit $3",
            )
            .bind(person.get())
            .bind(before)
            .bind(i64::try_from(limit).unwrap_or(i64::MAX))
            .fetch_all(pool)
            .await
        })
        .map_err(failed)?;
        let rows = rows.into_iter().map(|row| {
            Ok(SignIn {
                id: row.id,
                outcome: sign_in_outcome(&row.outcome)?,
                client: row.client,
                address: row.address,
                at: Timestamp::new(row.at),
            })
        });
        rows.collect()
    }
}
