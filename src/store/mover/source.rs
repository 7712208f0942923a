//! What a source has to be for a copy of it to be right, and to stay for a live one.

use super::{
    PROGRESS,
    side::{Side, trouble},
    tables::{self, Kind as Column},
    traces,
    value::Value,
};
use crate::{
    error::{Error, Kind, Result},
    store::{
        Either,
        migrations::{POSTGRES, SQLITE},
        open::moved,
    },
};

/// The newest migration of this version.
fn known(side: &Side) -> i64 {
    let migrations = match &side.connection {
        Either::Sqlite(_) => &*SQLITE,
        Either::Postgres(_) => &*POSTGRES,
    };
    let known = migrations.iter().map(|migration| migration.version);
    known.max().unwrap_or_default()
}

/// The newest one that a database has had.
async fn version(source: &mut Side) -> Result<i64> {
    let version = source
        .number("select coalesce(max(version), 0) from _sqlx_migrations")
        .await;
    version.map_err(|error| source.trouble(error))
}

/// Refuses a source that another version of Parlance serves: it may have what this one does not know, or lack what it
/// expects.
pub(super) async fn up_to_date(source: &mut Side) -> Result<()> {
    let known = known(source);
    let names = tables::names(source).await;
    let names = names.map_err(|error| source.trouble(error))?;
    let has = |name: &str| names.iter().any(|own| own == name);
    let place = source.place();
    if has(PROGRESS) {
        return Err(trouble(format!(
            "the database {place} is not whole: a copy to it was begun, and did not end"
        )));
    }
    if !has("_sqlx_migrations") || !has("log") {
        return Err(trouble(format!("{place} is not a database of Parlance's")));
    }
    let version = version(source).await?;
    let place = source.place();
    if version < known {
        return Err(trouble(format!(
            "the database {place} was not yet served by this version of Parlance: start the server on it once, stop \
             it, and copy then"
        )));
    }
    if version > known {
        return Err(trouble(format!(
            "the database {place} was served by a newer version of Parlance: copy with that one"
        )));
    }
    Ok(())
}

/// Refuses the source of a live copy.
pub(super) async fn refuse_live(source: &mut Side) -> Result<()> {
    let live = traces::live_copy(source).await;
    let live = live.map_err(|error| source.trouble(error))?;
    let place = source.place();
    match live {
        None => Ok(()),
        Some(live) => Err(match live.moved_to {
            Some(to) => moved(place, &to),
            None => Error::new(
                Kind::Conflict,
                format!(
                    "a live copy of the database {place} was begun: go on with it (parlance copy --live), or give \
                     it up (parlance copy --abandon)"
                ),
            ),
        }),
    }
}

/// Refuses a database that another version of Parlance has migrated while it was copied: it may have columns and tables
/// of which the copy knows nothing, and lack triggers.
pub(super) async fn still_up_to_date(source: &mut Side) -> Result<()> {
    if version(source).await? == known(source) {
        return Ok(());
    }
    let place = source.place();
    Err(trouble(format!(
        "the database {place} was migrated by another version of Parlance while it was copied: give the copy up \
         (parlance copy --abandon), empty the target, and begin again with that version"
    )))
}

/// Refuses a PostgreSQL database whose transactions see it as it was when they began: they would not notice that writing
/// was stopped since, and the triggers refuse them all along.
pub(super) async fn refuse_isolation(source: &mut Side) -> Result<()> {
    if let Either::Sqlite(_) = &source.connection {
        return Ok(());
    }
    let sql = "select current_setting('default_transaction_isolation')";
    let found = source.select(sql, &[], &[Column::Text]).await;
    let found = found.map_err(|error| source.trouble(error))?;
    let level = found.into_iter().flatten().find_map(Value::text);
    match level.as_deref() {
        None | Some("read committed" | "read uncommitted") => Ok(()),
        Some(level) => {
            let place = source.place();
            Err(Error::new(
                Kind::Conflict,
                format!(
                    "in the database {place} default_transaction_isolation is \"{level}\", with which it cannot be copied while \
                     servers write: set it to \"read committed\", and restart them"
                ),
            ))
        }
    }
}
