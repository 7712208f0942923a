//! What has several lanes is not copied to where there is one.

use super::{
    Job,
    side::{Side, trouble},
};
use crate::error::Result;

/// Refuses to copy several lanes to SQLite, which has one.
pub(super) async fn refuse(job: &Job<'_>, source: &mut Side) -> Result<()> {
    let lanes = source.number("select count(*) from lanes").await;
    let lanes = lanes.map_err(|error| source.trouble(error))?;
    if lanes == 0 || job.to.sqlite_file()?.is_none() {
        return Ok(());
    }
    let place = source.place();
    Err(trouble(format!(
        "the database {place} has {} lanes, and a SQLite file has one: copy it to PostgreSQL",
        lanes + 1
    )))
}
