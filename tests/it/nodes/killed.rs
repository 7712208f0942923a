//! A server that is killed, or stopped in the middle of a batch: nothing that it has answered is lost, nothing is written twice, and the
//! others go on.

use parlance::model::Lane;
use tokio::task::JoinHandle;

use crate::{
    support::binary::Started,
    support::lanes::{HOME, add, move_to, without_gaps},
    support::nodes::{listen, servers, stop},
    support::place::Beside,
    support::senders::{Senders, go_on, has_each_once, pause, process},
    support::world::World,
};

/// So many were answered when it is killed.
const ANSWERED: usize = 40;
/// How often it is stopped while it holds the log.
const STOPS: usize = 3;
/// Whether a transaction holds the log and has done nothing for a while.
const HELD: &str = "select count(*) from pg_stat_activity a join pg_locks l on l.pid = a.pid \
     where a.datname = current_database() and a.state = 'idle in transaction' \
     and l.relation = 'log'::regclass and l.mode = 'RowShareLock' \
     and clock_timestamp() - a.state_change > interval '50 ms'";

#[tokio::test(flavor = "multi_thread")]
async fn what_a_killed_server_has_answered_is_in_the_log_once_and_the_others_go_on() {
    kill_one(Lane::FIRST).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn so_it_is_in_another_lane() {
    kill_one(Lane::new(3).expect("a lane")).await;
}

async fn kill_one(lane: Lane) {
    let Some(servers) = servers(2, "").await else {
        return;
    };
    if lane != Lane::FIRST {
        add(&servers[0], 4).await;
        move_to(servers[0].store(), HOME, lane.number()).await;
    }
    let folder = tempfile::tempdir().expect("a folder");
    let mut third = process(&servers[0], folder.path()).await;
    let ann = servers[0].actor("ann").await;
    let chat = ann.make("tea").await;
    let listening = listen(&servers, &ann, "the last").await;
    let senders = Senders::start(&third, &ann, chat);
    // The others write meanwhile.
    let mut beside = Vec::new();
    while senders.count() < ANSWERED {
        let world = &servers[beside.len() % servers.len()];
        let said = format!("beside {}", beside.len());
        beside.push((said.clone(), ann.at(world).say(chat, &said).await));
    }
    third.child.kill().expect("it is killed");
    let mut expected = senders.ended().await;
    // The others go on at once.
    for world in &servers {
        let said = format!("after {}", beside.len());
        beside.push((said.clone(), ann.at(world).say(chat, &said).await));
    }
    ann.say(chat, "the last").await;
    expected.extend(beside);
    all_heard(listening, &expected, servers).await;
}

/// At the end: each who listened heard all of it once, and the log has no gaps.
async fn all_heard(
    listening: Vec<JoinHandle<Vec<(i64, String)>>>,
    expected: &[(String, i64)],
    servers: Vec<World>,
) {
    for listening in listening {
        let heard = listening.await.expect("who listens does not fail");
        has_each_once(&heard, expected);
    }
    without_gaps(&mut servers[0].place.beside().await).await;
    stop(servers).await;
}

/// Stops a server that writes as soon as it holds the log.
async fn pause_in_a_batch(server: &Started, senders: &Senders, beside: &mut Beside) {
    loop {
        senders.all_send();
        pause(server);
        beside.run("select pg_sleep(0.1)").await;
        if beside.number(HELD).await > 0 {
            return;
        }
        go_on(server);
        beside.run("select pg_sleep(0.02)").await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_stopped_in_the_middle_of_a_batch_refuses_nothing_and_the_others_go_on() {
    let Some(servers) = servers(2, "").await else {
        return;
    };
    let folder = tempfile::tempdir().expect("a folder");
    let third = process(&servers[0], folder.path()).await;
    let ann = servers[0].actor("ann").await;
    let chat = ann.make("tea").await;
    let listening = listen(&servers, &ann, "the last").await;
    let mut database = servers[0].place.beside().await;
    let senders = Senders::start(&third, &ann, chat);
    let mut beside = Vec::new();
    for _ in 0..STOPS {
        pause_in_a_batch(&third, &senders, &mut database).await;
        // A lock that is held for longer than they wait for it would have them refuse this.
        for world in &servers {
            let said = format!("beside {}", beside.len());
            beside.push((said.clone(), ann.at(world).say(chat, &said).await));
        }
        go_on(&third);
        let so_far = senders.count();
        while senders.count() == so_far {
            senders.all_send();
            database.run("select pg_sleep(0.02)").await;
        }
    }
    let mut expected = senders.stop().await;
    ann.say(chat, "the last").await;
    expected.extend(beside);
    all_heard(listening, &expected, servers).await;
}
