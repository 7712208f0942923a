//! The server under test: who asks is in the room, and what is said is heard there.

use parlance_socketio::{
    engine::Cors,
    server::{Events, SocketIo},
};
use rocket::{Config, config::LogLevel};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

#[rocket::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let port = std::env::args()
        .nth(1)
        .ok_or("a port is missing")?
        .parse()?;
    let events = Events::new()
        .on("join", |socket, mut event| async move {
            socket.join("room");
            event.acknowledge(());
        })
        .on("say", |socket, event| async move {
            socket.to("room").emit("said", event.args);
        });
    let io = SocketIo::builder()
        .cors(Cors::Any)
        .namespace("/", events)
        .build();
    let config = Config {
        port,
        log_level: LogLevel::Off,
        ..Config::release_default()
    };
    rocket::custom(config).attach(io.fairing()).launch().await?;
    Ok(())
}
