//! What is done with the whole database from the command line: `parlance backup`, `restore`, `check` and `new-epoch`.

use std::path::PathBuf;

use crate::{
    config::Settings,
    error::{Error, Kind, Result},
    server,
    store::{
        backup,
        check::{self, Checked, SHOWN},
    },
};

/// What is to be done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Task {
    /// Copy the database to a new file.
    Backup(PathBuf),
    /// Put a copy of a backup in the database's place.
    Restore(PathBuf),
    /// Find out whether what is stored agrees with itself.
    Check,
    /// Begin another epoch of the log.
    NewEpoch,
}

/// Does it, and says so.
pub async fn run(settings: &Settings, task: &Task) -> Result<()> {
    let options = server::store_options(settings);
    match task {
        Task::Backup(file) => {
            backup::back_up(&options, file)?;
            println!("The database is copied to {}.", file.display());
        }
        Task::Restore(file) => {
            let restored = backup::restore(&options, file).await?;
            let database = restored.database.display();
            println!("{database} is what {} is, in a new epoch.", file.display());
            if let Some(aside) = restored.aside {
                println!("What was there before is in {}.", aside.display());
            }
        }
        Task::Check => report(&check::check_all(&options).await?)?,
        Task::NewEpoch => {
            backup::renew_epoch(&options).await?;
            println!("The log goes on in a new epoch: clients begin anew.");
        }
    }
    Ok(())
}

/// Says what was checked; an error if something is wrong.
fn report(checked: &[Checked]) -> Result<()> {
    for Checked { what, wrong } in checked {
        if wrong.is_empty() {
            println!("ok     {what}");
            continue;
        }
        let shown: Vec<_> = wrong.iter().take(SHOWN).map(String::as_str).collect();
        let more = if wrong.len() > SHOWN {
            ", and more"
        } else {
            ""
        };
        println!("WRONG  {what}: {}{more}", shown.join(", "));
    }
    let wrong = checked.iter().filter(|checked| !checked.wrong.is_empty());
    match wrong.count() {
        0 => Ok(()),
        count => {
            let sentence = format!("{count} of {} checks failed", checked.len());
            Err(Error::new(Kind::Internal, sentence))
        }
    }
}
