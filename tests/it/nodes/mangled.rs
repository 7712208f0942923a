//! A bus that loses, doubles and reorders what servers tell each other costs no message, and what it said wrong is right soon.

use crate::{
    support::nats,
    support::nodes::{is_online, listen, servers_on_a_mangled_bus, stop},
    support::poll::hold,
    support::world::soon_holds,
};

/// How many people come and go, and speak.
const PEOPLE: usize = 8;
const ROUNDS: usize = 5;
/// How often it happens by NATS, each time otherwise.
const SEEDS: u64 = 3;

#[tokio::test(flavor = "multi_thread")]
async fn a_mangled_bus_costs_no_message_and_what_it_said_wrong_is_right_soon() {
    // By PostgreSQL it is alike each time.
    let seeds = if nats::url().is_some() { SEEDS } else { 1 };
    for seed in 0..seeds {
        costs_nothing(seed).await;
    }
}

async fn costs_nothing(seed: u64) {
    let Some((servers, mangled)) = servers_on_a_mangled_bus(3, seed).await else {
        return;
    };
    let ann = servers[0].actor("ann").await;
    let mut people = Vec::new();
    for number in 0..PEOPLE {
        people.push(servers[number % 3].actor(&format!("one{number}")).await);
    }
    let chat = ann
        .make_private("tea", &people.iter().collect::<Vec<_>>())
        .await;
    let listening = listen(&servers, &ann, "the last").await;
    let mut said = Vec::new();
    let mut waits = Vec::new();
    for round in 0..ROUNDS {
        for (number, one) in people.iter().enumerate() {
            let at = one.at(&servers[(number + round) % 3]);
            at.post(&format!("/api/chats/{chat}/typing"), &[("typing", "true")])
                .await
                .ok(200);
            let word = format!("{number} in {round}");
            at.say(chat, &word).await;
            said.push(word);
            // The last ones come only now.
            if number < PEOPLE / 2 || round == ROUNDS - 1 {
                waits.push(hold(&at, "/api/events?after=now&timeout=50&poll=tab"));
            }
        }
    }
    ann.say(chat, "the last").await;
    said.push("the last".to_owned());
    for listening in listening {
        let heard = listening.await.expect("who listens does not fail");
        let heard: Vec<_> = heard.into_iter().map(|(_, heard)| heard).collect();
        assert_eq!(heard, said, "{seed}");
    }
    assert!(mangled.has_happened(&servers[0]).await, "{seed}");
    mangled.mend(&servers[0]).await;
    for world in &servers {
        for one in &people {
            soon_holds(async || is_online(world, &ann, one).await).await;
        }
    }
    waits.iter().for_each(tokio::task::JoinHandle::abort);
    stop(servers).await;
}
