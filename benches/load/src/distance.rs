//! A way to a server that takes time, as a network between two machines does.

use std::time::Duration;

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{
        TcpListener, TcpStream,
        tcp::{OwnedReadHalf, OwnedWriteHalf},
    },
    sync::mpsc,
    task::{JoinHandle, spawn_local},
    time::{Instant, sleep_until},
};

use crate::Outcome;

/// How much may be on the way in one direction, in pieces.
const UNDER_WAY: usize = 256;
const PIECE: usize = 64 << 10;

/// A place of this machine from which everything goes on to another one, and takes so long each way.
pub struct Distance {
    pub port: u16,
    task: JoinHandle<()>,
}

impl Distance {
    pub async fn to(place: String, each_way: Duration) -> Outcome<Self> {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let port = listener.local_addr()?.port();
        let task = spawn_local(async move {
            while let Ok((near, _)) = listener.accept().await {
                let place = place.clone();
                spawn_local(async move {
                    // Who cannot be reached hangs up.
                    if let Ok(far) = TcpStream::connect(place).await {
                        join(near, far, each_way);
                    }
                });
            }
        });
        Ok(Self { port, task })
    }
}

impl Drop for Distance {
    fn drop(&mut self) {
        self.task.abort();
    }
}

fn join(near: TcpStream, far: TcpStream, each_way: Duration) {
    // It is the distance that takes time, and nothing else.
    let _ = (near.set_nodelay(true), far.set_nodelay(true));
    let ((from_near, to_near), (from_far, to_far)) = (near.into_split(), far.into_split());
    pass_on(from_near, to_far, each_way);
    pass_on(from_far, to_near, each_way);
}

/// Passes on what comes, each piece when its time is up, and then the end.
fn pass_on(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, each_way: Duration) {
    let (sender, mut receiver) = mpsc::channel::<(Instant, Vec<u8>)>(UNDER_WAY);
    spawn_local(async move {
        let mut piece = vec![0; PIECE];
        while let Ok(read @ 1..) = from.read(&mut piece).await {
            let there = Instant::now() + each_way;
            if sender.send((there, piece[..read].to_vec())).await.is_err() {
                return;
            }
        }
    });
    spawn_local(async move {
        while let Some((there, piece)) = receiver.recv().await {
            sleep_until(there).await;
            if to.write_all(&piece).await.is_err() {
                return;
            }
        }
        let _ = to.shutdown().await;
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn everything_arrives_in_order_and_no_sooner() {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("a port");
        let place = listener.local_addr().expect("an address").to_string();
        let all = tokio::task::LocalSet::new();
        all.run_until(async {
            spawn_local(async move {
                let (mut far, _) = listener.accept().await.expect("it comes");
                let mut told = Vec::new();
                far.read_to_end(&mut told).await.expect("it ends");
                far.write_all(&told).await.expect("it hears");
            });
            let each_way = Duration::from_millis(20);
            let distance = Distance::to(place, each_way).await.expect("a port");
            let near = TcpStream::connect(("127.0.0.1", distance.port)).await;
            let mut near = near.expect("it is there");
            let began = Instant::now();
            let said: Vec<u8> = (0..=255).cycle().take(3 * PIECE).collect();
            near.write_all(&said).await.expect("it is written");
            near.shutdown().await.expect("it ends");
            let mut heard = Vec::new();
            near.read_to_end(&mut heard).await.expect("it is read");
            assert!(heard == said, "it is the same");
            assert!(began.elapsed() >= 2 * each_way);
        })
        .await;
    }
}
