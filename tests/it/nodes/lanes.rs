//! Several logs in one database: what is in none of them is told twice, out of order or not at all, also of a tenant that moves.

use std::{pin::pin, time::Duration};

use futures_util::future::join_all;
use parlance::chat::search;
use serde_json::{Value, json};

use crate::{
    support::actor::{Actor, list, text},
    support::lanes::{
        HOME, SITES, act_for_all, add, connect, is_sound, move_to, site, sites, told, without_gaps,
    },
    support::nodes::{join, listen, servers, stop},
    support::poll::{answer, but_presence, hold},
    support::receiver::Receiver,
    support::webhooks,
    support::world::{World, soon_holds},
};

/// How many messages each guest sends in a test of order.
const MANY: usize = 30;

/// What an agent hears at a server after a cursor, until so many messages were heard.
async fn polled(world: &World, token: &str, count: usize) -> (Vec<String>, String) {
    let (mut heard, mut cursor) = (Vec::new(), "now".to_owned());
    while heard.len() < count {
        let path = format!("/api/events?token={token}&after={cursor}&timeout=50&limit=7");
        let told = world.get(&but_presence(&path)).await.with(200).json();
        heard.extend(messages(&told));
        cursor = text(&told, "cursor");
    }
    (heard, cursor)
}

/// What the messages among events say.
fn messages(told: &Value) -> Vec<String> {
    let events = list(told, "events").into_iter();
    let messages = events.filter(|event| event["type"] == "message");
    messages
        .map(|event| text(&event["message"], "content"))
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_said_in_several_lanes_is_heard_at_each_server_once_and_in_order() {
    let Some(servers) = servers(2, "").await else {
        return;
    };
    let people = sites(&servers).await;
    let mut sockets = Vec::new();
    for world in &servers {
        let mut ws = connect(world, &json!({})).await;
        ws.text_after("40").await;
        act_for_all(&mut ws, &people).await;
        sockets.push(ws);
    }
    let asked = servers.iter().flat_map(|world| {
        let people = people.iter();
        people.map(move |(owner, _)| polled(world, &owner.token, MANY))
    });
    let asked = join_all(asked);
    let says = async {
        // Who asks for what comes from now on has to have asked.
        for world in &servers {
            world.waiting(SITES.len()).await;
        }
        let all = people.iter().enumerate().map(|(number, (_, guest))| {
            let servers = &servers;
            async move {
                for word in 0..MANY {
                    let world = &servers[(number + word) % servers.len()];
                    guest.says(world, &format!("{number} word {word}")).await;
                }
            }
        });
        join_all(all).await;
    };
    let (asked, ()) = tokio::join!(asked, says);
    let of = |number: usize| (0..MANY).map(move |word| format!("{number} word {word}"));
    for (place, (heard, _)) in asked.into_iter().enumerate() {
        let expected: Vec<_> = of(place % SITES.len()).collect();
        assert_eq!(heard, expected);
    }
    for mut ws in sockets {
        let mut heard = vec![Vec::new(); SITES.len()];
        while heard.iter().map(Vec::len).sum::<usize>() < MANY * SITES.len() {
            let (said, _) = told(&ws.text_after("42[\"newMessage\"").await);
            let number: usize = said[..1].parse().expect("a number");
            heard[number].push(said);
        }
        for (number, heard) in heard.into_iter().enumerate() {
            assert_eq!(heard, of(number).collect::<Vec<_>>());
        }
    }
    let mut beside = servers[0].place.beside().await;
    let written = without_gaps(&mut beside).await;
    assert!(written.iter().all(|count| *count >= 30), "{written:?}");
    let heads = servers[0].services().heads();
    assert_eq!(heads.lanes(), SITES.len());
    for world in &servers {
        soon_holds(async || world.services().heads() == heads).await;
    }
    is_sound(&servers[0]).await;
    stop(servers).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cursor_from_before_a_move_is_good_after_it_at_each_server() {
    let Some(servers) = servers(2, "").await else {
        return;
    };
    let ann = servers[0].actor("ann").await;
    let chat = ann.make("tea").await;
    let mut cursors = vec![ann.now().await];
    let mut said = Vec::new();
    add(&servers[0], 5).await;
    for (number, lane) in [1, 2, 2, 5].into_iter().enumerate() {
        let there = ann.at(&servers[number % 2]);
        if lane > 1 && number != 2 {
            // Others go on in the lane that it leaves, and have written before in the one that it comes to.
            move_to(servers[0].store(), HOME, lane).await;
        }
        for word in 0..5 {
            let word = format!("{number} {word}");
            there.say(chat, &word).await;
            said.push(word);
        }
        cursors.push(there.now().await);
    }
    for world in &servers {
        let there = ann.at(world);
        for (number, cursor) in cursors.iter().enumerate() {
            let (mut heard, mut cursor) = (Vec::new(), cursor.clone());
            loop {
                let path = format!("/api/events?after={cursor}&timeout=0&limit=3&types=message");
                let told = there.get(&path).await.with(200).json();
                heard.extend(messages(&told));
                cursor = text(&told, "cursor");
                if told["more"] == false {
                    break;
                }
            }
            assert_eq!(heard, said[number * 5..], "after {number}");
            let (_, position) = cursor.rsplit_once('.').expect("a cursor");
            let position: i64 = position.parse().expect("a number");
            assert_eq!(position >> 45, 4, "it is in the lane where the tenant is");
        }
        assert_eq!(there.said(chat).await, said);
        let (epoch, _) = cursors[0].rsplit_once('.').expect("a cursor");
        // What nobody has told is refused, in the lane where the tenant is and beyond.
        for position in [(4_i64 << 45) + 1_000, (5 << 45) + 1, (200 << 45) + 1] {
            let path = format!("/api/events?after={epoch}.{position}&timeout=0");
            there.get(&path).await.refused(410, "gone");
        }
    }
    without_gaps(&mut servers[0].place.beside().await).await;
    is_sound(&servers[0]).await;
    stop(servers).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_waits_while_their_tenant_moves_goes_on_in_the_other_lane() {
    let Some(servers) = servers(2, "").await else {
        return;
    };
    let ann = servers[0].actor("ann").await;
    let chat = ann.make("tea").await;
    add(&servers[0], 3).await;
    for lane in [2, 3] {
        let cursor = ann.now().await;
        let held = servers.iter().map(|world| {
            let path = format!("/api/events?after={cursor}&timeout=50");
            hold(&ann.at(world), &path)
        });
        let held: Vec<_> = held.collect();
        for world in &servers {
            world.waiting(1).await;
        }
        move_to(servers[0].store(), HOME, lane).await;
        let mut again = Vec::new();
        for (held, world) in held.into_iter().zip(&servers) {
            let ended = answer(held).await.with(200).json();
            assert_eq!(ended["events"], json!([]));
            assert_eq!(ended["retry_ms"], 0, "it may come back at once");
            let path = format!("/api/events?after={}&timeout=50", text(&ended, "cursor"));
            again.push(hold(&ann.at(world), &path));
            world.waiting(1).await;
        }
        let said = format!("in lane {lane}");
        ann.say(chat, &said).await;
        for again in again {
            let told = answer(again).await.with(200).json();
            assert_eq!(messages(&told), [said.as_str()]);
        }
    }
    stop(servers).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_lost_or_doubled_while_a_tenant_moves_under_load() {
    let Some(servers) = servers(2, "").await else {
        return;
    };
    let ann = servers[0].actor("ann").await;
    let chat = ann.make("tea").await;
    add(&servers[0], 8).await;
    let listening = listen(&servers, &ann, "the last").await;
    let says = (0..4).map(|sender| {
        let there = ann.at(&servers[sender % 2]);
        async move {
            for word in 0..30 {
                let said = format!("{sender} {word}");
                let key = format!("{sender}-{word}");
                there.say_as(chat, &said, &key).await.with(201);
            }
        }
    });
    let moves = async {
        for lane in 2..=8 {
            move_to(
                servers[lane % 2].store(),
                HOME,
                i64::try_from(lane).expect("few"),
            )
            .await;
            tokio::task::yield_now().await;
            ann.at(&servers[lane % 2])
                .say(chat, &format!("in {lane}"))
                .await;
        }
    };
    tokio::join!(join_all(says), moves);
    ann.say(chat, "the last").await;
    for listening in listening {
        let heard = listening.await.expect("who listens does not fail");
        assert_eq!(heard.len(), 4 * 30 + 7 + 1);
        assert!(heard.is_sorted_by(|a, b| a.0 < b.0), "once, and in order");
    }
    without_gaps(&mut servers[0].place.beside().await).await;
    is_sound(&servers[0]).await;
    stop(servers).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_search_finds_what_was_said_in_each_lane_as_it_says_now() {
    let Some(servers) = servers(2, "").await else {
        return;
    };
    let ann = servers[0].actor("ann").await;
    let chat = ann.make("tea").await;
    add(&servers[0], 3).await;
    let mut said = Vec::new();
    for lane in 1..=3 {
        if lane > 1 {
            move_to(servers[0].store(), HOME, lane).await;
        }
        said.push(ann.say(chat, &format!("green tea in {lane}")).await);
        said.push(ann.say(chat, &format!("black tea in {lane}")).await);
    }
    ann.edit(chat, said[0], "white tea").await.with(200);
    for world in &servers {
        let there = ann.at(world);
        for indexed in [false, true] {
            if indexed {
                // Both servers add to it.
                soon_holds(async || search::catch_up(world.services()).await.is_ok()).await;
            }
            for (words, count) in [("tea", 6), ("green", 2), ("black", 3), ("white", 1)] {
                let told = there.search(&[("query", words)]).await.with(200).json();
                let found = list(&told, "hits").len();
                assert_eq!(found, count, "{words} {indexed} {told}");
            }
        }
    }
    is_sound(&servers[0]).await;
    stop(servers).await;
}

/// How many messages are found by each word.
async fn found(who: &Actor) -> [usize; 3] {
    let mut found = [0; 3];
    for (found, word) in found.iter_mut().zip(["green", "black", "white"]) {
        let told = who.search(&[("query", word)]).await.with(200).json();
        *found = list(&told, "hits").len();
    }
    found
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_that_is_edited_in_another_lane_is_left_to_the_index_of_its_own() {
    let Some(mut servers) = servers(1, "").await else {
        return;
    };
    let world = &servers[0];
    let ann = world.actor("ann").await;
    let chat = ann.make("tea").await;
    add(world, 2).await;
    soon_holds(async || search::catch_up(world.services()).await.is_ok()).await;
    let mut holder = world.place.beside().await;
    holder.run("begin").await;
    let held = "select id from search_progress where id = 1 for update";
    holder.number(held).await;
    let said = ann.say(chat, "green tea").await;
    move_to(world.store(), HOME, 2).await;
    ann.edit(chat, said, "white tea").await.with(200);
    // All lanes were tried once this has an answer.
    let added = search::catch_up(world.services()).await;
    assert!(added.is_err(), "the first cannot go on");
    holder.run("rollback").await;
    soon_holds(async || search::catch_up(world.services()).await.is_ok()).await;
    assert_eq!(found(&ann).await, [0, 0, 1]);
    is_sound(world).await;
    // As where the index was begun after the message was sent, and a server has yet to go back to it.
    holder.run("begin").await;
    holder.run("delete from message_terms").await;
    holder
        .run("update search_progress set indexed_from = indexed_to + 1 where id = 1")
        .await;
    ann.edit(chat, said, "black tea").await.with(200);
    holder.run("commit").await;
    join(&mut servers).await;
    for world in &servers {
        soon_holds(async || search::catch_up(world.services()).await.is_ok()).await;
    }
    assert_eq!(found(&ann).await, [0, 1, 0]);
    is_sound(&servers[0]).await;
    stop(servers).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_deleted_in_one_lane_is_not_found_by_an_edit_in_another_that_comes_late() {
    let Some(servers) = servers(1, "").await else {
        return;
    };
    let world = &servers[0];
    let ann = world.actor("ann").await;
    let chat = ann.make("tea").await;
    add(world, 3).await;
    let said = ann.say(chat, "green tea").await;
    soon_holds(async || search::catch_up(world.services()).await.is_ok()).await;
    let mut holder = world.place.beside().await;
    holder.run("begin").await;
    let held = "select id from search_progress where id = 2 for update";
    holder.number(held).await;
    move_to(world.store(), HOME, 2).await;
    ann.edit(chat, said, "white tea").await.with(200);
    move_to(world.store(), HOME, 3).await;
    ann.unsay(chat, said).await.with(200);
    // All lanes were tried once this has an answer: also the third.
    let added = search::catch_up(world.services()).await;
    assert!(added.is_err(), "the second cannot go on");
    holder.run("rollback").await;
    soon_holds(async || search::catch_up(world.services()).await.is_ok()).await;
    is_sound(world).await;
    stop(servers).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn another_epoch_begins_in_all_lanes() {
    let Some(servers) = servers(2, "").await else {
        return;
    };
    let people = sites(&servers).await;
    let mut cursors = Vec::new();
    for (owner, guest) in &people {
        guest.says(&servers[0], "hello").await;
        let path = format!("/api/events?token={}&after=now&timeout=0", owner.token);
        let told = servers[1].get(&path).await.with(200).json();
        cursors.push(text(&told, "cursor"));
    }
    let options = servers[0].place.options();
    let begun = parlance::store::backup::renew_epoch(&options);
    begun.await.expect("it begins");
    for ((owner, guest), cursor) in people.iter().zip(&cursors) {
        let path = format!("/api/events?token={}&after={cursor}&timeout=0", owner.token);
        for world in &servers {
            soon_holds(async || world.get(&path).await.status == 410).await;
        }
        soon_holds(async || {
            let argument = json!({"chatId": guest.chat, "token": guest.token, "message": "hi"});
            servers[1].say("newMessage", argument).await.0 == 200
        })
        .await;
    }
    is_sound(&servers[0]).await;
    stop(servers).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_webhook_goes_on_in_the_lane_to_which_its_tenant_moves() {
    let Some(servers) = servers(2, webhooks::SETTINGS).await else {
        return;
    };
    let people = sites(&servers).await;
    let mut beside = servers[0].place.beside().await;
    let tenant = site(&mut beside, SITES[0]).await;
    let mut receivers = Vec::new();
    for (owner, _) in &people {
        let receiver = Receiver::start().await;
        let hooks = webhooks::Hooks::of_site(&owner.token);
        let kinds = json!({"kinds": ["message.created"]});
        hooks.register(&servers[0], &receiver, kinds).await;
        receivers.push(receiver);
    }
    let ann = servers[0].actor("ann").await;
    for round in 0..3 {
        if round == 1 {
            // The last in the lane that it leaves is somebody else's.
            ann.make("tea").await;
            move_to(servers[0].store(), tenant, 2).await;
        }
        for (number, (_, guest)) in people.iter().enumerate() {
            let said = format!("{number} in {round}");
            guest.says(&servers[round % 2], &said).await;
        }
        for (number, receiver) in receivers.iter_mut().enumerate() {
            let told = receiver.takes().await.to_string();
            assert!(told.contains(&format!("{number} in {round}")), "{told}");
        }
    }
    stop(servers).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lane_that_somebody_holds_stops_nobody_in_the_others() {
    let Some(servers) = servers(2, "").await else {
        return;
    };
    let people = sites(&servers).await;
    let world = &servers[0];
    for lock in [
        "select head from log where id = 1 for update",
        "select head from lanes where lane = 2 for update",
    ] {
        let held = usize::from(lock.contains("lanes"));
        let mut holder = world.place.beside().await;
        holder.run("begin").await;
        holder.number(lock).await;
        let guest = &people[held].1;
        let argument = json!({"chatId": guest.chat, "token": guest.token, "message": "held"});
        let refused = async {
            // Longer than the lock is waited for, so that this has been refused more than once.
            for _ in 0..2 {
                let (status, _) = world.say("newMessage", argument.clone()).await;
                assert_eq!(status, 503, "{lock}");
            }
        };
        let mut refused = pin!(refused);
        loop {
            for (number, (_, guest)) in people.iter().enumerate() {
                if number != held {
                    guest.says(world, "on and on").await;
                }
            }
            let over = tokio::time::timeout(Duration::from_millis(50), &mut refused);
            if over.await.is_ok() {
                break;
            }
        }
        assert_eq!(world.get("/health").await.status, 200, "{lock}");
        holder.run("rollback").await;
        soon_holds(async || world.say("newMessage", argument.clone()).await.0 == 200).await;
    }
    is_sound(world).await;
    stop(servers).await;
}
