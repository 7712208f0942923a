//! Socket.IO by polling at several servers, where each request of a client comes to another one.

use parlance::chat::peers;
use reqwest::Method;
use serde_json::Value;
use tokio::sync::Mutex;
use tokio_tungstenite::tungstenite::Error;

use crate::{
    support::actor::Told,
    support::nodes::{servers, stop},
    support::socketio::json_after,
    support::socketio_client::{Ws, soon},
    support::socketio_world::Headers,
    support::wire::Wire,
    support::world::{World, soon_holds},
};

/// Servers that reach each other.
const REACHED: &str = "node_address = '127.0.0.1'";
/// The header that proves that a request comes from a server.
const PROOF: &str = "parlance-peer";
/// An event that everybody may send, with an acknowledgement; and how that begins.
const EVENT: (&str, &str) = (r#"420["leave"]"#, "430[");

/// The query of a client of each revision, and how packets are framed in its bodies.
const REVISIONS: [(&str, bool); 2] = [
    ("EIO=4&transport=polling", false),
    ("EIO=3&transport=polling", true),
];

/// So many servers, each of which knows where the others are.
async fn reached(count: usize, settings: &str) -> Option<Vec<World>> {
    let servers = servers(count, &format!("{REACHED}\n{settings}")).await?;
    for one in &servers {
        for other in &servers {
            let tag = peers::tag(other.services());
            assert_eq!(tag.len(), 8, "a server that is reached has a tag");
            soon_holds(async || {
                tag == peers::tag(one.services())
                    || peers::find(one.services(), tag).await.is_some()
            })
            .await;
        }
    }
    Some(servers)
}

/// A packet as the body of a POST.
fn framed(packet: &str, with_length: bool) -> String {
    if with_length {
        format!("{}:{packet}", packet.len())
    } else {
        packet.to_owned()
    }
}

/// Opens a session, and returns the path for its requests.
async fn open(world: &World, query: &str) -> String {
    let path = format!("/socket.io/?{query}");
    let told = world.get(&path).await.with(200);
    let json = &told.body[told.body.find('{').expect("an open packet")..];
    let json = &json[..=json.find('}').expect("it ends")];
    let open: Value = serde_json::from_str(json).expect("it is JSON");
    let sid = open["sid"].as_str().expect("a session has an id");
    assert!(sid.starts_with(peers::tag(world.services())), "{sid}");
    format!("{path}&sid={sid}")
}

async fn send(world: &World, path: &str, body: &str) -> Told {
    world.ask_with(Method::POST, path, body, &[]).await
}

/// Polls, each time at the next server, until a packet of that form comes.
async fn heard(servers: &[World], path: &str, packet: &str) {
    for world in servers.iter().cycle() {
        let told = soon(world.get(path)).await.with(200);
        if told.body.contains(packet) {
            return;
        }
    }
}

/// A figure of a server, of whatever labels.
async fn figure(world: &World, name: &str) -> u64 {
    let told = world.get("/metrics").await.with(200);
    figure_in(&told.body, name)
}

fn figure_in(text: &str, name: &str) -> u64 {
    let lines = text.lines();
    let counted = lines.filter(|line| line.split(['{', ' ']).next() == Some(name));
    let number = |line: &str| line.rsplit(' ').next()?.parse::<u64>().ok();
    counted.filter_map(number).sum()
}

/// The number of sessions that a server has.
async fn sessions(world: &World) -> u64 {
    figure(world, "parlance_socket_sessions").await
}

/// The upgrade of a session at a server that need not have it.
async fn upgrade(world: &World, path: &str) -> Result<Ws, u16> {
    let url = format!("{}{path}", world.base()).replacen("http", "ws", 1);
    let url = url.replace("transport=polling", "transport=websocket");
    match soon(tokio_tungstenite::connect_async(url)).await {
        Ok((stream, _)) => Ok(Ws(stream)),
        Err(Error::Http(answer)) => Err(answer.status().as_u16()),
        Err(error) => panic!("no answer: {error}"),
    }
}

/// A session at the first server that is connected through the second.
async fn connected(servers: &[World], query: &str, with_length: bool) -> String {
    let path = open(&servers[0], query).await;
    if !with_length {
        assert_eq!(send(&servers[1], &path, "40").await.with(200).body, "ok");
    }
    heard(servers, &path, "40").await;
    path
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_polls_is_answered_wherever_its_requests_come() {
    let Some(servers) = reached(3, "").await else {
        return;
    };
    for (query, with_length) in REVISIONS {
        let path = connected(&servers, query, with_length).await;
        for world in servers.iter().cycle().take(7) {
            let told = send(world, &path, &framed(EVENT.0, with_length)).await;
            assert_eq!(told.with(200).body, "ok");
            heard(&servers[1..], &path, EVENT.1).await;
        }
        // It is closed everywhere, also by who does not have it.
        send(&servers[2], &path, &framed("1", with_length))
            .await
            .with(200);
        for world in &servers {
            let told = world.get(&path).await.with(400);
            assert_eq!(told.json()["code"], 1, "{}", told.body);
        }
    }
    stop(servers).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_is_upgraded_at_a_server_that_does_not_have_it() {
    let Some(servers) = reached(2, "").await else {
        return;
    };
    for (query, with_length) in REVISIONS {
        let path = connected(&servers, query, with_length).await;
        let mut ws = upgrade(&servers[1], &path).await.expect("it is passed on");
        ws.send("2probe").await;
        assert_eq!(ws.text().await, "3probe");
        ws.send("5").await;
        ws.send(EVENT.0).await;
        let answer = ws.text_after(EVENT.1).await;
        assert!(json_after(&answer, "430").is_array(), "{answer}");
        assert_eq!(sessions(&servers[0]).await, 1);
        assert_eq!(sessions(&servers[1]).await, 0);
        // Its end is the session's end.
        drop(ws);
        soon_holds(async || sessions(&servers[0]).await == 0).await;
    }
    stop(servers).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_upgrade_ends_with_the_server_that_passes_it_on() {
    let Some(mut servers) = reached(2, "").await else {
        return;
    };
    let path = open(&servers[0], REVISIONS[0].0).await;
    send(&servers[0], &path, "40").await.with(200);
    heard(&servers[..1], &path, "40").await;
    let mut ws = upgrade(&servers[1], &path).await.expect("it is passed on");
    ws.send("2probe").await;
    assert_eq!(ws.text().await, "3probe");
    ws.send("5").await;
    let other = servers.pop().expect("there are two");
    let place = other.stop().await;
    assert_eq!(ws.closed().await, None);
    soon_holds(async || sessions(&servers[0]).await == 0).await;
    stop(servers).await;
    drop(place);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_of_a_server_that_is_gone_is_unknown() {
    let Some(mut servers) = reached(3, "").await else {
        return;
    };
    let gone = servers.pop().expect("there are three");
    let path = open(&gone, REVISIONS[0].0).await;
    send(&servers[0], &path, "40").await.with(200);
    let place = gone.stop().await;
    for world in &servers {
        for told in [world.get(&path).await, send(world, &path, EVENT.0).await] {
            assert_eq!(told.with(400).json()["code"], 1);
        }
        assert!(matches!(upgrade(world, &path).await, Err(400)));
    }
    stop(servers).await;
    drop(place);
}

#[tokio::test(flavor = "multi_thread")]
async fn servers_that_do_not_say_where_they_are_pass_nothing_on() {
    let Some(servers) = servers(2, "").await else {
        return;
    };
    let path = open(&servers[0], REVISIONS[0].0).await;
    let sid = path.rsplit('=').next().expect("there is an id");
    assert_eq!((peers::tag(servers[0].services()), sid.len()), ("", 20));
    let told = servers[1].get(&path).await.with(400);
    assert_eq!(told.json()["code"], 1);
    heard_open(&servers[0], &path).await;
    stop(servers).await;
}

/// The session is alive where it was opened.
async fn heard_open(world: &World, path: &str) {
    send(world, path, "40").await.with(200);
    heard(std::slice::from_ref(world), path, "40").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_but_a_server_passes_for_one() {
    let Some(servers) = reached(3, "").await else {
        return;
    };
    let path = open(&servers[0], REVISIONS[0].0).await;
    let secrets: Vec<_> = servers
        .iter()
        .map(|world| world.store().node_secret().expect("it has one").to_owned())
        .collect();
    let shows = |secret: &str| [(PROOF, secret.to_owned())];
    // Whether the session is here or elsewhere, and with the secret of another server too.
    for (world, wrong) in [(&servers[0], &secrets[1]), (&servers[1], &secrets[0])] {
        for wrong in ["", "guessed", wrong.as_str()] {
            let told = world.get_with(&path, &shows(wrong)).await.with(403);
            assert_eq!(told.json()["code"], 4);
        }
        let two: &Headers = &[(PROOF, secrets[0].clone()), (PROOF, secrets[1].clone())];
        let posted = world.ask_with(Method::POST, &path, "40", two).await;
        posted.with(403);
    }
    // What has been passed on once is not passed on again.
    let told = servers[1].get_with(&path, &shows(&secrets[1])).await;
    assert_eq!(told.with(400).json()["code"], 1);
    heard_open(&servers[0], &path).await;
    stop(servers).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_client_shows_of_other_servers_is_not_passed_on() {
    let Some(servers) = reached(2, "").await else {
        return;
    };
    let unknown = |tag: &str| {
        format!(
            "/socket.io/?EIO=4&transport=polling&sid={tag}{}",
            "a".repeat(20)
        )
    };
    let own = peers::tag(servers[1].services());
    let other = peers::tag(servers[0].services());
    for tag in [own, other, "aaaaaaaa", "", "%00%ff"] {
        for method in [Method::GET, Method::POST, Method::PUT, Method::DELETE] {
            let told = servers[1].ask_with(method, &unknown(tag), "", &[]).await;
            assert_eq!(told.with(400).json()["code"], 1, "{tag}");
        }
    }
    let large = "4".repeat(1_000_001);
    let path = open(&servers[0], REVISIONS[0].0).await;
    send(&servers[1], &path, &large).await.with(413);
    heard_open(&servers[1], &path).await;
    stop(servers).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_leaves_its_poll_ends_its_session_elsewhere() {
    let Some(servers) = reached(2, "").await else {
        return;
    };
    let path = open(&servers[0], REVISIONS[0].0).await;
    heard_open(&servers[0], &path).await;
    // A client with a pool may open one more at any time: this one asks over one of its own.
    let asking = Mutex::new(Wire::open(&servers[1]).await);
    let connections = async || {
        let mut asking = asking.lock().await;
        let asked = "GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n";
        asking.send(asked).await;
        figure_in(&asking.answer().await, "parlance_connections_open")
    };
    let before = connections().await;
    let mut poll = Wire::open(&servers[1]).await;
    poll.send(format!("GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n"))
        .await;
    soon_holds(async || connections().await == before + 1).await;
    drop(poll);
    soon_holds(async || connections().await == before).await;
    // Now there is something for the poll, which nobody reads.
    send(&servers[0], &path, EVENT.0).await.with(200);
    soon_holds(async || sessions(&servers[0]).await == 0).await;
    stop(servers).await;
}

/// One poll, after an event that it is answered with.
async fn polled(servers: &[World], (path, packet): (&str, &str), at: usize, t: &str) {
    send(&servers[0], path, packet).await.with(200);
    let told = soon(servers[at].get(&format!("{path}&t={t}"))).await;
    let body = told.with(200).body;
    assert!(body.contains(EVENT.1), "{body}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_poll_that_a_balancer_sends_again_ends_the_session_whose_answer_may_be_lost() {
    let Some(servers) = reached(3, "").await else {
        return;
    };
    for (query, with_length) in REVISIONS {
        let packet = framed(EVENT.0, with_length);
        for (at, again) in [(1, 2), (1, 0), (0, 1)] {
            let path = connected(&servers, query, with_length).await;
            polled(&servers, (&path, &packet), at, "one").await;
            polled(&servers, (&path, &packet), again, "two").await;
            polled(&servers, (&path, &packet), at, "one").await;
            send(&servers[0], &path, &packet).await.with(200);
            let told = servers[again].get(&format!("{path}&t=one")).await;
            assert_eq!(told.with(400).json()["code"], 1, "{at} {again}");
            assert_eq!(sessions(&servers[0]).await, 0);
        }
        // Where no server has passed it on `t` may be what it wants, or nothing.
        let path = connected(&servers, query, with_length).await;
        for t in ["same", "same"] {
            polled(&servers, (&path, &packet), 0, t).await;
        }
        let closed = framed("1", with_length);
        send(&servers[0], &path, &closed).await.with(200);
    }
    stop(servers).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn sessions_of_other_servers_are_not_counted_by_address_and_made_up_ones_are() {
    let limits = "rate_limits = true\nrate_per_address = 1\nip_header = 'X-Real-IP'";
    let Some(servers) = reached(2, limits).await else {
        return;
    };
    let from = |address: &str| [("x-real-ip", address.to_owned())];
    let told = servers[0]
        .get_with("/socket.io/?EIO=4&transport=polling", &from("203.0.113.7"))
        .await;
    let open = json_after(&told.with(200).body, "0");
    let sid = open["sid"].as_str().expect("a session has an id");
    let path = format!("/socket.io/?EIO=4&transport=polling&sid={sid}");
    let known = from("203.0.113.7");
    for _ in 0..40 {
        let posted = servers[1].ask_with(Method::POST, &path, "3", &known);
        posted.await.with(200);
    }
    let tag = peers::tag(servers[0].services());
    let made_up = format!(
        "/socket.io/?EIO=4&transport=polling&sid={tag}{}",
        "a".repeat(20)
    );
    let mut passed = 0;
    while servers[1]
        .get_with(&made_up, &from("203.0.113.8"))
        .await
        .status
        != 429
    {
        passed += 1;
        assert!(passed < 60, "made-up sessions are not counted");
    }
    stop(servers).await;
}
