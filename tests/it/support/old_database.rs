//! Databases as earlier versions left them.

use std::path::Path;

use sqlx::{Connection, PgConnection, SqliteConnection, migrate::Migrator};
use tempfile::TempDir;

use crate::support::place::{Beside, Place};

/// A database as a version left it that had so many migrations.
pub(crate) async fn database_of(migrations: usize) -> (Place, Beside) {
    let place = Place::empty().await;
    let engine = match &place {
        Place::Sqlite(folder) => {
            std::fs::create_dir(folder.path().join("data")).expect("a folder can be made");
            "sqlite"
        }
        Place::Postgres { .. } => "postgres",
    };
    let folder = first(migrations, engine);
    let migrator = Migrator::new(folder.path()).await.expect("migrations");
    let url = place.url();
    let beside = match &place {
        Place::Sqlite(_) => {
            let url = format!("{url}?mode=rwc");
            let connected = SqliteConnection::connect(&url).await;
            let mut one = connected.expect("the file can be made");
            migrator.run(&mut one).await.expect("they are run");
            Beside::Sqlite(one)
        }
        Place::Postgres { .. } => {
            let connected = PgConnection::connect(&url).await;
            let mut one = connected.expect("the database answers");
            migrator.run(&mut one).await.expect("they are run");
            Beside::Postgres(one)
        }
    };
    (place, beside)
}

/// A folder with the first migrations alone.
fn first(count: usize, engine: &str) -> TempDir {
    let folder = TempDir::new().expect("the system has a temporary folder");
    let all = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("migrations")
        .join(engine);
    let mut names: Vec<_> = std::fs::read_dir(&all)
        .expect("the migrations are there")
        .map(|file| file.expect("a file").file_name())
        .collect();
    names.sort();
    for name in &names[..count] {
        std::fs::copy(all.join(name), folder.path().join(name)).expect("a file can be copied");
    }
    folder
}
