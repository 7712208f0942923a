//! The step up from polling: a WebSocket that has to prove itself before it carries the session.

use std::{
    future::poll_fn,
    sync::Arc,
    task::{Context, Poll},
};

use tokio_tungstenite::tungstenite::Message;

use super::{
    super::{
        Frame, Reason, Session, Transport, lock,
        session::wake,
        state::{Phase, Upgrade},
    },
    Wire, task,
};

/// Lets a WebSocket prove itself: `2probe`, `3probe`, `5`. If it does not, only it is closed, and the
/// session lives on by polling.
pub(super) async fn step_up(claim: Claim, mut wire: Wire, base64: bool) {
    let session = Arc::clone(&claim.0);
    let timeout = session.shared.options.upgrade_timeout;
    let proven = tokio::time::timeout(timeout, prove(&session, &mut wire)).await;
    let stepped_up = proven == Ok(Some(())) && claim.complete(base64);
    drop(claim);
    if stepped_up {
        tokio::spawn(task::Socket::new(session, wire));
    } else {
        turn_away(wire).await;
    }
}

async fn prove(session: &Arc<Session>, wire: &mut Wire) -> Option<()> {
    expect(session, wire, "2probe").await?;
    wire.queue.push(Frame::PROBED);
    {
        let mut state = lock(&session.state);
        if let Upgrade::Underway { probed, .. } = &mut state.upgrade {
            *probed = true;
        }
    }
    poll_fn(|cx| wire.poll_write(cx)).await.ok()?;
    session.nudge_poll();
    expect(session, wire, "5").await
}

/// Reads one packet, which has to be this one. `None` also when the session ends meanwhile.
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

/// Whether the client may still step up; when the session ends, the task is woken. A client that has
/// given up polling to step up hears that the session is over on the WebSocket or not at all.
fn watch(session: &Session, cx: &Context<'_>) -> bool {
    let mut state = lock(&session.state);
    if let Upgrade::Underway { waker, .. } = &mut state.upgrade {
        *waker = Some(cx.waker().clone());
    }
    matches!(state.phase, Phase::Open | Phase::Kept(_))
}

/// Closes a WebSocket that does not get the session.
pub(super) async fn turn_away(mut wire: Wire) {
    poll_fn(|cx| {
        wire.close(Reason::TransportError.close_code(), cx);
        Poll::Ready(())
    })
    .await;
    let farewell = poll_fn(|cx| wire.poll_write(cx));
    // A client that does not even read this is dropped.
    let _ = tokio::time::timeout(task::LINGER, farewell).await;
}

/// The right to become the session's WebSocket. Dropped, it is free for another.
pub(super) struct Claim(Arc<Session>);

impl Claim {
    /// Takes that right, if it is free.
    pub(super) fn stake(session: &Arc<Session>) -> Option<Self> {
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

    /// Makes the WebSocket the session's transport; false if the session has ended.
    fn complete(&self, base64: bool) -> bool {
        let mut state = lock(&self.0.state);
        match state.phase {
            Phase::Open => {}
            Phase::Kept(reason) => {
                state.phase = Phase::Closing(reason);
                self.0.shared.forget(self.0.sid());
            }
            Phase::Closing(_) | Phase::Closed => return false,
        }
        state.upgrade = Upgrade::Done;
        state.transport = Transport::WebSocket;
        state.base64 = base64;
        // A poll that still waits goes home with a noop.
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
