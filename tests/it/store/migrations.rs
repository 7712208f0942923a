//! Databases of earlier versions are migrated without loss.

use parlance::model::{ChatId, Domain, MembershipStatus, PersonId, TenantId};

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

#[tokio::test(flavor = "multi_thread")]
async fn agents_who_never_joined_a_conversation_are_no_members_of_it() {
    const GUEST: i64 = 101;
    const ANSWERED: i64 = 102;
    const ADDED: i64 = 103;
    let (place, mut beside) = database_of(8).await;
    beside
        .run(
            "insert into tenants (id, kind, name, application_id, created_at, updated_at) \
             values (11, 'site', 'site', 'key-11', 0, 0)",
        )
        .await;
    for (person, kind) in [(GUEST, "guest"), (ANSWERED, "owner"), (ADDED, "owner")] {
        let sql = format!(
            "insert into people (id, tenant_id, kind, name, name_key, created_at, updated_at) \
             values ({person}, 11, '{kind}', 'p', 'p', 0, 0)"
        );
        beside.run(&sql).await;
    }
    // The count lacks one: an agent who had never been counted has left.
    beside
        .run(
            "insert into chats (id, tenant_id, kind, created_by, created_at, updated_at, members_count, \
             last_seq, last_position) values (21, 11, 'desk', 101, 0, 0, 1, 2, 4)",
        )
        .await;
    for (position, kind, actor) in [
        (1, "joined", GUEST),
        (2, "message", ANSWERED),
        (3, "joined", ADDED),
        (4, "message", ADDED),
    ] {
        let sql = format!(
            "insert into changes (position, tenant_id, chat_id, kind, audience, actor_id, at) \
             values ({position}, 11, 21, '{kind}', 'desk', {actor}, 0)"
        );
        beside.run(&sql).await;
    }
    for (person, joined) in [(GUEST, 1), (ANSWERED, 2), (ADDED, 3)] {
        let sql = format!(
            "insert into members (chat_id, person_id, tenant_id, role, standing, joined_at, \
             joined_position, read_id, read_seq) \
             values (21, {person}, 11, 'member', 'in', 0, {joined}, 4, 2)"
        );
        beside.run(&sql).await;
    }
    let store = place.store().await;
    let (tenant, chat) = (TenantId::new(11), ChatId::new(21));
    for (person, standing) in [
        (GUEST, MembershipStatus::In),
        (ANSWERED, MembershipStatus::Observer),
        (ADDED, MembershipStatus::In),
    ] {
        let found = store.chat(tenant, chat, PersonId::new(person)).await;
        let (chat, membership) = found.expect("an answer").expect("the chat");
        assert_eq!(chat.members, 2);
        let membership = membership.expect("a row");
        assert_eq!((membership.standing, membership.read.get()), (standing, 4));
    }
    store.close().await;
}
