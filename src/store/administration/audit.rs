//! The acts of administrators: written down with what they change, and never changed.

use crate::{
    error::{Error, Result},
    model::{Act, AuditEntry, Operator, PersonId, Record, Target, TargetKind, Timestamp},
    store::{Store, Tx, failed},
};

row! {
    struct AuditRow {
        id: i64,
        at: i64,
        actor_id: Option<i64>,
        actor_name: Option<String>,
        address: Option<String>,
        act: String,
        target_kind: String,
        target_id: Option<i64>,
        target_name: Option<String>,
        detail: Option<String>,
    }
}

impl TryFrom<AuditRow> for AuditEntry {
    type Error = Error;

    fn try_from(row: AuditRow) -> Result<Self> {
        let unknown = |word: &str| Error::internal(format!("unknown word {word:?} in audit"));
        Ok(Self {
            id: row.id,
            at: Timestamp::new(row.at),
            by: Operator {
                person: row.actor_id.map(PersonId::new).zip(row.actor_name),
                address: row.address,
            },
            record: Record {
                act: Act::from_stored(&row.act).ok_or_else(|| unknown(&row.act))?,
                target: Target {
                    kind: TargetKind::from_stored(&row.target_kind)
                        .ok_or_else(|| unknown(&row.target_kind))?,
                    id: row.target_id,
                    name: row.target_name,
                },
                detail: row.detail,
            },
        })
    }
}

impl Tx {
    /// Writes an act down.
    pub async fn insert_audit(
        &mut self,
        by: &Operator,
        record: &Record,
        now: Timestamp,
    ) -> Result<()> {
        let (actor, name) = match &by.person {
            Some((actor, name)) => (Some(actor.get()), Some(name.as_str())),
            None => (None, None),
        };
        self.query(
            "insert into audit (at, actor_id, actor_name, address, act, target_kind, target_id, \
             target_name, detail) values ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
        )
        .bind(now.get())
        .bind(actor)
        .bind(name)
        .bind(by.address.as_deref())
        .bind(record.act.as_str())
        .bind(record.target.kind.as_str())
        .bind(record.target.id)
        .bind(record.target.name.as_deref())
        .bind(record.detail.as_deref())
        .execute()
        .await
        .map(drop)
        .map_err(failed)
    }
}

impl Store {
    /// At most `limit` acts before the entry `before`, the newest first.
    pub async fn audit(&self, before: i64, limit: i64) -> Result<Vec<AuditEntry>> {
        let rows: Vec<AuditRow> = on!(&self.inner.read, pool => {
            sqlx::query_as(
                "select id, at, actor_id, actor_name, address, act, target_kind, target_id, \
                 target_name, detail from audit where id < $1 order by id desc limit $2",
            )
            .bind(before)
            .bind(limit)
            .fetch_all(pool)
            .await
        })
        .map_err(failed)?;
        rows.into_iter().map(AuditEntry::try_from).collect()
    }
}
