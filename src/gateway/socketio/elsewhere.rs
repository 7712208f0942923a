//! What happens at other servers and concerns connections here: who enters a room there, what its connections are told,
//! and which connection has come back there.

use std::sync::{Arc, Weak};

use parlance_socketio::{SocketIo, engine::DisconnectReason, server::Socket};

use super::{connection::ConnectionState, transport::emit};
use crate::{
    chat::{
        Services,
        bus::{Relayed, Relays, RoomEvent},
        connections,
    },
    dialect::{Options, OutgoingEvent},
};

/// Tells connections what happens at other servers, until this one stops.
pub fn follow(services: &Arc<Services>, options: &Arc<Options>, sockets: SocketIo) {
    let relays = Relays::of(services);
    let (services, options) = (Arc::downgrade(services), Arc::clone(options));
    tokio::spawn(run(relays, services, options, sockets));
}

async fn run(
    mut relays: Relays,
    services: Weak<Services>,
    options: Arc<Options>,
    sockets: SocketIo,
) {
    while let Some(relayed) = relays.next().await {
        let Some(services) = services.upgrade() else {
            return;
        };
        match relayed {
            Relayed::Moved(movement) => {
                for dialect in options.dialects.iter() {
                    if let Some((room, events)) = dialect.encode_movement(&services, &movement) {
                        tell(&sockets, &room, &events);
                    }
                }
            }
            Relayed::Room(RoomEvent { room, name, data }) => {
                if let Ok(data) = serde_json::from_str::<serde_json::Value>(&data) {
                    tell(&sockets, &room, &[OutgoingEvent::new(name, data)]);
                }
            }
            Relayed::Returned(id) => {
                for socket in sockets.to(id).sockets() {
                    close_if_returned(&services, &socket).await;
                }
            }
        }
    }
}

fn tell(sockets: &SocketIo, room: &str, events: &[OutgoingEvent]) {
    let sockets = sockets.to(room).sockets();
    for event in events {
        emit(sockets.iter().cloned(), event);
    }
}

/// Closes a connection that is not the newest of its private id. What is told of that may be late, so what is written
/// down counts. That may be late as well, and a client be here: so it is not disconnected but its transport closed,
/// after which it comes back by itself.
async fn close_if_returned(services: &Services, socket: &Socket) {
    let connection = socket.data::<ConnectionState>();
    let Some(recovery) = connection.as_deref().and_then(ConnectionState::recovery) else {
        return;
    };
    match connections::holder(services, &recovery.private).await {
        Ok(holder) if holder.is_none_or(|holder| recovery.is_newest(holder)) => {}
        Ok(_) => socket.session().close(DisconnectReason::ForcedServerClose),
        Err(error) => {
            tracing::debug!(cause = ?error, "It is not known whether a connection has come back elsewhere.");
        }
    }
}
