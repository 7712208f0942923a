//! Personal access tokens, which are logins with a name, scopes and an end.

use crate::{
    error::Result,
    model::{AccessToken, LoginId, PersonId, Scope, TenantId, Timestamp, TokenHash, TokenTerms},
    store::{Store, Tx, failed},
};

row! {
    struct TokenRow {
        id: i64,
        token_name: Option<String>,
        scopes: Option<String>,
        expires_at: Option<i64>,
        created_at: i64,
        used_at: i64,
    }
}

impl From<TokenRow> for AccessToken {
    fn from(row: TokenRow) -> Self {
        Self {
            id: LoginId::new(row.id),
            name: row.token_name.unwrap_or_default(),
            terms: TokenTerms {
                scopes: Scope::from_list(&row.scopes.unwrap_or_default()),
                expires_at: Timestamp::new(row.expires_at.unwrap_or_default()),
            },
            created_at: Timestamp::new(row.created_at),
            used_at: Timestamp::new(row.used_at),
        }
    }
}

impl Tx {
    /// Adds a token of a person.
    pub async fn insert_token(
        &mut self,
        (tenant, person): (TenantId, PersonId),
        (name, hash): (&str, &TokenHash),
        terms: &TokenTerms,
        now: Timestamp,
    ) -> Result<LoginId> {
        self.query(
            "insert into logins (tenant_id, person_id, token_hash, client, token_name, scopes, \
             expires_at, created_at, used_at) values ($1, $2, $3, $4, $4, $5, $6, $7, $7) \
             returning id",
        )
        .bind(tenant.get())
        .bind(person.get())
        .bind(hash.as_str())
        .bind(name)
        .bind(Scope::stored(&terms.scopes))
        .bind(terms.expires_at.get())
        .bind(now.get())
        .scalar()
        .await
        .map(LoginId::new)
        .map_err(failed)
    }

    /// How many tokens a person has.
    pub async fn count_tokens(&mut self, person: PersonId) -> Result<i64> {
        self.query("select count(*) from logins where person_id = $1 and scopes is not null")
            .bind(person.get())
            .scalar()
            .await
            .map_err(failed)
    }

    /// Ends a token of a person; says whether there was one.
    pub async fn delete_token(&mut self, person: PersonId, token: LoginId) -> Result<bool> {
        let found: Option<i64> = self
            .query("select id from logins where id = $1 and person_id = $2 and scopes is not null")
            .bind(token.get())
            .bind(person.get())
            .scalar_optional()
            .await
            .map_err(failed)?;
        if found.is_none() {
            return Ok(false);
        }
        // As any login: other servers of the database are told.
        self.delete_login(person, token).await
    }
}

impl Store {
    /// A person's tokens, the oldest first.
    pub async fn tokens(&self, person: PersonId) -> Result<Vec<AccessToken>> {
        let rows: Vec<TokenRow> = on!(&self.inner.read, pool => {
            sqlx::query_as(
                "select id, token_name, scopes, expires_at, created_at, used_at from logins \
                 where person_id = $1 and scopes is not null order by id",
            )
            .bind(person.get())
            .fetch_all(pool)
            .await
        })
        .map_err(failed)?;
        Ok(rows.into_iter().map(AccessToken::from).collect())
    }
}
