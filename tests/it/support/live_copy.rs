//! Live copies of a database that a server has, and what they leave.

use std::future::Future;

use parlance::{
    Error,
    chat::search,
    error::Kind,
    store::{
        Store, check,
        mover::{self, Job, Moved, Step},
    },
};
use tokio::runtime::Runtime;

use crate::{
    support::actor::Actor, support::place::Place, support::rows::all_rows, support::world::World,
};

/// Copies while servers write, in a thread of its own, as another process would.
pub(crate) fn copying(
    (from, to): (&Place, &Place),
    page: usize,
    mut watch: impl FnMut(Step<'_>) -> parlance::Result<()> + Send + 'static,
) -> tokio::task::JoinHandle<parlance::Result<Moved>> {
    let (from, to) = (from.options(), to.options());
    tokio::task::spawn_blocking(move || {
        let job = Job {
            from: &from,
            to: &to,
            page,
        };
        let runtime = Runtime::new().expect("a runtime");
        runtime.block_on(mover::copy_live(&job, &mut watch))
    })
}

/// Does so with nobody looking on.
pub(crate) async fn copy(from: &Place, to: &Place) -> parlance::Result<Moved> {
    let copying = copying((from, to), 50, |_| Ok(()));
    copying.await.expect("no panic")
}

/// Everything is right in a database.
pub(crate) async fn is_whole(place: &Place) {
    let checked = check::check_all(&place.options())
        .await
        .expect("it is read");
    let wrong: Vec<_> = checked.iter().filter(|it| !it.wrong.is_empty()).collect();
    assert!(wrong.is_empty(), "{wrong:?}");
}

/// A server whose database has something in it, some of which is in the search index.
pub(crate) async fn serving(place: Place) -> (World, Actor, i64) {
    let url = place.url();
    let world = World::on(place, &url, "").await;
    let (ann, bo) = world.ann_and_bo().await;
    let chat = ann.make("tea").await;
    bo.join(chat).await;
    let first = ann.say(chat, "one @bo").await;
    let second = bo.reply(chat, first, "two \u{1f375}").await;
    ann.react(chat, second, "👍").await.ok(200);
    ann.edit(chat, first, "one and a half").await.ok(200);
    for number in 0..40 {
        ann.say(chat, &format!("word {number}")).await;
    }
    bo.unsay(chat, bo.say(chat, "three").await).await.ok(200);
    search::catch_up(world.services())
        .await
        .expect("it is indexed");
    (world, ann, chat)
}

/// A database that was moved is as its copy, and nobody can serve it any more.
pub(crate) async fn is_moved(from: &Place, to: &Place) {
    assert_eq!(all_rows(from).await, all_rows(to).await);
    is_whole(to).await;
    let refused = Store::open(&from.options()).await.expect_err("it is moved");
    assert!(refused.text().contains("was moved to"), "{refused}");
    let refused = mover::abandon(&from.options()).await;
    let refused = refused.expect_err("it is moved");
    assert!(refused.text().contains("was moved to"), "{refused}");
}

/// How many triggers, functions and tables a live copy has left in a database.
pub(crate) async fn left(place: &Place) -> i64 {
    let sql = match place {
        Place::Sqlite(_) => {
            "select count(*) from sqlite_schema where name like 'copy\\_%' escape '\\'"
        }
        Place::Postgres { .. } => {
            "select (select count(*) from pg_trigger where tgname like 'copy\\_%') \
             + (select count(*) from pg_proc where proname like 'copy\\_trace%') \
             + (select count(*) from pg_class where relname like 'copy\\_%')"
        }
    };
    place.beside().await.number(sql).await
}

/// Ends a copy when it comes to such a step, as a crash would.
pub(crate) async fn cut_off(
    (from, to): (&Place, &Place),
    page: usize,
    is_last: impl Fn(Step<'_>) -> bool + Send + 'static,
) {
    let cut = copying((from, to), page, move |step| {
        if is_last(step) {
            return Err(Error::new(Kind::Internal, "cut off"));
        }
        Ok(())
    });
    let cut = cut.await.expect("no panic").expect_err("it is cut off");
    assert_eq!(cut.text(), "cut off");
}

/// Does something in a thread of its own, as another process would, while a copy waits for it.
pub(crate) fn meanwhile<T: Send + 'static>(work: impl Future<Output = T> + Send + 'static) -> T {
    let working = std::thread::spawn(move || {
        let runtime = Runtime::new().expect("a runtime");
        runtime.block_on(work)
    });
    working.join().expect("no panic")
}
