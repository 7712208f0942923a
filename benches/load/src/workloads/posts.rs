//! Durable posts by HTTP: from many senders at once, and from one alone.

use std::{cell::Cell, rc::Rc, time::Duration};

use tokio::{
    task::JoinSet,
    time::{Instant, sleep},
};

use super::{Ground, chats::sum};
use crate::{
    Outcome, audit::Audit, client::Client, figures::Figures, options::Options, server::Server,
    stage::Stage,
};

pub const SENDERS: usize = 256;
pub const PEOPLE: usize = 16;
pub const CHATS: usize = 8;
pub const FORM: &str = "content=A+message+of+about+the+length+that+people+send+each+other";

pub async fn prepare(server: &Server) -> Outcome<Ground> {
    let mut ground = Ground::default();
    for number in 0..PEOPLE {
        ground
            .people
            .push(server.register(&format!("person{number}")).await?);
    }
    for number in 0..CHATS {
        let title = format!("chat{number}");
        ground.chat = server.open_chat(&ground.people[0], &title).await?;
        for cookies in &ground.people {
            server.join_chat(cookies, ground.chat).await?;
        }
    }
    Ok(ground)
}

pub async fn turn(
    server: &Server,
    ground: &Ground,
    options: &Options,
) -> Outcome<(Figures, Audit)> {
    let stage = Rc::new(Stage::new());
    let mut clients = Vec::new();
    for number in 0..SENDERS {
        clients.push(Client::connect(server.port, &ground.people[number % PEOPLE]).await?);
    }
    let mut sending = JoinSet::new();
    for (number, mut client) in clients.into_iter().enumerate() {
        // The chats were made one after the other.
        let chat = ground.chat - i64::try_from(number % CHATS)?;
        let (path, stage) = (format!("/api/chats/{chat}"), Rc::clone(&stage));
        sending.spawn_local(async move {
            let mut sent = 0;
            while !stage.is_over() {
                let began = Instant::now();
                client.post(&path, FORM).await?.expect(201)?;
                sent += 1;
                stage.count(1);
                stage.time(began);
            }
            Ok(Audit::requests(sent, sent))
        });
    }
    let figures = stage.run(server, options).await?;
    Ok((figures, sum(sending).await?))
}

/// Two people in a chat.
pub async fn prepare_alone(server: &Server) -> Outcome<Ground> {
    let people = vec![server.register("ann").await?, server.register("bo").await?];
    let chat = server.open_chat(&people[0], "chat").await?;
    server.join_chat(&people[1], chat).await?;
    Ok(Ground {
        people,
        chat,
        ..Ground::default()
    })
}

/// One sender, and one who hears: what a person feels when nothing else goes on.
pub async fn alone(
    server: &Server,
    ground: &Ground,
    options: &Options,
) -> Outcome<(Figures, Audit)> {
    let stage = Rc::new(Stage::new());
    let mut talking = JoinSet::new();
    let sender = Client::connect(server.port, &ground.people[0]).await?;
    let hearer = Client::connect(server.port, &ground.people[1]).await?;
    talking.spawn_local(talk(sender, hearer, ground.chat, Rc::clone(&stage)));
    let figures = stage.run(server, options).await?;
    Ok((figures, sum(talking).await?))
}

async fn talk(
    mut sender: Client,
    mut hearer: Client,
    chat: i64,
    stage: Rc<Stage>,
) -> Outcome<Audit> {
    let path = format!("/api/chats/{chat}");
    let mut sent = 1;
    let mut after = sender.post(&path, "content=first").await?.expect(201)?;
    while !stage.is_over() {
        let place = format!("{path}?after={}&timeout=20", after.header("x-message-id")?);
        hearer.send("GET", &place, "", None).await?;
        // Long enough for the wait to be held; were it not, it would be answered all the same.
        sleep(Duration::from_millis(5)).await;
        let began = Instant::now();
        let words = format!("number-{sent}");
        let (answer, told) = tokio::try_join!(
            async {
                sender
                    .post(&path, &format!("content={words}"))
                    .await?
                    .expect(201)
            },
            async {
                let told = hearer.receive().await?.expect(200)?;
                stage.time(began);
                Ok(told)
            }
        )?;
        if !String::from_utf8_lossy(&told.body).contains(&words) {
            return Err("a poll was not told what was posted".into());
        }
        sent += 1;
        stage.count(1);
        after = answer;
    }
    let mut audit = Audit::requests(sent, sent);
    // The first was told to nobody.
    (audit.expected, audit.delivered) = (sent - 1, sent - 1);
    Ok(audit)
}

/// Senders that post again as soon as they are answered, at whatever servers, until they are told to stop.
#[derive(Default)]
pub struct Posting {
    sent: Rc<Cell<u64>>,
    over: Rc<Cell<bool>>,
    sending: JoinSet<Outcome>,
}

impl Posting {
    /// One more, to whom it is told how long each post took.
    pub async fn add(
        &mut self,
        (port, cookies): (u16, &str),
        chat: i64,
        took: impl Fn(Duration) + 'static,
    ) -> Outcome {
        let mut client = Client::connect(port, cookies).await?;
        let path = format!("/api/chats/{chat}");
        let (sent, over) = (Rc::clone(&self.sent), Rc::clone(&self.over));
        self.sending.spawn_local(async move {
            while !over.get() {
                let began = Instant::now();
                client.post(&path, FORM).await?.expect(201)?;
                sent.set(sent.get() + 1);
                took(began.elapsed());
            }
            Ok(())
        });
        Ok(())
    }

    /// How many posts were answered.
    pub fn sent(&self) -> u64 {
        self.sent.get()
    }

    /// Has them stop; returns how many posts were answered.
    pub async fn stop(mut self) -> Outcome<u64> {
        self.over.set(true);
        while let Some(ended) = self.sending.join_next().await {
            ended??;
        }
        Ok(self.sent.get())
    }
}
