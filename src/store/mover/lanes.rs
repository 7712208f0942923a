//! What has several lanes is not copied to where there is one.

use super::side::{Side, trouble};
use crate::{
    error::{Error, Result},
    store::{Either, Options},
};

/// Refuses to copy several lanes to a database that has one.
pub(super) async fn refuse(source: &mut Side, to: &Options) -> Result<()> {
    let several = count(source).await?;
    if several == 0 || to.sqlite_file()?.is_none() {
        return Ok(());
    }
    Err(too_many(source, several))
}

/// The same for a live copy, which is asked again and again: lanes may be added while it is made.
pub(super) async fn refuse_added(source: &mut Side, target: &Side) -> Result<()> {
    if let Either::Postgres(_) = target.connection {
        return Ok(());
    }
    match count(source).await? {
        0 => Ok(()),
        several => Err(too_many(source, several)),
    }
}

/// How many lanes there are beside the first one.
async fn count(source: &mut Side) -> Result<i64> {
    let lanes = source.number("select count(*) from lanes").await;
    lanes.map_err(|error| source.trouble(error))
}

fn too_many(source: &Side, several: i64) -> Error {
    let place = source.place();
    trouble(format!(
        "the database {place} has {} lanes, and a SQLite file has one: copy it to PostgreSQL",
        several + 1
    ))
}
