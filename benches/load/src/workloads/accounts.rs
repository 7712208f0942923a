//! Users and accounts: made, and signed in.

use std::{rc::Rc, time::Duration};

use bench_wire::{ANSWER_TIMEOUT, Socket};
use tokio::{
    task::JoinSet,
    time::{Instant, timeout},
};

use super::{Ground, chats::sum};
use crate::{
    Outcome, audit::Audit, client::Client, figures::Figures, options::Options, server::Server,
    stage::Stage,
};

/// A connection without a key acts for a thousand users at most, so that there are many.
const SOCKETS: usize = 256;
const REGISTERING: usize = 64;
const SIGNING_IN: usize = 8;
/// What takes a quarter of a second each is looked at for as long at least.
const SLOW_TURN: Duration = Duration::from_secs(4);
const ANSWER: &[u8] = br#"42["create-user""#;

pub async fn create_users(
    server: &Server,
    ground: &Ground,
    options: &Options,
) -> Outcome<(Figures, Audit)> {
    let stage = Rc::new(Stage::new());
    let mut sockets = Vec::new();
    for _ in 0..SOCKETS {
        sockets.push(Socket::connect(server.port, "", 0).await?.0);
    }
    let mut making = JoinSet::new();
    for (number, socket) in sockets.into_iter().enumerate() {
        let name = format!("{}-{number}", ground.turns);
        making.spawn_local(make_users(socket, name, Rc::clone(&stage)));
    }
    let figures = stage.run(server, options).await?;
    Ok((figures, sum(making).await?))
}

async fn make_users(mut socket: Socket, name: String, stage: Rc<Stage>) -> Outcome<Audit> {
    let (mut sent, mut answered) = (0, 0);
    while !stage.is_over() && sent == answered {
        let began = Instant::now();
        socket
            .send(&format!(
                r#"42["create-user",{{"user":{{"external_id":"{name}-{sent}","name":"User {sent}","photo":""}}}}]"#
            ))
            .await?;
        sent += 1;
        let told = async {
            let mut ok = false;
            while !ok {
                socket
                    .read(|payload| {
                        ok |= payload.starts_with(ANSWER)
                            && memchr::memmem::find(payload, br#""status":"ok""#).is_some();
                    })
                    .await?;
            }
            Outcome::Ok(())
        };
        if let Ok(told) = timeout(ANSWER_TIMEOUT, told).await {
            told?;
            answered += 1;
            stage.count(1);
            stage.time(began);
        }
    }
    Ok(Audit::requests(sent, answered))
}

pub async fn register(
    server: &Server,
    ground: &Ground,
    options: &Options,
) -> Outcome<(Figures, Audit)> {
    let turn = ground.turns;
    repeat(server, (options.warm_up, options.turn), REGISTERING, 201, "/api/reg", move |client, number| {
        format!("name=p{turn}x{client}x{number}&password=secret-number-7&email=someone%40example.com")
    })
    .await
}

/// One account for each who signs in.
pub async fn prepare(server: &Server) -> Outcome<Ground> {
    for number in 0..SIGNING_IN {
        server.register(&format!("person{number}")).await?;
    }
    Ok(Ground::default())
}

pub async fn log_in(server: &Server, options: &Options) -> Outcome<(Figures, Audit)> {
    let lasts = (options.warm_up, options.turn.max(SLOW_TURN));
    repeat(server, lasts, SIGNING_IN, 200, "/api/login", |client, _| {
        format!("name=person{client}&password=secret-number-7")
    })
    .await
}

/// Connections that each send a form, again and again.
async fn repeat(
    server: &Server,
    (warm_up, turn): (Duration, Duration),
    connections: usize,
    status: u16,
    path: &'static str,
    form: impl Fn(usize, u64) -> String + Copy + 'static,
) -> Outcome<(Figures, Audit)> {
    let stage = Rc::new(Stage::new());
    let mut sending = JoinSet::new();
    for number in 0..connections {
        let mut client = Client::connect(server.port, "").await?;
        let stage = Rc::clone(&stage);
        sending.spawn_local(async move {
            let mut sent = 0;
            while !stage.is_over() {
                let began = Instant::now();
                client
                    .post(path, &form(number, sent))
                    .await?
                    .expect(status)?;
                sent += 1;
                stage.count(1);
                stage.time(began);
            }
            Ok(Audit::requests(sent, sent))
        });
    }
    let figures = stage.run_for(server, warm_up, turn).await?;
    Ok((figures, sum(sending).await?))
}
