//! Servers that write one log in turns.

use futures_util::future::join_all;

use crate::support::{
    nodes::{listen, servers, stop},
    world::World,
};

/// So many messages come while another server has the log.
const MANY: usize = 20;

/// Waits until as many statements as that wait for a lock.
async fn waiting(world: &World, count: i64) {
    let mut beside = world.place.beside().await;
    let sql = "select count(*) from pg_stat_activity where datname = current_database() \
               and wait_event_type = 'Lock'";
    while beside.number(sql).await < count {
        tokio::task::yield_now().await;
    }
}

#[rocket::async_test]
async fn what_comes_while_another_server_has_the_log_is_written_in_one_transaction() {
    let Some(servers) = servers(2, "").await else {
        return;
    };
    let ann = servers[0].actor("ann").await;
    let chat = ann.make("tea").await;
    let listening = listen(&servers, &ann, "the last").await;
    let mut holder = servers[0].place.beside().await;
    holder.run("begin").await;
    holder
        .number("select head from log where id = 1 for update")
        .await;
    let first = servers.iter().map(|world| {
        let there = ann.at(world);
        async move { there.say(chat, "first").await }
    });
    let more = async {
        // Both have taken a batch of one message to the log.
        waiting(&servers[0], 2).await;
        let lines = (0..MANY).map(|number| format!("more {number}"));
        let there = ann.at(&servers[0]);
        let (there, said) = (&there, lines.collect::<Vec<_>>());
        let sent = join_all(said.iter().map(|line| there.say(chat, line)));
        let let_go = async {
            while servers[0].services().drafts_waiting() < MANY {
                tokio::task::yield_now().await;
            }
            holder.run("commit").await;
        };
        tokio::join!(sent, let_go);
    };
    tokio::join!(join_all(first), more);
    let mut beside = servers[0].place.beside().await;
    let transactions = beside
        .number("select count(distinct xmin::text) from messages")
        .await;
    assert_eq!(transactions, 2, "one of each server");
    ann.say(chat, "the last").await;
    for listening in listening {
        let heard = listening.await.expect("who listens does not fail");
        assert_eq!(heard.len(), 2 + MANY + 1);
        assert!(heard.is_sorted_by(|a, b| a.0 < b.0), "once, and in order");
    }
    beside.head_without_gaps().await;
    stop(servers).await;
}
