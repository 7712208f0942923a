//! The way from servers to NATS: a proxy that loses, doubles, delays and reorders what NATS brings.

use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};

use rand::{RngExt, SeedableRng, rngs::StdRng};
use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader, copy},
    net::{
        TcpListener, TcpStream,
        tcp::{OwnedReadHalf, OwnedWriteHalf},
    },
    time::Instant,
};

/// The longest that a message is held back.
const LATE: u64 = 60;

/// See the module.
pub(crate) struct Mangler {
    pub(crate) port: u16,
    state: Arc<State>,
}

struct State {
    mangles: AtomicBool,
    /// How many messages did not come as they were sent.
    mangled: AtomicU64,
}

impl Mangler {
    /// The way to the NATS server at this address, on which chance does what follows from a number.
    pub(crate) async fn to(address: String, seed: u64) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let port = listener.local_addr().expect("an address").port();
        let state = Arc::new(State {
            mangles: AtomicBool::new(true),
            mangled: AtomicU64::default(),
        });
        let mangling = Arc::clone(&state);
        tokio::spawn(async move {
            let mut random = StdRng::seed_from_u64(seed);
            while let Ok((client, _)) = listener.accept().await {
                let Ok(server) = TcpStream::connect(&address).await else {
                    continue;
                };
                let (from_client, to_client) = client.into_split();
                let (from_server, to_server) = server.into_split();
                tokio::spawn(up(from_client, to_server));
                let random = StdRng::seed_from_u64(random.random());
                tokio::spawn(down(from_server, to_client, random, Arc::clone(&mangling)));
            }
        });
        Self { port, state }
    }

    /// From now on nothing is mangled.
    pub(crate) fn mend(&self) {
        self.state.mangles.store(false, Ordering::Release);
    }

    pub(crate) fn mangled(&self) -> u64 {
        self.state.mangled.load(Ordering::Acquire)
    }
}

async fn up(mut client: OwnedReadHalf, mut server: OwnedWriteHalf) {
    drop(copy(&mut client, &mut server).await);
}

/// What NATS sends: a line, and after that of a message its payload.
async fn next(server: &mut BufReader<OwnedReadHalf>) -> Option<(bool, Vec<u8>)> {
    let mut frame = Vec::new();
    if server.read_until(b'\n', &mut frame).await.ok()? == 0 {
        return None;
    }
    let line = String::from_utf8_lossy(&frame).into_owned();
    let Some(message) = line.strip_prefix("MSG ") else {
        return Some((false, frame));
    };
    let length: usize = message.trim().rsplit(' ').next()?.parse().ok()?;
    let mut payload = vec![0; length + 2];
    server.read_exact(&mut payload).await.ok()?;
    frame.extend(payload);
    // By the probe a server sees that it may say something: that it is late is another test's.
    Some((!line.contains(".probe "), frame))
}

async fn down(
    server: OwnedReadHalf,
    mut client: OwnedWriteHalf,
    mut random: StdRng,
    state: Arc<State>,
) {
    let mut server = BufReader::new(server);
    let (frames, mut coming) = tokio::sync::mpsc::channel(64);
    tokio::spawn(async move {
        while let Some(frame) = next(&mut server).await {
            if frames.send(frame).await.is_err() {
                return;
            }
        }
    });
    // By the time at which they are let go; of several at one time the order is that of their coming.
    let mut held = BTreeMap::<(Instant, u64), Vec<u8>>::new();
    for number in 0.. {
        let due = held.keys().next().map(|(at, _)| *at);
        let due = async {
            match due {
                Some(at) => tokio::time::sleep_until(at).await,
                None => std::future::pending().await,
            }
        };
        let now = tokio::select! {
            () = due => held.pop_first().map(|(_, frame)| frame),
            frame = coming.recv() => {
                let Some((is_message, frame)) = frame else { return };
                let mangles = is_message && state.mangles.load(Ordering::Acquire);
                let fate = if mangles { random.random_range(0..8) } else { 0 };
                state.mangled.fetch_add(u64::from(fate > 3), Ordering::AcqRel);
                let at = Instant::now() + Duration::from_millis(random.random_range(1..LATE));
                match fate {
                    0..4 => Some(frame),
                    4 => None,
                    5 => {
                        held.insert((at, number), frame.clone());
                        Some(frame)
                    }
                    _ => {
                        held.insert((at, number), frame);
                        None
                    }
                }
            }
        };
        if let Some(frame) = now
            && client.write_all(&frame).await.is_err()
        {
            return;
        }
    }
}
