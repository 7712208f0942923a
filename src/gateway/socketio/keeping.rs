//! Storing for whom a connection acts, by which it comes back.

use std::{sync::atomic::Ordering, time::Duration};

use parlance_socketio::{engine::DisconnectReason, server::Socket};

use super::{
    connection::{ConnectionState, Recovery, lock},
    recovery::encode_identities,
};
use crate::{chat::connections, dialect::ClientSession, error::Result};

/// In place of what is stored of a connection that came back and is not stored itself yet.
pub(super) const UNKNOWN: &str = "";

/// When to try again to store a connection.
const AGAIN: Duration = Duration::from_secs(1);

/// Stores the identities of a recoverable connection, if they have changed. Where that fails it is tried again.
pub(super) async fn keep(socket: &Socket, connection: &ConnectionState, session: &ClientSession) {
    let Some(recovery) = connection.recovery() else {
        return;
    };
    if let Err(error) = keep_now(socket, recovery, session).await {
        tracing::warn!(cause = ?error, "A connection cannot be kept for its return.");
        if !recovery.keeps_later.swap(true, Ordering::Relaxed) {
            tokio::spawn(keep_later(socket.clone()));
        }
    }
}

async fn keep_now(socket: &Socket, recovery: &Recovery, session: &ClientSession) -> Result<()> {
    let identity = encode_identities(session);
    if recovery.is_kept(&identity) {
        return Ok(());
    }
    let id = socket.id().as_str();
    let services = &session.services;
    let whose = (&*recovery.private, recovery.holder);
    connections::keep(services, whose, id.to_owned(), identity.clone()).await?;
    let before = lock(&recovery.kept).replace(identity);
    if before.is_some_and(|before| before == UNKNOWN) {
        connections::tell_returned(services, id);
    }
    Ok(())
}

/// Tries again to store the identities of a connection, as long as it lives and has not come back elsewhere.
async fn keep_later(socket: Socket) {
    loop {
        tokio::time::sleep(AGAIN).await;
        let connection = socket.data::<ConnectionState>();
        let connection = connection.filter(|_| socket.is_connected());
        let Some(connection) = connection else {
            return;
        };
        let turn = connection.turn(&socket).await;
        let Some(recovery) = connection.recovery() else {
            return;
        };
        let holder = connections::holder(&turn.session.services, &recovery.private).await;
        let is_kept = match holder {
            Ok(Some(holder)) if !recovery.is_newest(holder) => {
                socket.session().close(DisconnectReason::ForcedServerClose);
                return;
            }
            Ok(_) => keep_now(&socket, recovery, &turn.session).await.is_ok(),
            Err(_) => false,
        };
        if is_kept {
            recovery.keeps_later.store(false, Ordering::Relaxed);
            return;
        }
    }
}
