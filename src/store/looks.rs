//! What the names of accounts look like, so that no two are hard to tell apart.

use sqlx::QueryBuilder;

use crate::{
    error::Result,
    model::PersonId,
    store::{Tx, failed},
};

impl Tx {
    /// Records what a new account's name looks like; returns whether no other name looks like it.
    pub async fn insert_looks(&mut self, person: PersonId, looks: &[String]) -> Result<bool> {
        let looks: Vec<_> = looks.iter().map(|look| (look.clone(), person)).collect();
        Ok(self.add_looks(&looks).await? == looks.len())
    }

    /// Records what names look like unless another looks the same; returns how many were recorded.
    pub(super) async fn add_looks(&mut self, looks: &[(String, PersonId)]) -> Result<usize> {
        if looks.is_empty() {
            return Ok(0);
        }
        let written = on!(&mut self.0, tx => {
            let mut sql = QueryBuilder::new("insert into name_looks (look, person_id) ");
            sql.push_values(looks, |mut row, (look, person)| {
                row.push_bind(look).push_bind(person.get());
            });
            sql.push(" on conflict do nothing");
            sql.build()
                .execute(&mut **tx)
                .await
                .map(|done| done.rows_affected())
        });
        written
            .map(|count| usize::try_from(count).unwrap_or(usize::MAX))
            .map_err(failed)
    }
}
