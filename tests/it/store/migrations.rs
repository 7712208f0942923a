//! Databases of earlier versions are brought up to date, and nobody loses what was theirs.

use std::path::Path;

use sqlx::{Connection, PgConnection, SqliteConnection, migrate::Migrator};
use tempfile::TempDir;

use parlance::model::Domain;

use crate::support::place::{Beside, Place};

/// A database as a version left it that had so many migrations.
pub(crate) async fn database_of(migrations: usize) -> (Place, Beside) {
    let place = Place::make().await;
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

#[tokio::test(flavor = "multi_thread")]
async fn a_domain_registered_with_www_stays_its_owners() {
    let (place, mut beside) = database_of(1).await;
    for (tenant, domains) in [
        (11, &["www.alone.example"][..]),
        (12, &["both.example"]),
        (13, &["www.both.example", "www.www.deep.example"]),
        (14, &["www.example", "wwwx.example", "localhost"]),
    ] {
        let tenant_row = format!(
            "insert into tenants (id, kind, name, application_id, created_at, updated_at) \
             values ({tenant}, 'site', 'site', 'key-{tenant}', 0, 0)"
        );
        beside.run(&tenant_row).await;
        for domain in domains {
            let sql =
                format!("insert into domains (domain, tenant_id) values ('{domain}', {tenant})");
            beside.run(&sql).await;
        }
    }
    let store = place.store().await;
    for (host, tenant) in [
        ("www.alone.example", 11),
        ("alone.example", 11),
        ("both.example", 12),
        ("www.both.example", 13),
        ("www.www.deep.example", 13),
        ("www.example", 14),
        ("wwwx.example", 14),
        ("localhost", 14),
    ] {
        let domain = Domain::parse(host).expect("a host");
        let found = store.tenant_of_domain(&domain).await.expect("an answer");
        let found = found.map(|site| site.id.get());
        assert_eq!(found, Some(tenant), "{host}");
    }
    store.close().await;
}
