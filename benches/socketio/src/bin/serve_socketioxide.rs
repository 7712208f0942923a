//! The server to compare with: the same room on socketioxide and axum.

use serde_json::Value;
use socketioxide::{
    SocketIo,
    extract::{AckSender, Data, SocketRef},
};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let port: u16 = std::env::args()
        .nth(1)
        .ok_or("a port is missing")?
        .parse()?;
    // Its default drops what a socket cannot take at once after 128 packets; here all must arrive.
    let (layer, io) = SocketIo::builder().max_buffer_size(1024).build_layer();
    io.ns("/", async |socket: SocketRef| {
        socket.on("join", async |socket: SocketRef, ack: AckSender| {
            socket.join("room");
            ack.send(&()).ok();
        });
        socket.on("say", async |socket: SocketRef, Data::<Value>(said)| {
            socket.to("room").emit("said", &said).await.ok();
        });
    });
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", port)).await?;
    axum::serve(listener, axum::Router::new().layer(layer)).await?;
    Ok(())
}
