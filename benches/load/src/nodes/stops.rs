//! What a server that is stopped in the middle of what it does costs those who write at the others.

use std::{cell::Cell, rc::Rc, time::Duration};

use tokio::time::sleep;

use super::Cluster;
use crate::{
    Outcome,
    figures::Times,
    workloads::posts::{CHATS, PEOPLE, Posting},
};

/// Who writes at each server.
const WRITERS: usize = 8;
/// How long the server is stopped each time: longer than it may keep the others from the log.
const STOPPED: Duration = Duration::from_millis(1_500);
/// What the others wait for is over by then, after it goes on.
const OVER: Duration = Duration::from_millis(200);

impl Cluster {
    /// For each time that the last server is stopped while all write: the longest that a post to another one took.
    pub(super) async fn stops(&self, count: usize) -> Outcome<Times> {
        let longest = Rc::<Cell<Duration>>::default();
        let mut posting = Posting::default();
        let last = self.servers.last().ok_or("no server")?;
        for (number, server) in self.servers.iter().enumerate() {
            for writer in 0..WRITERS {
                let there = (server.port, self.people[writer % PEOPLE].as_str());
                let chat = self.chat - i64::try_from((number + writer) % CHATS)?;
                let (longest, is_other) = (Rc::clone(&longest), server.port != last.port);
                let took = move |took| {
                    if is_other {
                        longest.set(longest.get().max(took));
                    }
                };
                posting.add(there, chat, took).await?;
            }
        }
        let mut times = Times::default();
        for number in 0..count {
            // Not always at the same point of what it does.
            sleep(Duration::from_micros(
                u64::try_from(number)? * 7_919 % 20_000,
            ))
            .await;
            longest.replace(Duration::ZERO);
            last.signal("-STOP").await?;
            sleep(STOPPED).await;
            last.signal("-CONT").await?;
            sleep(OVER).await;
            times.add(longest.replace(Duration::ZERO));
        }
        posting.stop().await?;
        Ok(times)
    }
}
