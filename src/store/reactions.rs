//! Reading reactions.

use crate::{
    error::Result,
    model::{MessageId, PersonId, PersonName},
    store::{Either, Store, failed, failure::bounded},
};
use sqlx::types::Json;

/// Those that one person has set on some messages. How often an emoji was set is kept with its message, so a page
/// needs this one statement however many people have reacted.
const OWN_SQLITE: &str = "select r.message_id, r.emoji from json_each($1) d \
     cross join reactions r on r.message_id = d.value and r.person_id = $2";

const OWN_POSTGRES: &str = "select r.message_id, r.emoji from reactions r \
     where r.message_id = any($1) and r.person_id = $2";

impl Store {
    /// At most `limit` people who have set an emoji on a message, by their numbers, after one of them.
    pub async fn reactors(
        &self,
        (message, emoji): (MessageId, &str),
        after: PersonId,
        limit: usize,
    ) -> Result<Vec<PersonName>> {
        let rows: Vec<(i64, String)> = on!(&self.inner.read, pool => {
            sqlx::query_as(
                "select p.id, p.name from reactions r join people p on p.id = r.person_id \
                 where r.message_id = $1 and r.emoji = $2 and r.person_id > $3 \
                 order by r.person_id limit $4",
            )
            .bind(message.get())
            .bind(emoji)
            .bind(after.get())
            .bind(i64::try_from(limit).unwrap_or(i64::MAX))
            .fetch_all(pool)
            .await
        })
        .map_err(failed)?;
        let people = rows.into_iter();
        Ok(people
            .map(|(id, name)| PersonName {
                id: PersonId::new(id),
                name: name.into(),
            })
            .collect())
    }

    /// The reactions of one person on some messages.
    pub async fn own_reactions(
        &self,
        person: PersonId,
        messages: &[MessageId],
    ) -> Result<Vec<(MessageId, String)>> {
        let asked: Vec<_> = messages.iter().map(|message| message.get()).collect();
        let rows: Vec<(i64, String)> = bounded(async {
            match self.inner.read.for_statement() {
                Either::Sqlite(pool) => {
                    let asked = sqlx::query_as(OWN_SQLITE).bind(Json(asked));
                    asked.bind(person.get()).fetch_all(pool).await
                }
                Either::Postgres(pool) => {
                    let asked = sqlx::query_as(OWN_POSTGRES).bind(asked);
                    asked.bind(person.get()).fetch_all(pool).await
                }
            }
        })
        .await
        .map_err(failed)?;
        let own = rows.into_iter();
        Ok(own
            .map(|(message, emoji)| (MessageId::new(message), emoji))
            .collect())
    }
}
