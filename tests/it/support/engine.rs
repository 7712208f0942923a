//! Support for the Engine.IO tests: an echo server that reports how sessions are closed.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use parlance_socketio::engine::{
    Connection, DisconnectReason, Engine, Frame, Message, Options, Session,
};
use tokio::sync::mpsc;

use crate::support::socketio_client::{Site, soon};

/// The query parameter for revision 4, and for 3.
pub(crate) const V4: &str = "EIO=4";
pub(crate) const V3: &str = "EIO=3";

/// An echo server.
pub(crate) struct EchoSite {
    pub(crate) site: Site,
    pub(crate) engine: Engine,
    ends: mpsc::UnboundedReceiver<DisconnectReason>,
    latest: Latest,
}

type Latest = Arc<Mutex<Option<Arc<Session>>>>;

impl EchoSite {
    /// The last session that was opened.
    pub(crate) fn latest(&self) -> Arc<Session> {
        let latest = self.latest.lock().expect("nobody panicked");
        latest.clone().expect("a session was opened")
    }

    /// Waits until the last session that was opened has a held poll and an empty outbox.
    pub(crate) async fn held_poll(&self) {
        let session = self.latest();
        let held = async {
            while !session.is_writable() {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
        };
        soon(held).await;
    }

    /// The reason why the next session was closed.
    pub(crate) async fn end(&mut self) -> DisconnectReason {
        soon(self.ends.recv()).await.expect("the server is there")
    }

    pub(crate) fn no_end_yet(&mut self) -> bool {
        self.ends.try_recv().is_err()
    }
}

impl std::ops::Deref for EchoSite {
    type Target = Site;

    fn deref(&self) -> &Site {
        &self.site
    }
}

/// Options with revision 3 allowed, and with the long default heartbeat, so that no test sees one.
pub(crate) fn calm() -> Options {
    Options {
        allow_eio3: true,
        ..Options::default()
    }
}

/// Options with a short heartbeat.
pub(crate) fn lively() -> Options {
    Options {
        ping_interval: Duration::from_millis(200),
        ping_timeout: Duration::from_millis(600),
        ..calm()
    }
}

struct Echo {
    session: Arc<Session>,
    ends: mpsc::UnboundedSender<DisconnectReason>,
}

impl Connection for Echo {
    fn on_message(&self, message: Message<'_>) {
        match message {
            Message::Text("close!") => self.session.close(DisconnectReason::ForcedClose),
            Message::Text("say and close!") => {
                let _ = self.session.send(&[Frame::text("said")]);
                self.session.close(DisconnectReason::ForcedClose);
            }
            Message::Text(text) => {
                let _ = self.session.send(&[Frame::text(text)]);
            }
            Message::Binary(bytes) => {
                let _ = self.session.send(&[Frame::binary(&bytes)]);
            }
        }
    }

    fn on_close(&self, reason: DisconnectReason) {
        let _ = self.ends.send(reason);
    }
}

/// Launches an echo server.
pub(crate) async fn echo(options: Options) -> EchoSite {
    let (ends, ended) = mpsc::unbounded_channel();
    let latest = Latest::default();
    let opened = Arc::clone(&latest);
    let engine = Engine::new(options, move |session: Arc<Session>| {
        *opened.lock().expect("nobody panicked") = Some(Arc::clone(&session));
        Arc::new(Echo {
            session,
            ends: ends.clone(),
        }) as _
    });
    let mount = engine.fairing("/engine.io");
    EchoSite {
        site: Site::launch("/engine.io/", |rocket| rocket.attach(mount)).await,
        engine,
        ends: ended,
        latest,
    }
}
