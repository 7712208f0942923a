//! The upgrade from polling: a WebSocket is probed before it becomes the session's transport.

use std::{
    future::poll_fn,
    sync::Arc,
    task::{Context, Poll},
};

use tokio_tungstenite::tungstenite::Message;

use super::{
    super::{
        frame::Frame,
        protocol::Transport,
        reason::DisconnectReason,
        session::{Session, wake},
        state::{Phase, Upgrade},
    },
    task,
    wire::Wire,
};
use crate::sync::lock;

/// Performs an upgrade: `2probe`, `3probe`, `5`. If it fails, only the WebSocket is closed, and the
/// session continues by polling.
pub(super) async fn upgrade(claim: Claim, mut wire: Wire, base64: bool) {
    let session = Arc::clone(&claim.0);
    let timeout = session.shared.options.upgrade_timeout;
    let probed = tokio::time::timeout(timeout, probe(&session, &mut wire)).await;
    let is_upgraded = probed == Ok(Some(())) && claim.complete(base64);
    drop(claim);
    if is_upgraded {
        tokio::spawn(task::Socket::new(session, wire));
    } else {
        reject(wire).await;
    }
}

async fn probe(session: &Arc<Session>, wire: &mut Wire) -> Option<()> {
    expect(session, wire, "2probe").await?;
    wire.queue.push(Frame::PROBED);
    {
        let mut state = lock(&session.state);
        if let Upgrade::Underway { probed, .. } = &mut state.upgrade {
            *probed = true;
        }
    }
    poll_fn(|cx| wire.poll_write(cx)).await.ok()?;
    session.release_poll();
    expect(session, wire, "5").await
}

/// Reads a packet, which has to be this one. `None` also if the session is closed meanwhile.
async fn expect(session: &Arc<Session>, wire: &mut Wire, packet: &str) -> Option<()> {
    let message = poll_fn(|cx| {
        if !watch(session, cx) {
            return Poll::Ready(None);
        }
        loop {
            match wire.poll_read(cx) {
                Poll::Ready(Ok(Message::Ping(_) | Message::Pong(_))) => {}
                Poll::Ready(message) => return Poll::Ready(message.ok()),
                Poll::Pending => return Poll::Pending,
            }
        }
    });
    match message.await? {
        Message::Text(text) if text.as_str() == packet => Some(()),
        _ => None,
    }
}

/// Whether the upgrade may go on. The task is woken when the session is closed. A pending close does not
/// end the upgrade: a client that has paused polling for it gets the close packet on the WebSocket.
fn watch(session: &Session, cx: &Context<'_>) -> bool {
    let mut state = lock(&session.state);
    if let Upgrade::Underway { waker, .. } = &mut state.upgrade {
        *waker = Some(cx.waker().clone());
    }
    matches!(state.phase, Phase::Open | Phase::ClosePending(_))
}

/// Closes a WebSocket that does not become the session's transport.
pub(super) async fn reject(mut wire: Wire) {
    poll_fn(|cx| {
        wire.close(DisconnectReason::TransportError.close_code(), cx);
        Poll::Ready(())
    })
    .await;
    let written = poll_fn(|cx| wire.poll_write(cx));
    // If the client does not read it in time, the stream is dropped.
    let _ = tokio::time::timeout(task::CLOSE_TIMEOUT, written).await;
}

/// A session's slot for an upgrade. It is free again when this is dropped.
pub(super) struct Claim(Arc<Session>);

impl Claim {
    /// Takes the slot, if it is free and the session may be upgraded.
    pub(super) fn acquire(session: &Arc<Session>) -> Option<Self> {
        let mut state = lock(&session.state);
        let free = matches!(state.upgrade, Upgrade::None) && state.is_open();
        if !free || !session.shared.options.allow_upgrades {
            return None;
        }
        state.upgrade = Upgrade::Underway {
            probed: false,
            waker: None,
        };
        drop(state);
        Some(Self(Arc::clone(session)))
    }

    /// Makes the WebSocket the session's transport. False if the session is closed.
    fn complete(&self, base64: bool) -> bool {
        let mut state = lock(&self.0.state);
        let is_open = state.is_open();
        match state.phase {
            Phase::Open => {}
            Phase::ClosePending(reason) => {
                state.phase = Phase::Closing(reason);
                self.0.shared.forget(self.0.sid());
            }
            Phase::Closing(_) | Phase::Closed => return false,
        }
        state.upgrade = Upgrade::Done;
        state.transport = Transport::WebSocket;
        state.base64 = base64;
        let counters = &self.0.shared.counters;
        counters.upgraded(self.0.revision(), is_open);
        // A poll that is still held is answered with a noop.
        let poll = state.transport_waker.take();
        drop(state);
        wake(poll);
        true
    }
}

impl Drop for Claim {
    fn drop(&mut self) {
        let mut state = lock(&self.0.state);
        if matches!(state.upgrade, Upgrade::Underway { .. }) {
            state.upgrade = Upgrade::None;
        }
    }
}
