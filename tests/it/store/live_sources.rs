//! What happens to a database while a live copy of it is made, and ends the copy, or does not.

use parlance::store::mover::{self, Step};
use sqlx::{AssertSqlSafe, Connection as _, PgConnection};

use crate::{
    support::live_copy::{copy, copying, cut_off, is_moved, left, meanwhile, serving},
    support::place::Place,
};

/// A connection beside the server's, where the database is PostgreSQL's.
async fn connection(place: &Place) -> Option<PgConnection> {
    match place {
        Place::Sqlite(_) => None,
        Place::Postgres { .. } => {
            let connected = PgConnection::connect(&place.url()).await;
            Some(connected.expect("it answers"))
        }
    }
}

/// What PostgreSQL says against a statement; none where it does it.
async fn refusal(connection: &mut PgConnection, sql: &str) -> Option<String> {
    let done = sqlx::query(AssertSqlSafe(sql.to_owned())).execute(connection);
    done.await.err().map(|error| error.to_string())
}

#[rocket::async_test]
async fn who_gives_a_copy_up_that_is_at_its_end_has_it_hand_nothing_over() {
    let (world, ann, chat) = serving(Place::make().await).await;
    let to = Place::empty().await;
    let is_sqlite = matches!(world.place, Place::Sqlite(_));
    let options = world.place.options();
    let copied = copying((&world.place, &to), 50, move |step| {
        if step == Step::CopyingLast {
            let options = options.clone();
            let given_up = meanwhile(async move { mover::abandon(&options).await });
            match given_up {
                Ok(was_begun) => assert!(is_sqlite && was_begun),
                // On PostgreSQL a copy that is not at work is to be ended first.
                Err(error) => assert!(
                    !is_sqlite && error.text().contains("another copy"),
                    "{error}"
                ),
            }
        }
        Ok(())
    });
    let copied = copied.await.expect("no panic");
    if !is_sqlite {
        copied.expect("it is copied");
        is_moved(&world.place, &to).await;
        world.stop().await;
        return;
    }
    let refused = copied.expect_err("it was given up");
    assert!(refused.text().contains("was given up"), "{refused}");
    assert_eq!(left(&world.place).await, 0);
    ann.say(chat, "said after that").await;
    let other = Place::empty().await;
    copy(&world.place, &other)
        .await
        .expect("another one is made");
    is_moved(&world.place, &other).await;
    world.stop().await;
}

#[rocket::async_test]
async fn a_database_that_is_migrated_meanwhile_is_not_handed_over() {
    for last in [Step::CheckingCopy, Step::CopyingLast] {
        let (world, ann, chat) = serving(Place::make().await).await;
        let to = Place::empty().await;
        let mut beside = Some(world.place.beside().await);
        let copied = copying((&world.place, &to), 50, move |step| {
            if step == last {
                let mut beside = beside.take().expect("it comes to this once");
                meanwhile(async move {
                    // As a newer version leaves it that was started meanwhile.
                    let sql = "update _sqlx_migrations set version = 9000 where version = \
                               (select max(version) from _sqlx_migrations)";
                    beside.run(sql).await;
                });
            }
            Ok(())
        });
        let refused = copied.await.expect("no panic").expect_err("it is another");
        assert!(
            refused.text().contains("was migrated by another version"),
            "{refused}"
        );
        // Nobody is refused any more.
        ann.say(chat, "said after that").await;
        world.stop().await;
    }
}

#[rocket::async_test]
async fn a_file_that_is_replaced_meanwhile_is_not_handed_over() {
    let (world, ..) = serving(Place::file()).await;
    let place = world.stop().await;
    let to = Place::empty().await;
    let Place::Sqlite(folder) = &place else {
        unreachable!("it is a file");
    };
    let file = folder.path().join("data/chat.db");
    let copied = copying((&place, &to), 50, move |step| {
        if step == Step::CheckingCopy {
            let aside = file.with_extension("aside");
            std::fs::rename(&file, &aside).expect("it is put aside");
            std::fs::copy(&aside, &file).expect("another one is there");
        }
        Ok(())
    });
    let refused = copied.await.expect("no panic").expect_err("it is another");
    assert!(refused.text().contains("was replaced"), "{refused}");
}

#[rocket::async_test]
async fn who_would_not_notice_that_writing_is_stopped_is_refused_all_along() {
    let (world, ann, chat) = serving(Place::make().await).await;
    let Some(mut beside) = connection(&world.place).await else {
        return;
    };
    let to = Place::empty().await;
    cut_off((&world.place, &to), 50, |step| step == Step::CheckingCopy).await;
    ann.say(chat, "who sees each statement of others may write")
        .await;
    for level in ["repeatable read", "serializable"] {
        let begun = refusal(&mut beside, &format!("begin isolation level {level}")).await;
        assert_eq!(begun, None);
        let refused = refusal(&mut beside, "update chats set title = title").await;
        assert!(refused.is_some_and(|told| told.contains("read committed")));
        assert_eq!(refusal(&mut beside, "rollback").await, None);
    }
    let Place::Postgres { name, .. } = &world.place else {
        unreachable!("it has a connection");
    };
    let sql =
        format!("alter database {name} set default_transaction_isolation = 'repeatable read'");
    assert_eq!(refusal(&mut beside, &sql).await, None);
    let refused = copy(&world.place, &to).await.expect_err("it is refused");
    assert!(
        refused.text().contains("default_transaction_isolation"),
        "{refused}"
    );
    let sql = format!("alter database {name} reset default_transaction_isolation");
    assert_eq!(refusal(&mut beside, &sql).await, None);
    copy(&world.place, &to).await.expect("it goes on");
    is_moved(&world.place, &to).await;
    world.stop().await;
}

#[rocket::async_test]
async fn a_server_whose_user_is_another_than_that_of_the_copy_writes_on() {
    let (world, ..) = serving(Place::make().await).await;
    let Some(mut beside) = connection(&world.place).await else {
        return;
    };
    let to = Place::empty().await;
    let Place::Postgres { name, .. } = &world.place else {
        unreachable!("it has a connection");
    };
    let role = format!("{name}_server");
    for sql in [
        format!("create role {role}"),
        format!("grant all on all tables in schema public to {role}"),
    ] {
        assert_eq!(refusal(&mut beside, &sql).await, None);
    }
    cut_off((&world.place, &to), 50, |step| step == Step::CheckingCopy).await;
    for sql in [
        format!("set role {role}"),
        "update chats set title = title".to_owned(),
        "reset role".to_owned(),
        format!("drop owned by {role}"),
        format!("drop role {role}"),
    ] {
        assert_eq!(refusal(&mut beside, &sql).await, None, "{sql}");
    }
    copy(&world.place, &to).await.expect("it goes on");
    is_moved(&world.place, &to).await;
    world.stop().await;
}
