//! What a server that is stopped in the middle of what it does costs those who write at the others.

use std::{
    cell::{Cell, RefCell},
    rc::Rc,
    time::Duration,
};

use tokio::{task::JoinSet, time::Instant, time::sleep};

use super::Cluster;
use crate::{
    Outcome,
    client::Client,
    figures::Times,
    workloads::posts::{CHATS, FORM, PEOPLE},
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
        let longest = Rc::<RefCell<Duration>>::default();
        let over = Rc::<Cell<bool>>::default();
        let mut writing = JoinSet::new();
        let last = self.servers.last().ok_or("no server")?;
        for (number, server) in self.servers.iter().enumerate() {
            for writer in 0..WRITERS {
                let mut client =
                    Client::connect(server.port, &self.people[writer % PEOPLE]).await?;
                let chat = self.chat - i64::try_from((number + writer) % CHATS)?;
                let path = format!("/api/chats/{chat}");
                let (longest, over) = (Rc::clone(&longest), Rc::clone(&over));
                let is_other = server.port != last.port;
                writing.spawn_local(async move {
                    while !over.get() {
                        let began = Instant::now();
                        client.post(&path, FORM).await?.expect(201)?;
                        if is_other {
                            let mut longest = longest.borrow_mut();
                            *longest = (*longest).max(began.elapsed());
                        }
                    }
                    Outcome::Ok(())
                });
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
        over.set(true);
        while let Some(ended) = writing.join_next().await {
            ended??;
        }
        Ok(times)
    }
}
