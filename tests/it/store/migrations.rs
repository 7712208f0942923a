//! Databases of earlier versions are migrated without loss.

use parlance::model::Domain;

use crate::support::old_database::database_of;

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
