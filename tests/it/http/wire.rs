//! The HTTP server over real connections: what arrives need not be HTTP at all.

use std::{
    io,
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

use parlance::http::ShutdownSignal;
use proptest::{prelude::*, strategy::ValueTree, test_runner::TestRunner};
use rocket::{
    Request, Response, Shutdown, fairing::AdHoc, get, response, response::Responder, routes, tokio,
};
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWriteExt, ReadBuf},
    net::TcpStream,
    sync::oneshot,
    task::JoinHandle,
    time::timeout,
};

use crate::support::http_world::rocket;

/// Longer than anything here takes, so that a hang fails the test.
const TIMEOUT: Duration = Duration::from_secs(20);

/// A server that listens on a port of its own.
struct Running {
    port: u16,
    shutdown: Shutdown,
    closing: ShutdownSignal,
    task: JoinHandle<()>,
}

#[get("/api/hold")]
async fn hold(closing: &ShutdownSignal) -> &'static str {
    closing.begun().await;
    "released"
}

/// A body that says something, and then cannot be read or panics.
struct Broken {
    panics: bool,
}

impl AsyncRead for Broken {
    fn poll_read(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
        _: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        assert!(!self.panics, "this body panics on purpose");
        Poll::Ready(Err(io::Error::other("it cannot be read")))
    }
}

impl<'r> Responder<'r, 'static> for Broken {
    fn respond_to(self, _: &'r Request<'_>) -> response::Result<'static> {
        let body = (&b"half"[..]).chain(self);
        Response::build().streamed_body(body).ok()
    }
}

#[get("/api/broken?<panics>")]
fn broken(panics: bool) -> Broken {
    Broken { panics }
}

impl Running {
    async fn start() -> Self {
        let (tell, told) = oneshot::channel();
        let tell = std::sync::Mutex::new(Some(tell));
        let listening = AdHoc::on_liftoff("listening", move |rocket| {
            Box::pin(async move {
                let closing = rocket
                    .state::<ShutdownSignal>()
                    .expect("it is managed")
                    .clone();
                let here = (rocket.config().port, rocket.shutdown(), closing);
                let tell = tell.lock().expect("nobody panicked").take();
                tell.expect("one start").send(here).expect("it is awaited");
            })
        });
        let server = rocket("port = 0\nshutdown = {ctrlc = false, signals = [], grace = 1}")
            .mount("/", routes![hold, broken])
            .attach(listening);
        let task = tokio::spawn(async move {
            server.launch().await.expect("it stops in peace");
        });
        let (port, shutdown, closing) = told.await.expect("it starts");
        Self {
            port,
            shutdown,
            closing,
            task,
        }
    }

    async fn connect(&self) -> TcpStream {
        TcpStream::connect(("127.0.0.1", self.port))
            .await
            .expect("it listens")
    }

    /// Sends bytes and reads until the server closes.
    async fn say(&self, bytes: &[u8]) -> String {
        let mut stream = self.connect().await;
        // The server may answer and close before it has read everything.
        let _ = stream.write_all(bytes).await;
        hear(stream).await
    }

    /// Sends bytes, hangs up, and reads what still comes.
    async fn say_and_hang_up(&self, bytes: &[u8]) -> String {
        let mut stream = self.connect().await;
        let _ = stream.write_all(bytes).await;
        let _ = stream.shutdown().await;
        hear(stream).await
    }

    async fn stop(self) {
        self.shutdown.notify();
        timeout(TIMEOUT, self.task)
            .await
            .expect("the server stops")
            .expect("without a panic");
    }
}

async fn hear(mut stream: TcpStream) -> String {
    let mut answer = Vec::new();
    let _ = timeout(TIMEOUT, stream.read_to_end(&mut answer))
        .await
        .expect("the server answers or closes");
    String::from_utf8_lossy(&answer).into_owned()
}

fn assert_error(answer: &str, status: u16, code: &str) {
    let (head, body) = answer.split_once("\r\n\r\n").expect("an answer");
    assert!(head.starts_with(&format!("HTTP/1.1 {status} ")), "{head}");
    for header in [
        "content-type: application/json",
        "cache-control: no-store",
        "x-content-type-options: nosniff",
        "x-request-id: ",
    ] {
        assert!(
            head.contains(&format!("\r\n{header}")),
            "{header} in {head}"
        );
    }
    let body: serde_json::Value = serde_json::from_str(body).expect("JSON");
    assert_eq!(body["code"], code);
    assert!(body["error"].is_string());
}

#[rocket::async_test]
async fn what_rocket_cannot_parse_is_an_error_in_our_shape_too() {
    let server = Running::start().await;
    let answer = server
        .say(b"BREW /api/echo HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        .await;
    assert_error(&answer, 400, "bad_request");
    let answer = server
        .say(b"GET /api/\xc3\xbf HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        .await;
    assert!(answer.starts_with("HTTP/1.1 4"), "{answer}");
    let answer = server
        .say(b"GET /api/nothing HTTP/1.1\r\nHost: x\r\nX-Request-Id: \xff\r\nConnection: close\r\n\r\n")
        .await;
    assert_error(&answer, 404, "not_found");
    let answer = server.say(b"GET /api/cookies HTTP/1.0\r\n\r\n").await;
    assert!(answer.starts_with("HTTP/1.0 200"), "{answer}");
    assert!(answer.ends_with("true"));
    server.stop().await;
}

#[rocket::async_test]
async fn an_answer_that_cannot_be_sent_whole_does_not_look_whole() {
    let server = Running::start().await;
    for panics in [false, true] {
        let asked = format!("GET /api/broken?panics={panics} HTTP/1.1\r\nHost: x\r\n\r\n");
        let answer = server.say(asked.as_bytes()).await;
        // What has come until then may be there, and is no answer: that would end with a chunk of no bytes.
        assert!(!answer.ends_with("\r\n0\r\n\r\n"), "{answer}");
    }
    server.stop().await;
}

#[rocket::async_test]
async fn a_body_is_measured_as_it_comes_not_as_it_says() {
    let server = Running::start().await;
    let head = "POST /api/echo HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\
        Content-Type: application/x-www-form-urlencoded\r\n";

    let chunked = format!("{head}Transfer-Encoding: chunked\r\n\r\n9\r\ncontent=a\r\n0\r\n\r\n");
    let answer = server.say(chunked.as_bytes()).await;
    assert!(
        answer.starts_with("HTTP/1.1 200") && answer.ends_with('a'),
        "{answer}"
    );

    let piece = "a".repeat(0x1_0000);
    let mut chunks = format!("{head}Transfer-Encoding: chunked\r\n\r\n");
    for _ in 0..3 {
        chunks += "10000\r\n";
        chunks += &piece;
        chunks += "\r\n";
    }
    chunks.push_str("0\r\n\r\n");
    assert_error(&server.say(chunks.as_bytes()).await, 413, "too_large");

    let says_too_much = format!("{head}Content-Length: 1000000\r\n\r\n{}", piece.repeat(3));
    assert_error(
        &server.say(says_too_much.as_bytes()).await,
        413,
        "too_large",
    );

    // The client disconnects within its body: half a message is not accepted.
    for half in ["", "c", "content=a", "content=a&other=longer", &piece] {
        let by_length = format!("{head}Content-Length: 100000\r\n\r\n{half}");
        let size = half.len() + 1;
        let in_chunks = format!("{head}Transfer-Encoding: chunked\r\n\r\n{size:x}\r\n{half}");
        for request in [by_length, in_chunks] {
            let answer = server.say_and_hang_up(request.as_bytes()).await;
            let refused = answer.is_empty() || answer.starts_with("HTTP/1.1 400");
            assert!(refused, "{half:?}: {answer}");
        }
    }
    server.stop().await;
}

#[rocket::async_test]
async fn whoever_waits_is_released_when_the_server_stops() {
    let server = Running::start().await;
    let mut held = Vec::new();
    for _ in 0..20 {
        let mut stream = server.connect().await;
        stream
            .write_all(b"GET /api/hold HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
            .await
            .expect("sent");
        held.push(stream);
    }
    server.closing.begin();
    for mut stream in held {
        let mut answer = String::new();
        timeout(TIMEOUT, stream.read_to_string(&mut answer))
            .await
            .expect("it is released")
            .expect("it is answered");
        assert!(answer.starts_with("HTTP/1.1 200") && answer.ends_with("released"));
    }
    let answer = server.say(b"GET /health/ready HTTP/1.0\r\n\r\n").await;
    assert!(answer.starts_with("HTTP/1.0 503"), "{answer}");
    server.stop().await;
}

#[rocket::async_test]
async fn the_server_hears_rockets_own_shutdown() {
    let server = Running::start().await;
    let closing = server.closing.clone();
    server.stop().await;
    timeout(TIMEOUT, closing.begun()).await.expect("it is told");
}

#[rocket::async_test]
async fn any_bytes_of_a_client_are_survived() {
    let server = Running::start().await;
    let mut runner = TestRunner::deterministic();
    let paths = prop_oneof![
        "[ -~]{0,40}",
        "/api/[a-z/%<>?&=.]{0,40}",
        Just("/api/echo".to_owned()),
    ];
    let methods = prop_oneof!["GET|POST|PATCH|DELETE|OPTIONS|HEAD|PUT", "[A-Z]{1,9}"];
    let bytes = || proptest::collection::vec(any::<u8>(), 0..200);
    let bodies = (methods, paths, "[ -~]{0,30}", bytes());
    for _ in 0..200 {
        let noise = bytes().new_tree(&mut runner).expect("bytes").current();
        server.say_and_hang_up(&noise).await;
        let (method, path, media_type, body) =
            bodies.new_tree(&mut runner).expect("a request").current();
        let mut request = format!(
            "{method} {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\
             Content-Type: {media_type}\r\nContent-Length: {}\r\n\r\n",
            body.len()
        )
        .into_bytes();
        request.extend(body);
        let answer = server.say(&request).await;
        assert!(!answer.starts_with("HTTP/1.1 5"), "{answer}");
    }
    let answer = server.say(b"GET /health HTTP/1.0\r\n\r\n").await;
    assert!(answer.starts_with("HTTP/1.0 200"), "{answer}");
    server.stop().await;
}
