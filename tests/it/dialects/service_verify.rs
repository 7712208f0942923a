//! Asking a customer's own system whether a token is good: every answer, and every place that must
//! not be asked.

use std::{
    collections::VecDeque,
    net::{IpAddr, SocketAddr},
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use parlance::{
    chat::{
        outgoing::{Client, Lookup, Names, SystemNames, check_url},
        verify::{Verdict, Verifier},
    },
    model::{Network, TenantId},
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
};

/// A customer's system that says the same to everybody, and counts.
struct System {
    address: SocketAddr,
    asked: Arc<AtomicUsize>,
    heads: Arc<Mutex<Vec<String>>>,
}

impl System {
    /// Answers with these bytes; stays silent after them where it is to stall.
    async fn that_says(ip: &str, answer: Vec<u8>, stalls: bool) -> Self {
        let listener = TcpListener::bind((ip, 0)).await.expect("a free port");
        let address = listener.local_addr().expect("it is bound");
        let (asked, heads) = (Arc::<AtomicUsize>::default(), Arc::default());
        let system = Self {
            address,
            asked: Arc::clone(&asked),
            heads: Arc::clone(&heads),
        };
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                asked.fetch_add(1, Ordering::SeqCst);
                let (answer, heads) = (answer.clone(), Arc::clone(&heads));
                tokio::spawn(async move {
                    let mut head = vec![0; 4096];
                    let read = stream.read(&mut head).await.unwrap_or(0);
                    let head = String::from_utf8_lossy(&head[..read]).into_owned();
                    heads.lock().expect("nobody panics").push(head);
                    let _ = stream.write_all(&answer).await;
                    if stalls {
                        std::future::pending::<()>().await;
                    }
                });
            }
        });
        system
    }

    fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }

    /// What it was asked, each with all headers.
    fn heads(&self) -> Vec<String> {
        self.heads.lock().expect("nobody panics").clone()
    }
}

fn answer(status: &str, more: &str, body: &str) -> Vec<u8> {
    let length = body.len();
    format!(
        "HTTP/1.1 {status}\r\n{more}Content-Length: {length}\r\nConnection: close\r\n\r\n{body}"
    )
    .into_bytes()
}

const TENANT: TenantId = TenantId::new(9);

fn only(address: &str) -> Vec<Network> {
    vec![Network::new(address.parse().expect("an address"), 32)]
}

fn verifier(allow: Vec<Network>) -> Verifier {
    with_names(allow, Arc::new(SystemNames))
}

fn with_names(allow: Vec<Network>, names: Arc<dyn Names>) -> Verifier {
    let client = Client::new(allow, names).expect("a client");
    Verifier::new(Arc::new(client), Duration::from_mins(1))
}

async fn verdict(answer: Vec<u8>, stalls: bool) -> Verdict {
    let system = System::that_says("127.0.0.1", answer, stalls).await;
    let verifier = verifier(only("127.0.0.1"));
    let url = format!("http://{}/verify?a=b", system.address);
    verifier.verify((TENANT, &url), "tok en&1").await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_good_answer_is_2xx_and_not_false() {
    for body in ["true", "", "{\"user\":1}", "falsehood"] {
        assert_eq!(
            verdict(answer("200 OK", "", body), false).await,
            Verdict::Good,
            "{body}"
        );
    }
    for (status, more, body) in [
        ("200 OK", "", "false"),
        ("200 OK", "", " false\n"),
        ("500 Oh", "", "true"),
        ("401 No", "", "true"),
        ("302 Found", "Location: /good\r\n", ""),
        ("307 There", "Location: http://127.0.0.1:1/\r\n", ""),
    ] {
        let said = verdict(answer(status, more, body), false).await;
        assert_eq!(said, Verdict::Bad, "{status} {body}");
    }
    for (bytes, said) in [
        ("no http at all", Verdict::Bad),
        ("HTTP/1.1 200 OK\r\n\r\ntrue", Verdict::Good),
        (
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\ntrue\r\n0\r\n\r\n",
            Verdict::Good,
        ),
        // Cut off.
        (
            "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\ntrue",
            Verdict::Bad,
        ),
        (
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\ntr",
            Verdict::Bad,
        ),
    ] {
        assert_eq!(verdict(bytes.into(), false).await, said, "{bytes}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_question_names_the_host_and_who_asks() {
    let system = System::that_says("127.0.0.1", answer("200 OK", "", "true"), false).await;
    let port = system.address.port();
    let names = Shifty::new(&[&["127.0.0.1"]]);
    let verifier = with_names(only("127.0.0.1"), names);
    let url = format!("http://customer.example:{port}/a%20b/?c=d|e#f");
    let said = verifier.verify((TENANT, &url), "tok en&1").await;
    assert_eq!(said, Verdict::Good);
    let head = system.heads().remove(0).to_lowercase();
    let (line, headers) = head.split_once("\r\n").expect("headers");
    assert_eq!(line, "get /a%20b/?c=d|e&token=tok+en%261 http/1.1");
    let host = format!("host: customer.example:{port}\r\n");
    let agent = concat!("user-agent: parlance/", env!("CARGO_PKG_VERSION"), "\r\n");
    for header in [host.as_str(), agent, "accept: */*\r\n"] {
        assert_eq!(headers.matches(header).count(), 1, "{header} in {head}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_where_nobody_listens_leaves_its_turn_to_the_next() {
    let system = System::that_says("127.0.0.1", answer("200 OK", "", "true"), false).await;
    let port = system.address.port();
    let near = || vec![Network::new("127.0.0.0".parse().expect("one"), 8)];
    for (addresses, said) in [
        (["127.0.0.3", "127.0.0.1"], Verdict::Good),
        (["127.0.0.3", "127.0.0.4"], Verdict::Unavailable),
    ] {
        let verifier = with_names(near(), Shifty::new(&[&addresses]));
        let url = format!("http://customer.example:{port}/");
        let verdict = verifier.verify((TENANT, &url), "token").await;
        assert_eq!(verdict, said, "{addresses:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_does_not_prove_their_name_learns_no_token() {
    let system = System::that_says("127.0.0.1", answer("200 OK", "", "true"), false).await;
    let verifier = verifier(only("127.0.0.1"));
    for host in ["127.0.0.1", "localhost"] {
        let url = format!("https://{host}:{}/", system.address.port());
        let said = verifier.verify((TENANT, &url), "secret").await;
        assert_eq!(said, Verdict::Unavailable, "{host}");
    }
    assert!(system.asked() >= 1, "a connection was made");
    assert!(!system.heads().iter().any(|head| head.contains("secret")));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_huge_or_late_is_no_answer() {
    let huge = answer("200 OK", "", &"x".repeat((64 << 10) + 1));
    assert_eq!(verdict(huge, false).await, Verdict::Bad);
    let most = answer("200 OK", "", &"x".repeat(64 << 10));
    assert_eq!(verdict(most, false).await, Verdict::Good);
    for start in ["", "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\ntr"] {
        let began = Instant::now();
        assert_eq!(verdict(start.as_bytes().to_vec(), true).await, Verdict::Bad);
        let took = began.elapsed();
        assert!(
            took >= Duration::from_secs(2) && took < Duration::from_secs(20),
            "{took:?}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_is_remembered_and_asked_for_once() {
    let system = System::that_says("127.0.0.1", answer("200 OK", "", "true"), false).await;
    let verifier = Arc::new(verifier(only("127.0.0.1")));
    let url = format!("http://{}/verify?a=b", system.address);
    let asking: Vec<_> = (0..20)
        .map(|_| {
            let (verifier, url) = (Arc::clone(&verifier), url.clone());
            tokio::spawn(async move { verifier.verify((TENANT, &url), "tok en&1").await })
        })
        .collect();
    for asked in asking {
        assert_eq!(asked.await.expect("no panic"), Verdict::Good);
    }
    assert_eq!(system.asked(), 1);
    let heads = system.heads();
    let lines: Vec<_> = heads.iter().map(|head| head.lines().next()).collect();
    assert_eq!(lines, [Some("GET /verify?a=b&token=tok+en%261 HTTP/1.1")]);
    verifier.verify((TENANT, &url), "another").await;
    assert_eq!(system.asked(), 2);
}

/// Names that lead somewhere else each time they are looked up.
struct Shifty(Mutex<VecDeque<Vec<IpAddr>>>, AtomicUsize);

impl Shifty {
    fn new(lookups: &[&[&str]]) -> Arc<Self> {
        let addresses = |texts: &&[&str]| {
            let parse = |text: &&str| text.parse().expect("an address");
            texts.iter().map(parse).collect()
        };
        let lookups = lookups.iter().map(addresses).collect();
        Arc::new(Self(Mutex::new(lookups), AtomicUsize::new(0)))
    }
}

impl Names for Shifty {
    fn look_up(&self, _name: String) -> Lookup {
        self.1.fetch_add(1, Ordering::SeqCst);
        let next = self.0.lock().expect("nobody panics").pop_front();
        Box::pin(async move { Ok(next.unwrap_or_default()) })
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_checked_is_what_is_connected_to() {
    let system = System::that_says("127.0.0.1", answer("200 OK", "", "true"), false).await;
    let port = system.address.port();
    let trap = TcpListener::bind(("127.0.0.2", port))
        .await
        .expect("a port");
    let sprung = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&sprung);
    tokio::spawn(async move {
        while trap.accept().await.is_ok() {
            count.fetch_add(1, Ordering::SeqCst);
        }
    });
    // The second lookup leads into the trap: were the name looked up again to connect, it would spring.
    let names = Shifty::new(&[
        &["127.0.0.1"],
        &["127.0.0.2"],
        &["127.0.0.1", "127.0.0.2"],
        &[],
        &["127.0.0.1"],
    ]);
    let verifier = with_names(only("127.0.0.1"), Arc::clone(&names) as Arc<dyn Names>);
    let url = format!("http://customer.example:{port}/");
    let mut verdicts = Vec::new();
    for token in ["one", "two", "three", "four", "five"] {
        verdicts.push(verifier.verify((TENANT, &url), token).await);
    }
    let away = Verdict::Unavailable;
    assert_eq!(verdicts, [Verdict::Good, away, away, away, Verdict::Good]);
    assert_eq!(
        names.1.load(Ordering::SeqCst),
        5,
        "one lookup for each connection"
    );
    assert_eq!(sprung.load(Ordering::SeqCst), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn no_private_address_is_asked() {
    let trap = System::that_says("127.0.0.1", answer("200 OK", "", "true"), false).await;
    let port = trap.address.port();
    for host in [
        "127.0.0.1",
        "localhost",
        "0.0.0.0",
        "[::1]",
        "[::ffff:127.0.0.1]",
        "[::ffff:7f00:1]",
        "2130706433",
        "0x7f.1",
        "0177.0.0.1",
        "10.0.0.1",
        "169.254.169.254",
        "[fe80::1]",
        "[64:ff9b::7f00:1]",
        "[2002:7f00:1::]",
    ] {
        for scheme in ["http", "https"] {
            let verifier = verifier(Vec::new());
            let url = format!("{scheme}://{host}:{port}/");
            let said = verifier.verify((TENANT, &url), "token").await;
            assert_eq!(said, Verdict::Unavailable, "{scheme}://{host}");
        }
    }
    // Names that lead there.
    for address in [
        "127.0.0.1",
        "10.0.0.1",
        "::1",
        "::ffff:127.0.0.1",
        "100.64.0.1",
    ] {
        for scheme in ["http", "https"] {
            let names = Shifty::new(&[&[address]]);
            let verifier = with_names(Vec::new(), names);
            let url = format!("{scheme}://customer.example:{port}/");
            let said = verifier.verify((TENANT, &url), "token").await;
            assert_eq!(said, Verdict::Unavailable, "{address}");
        }
    }
    assert_eq!(trap.asked(), 0);
    // What is not encrypted goes nowhere but where the operator says.
    let names = Shifty::new(&[&["93.184.216.34"]]);
    let verifier = with_names(Vec::new(), names);
    let said = verifier
        .verify((TENANT, "http://customer.example/"), "token")
        .await;
    assert_eq!(said, Verdict::Unavailable);
}

#[test]
fn an_address_to_ask_is_a_plain_web_address() {
    for sound in ["https://a.example/verify?x=1", "http://10.0.0.1:81/"] {
        assert!(check_url("verify_url", sound).is_ok(), "{sound}");
    }
    for wrong in [
        "",
        "x",
        "ftp://a/",
        "file:///etc/passwd",
        "https://u:p@a/",
        "https://",
        "//a/",
    ] {
        assert!(check_url("verify_url", wrong).is_err(), "{wrong}");
    }
}
