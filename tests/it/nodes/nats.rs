//! Servers that tell each other by NATS what is new: without it, with one that goes and comes, and with others on it.

use std::{collections::BTreeSet, time::Duration};

use futures_util::StreamExt;
use tempfile::tempdir;
use tokio::time::Instant;

use crate::{
    support::actor::Actor,
    support::binary::{Started, parlance},
    support::nats::{Broker, all_hear},
    support::nodes::{figure, is_online, join, listen, servers_by_postgres, stop},
    support::poll::{answer, hold},
    support::stream::Events,
    support::world::{World, soon_holds},
};

/// How many messages are said while NATS pauses, goes and comes.
const MANY: usize = 90;
/// How many waits at another server are timed, with NATS and without.
const TIMED: usize = 12;

/// Servers that have a NATS server of their own.
async fn servers_of(broker: &Broker, count: usize) -> Option<Vec<World>> {
    let servers = servers_by_postgres(count, &broker.setting()).await?;
    all_hear(&servers, true).await;
    Some(servers)
}

/// Returns once it is told at the other server that somebody types here.
async fn typing_is_told(ann: &Actor, chat: i64, stream: &mut Events) {
    for typing in ["true", "false"] {
        let path = format!("/api/chats/{chat}/typing");
        ann.post(&path, &[("typing", typing)]).await.ok(200);
        let told = stream.event().await.json();
        assert_eq!(told["typing"].to_string(), typing, "{told}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_said_is_heard_though_nats_pauses_is_killed_and_comes_back_meanwhile() {
    let Some(mut broker) = Broker::start() else {
        return;
    };
    let Some(servers) = servers_of(&broker, 3).await else {
        return;
    };
    let (ann, bo) = servers[0].ann_and_bo().await;
    let chat = ann.make_private("tea", &[&bo]).await;
    let listening = listen(&servers, &bo, "the last").await;
    let mut said = Vec::new();
    for number in 0..MANY {
        match number {
            10 => broker.pause(),
            20 => broker.go_on(),
            30 => broker.kill(),
            60 => broker.start_with(""),
            _ => {}
        }
        if number == 45 {
            all_hear(&servers, false).await;
            for world in &servers {
                assert_eq!(figure::<i64>(world, "parlance_bus_heard").await, 0);
                soon_holds(async || world.get("/health/ready").await.status == 200).await;
            }
        }
        let word = if number == MANY - 1 {
            "the last".to_owned()
        } else {
            format!("word {number}")
        };
        ann.at(&servers[number % servers.len()])
            .say(chat, &word)
            .await;
        said.push(word);
    }
    for listening in listening {
        let heard = listening.await.expect("who listens does not fail");
        let heard: Vec<_> = heard.into_iter().map(|(_, heard)| heard).collect();
        assert_eq!(heard, said);
    }
    all_hear(&servers, true).await;
    let path = "/api/events?types=typing";
    let mut stream = Events::open(&bo.at(&servers[2]), path, None).await;
    typing_is_told(&ann, chat, &mut stream).await;
    soon_holds(async || figure::<f64>(&servers[0], "parlance_notification_seconds").await > 0.0)
        .await;
    stop(servers).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_starts_without_nats_and_uses_it_when_it_is_there() {
    let Some(mut broker) = Broker::prepare() else {
        return;
    };
    let Some(servers) = servers_by_postgres(2, &broker.setting()).await else {
        return;
    };
    all_hear(&servers, false).await;
    let (ann, bo) = servers[0].ann_and_bo().await;
    let chat = ann.make_private("tea", &[&bo]).await;
    for word in ["one", "two"] {
        let listening = listen(&servers, &bo, word).await;
        ann.say(chat, word).await;
        for listening in listening {
            listening.await.expect("it is heard");
        }
        if word == "one" {
            let held = hold(&bo, "/api/events?after=now&timeout=50");
            broker.start_with("");
            all_hear(&servers, true).await;
            // What was so before is told too.
            soon_holds(async || is_online(&servers[1], &ann, &bo).await).await;
            held.abort();
        }
    }
    stop(servers).await;
}

/// How long a wait at another server takes to be answered after something is said, in all.
async fn time_of_waits(other: &World, ann: &Actor, bo: &Actor, chat: i64) -> Duration {
    let mut time = Duration::ZERO;
    for number in 0..TIMED {
        let path = format!("/api/events?after={}&timeout=50", bo.now().await);
        let waiting = hold(&bo.at(other), &path);
        other.waiting(1).await;
        let began = Instant::now();
        ann.say(chat, &format!("word {number}")).await;
        let told = answer(waiting).await.with(200).json();
        time += began.elapsed();
        assert_eq!(told["events"][0]["type"], "message", "{told}");
    }
    time
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wait_at_another_server_is_answered_sooner_by_nats_than_by_looking() {
    let Some(mut broker) = Broker::start() else {
        return;
    };
    let Some(servers) = servers_of(&broker, 2).await else {
        return;
    };
    let (ann, bo) = servers[0].ann_and_bo().await;
    let chat = ann.make_private("tea", &[&bo]).await;
    let by_nats = time_of_waits(&servers[1], &ann, &bo, chat).await;
    broker.kill();
    all_hear(&servers, false).await;
    let by_looking = time_of_waits(&servers[1], &ann, &bo, chat).await;
    assert!(by_nats * 2 < by_looking, "{by_nats:?}, {by_looking:?}");
    stop(servers).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_databases_on_one_nats_do_not_hear_each_other() {
    let Some(broker) = Broker::start() else {
        return;
    };
    let address = format!("nats://127.0.0.1:{}", broker.port());
    let client = async_nats::connect(address).await.expect("it is there");
    let mut all = client.subscribe(">").await.expect("it may");
    client.flush().await.expect("it does");
    let mut both = Vec::new();
    for _ in 0..2 {
        let Some(servers) = servers_of(&broker, 2).await else {
            return;
        };
        // Ids are the same in both.
        let (ann, bo) = servers[0].ann_and_bo().await;
        let cy = servers[0].actor("cy").await;
        let chat = ann.make_private("tea", &[&bo, &cy]).await;
        let path = "/api/events?types=typing";
        let stream = Events::open(&bo.at(&servers[1]), path, None).await;
        both.push((servers, ann, cy, chat, stream));
    }
    let (mut other, mut one) = (both.pop().expect("two"), both.pop().expect("one"));
    assert_eq!((one.2.id, one.3), (other.2.id, other.3));
    let held = hold(&one.2, "/api/events?after=now&timeout=50");
    soon_holds(async || is_online(&one.0[1], &one.1, &one.2).await).await;
    typing_is_told(&one.1, one.3, &mut one.4).await;
    // What comes first at the other database is its own.
    let path = format!("/api/chats/{}/typing", other.3);
    other.1.post(&path, &[("typing", "true")]).await.ok(200);
    let first = other.4.event().await.json();
    assert_eq!(first["typing"], true);
    other.1.post(&path, &[("typing", "false")]).await.ok(200);
    assert_eq!(other.4.event().await.json()["typing"], false);
    for world in &other.0 {
        assert!(!is_online(world, &other.1, &other.2).await);
    }
    held.abort();
    let mut subjects = BTreeSet::new();
    while subjects.len() < 6 {
        let message = all.next().await.expect("there are some");
        subjects.insert(message.subject.into_string());
    }
    let databases: BTreeSet<_> = subjects
        .iter()
        .map(|subject| subject.rsplit_once('.').expect("words").0)
        .collect();
    assert_eq!(databases.len(), 2, "{subjects:?}");
    assert!(databases.iter().all(|it| it.starts_with("parlance.")));
    stop(one.0).await;
    stop(other.0).await;
}

/// What no server says: no text, no datagram, one of another version, one that is cut off, and far too much.
fn garbage() -> Vec<Vec<u8>> {
    let texts = [
        "",
        "\n",
        "1",
        "1 a",
        "1 a 1",
        "1 a 18446744073709551616\nx",
        "1 a -1\nx",
        "2 a 1\nx",
        "1 a 1\n\n\n\0",
        "1 b 18446744073709551615\nonline",
        "1 b 1\nonline x\ntyping\nask",
        "1  9\n",
    ];
    let mut all: Vec<_> = texts
        .iter()
        .map(|text| text.as_bytes().to_owned())
        .collect();
    all.extend([
        vec![0xff; 9],
        vec![b'\n'; 1_000_000],
        vec![b' '; 1_000_000],
        vec![b'1'; 1_000_000],
    ]);
    all
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_word_of_a_server_does_no_harm() {
    let Some(broker) = Broker::start() else {
        return;
    };
    let address = format!("nats://127.0.0.1:{}", broker.port());
    let client = async_nats::connect(address).await.expect("it is there");
    let mut probes = client
        .subscribe("parlance.*.probe")
        .await
        .expect("it may subscribe");
    client.flush().await.expect("it does");
    let Some(servers) = servers_of(&broker, 2).await else {
        return;
    };
    let probe = probes.next().await.expect("a server's first word");
    let (database, _) = probe.subject.rsplit_once('.').expect("words");
    let (ann, bo) = servers[0].ann_and_bo().await;
    let chat = ann.make_private("tea", &[&bo]).await;
    let path = "/api/events?types=typing,message";
    let mut stream = Events::open(&bo.at(&servers[1]), path, None).await;
    for last in ["news", "bus", "probe", "none"] {
        for payload in garbage() {
            let subject = format!("{database}.{last}");
            let published = client.publish(subject, payload.into()).await;
            published.expect("it is sent");
        }
    }
    client.flush().await.expect("it was");
    typing_is_told(&ann, chat, &mut stream).await;
    ann.say(chat, "still here").await;
    let told = stream.event().await.json();
    assert_eq!(told["message"]["content"], "still here", "{told}");
    // Who says nothing more is no server that is waited for.
    all_hear(&servers, true).await;
    for world in &servers {
        let name = "parlance_other_servers";
        soon_holds(async || figure::<i64>(world, name).await == 1).await;
    }
    stop(servers).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reason_why_nats_is_out_of_reach_is_logged_once() {
    let Some(mut broker) = Broker::start() else {
        return;
    };
    let Some(mut servers) = servers_of(&broker, 1).await else {
        return;
    };
    join(&mut servers).await;
    let folder = tempdir().expect("a folder");
    let mut command = parlance(folder.path());
    command.env("ROCKET_DATABASES", servers[0].databases());
    command.env(
        "ROCKET_NATS_URL",
        format!("nats://127.0.0.1:{}", broker.port()),
    );
    let begun = tokio::task::spawn_blocking(move || Started::begin(command));
    let mut started = begun.await.expect("it starts");
    broker.kill();
    let said = tokio::task::spawn_blocking(move || {
        started.says("the connection was lost");
        // Attempts come a second apart at most.
        std::thread::sleep(Duration::from_secs(4));
        started.stop()
    });
    let said = said.await.expect("it stops");
    let lines = said
        .lines()
        .filter(|line| line.contains("nats") || line.contains("NATS"));
    let lines: Vec<_> = lines.collect();
    assert_eq!(lines.len(), 1, "why it cannot be reached, once: {lines:#?}");
    stop(servers).await;
}
