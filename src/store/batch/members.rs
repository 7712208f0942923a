//! What a batch does with many people at once: each statement takes them as one set.

use std::collections::HashMap;

use sqlx::types::Json;

use crate::{
    error::Result,
    model::{ChatId, MembershipStatus, PersonId, Role, TenantId},
    store::{Either, Tx, failed, rows},
};

const MISSING_SQLITE: &str = "select d.value from json_each($1) d where not exists \
     (select 1 from people p where p.id = d.value and p.tenant_id = $2 and p.deleted_at is null) \
     order by d.key limit 1";

const MISSING_POSTGRES: &str = "select d.id from unnest($1::bigint[]) with ordinality as d (id, n) \
     where not exists \
     (select 1 from people p where p.id = d.id and p.tenant_id = $2 and p.deleted_at is null) \
     order by d.n limit 1";

const MEMBERS_SQLITE: &str = "select person_id, role from members where chat_id = $2 \
     and standing = 'in' and person_id in (select value from json_each($1))";

const MEMBERS_POSTGRES: &str = "select person_id, role from members where chat_id = $2 \
     and standing = 'in' and person_id = any($1)";

const END_SQLITE: &str = "update members set standing = $3, role = 'member' \
     where chat_id = $2 and person_id in (select value from json_each($1))";

const END_POSTGRES: &str = "update members set standing = $3, role = 'member' \
     where chat_id = $2 and person_id = any($1)";

impl Tx {
    /// The first of these people who does not belong to the tenant, or was deleted.
    pub async fn first_missing(
        &mut self,
        tenant: TenantId,
        people: &[PersonId],
    ) -> Result<Option<PersonId>> {
        if people.is_empty() {
            return Ok(None);
        }
        let people = numbers(people);
        let missing: Option<i64> = match &mut self.0 {
            Either::Sqlite(tx) => {
                let asked = sqlx::query_scalar(MISSING_SQLITE).bind(Json(people));
                asked.bind(tenant.get()).fetch_optional(&mut **tx).await
            }
            Either::Postgres(tx) => {
                let asked = sqlx::query_scalar(MISSING_POSTGRES).bind(people);
                asked.bind(tenant.get()).fetch_optional(&mut **tx).await
            }
        }
        .map_err(failed)?;
        Ok(missing.map(PersonId::new))
    }

    /// Those of these people who are in a chat, each with their role in it.
    pub async fn members_among(
        &mut self,
        chat: ChatId,
        people: &[PersonId],
    ) -> Result<HashMap<PersonId, Role>> {
        let people = numbers(people);
        let members: Vec<(i64, String)> = match &mut self.0 {
            Either::Sqlite(tx) => {
                let asked = sqlx::query_as(MEMBERS_SQLITE).bind(Json(people));
                asked.bind(chat.get()).fetch_all(&mut **tx).await
            }
            Either::Postgres(tx) => {
                let asked = sqlx::query_as(MEMBERS_POSTGRES).bind(people);
                asked.bind(chat.get()).fetch_all(&mut **tx).await
            }
        }
        .map_err(failed)?;
        let members = members.into_iter();
        members
            .map(|(person, role)| Ok((PersonId::new(person), rows::role(&role)?)))
            .collect()
    }

    /// Ends the memberships of people.
    pub async fn end_memberships(
        &mut self,
        chat: ChatId,
        people: &[PersonId],
        standing: MembershipStatus,
    ) -> Result<()> {
        let people = numbers(people);
        let (chat, standing) = (chat.get(), standing.as_str());
        match &mut self.0 {
            Either::Sqlite(tx) => {
                let told = sqlx::query(END_SQLITE).bind(Json(people)).bind(chat);
                told.bind(standing).execute(&mut **tx).await.map(drop)
            }
            Either::Postgres(tx) => {
                let told = sqlx::query(END_POSTGRES).bind(people).bind(chat);
                told.bind(standing).execute(&mut **tx).await.map(drop)
            }
        }
        .map_err(failed)
    }
}

fn numbers(people: &[PersonId]) -> Vec<i64> {
    people.iter().map(|person| person.get()).collect()
}
