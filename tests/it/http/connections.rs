//! Connections over real TCP: who keeps the server waiting is let go, and who is kept waiting is not.

use std::time::{Duration, Instant};

use reqwest::Method;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpSocket,
    time::timeout,
};

use crate::support::{
    actor::Actor,
    socketio_client::soon,
    wire::{BETWEEN, Wire},
    world::{FOREVER, World},
};

/// Every limit as short as it may be, so that each test outlasts all of them.
const SHORT: &str = r#"
    keep_alive = 2
    header_timeout = "1s"
    body_idle_timeout = "1s"
    body_timeout = "2s"
    write_timeout = "1s"
"#;
/// Longer than any of them.
const OUTLAST: Duration = Duration::from_secs(4);
/// Timers are rounded up to milliseconds, and clocks of two sides are compared.
const SLACK: Duration = Duration::from_millis(50);

const GET: &str = "GET /health/live HTTP/1.1\r\nHost: localhost\r\n\r\n";

/// A wait of a second in which nothing happens.
async fn wait(actor: &Actor) -> String {
    let (id, token, after) = (actor.id, &actor.token, actor.now().await);
    format!(
        "GET /api/events?after={after}&timeout=1 HTTP/1.1\r\nHost: x\r\n\
         Cookie: user_id={id}; token={token}\r\n\r\n"
    )
}

fn assert_between(took: Duration, least: u64, most: u64) {
    let (least, most) = (Duration::from_secs(least), Duration::from_secs(most));
    assert!(took + SLACK >= least && took < most, "{took:?}");
}

async fn timed_out(world: &World, waited_for: &str) -> u64 {
    let figures = world.get("/metrics").await.with(200).body;
    let name = format!("connections_timed_out_total{{waited_for=\"{waited_for}\"}} ");
    let count = figures
        .lines()
        .find_map(|line| Some(line.split_once(&name)?.1.to_owned()));
    count.map_or(0, |count| count.parse().expect("a count"))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_without_a_whole_head_is_closed() {
    let world = World::with(SHORT).await;
    let (heard, took) = Wire::open(&world).await.closed().await;
    assert_eq!(heard, "");
    assert_between(took, 1, 20);

    let more = "GET /health/live HTTP/1.1\r\nHost: localhost\r\nX-Long: ".to_owned();
    for half in ["G", "GET /health/live HTTP/1.1\r\nHost: lo", &more] {
        let mut wire = Wire::open(&world).await;
        wire.send(half).await;
        let (heard, took) = wire.closed().await;
        assert!(heard.starts_with("HTTP/1.1 408 "), "{half:?}: {heard:?}");
        assert!(heard.contains("\r\nConnection: close\r\n"));
        assert_between(took, 1, 20);
    }

    let slow = more + &"x".repeat(600);
    let (heard, took) = Wire::open(&world).await.trickle(slow.as_bytes()).await;
    assert!(heard.starts_with("HTTP/1.1 408 "), "{heard:?}");
    assert_between(took, 1, 20);
    assert_eq!(timed_out(&world, "header").await, 5);
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_that_begins_no_further_request_is_closed() {
    let world = World::with(SHORT).await;
    let mut idle = Wire::open(&world).await;
    idle.send(GET).await;
    assert!(idle.answer().await.starts_with("HTTP/1.1 200 "));
    let (heard, took) = idle.closed().await;
    assert_eq!(heard, "");
    assert_between(took, 2, 20);
    assert_eq!(timed_out(&world, "keep_alive").await, 1);

    // A head that follows has the time of a head, from its own first byte.
    let mut second = Wire::open(&world).await;
    second.send(GET).await;
    second.answer().await;
    let (heard, took) = second.trickle(GET.repeat(9).trim_end().as_bytes()).await;
    assert!(heard.starts_with("HTTP/1.1 408 "), "{heard:?}");
    assert_between(took, 1, 20);
    assert_eq!(timed_out(&world, "header").await, 1);

    // Also where it began while the one before was answered.
    let ann = world.actor("ann").await;
    let mut ahead = Wire::open(&world).await;
    ahead.send(wait(&ann).await).await;
    assert!(ahead.is_quiet(BETWEEN).await);
    ahead.send("GET /hea").await;
    ahead.answer().await;
    let (heard, _) = ahead.closed().await;
    assert!(heard.starts_with("HTTP/1.1 408 "), "{heard:?}");
    // Of one that came in one piece with the one before nothing is known but that no more comes.
    let mut together = Wire::open(&world).await;
    together.send(format!("{GET}GET /hea")).await;
    together.answer().await;
    assert_between(together.closed().await.1, 2, 20);
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn no_connection_outlives_its_answer_where_none_is_to_be_kept() {
    let world = World::with("keep_alive = 0").await;
    let mut wire = Wire::open(&world).await;
    wire.send(GET).await;
    let (heard, _) = wire.closed().await;
    assert!(heard.starts_with("HTTP/1.1 200 "), "{heard}");
    assert!(heard.contains("connection: close"), "{heard}");
    world.stop().await;
}

/// Posts of each kind of reader, and what would be read of them.
const POSTS: [(&str, &str); 6] = [
    (
        "/api/reg",
        "Content-Type: application/x-www-form-urlencoded",
    ),
    ("/api/login", "Content-Type: application/json"),
    (
        "/api/chats",
        "Content-Type: multipart/form-data; boundary=x",
    ),
    (
        "/api/events/get-chats?dialect=embed",
        "Content-Type: application/json",
    ),
    ("/room", "Content-Type: application/json"),
    ("/api/nothing/of/this/name", "Content-Type: text/plain"),
];

/// A request whose body stops after `begin`.
fn unfinished(path: &str, header: &str, begin: &str) -> String {
    format!(
        "POST {path} HTTP/1.1\r\nHost: localhost\r\n{header}\r\nContent-Length: 5000\r\n\r\n{begin}"
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_that_does_not_go_on_or_come_to_an_end_is_not_waited_for() {
    let world = World::with(SHORT).await;
    let session = world.polled(&[]).await;
    let posts = POSTS.map(|(path, header)| (path.to_owned(), header));
    let posts = posts.into_iter().chain([(session, "Accept: */*")]);
    let posts: Vec<_> = posts.collect();
    let mut waits = Vec::new();
    for (path, header) in &posts {
        for begin in ["", "{", &"x".repeat(100)] {
            let mut wire = Wire::open(&world).await;
            wire.send(unfinished(path, header, begin)).await;
            waits.push(async move { (path, wire.closed().await) });
        }
    }
    let mut waited = Vec::new();
    for (path, (heard, took)) in futures_util::future::join_all(waits).await {
        assert!(heard.starts_with("HTTP/1.1 4"), "{path}: {heard:?}");
        assert_between(took, 0, 20);
        // A refusal that needs no more of the body does not wait for it.
        waited.extend((took + SLACK >= Duration::from_secs(1)).then_some(path));
    }
    for (path, _) in &posts {
        assert!(waited.contains(&path), "{path} never waits for a body");
    }
    let silent = timed_out(&world, "body").await;
    assert_eq!(silent, u64::try_from(waited.len()).expect("few"));

    let session = world.polled(&[]).await;
    let posts = posts[..posts.len() - 1].iter();
    let posts = posts.map(|(path, header)| (path.as_str(), *header));
    let posts: Vec<_> = posts.chain([(session.as_str(), "Accept: */*")]).collect();
    let mut waits = Vec::new();
    for (path, header) in &posts {
        let mut wire = Wire::open(&world).await;
        wire.send(unfinished(path, header, "")).await;
        waits.push(async move { (path, wire.trickle(&[b'x'; 600]).await) });
    }
    for (path, (heard, took)) in futures_util::future::join_all(waits).await {
        // Where nobody reads it, the answer comes as soon as there is something to look at.
        assert!(heard.starts_with("HTTP/1.1 4"), "{path}: {heard:?}");
        assert_between(took, 0, 20);
    }
    assert!(timed_out(&world, "body").await > silent);
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_kept_waiting_is_not_cut() {
    let world = World::with(SHORT).await;
    let (ann, bo) = world.ann_and_bo().await;
    let chat = ann.make("tea").await;
    bo.join(chat).await;
    let after = ann.now().await;

    let long_poll = async {
        let asked = Instant::now();
        let (events, _) = ann.events(&after, 4).await;
        assert!(events.is_empty(), "{events:?}");
        assert!(asked.elapsed() + SLACK >= OUTLAST, "{:?}", asked.elapsed());
    };
    let held_poll = async {
        let path = world.polled(&[]).await;
        let hold = world.get_with(&path, &[]);
        let mut hold = std::pin::pin!(hold);
        assert!(timeout(OUTLAST, &mut hold).await.is_err());
        world
            .ask_with(Method::POST, &path, "41", &[])
            .await
            .with(200);
        soon(hold).await.with(200);
    };
    let websocket = async {
        let mut ws = world.websocket("", &[]).await;
        assert!(timeout(OUTLAST, ws.next()).await.is_err());
        ws.send("40").await;
        assert!(soon(ws.text_after("4")).await.starts_with("40{"));
    };
    let ((), (), (), mut stream) = tokio::join!(long_poll, held_poll, websocket, quiet_stream(&bo));
    // Only now: what happens ends the long-poll too.
    ann.say(chat, "after all of it").await;
    let mut heard = String::new();
    while !heard.contains("after all of it") {
        let chunk = soon(stream.chunk()).await.expect("it goes on");
        heard += &String::from_utf8_lossy(&chunk.expect("it has not ended"));
    }
    // A client may open a connection beside these that it then has no use for: that one is cut.
    for waited_for in ["body", "write"] {
        assert_eq!(timed_out(&world, waited_for).await, 0, "{waited_for}");
    }
    world.stop().await;
}

/// A stream on which nothing happens.
async fn quiet_stream(actor: &Actor) -> reqwest::Response {
    let request = actor.request(Method::GET, "/api/events");
    let request = request.header("Accept", "text/event-stream");
    let mut response = soon(request.send()).await.expect("a stream");
    assert_eq!(response.status(), 200);
    let quiet = async {
        // Comments may come, an end may not.
        while response.chunk().await.expect("it goes on").is_some() {}
    };
    assert!(timeout(OUTLAST, quiet).await.is_err());
    response
}

#[tokio::test(flavor = "multi_thread")]
async fn many_requests_on_one_connection_are_answered_in_order_and_not_cut() {
    let world = World::with(SHORT).await;
    let ann = world.actor("ann").await;
    let wait = wait(&ann).await;
    let mut wire = Wire::open(&world).await;
    while wire.began.elapsed() < OUTLAST {
        wire.send(&wait).await;
        assert!(wire.answer().await.starts_with("HTTP/1.1 200 "));
        assert!(wire.is_quiet(BETWEEN).await);
    }
    // Pipelined, with a body among them.
    let body = "content=first";
    let post = format!(
        "POST /api/reg HTTP/1.1\r\nHost: localhost\r\nContent-Length: {}\r\n\
         Content-Type: application/x-www-form-urlencoded\r\n\r\n{body}",
        body.len()
    );
    let missing = "GET /api/none HTTP/1.1\r\nHost: localhost\r\n\r\n";
    wire.send([GET, &post, &wait, missing, GET].concat()).await;
    for status in [200, 400, 200, 404, 200] {
        let answer = wire.answer().await;
        assert!(
            answer.starts_with(&format!("HTTP/1.1 {status} ")),
            "{answer}"
        );
    }
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_does_not_take_their_answer_is_let_go() {
    let world = World::with(SHORT).await;
    let address = world.base().trim_start_matches("http://");
    let socket = TcpSocket::new_v4().expect("a socket");
    socket.set_recv_buffer_size(4_096).expect("a small buffer");
    let connected = socket.connect(address.parse().expect("an address")).await;
    let mut stream = connected.expect("it listens");
    let size = world.get("/openapi.json").await.with(200).body.len();
    // More than any system keeps between two sockets.
    let times = 64_000_000 / size;
    let request = "GET /openapi.json HTTP/1.1\r\nHost: localhost\r\n\r\n";
    stream
        .write_all(request.repeat(times.min(600)).as_bytes())
        .await
        .expect("sent");
    let cut = async {
        while timed_out(&world, "write").await == 0 {
            tokio::task::yield_now().await;
        }
    };
    timeout(FOREVER, cut).await.expect("it is let go");
    let mut heard = Vec::new();
    let _ = timeout(FOREVER, stream.read_to_end(&mut heard))
        .await
        .expect("it is closed");
    assert!(heard.len() < size * times.min(600), "nothing was left out");
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn no_more_connections_are_open_than_may_be() {
    let world = World::with("connections_max = 2").await;
    let mut first = Wire::open(&world).await;
    first.send(GET).await;
    first.answer().await;
    let mut second = Wire::open(&world).await;
    second.send(GET).await;
    second.answer().await;
    let mut third = Wire::open(&world).await;
    third.send(GET).await;
    assert!(third.is_quiet(BETWEEN).await);
    drop(first);
    assert!(third.answer().await.starts_with("HTTP/1.1 200 "));
    third
        .send("GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n")
        .await;
    let figures = third.answer().await;
    assert!(
        figures.contains("\nparlance_connections_open 2\n"),
        "{figures}"
    );
    // Who waits for a place does not keep the server from stopping.
    let fourth = Wire::open(&world).await;
    world.stop().await;
    drop((second, third, fourth));
}
