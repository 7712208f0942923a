//! One connection of HTTP by hand, which no pool of connections joins.

use std::time::{Duration, Instant};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::timeout,
};

use crate::support::{
    socketio_client::soon,
    world::{FOREVER, World},
};

/// How slowly a client trickles, and how long nothing comes to one that is not answered.
pub(crate) const BETWEEN: Duration = Duration::from_millis(200);

/// One connection, by hand.
pub(crate) struct Wire {
    pub(crate) stream: TcpStream,
    pub(crate) began: Instant,
    /// What came and nobody has asked for yet.
    pub(crate) heard: Vec<u8>,
}

impl Wire {
    pub(crate) async fn open(world: &World) -> Self {
        let address = world.base().trim_start_matches("http://");
        let stream = TcpStream::connect(address).await.expect("it listens");
        Self {
            stream,
            began: Instant::now(),
            heard: Vec::new(),
        }
    }

    pub(crate) async fn send(&mut self, bytes: impl AsRef<[u8]>) {
        // The server may have closed in the meantime, which the next read shows.
        let _ = self.stream.write_all(bytes.as_ref()).await;
    }

    /// The next answer, which says its length.
    pub(crate) async fn answer(&mut self) -> String {
        loop {
            if let Some(length) = whole_answer(&self.heard) {
                let answer: Vec<_> = self.heard.drain(..length).collect();
                return String::from_utf8(answer).expect("text");
            }
            let read = soon(self.stream.read_buf(&mut self.heard)).await;
            assert_ne!(read.expect("it answers"), 0, "the answer is cut short");
        }
    }

    /// What else comes until the server closes, and when it does.
    pub(crate) async fn closed(mut self) -> (String, Duration) {
        // A reset closes as well.
        let _ = timeout(FOREVER, self.stream.read_to_end(&mut self.heard))
            .await
            .expect("the server closes");
        self.over()
    }

    /// Sends byte by byte, each a while after the other, until the server closes; tells what came.
    pub(crate) async fn trickle(mut self, bytes: &[u8]) -> (String, Duration) {
        for byte in bytes {
            self.send([*byte]).await;
            match timeout(BETWEEN, self.stream.read_buf(&mut self.heard)).await {
                Err(_) | Ok(Ok(1..)) => {}
                Ok(Ok(0) | Err(_)) => return self.over(),
            }
        }
        panic!("it may go on for ever: {}", self.over().0);
    }

    fn over(self) -> (String, Duration) {
        let heard = String::from_utf8_lossy(&self.heard).into_owned();
        (heard, self.began.elapsed())
    }

    /// Whether nothing comes and nobody closes for so long.
    pub(crate) async fn is_quiet(&mut self, time: Duration) -> bool {
        self.heard.is_empty()
            && timeout(time, self.stream.read_buf(&mut self.heard))
                .await
                .is_err()
    }
}

/// How long the first answer is in these bytes, once it is there whole.
fn whole_answer(bytes: &[u8]) -> Option<usize> {
    let head = bytes.windows(4).position(|it| it == b"\r\n\r\n")? + 4;
    let text = str::from_utf8(&bytes[..head]).expect("a head is text");
    let lengths = text.lines().filter_map(|line| line.split_once(": "));
    let length = lengths
        .filter(|(name, _)| name.eq_ignore_ascii_case("content-length"))
        .map(|(_, value)| value.parse::<usize>().expect("a number"))
        .next()
        .expect("an answer says its length");
    (bytes.len() >= head + length).then_some(head + length)
}
