//! A proxy before PostgreSQL that accepts connections and closes them at once, as one does behind which there is nobody.

use tokio::{
    io::copy_bidirectional,
    net::{TcpListener, TcpStream},
    sync::watch,
};

use crate::{
    support::actor::Told,
    support::place::Place,
    support::world::{World, soon_holds},
};

/// Carries connections while it may, and hangs up otherwise.
async fn carry(listener: TcpListener, upstream: String, is_there: watch::Receiver<bool>) {
    while let Ok((mut client, _)) = listener.accept().await {
        let (upstream, mut is_there) = (upstream.clone(), is_there.clone());
        tokio::spawn(async move {
            if !*is_there.borrow_and_update() {
                return;
            }
            let mut server = TcpStream::connect(&upstream).await.expect("it answers");
            tokio::select! {
                _ = copy_bidirectional(&mut client, &mut server) => {}
                _ = is_there.wait_for(|is_there| !is_there) => {}
            }
        });
    }
}

#[rocket::async_test]
async fn a_database_that_hangs_up_is_busy_and_nothing_is_wrong_with_the_server() {
    let place = Place::make().await;
    let Place::Postgres { server, name } = &place else {
        return;
    };
    let (login, upstream) = server.rsplit_once('@').expect("user@host:port");
    let listener = TcpListener::bind("127.0.0.1:0").await;
    let listener = listener.expect("a free port");
    let port = listener.local_addr().expect("an address").port();
    let is_there = watch::Sender::new(true);
    tokio::spawn(carry(listener, upstream.to_owned(), is_there.subscribe()));
    // A client that would encrypt asks first, and gets no answer to that.
    let url = format!("{login}@127.0.0.1:{port}/{name}");
    let world = World::on(place, &url, "").await;
    let ann = world.actor("ann").await;
    let chat = ann.make("tea").await;
    is_there.send_replace(false);
    let busy = |told: Told| drop(told.refused(503, "busy"));
    for _ in 0..4 {
        busy(ann.get("/api/chats").await);
        busy(ann.get("/api/events?after=now&timeout=0").await);
        busy(ann.say_as(chat, "lost", "key").await);
        busy(world.get("/health").await);
        let form = [("name", "ann"), ("password", "correct horse")];
        busy(world.post("/api/login", &form).await);
    }
    is_there.send_replace(true);
    soon_holds(async || ann.say_as(chat, "kept", "kept").await.status == 201).await;
    world.stop().await;
}
