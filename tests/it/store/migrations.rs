//! Databases of earlier versions are migrated without loss.

use std::time::Duration;

use parlance::{
    error::Kind,
    model::{
        Audience, ChangeKind, ChatId, Domain, Lane, MembershipStatus, PersonId, Position, TenantId,
    },
};

use crate::support::{old_database::database_of, place::Place};

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

#[tokio::test(flavor = "multi_thread")]
async fn messages_are_told_by_the_log_as_they_were() {
    let (place, mut beside) = database_of(14).await;
    for sql in [
        "insert into log (id, head, floor, epoch) values (1, 6, 0, 'epochish')",
        "insert into tenants (id, kind, name, application_id, created_at, updated_at) \
         values (11, 'site', 'site', 'key-11', 0, 0)",
        "insert into people (id, tenant_id, kind, name, name_key, created_at, updated_at) \
         values (101, 11, 'guest', 'p', 'p', 0, 0)",
        "insert into chats (id, tenant_id, kind, created_by, created_at, updated_at, members_count, \
         last_seq, last_message_id, last_position) \
         values (21, 11, 'desk', 101, 0, 0, 1, 1, 2, 4), (22, 11, 'private', 101, 0, 0, 1, 2, 5, 6)",
        "insert into members (chat_id, person_id, tenant_id, role, standing, joined_at, joined_position, \
         read_id, read_seq) values (21, 101, 11, 'member', 'in', 0, 1, 2, 1), \
         (22, 101, 11, 'member', 'in', 0, 3, 3, 1)",
        "insert into messages (id, tenant_id, chat_id, seq, sender_id, kind, content, created_at) \
         values (2, 11, 21, 1, 101, 'text', 'a', 20), (3, 11, 22, 1, 101, 'text', 'b', 30), \
         (5, 11, 22, 2, 101, 'text', 'c', 50)",
    ] {
        beside.run(sql).await;
    }
    for (position, chat, kind, audience, target) in [
        (1, 21, "joined", "desk", "null"),
        (2, 21, "message", "desk", "2"),
        (3, 22, "message", "members", "3"),
        (4, 21, "read", "desk", "2"),
        (5, 22, "message", "members", "5"),
        (6, 22, "edited", "members", "3"),
    ] {
        let sql = format!(
            "insert into changes (position, tenant_id, chat_id, kind, audience, actor_id, target_id, word, at) \
             values ({position}, 11, {chat}, '{kind}', '{audience}', 101, {target}, \
             case '{kind}' when 'joined' then 'member' end, {position}0)"
        );
        beside.run(&sql).await;
    }
    let store = place.store().await;
    let changes = store.changes(Position::START, 5).await.expect("a list");
    let told: Vec<_> = changes
        .iter()
        .map(|change| {
            let message = match &change.what {
                ChangeKind::Message(message) => Some(message.content.as_str()),
                _ => None,
            };
            let place = (change.position.get(), change.chat.get(), change.at.get());
            (place, change.audience, message)
        })
        .collect();
    let (agents, members) = (Audience::Agents, Audience::Members);
    assert_eq!(
        told,
        [
            ((1, 21, 10), agents, None),
            ((2, 21, 20), agents, Some("a")),
            ((3, 22, 30), members, Some("b")),
            ((4, 21, 40), agents, None),
            ((5, 22, 50), members, Some("c")),
        ]
    );
    let rest = store.changes(Position::new(5), 5).await.expect("a list");
    assert_eq!(rest.len(), 1);
    assert_eq!(beside.head_without_gaps().await, 6);
    // Nobody knew who sent the last message: what is stored of members counts.
    let found = store.chat(TenantId::new(11), ChatId::new(22), PersonId::new(101));
    let (chat, membership) = found.await.expect("an answer").expect("the chat");
    let read = membership.map(|it| (it.read.get(), it.read_seq.get()));
    assert_eq!((read, chat.last_seq.get()), (Some((3, 1)), 2));
    store.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_from_before_lanes_has_one_and_older_servers_go_on_with_it() {
    let (place, mut beside) = database_of(20).await;
    for sql in [
        "insert into log (id, head, floor, epoch) values (1, 1048582, 0, 'epochish')",
        "insert into epochs (epoch, after_position, head, why, at) values ('epochish', 4, 1048580, 'restored', 7)",
        "insert into tenants (id, kind, name, application_id, created_at, updated_at) \
         values (11, 'site', 'site', 'key-11', 0, 0)",
    ] {
        beside.run(sql).await;
    }
    let store = place.store().await;
    let read = store.lanes().await.expect("they are read");
    let heads = read
        .lanes
        .iter()
        .map(|it| (it.lane.number(), it.head.get()));
    assert_eq!(heads.collect::<Vec<_>>(), [(1, 1_048_582)]);
    assert_eq!((read.epoch.as_str(), read.moves.len()), ("epochish", 0));
    for (sql, found) in [
        ("select lane from tenants where id = 11", 1),
        (
            "select head - after_position from epochs where why = 'restored' and at = 7",
            1_048_576,
        ),
        ("select max(id) from search_progress", 1),
        ("select protocol from log", 1),
    ] {
        assert_eq!(beside.number(sql).await, found, "{sql}");
    }
    if let Place::Postgres { .. } = &place {
        beside.run("insert into nodes (id) values ('older')").await;
        let added = store.add_lanes(2, Duration::ZERO).await;
        assert_eq!(added.expect_err("it lives").kind(), Kind::Conflict);
    }
    // What servers of the version before write, to these tables.
    for sql in [
        "update log set head = head + 1 where id = 1",
        "update log set head = head + 5, epoch = 'another' where id = 1",
        "insert into epochs (epoch, after_position, head, why, at) values ('another', 1048583, 1048588, 'w', 8)",
        "update search_progress set indexed_to = 1048588 where id = 1 and indexed_to >= 1048582",
        "insert into tenants (id, kind, name, application_id, created_at, updated_at) \
         values (12, 'site', 'site', 'key-12', 0, 0)",
    ] {
        beside.run(sql).await;
    }
    let (epoch, head) = store.place(Lane::FIRST).await.expect("it is read");
    assert_eq!((epoch.as_str(), head.get()), ("another", 1_048_588));
    store.close().await;
}
