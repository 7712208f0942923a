//! One-time links: kept by the hash of their token, and gone once they are used.

use crate::{
    error::Result,
    model::{LinkKind, OneTimeLink, PersonId, Timestamp, TokenHash},
    store::{Store, Tx, failed},
};

row! {
    struct LinkRow {
        id: i64,
        made_by: i64,
        name: String,
        created_at: i64,
        expires_at: i64,
    }
}

impl Tx {
    /// Keeps a link; returns its number.
    pub async fn insert_link(
        &mut self,
        (kind, person): (LinkKind, Option<PersonId>),
        hash: &TokenHash,
        made_by: PersonId,
        (now, expires_at): (Timestamp, Timestamp),
    ) -> Result<i64> {
        self.query(
            "insert into one_time_links (kind, token_hash, person_id, made_by, created_at, expires_at) \
             values ($1, $2, $3, $4, $5, $6) returning id",
        )
        .bind(kind.as_str())
        .bind(hash.as_str())
        .bind(person.map(PersonId::get))
        .bind(made_by.get())
        .bind(now.get())
        .bind(expires_at.get())
        .scalar()
        .await
        .map_err(failed)
    }

    /// Takes a link that is good at this time: it is good no more. Says for whom it was, or nothing where
    /// there is none.
    pub async fn take_link(
        &mut self,
        kind: LinkKind,
        hash: &TokenHash,
        now: Timestamp,
    ) -> Result<Option<Option<PersonId>>> {
        let taken: Option<Option<i64>> = self
            .query(
                "delete from one_time_links where token_hash = $1 and kind = $2 \
                 and expires_at > $3 returning person_id",
            )
            .bind(hash.as_str())
            .bind(kind.as_str())
            .bind(now.get())
            .scalar_optional()
            .await
            .map_err(failed)?;
        Ok(taken.map(|person| person.map(PersonId::new)))
    }

    /// Forgets the links by which a person may set a new password.
    pub async fn delete_links_of(&mut self, person: PersonId) -> Result<()> {
        self.query("delete from one_time_links where person_id = $1")
            .bind(person.get())
            .execute()
            .await
            .map(drop)
            .map_err(failed)
    }

    /// Forgets an invitation; says whether there was one.
    pub async fn delete_invitation(&mut self, link: i64) -> Result<bool> {
        self.query("delete from one_time_links where id = $1 and kind = 'invitation'")
            .bind(link)
            .execute()
            .await
            .map(|rows| rows > 0)
            .map_err(failed)
    }

    /// Forgets the links that are past their time.
    pub async fn delete_expired_links(&mut self, now: Timestamp) -> Result<()> {
        self.query("delete from one_time_links where expires_at <= $1")
            .bind(now.get())
            .execute()
            .await
            .map(drop)
            .map_err(failed)
    }
}

impl Store {
    /// Whom a link is for, and until when it is good; nothing where there is none that is good at this time.
    pub async fn link(
        &self,
        kind: LinkKind,
        hash: &TokenHash,
        now: Timestamp,
    ) -> Result<Option<(Option<PersonId>, Timestamp)>> {
        let row: Option<(Option<i64>, i64)> = on!(&self.inner.read, pool => {
            sqlx::query_as(
                "select person_id, expires_at from one_time_links \
                 where token_hash = $1 and kind = $2 and expires_at > $3",
            )
            .bind(hash.as_str())
            .bind(kind.as_str())
            .bind(now.get())
            .fetch_optional(pool)
            .await
        })
        .map_err(failed)?;
        Ok(row.map(|(person, expires_at)| (person.map(PersonId::new), Timestamp::new(expires_at))))
    }

    /// At most `limit` invitations before the one of that number, the newest first, which are good at this
    /// time.
    pub async fn invitations(
        &self,
        before: i64,
        now: Timestamp,
        limit: i64,
    ) -> Result<Vec<OneTimeLink>> {
        let rows: Vec<LinkRow> = on!(&self.inner.read, pool => {
            sqlx::query_as(
                "select l.id, l.made_by, p.name, l.created_at, l.expires_at \
                 from one_time_links l join people p on p.id = l.made_by \
                 where l.kind = 'invitation' and l.id < $1 and l.expires_at > $2 \
                 order by l.id desc limit $3",
            )
            .bind(before)
            .bind(now.get())
            .bind(limit)
            .fetch_all(pool)
            .await
        })
        .map_err(failed)?;
        let links = rows.into_iter().map(|row| OneTimeLink {
            id: row.id,
            made_by: (PersonId::new(row.made_by), row.name),
            created_at: Timestamp::new(row.created_at),
            expires_at: Timestamp::new(row.expires_at),
        });
        Ok(links.collect())
    }
}
