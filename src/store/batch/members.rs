//! What a batch does with many people at once: each statement takes them as one set.

use std::collections::HashMap;

use crate::{
    error::Result,
    model::{ChatId, MembershipStatus, PersonId, Role, TenantId},
    store::{EngineSql, Tx, failed, rows},
};

const MISSING: EngineSql = EngineSql {
    sqlite: "select d.value from json_each($1) d where not exists \
     (select 1 from people p where p.id = d.value and p.tenant_id = $2 and p.deleted_at is null) \
     order by d.key limit 1",
    postgres: "select d.id from unnest($1::bigint[]) with ordinality as d (id, n) \
     where not exists \
     (select 1 from people p where p.id = d.id and p.tenant_id = $2 and p.deleted_at is null) \
     order by d.n limit 1",
};

const MEMBERS: EngineSql = EngineSql {
    sqlite: "select person_id, role from members where chat_id = $2 \
     and standing = 'in' and person_id in (select value from json_each($1))",
    postgres: "select person_id, role from members where chat_id = $2 \
     and standing = 'in' and person_id = any($1)",
};

const END: EngineSql = EngineSql {
    sqlite: "update members set standing = $3, role = 'member' \
     where chat_id = $2 and person_id in (select value from json_each($1))",
    postgres: "update members set standing = $3, role = 'member' \
     where chat_id = $2 and person_id = any($1)",
};

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
        let missing: Option<i64> = self
            .query(MISSING)
            .bind(people)
            .bind(tenant.get())
            .scalar_optional()
            .await
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
        let members: Vec<(i64, String)> = self
            .query(MEMBERS)
            .bind(people)
            .bind(chat.get())
            .fetch_all()
            .await
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
        self.query(END)
            .bind(people)
            .bind(chat.get())
            .bind(standing.as_str())
            .execute()
            .await
            .map(drop)
            .map_err(failed)
    }
}

fn numbers(people: &[PersonId]) -> Vec<i64> {
    people.iter().map(|person| person.get()).collect()
}
