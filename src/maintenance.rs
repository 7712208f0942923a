//! What is done with the whole database from the command line: `parlance backup`, `restore`, `check`, `copy`,
//! `new-epoch` and `lanes`.

use std::{
    io::Write as _,
    path::PathBuf,
    time::{Duration, Instant},
};

use crate::{
    config::Settings,
    error::{Error, Kind, Result},
    model::{Clock, Lane},
    server,
    store::{
        Moved, Options, Store, backup,
        check::{self, Checked, SHOWN},
        mover::{self, Job, Step},
    },
};

/// How often it is said how far a table has come.
const SAID_EVERY: Duration = Duration::from_secs(1);

/// A server that has begun to start says sooner that it lives.
const STARTING: Duration = Duration::from_secs(3);

/// What is to be done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Task {
    /// Copy the database to a new file.
    Backup(PathBuf),
    /// Put a copy of a backup in the database's place.
    Restore(PathBuf),
    /// Find out whether what is stored agrees with itself.
    Check,
    /// Copy one database to another.
    Copy {
        /// The address of the one.
        from: String,
        /// The address of the other, which is empty.
        to: String,
        /// Whether servers write to the one meanwhile.
        live: bool,
    },
    /// Give up a live copy of the database at this address.
    Abandon(String),
    /// Begin another epoch of the log.
    NewEpoch,
    /// Add lanes until there are so many.
    Lanes(usize),
    /// Have a tenant go on in another lane.
    MoveTenant {
        /// Its number, or its application id.
        tenant: String,
        /// The lane's number.
        lane: i64,
    },
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
        Task::Copy { from, to, live } => copy(&options, (from, to), *live).await?,
        Task::Abandon(from) => {
            let was_begun = mover::abandon(&at(&options, from)).await?;
            println!(
                "{}",
                if was_begun {
                    "The live copy is given up: its target is to be emptied."
                } else {
                    "No live copy was begun there."
                }
            );
        }
        Task::NewEpoch => {
            backup::renew_epoch(&options).await?;
            println!("The log goes on in a new epoch: clients begin anew.");
        }
        Task::Lanes(count) => add_lanes(&options, *count).await?,
        Task::MoveTenant { tenant, lane } => move_tenant(&options, tenant, *lane).await?,
    }
    Ok(())
}

/// Adds lanes, has tenants go on in them, and says how many there are.
async fn add_lanes(options: &Options, count: usize) -> Result<()> {
    let store = Store::open(options).await?;
    let done = async {
        let before = store.add_lanes(count, STARTING).await?;
        let went = store.spread_tenants(Clock.now()).await?;
        Result::Ok((before, went))
    };
    let done = done.await;
    store.close().await;
    let (before, went) = done?;
    if before == count {
        println!("The database has {count} lanes already.");
    } else {
        println!("The database has {count} lanes now, and had {before}.");
    }
    println!("Tenants that go on in another lane: {went}.");
    Ok(())
}

/// Moves a tenant, and says from where.
async fn move_tenant(options: &Options, tenant: &str, lane: i64) -> Result<()> {
    let none = || Error::invalid("there is no lane of that number");
    let lane = Lane::new(lane).ok_or_else(none)?;
    let store = Store::open(options).await?;
    let moved = store
        .move_tenant(tenant.to_owned(), lane, Clock.now())
        .await;
    store.close().await;
    let Moved { tenant, name, from } = moved?;
    println!("{name} (tenant {tenant}) goes on in lane {lane}, and was in lane {from}.");
    Ok(())
}

/// Copies a database, and says on the standard error how far it has come.
async fn copy(options: &Options, (from, to): (&str, &str), live: bool) -> Result<()> {
    let (from, to) = (at(options, from), at(options, to));
    let job = Job {
        from: &from,
        to: &to,
        page: mover::PAGE,
    };
    let mut said = Instant::now();
    let mut watch = |step: Step<'_>| {
        if matches!(step, Step::Copying(..)) && said.elapsed() < SAID_EVERY {
            return Ok(());
        }
        said = Instant::now();
        // Nobody may read it: the copy goes on.
        drop(writeln!(std::io::stderr(), "{step}"));
        Ok(())
    };
    let (copied, stopped) = if live {
        let moved = mover::copy_live(&job, &mut watch).await?;
        (moved.copied, moved.stopped)
    } else {
        (mover::copy(&job, &mut watch).await?, None)
    };
    println!(
        "The copy is whole: {} rows in {} tables, in the same epoch of the log.",
        copied.rows, copied.tables
    );
    if live {
        if let Some(stopped) = stopped {
            println!("Writing was stopped for {:.1} s.", stopped.as_secs_f64());
        }
        println!("The old database takes no more writes: start the server on the new one.");
    }
    Ok(())
}

/// The database at another address.
fn at(options: &Options, url: &str) -> Options {
    Options {
        url: url.to_owned(),
        ..options.clone()
    }
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
