//! A chat room in sixty lines: `cargo run --example chat_room`, then any socket.io-client.
//!
//! `join` (room, name) answers who is there; `say` (text) is heard by everybody in the room.

use parlance_socketio::{
    engine::{Cors, Reason},
    server::{Event, Events, Socket, SocketIo},
};
use serde_json::json;

/// Who a socket is, once it has joined.
struct Guest {
    name: String,
    room: String,
}

async fn join(socket: Socket, mut event: Event) {
    let Ok((room, name)) = event.args.clone().parse::<(String, String)>() else {
        return event.acknowledge(json!({ "error": "join takes a room and a name" }));
    };
    socket.set_data(Guest {
        name: name.clone(),
        room: room.clone(),
    });
    socket.join(&room);
    socket.to(&room).emit("joined", name);
    let present = socket.to(&room).sockets();
    let guests = present.iter().filter_map(Socket::data::<Guest>);
    let names: Vec<_> = guests.map(|guest| guest.name.clone()).collect();
    event.acknowledge(json!({ "present": names }));
}

async fn say(socket: Socket, mut event: Event) {
    if let Some((guest, text)) = socket.data::<Guest>().zip(event.args.text(0)) {
        let room = socket.everyone().to(&guest.room);
        room.emit("said", (guest.name.as_str(), text));
        event.acknowledge(true);
    }
}

async fn left(socket: Socket, _reason: Reason) {
    if let Some(guest) = socket.data::<Guest>() {
        socket.to(&guest.room).emit("left", guest.name.as_str());
    }
}

#[rocket::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let events = Events::new()
        .on("join", join)
        .on("say", say)
        .disconnected(left);
    let io = SocketIo::builder()
        .cors(Cors::Any)
        .allow_eio3(true)
        .namespace("/", events)
        .build();
    rocket::build().attach(io.fairing()).launch().await?;
    Ok(())
}
