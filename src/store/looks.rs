//! What the names of accounts look like, so that no two are hard to tell apart.

use crate::{
    error::Result,
    model::PersonId,
    store::{Tx, failed},
};

const ADD_ONE: &str =
    "insert into name_looks (look, person_id) values ($1, $2) on conflict do nothing";

const ADD_ALL: &str = "insert into name_looks (look, person_id) \
     select * from unnest($1::text[], $2::bigint[]) on conflict do nothing";

impl Tx {
    /// Records what a new account's name looks like; returns whether no other name looks like it.
    pub async fn insert_looks(&mut self, person: PersonId, looks: &[String]) -> Result<bool> {
        let looks: Vec<_> = looks.iter().map(|look| (look.clone(), person)).collect();
        Ok(self.add_looks(&looks).await? == looks.len())
    }

    /// Whether another name looks like one of these, as this transaction sees it.
    pub async fn is_look_taken(&mut self, looks: &[String]) -> Result<bool> {
        for look in looks {
            let found: Option<i64> = self
                .query("select person_id from name_looks where look = $1")
                .bind(look.as_str())
                .scalar_optional()
                .await
                .map_err(failed)?;
            if found.is_some() {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Records what names look like unless another looks the same; returns how many were recorded.
    pub(super) async fn add_looks(&mut self, looks: &[(String, PersonId)]) -> Result<usize> {
        if looks.is_empty() {
            return Ok(0);
        }
        let written = if self.is_sqlite() {
            let mut written = 0;
            for (look, person) in looks {
                let added = self.query(ADD_ONE).bind(look.as_str()).bind(person.get());
                written += added.execute().await.map_err(failed)?;
            }
            written
        } else {
            let looks = looks
                .iter()
                .map(|(look, person)| (look.clone(), person.get()));
            let (looks, people): (Vec<_>, Vec<_>) = looks.unzip();
            let added = self.query(ADD_ALL).bind(looks).bind(people);
            added.execute().await.map_err(failed)?
        };
        Ok(usize::try_from(written).unwrap_or(usize::MAX))
    }
}
