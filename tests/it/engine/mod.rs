//! Engine.IO sessions and transports.

mod handshake;
mod heartbeat;
mod polling;
mod upgrade;
mod websocket;
