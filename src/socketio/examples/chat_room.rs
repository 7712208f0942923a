//! A chat room in sixty lines: `cargo run --example chat_room`, then any socket.io-client.
//!
//! `join` (room, name) is acknowledged with the names of those present. `say` (text) is sent to the room.

use parlance_socketio::{Cors, DisconnectReason, Event, Events, Socket, SocketIo};
use serde_json::json;

/// The data of a socket that has joined a room.
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
        let room = socket.within(&guest.room);
        room.emit("said", (guest.name.as_str(), text));
        event.acknowledge(true);
    }
}

async fn left(socket: Socket, _reason: DisconnectReason) {
    if let Some(guest) = socket.data::<Guest>() {
        socket.to(&guest.room).emit("left", guest.name.as_str());
    }
}

#[rocket::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let events = Events::new()
        .on("join", join)
        .on("say", say)
        .on_disconnect(left);
    let io = SocketIo::builder()
        .cors(Cors::Any)
        .allow_eio3(true)
        .namespace("/", events)
        .build();
    rocket::build().attach(io.fairing()).launch().await?;
    Ok(())
}
