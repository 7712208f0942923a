//! What the Engine.IO tests share: a server that sends everything back and tells how sessions end.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use parlance_socketio::engine::{Connection, Engine, Frame, Message, Options, Reason, Session};
use tokio::sync::mpsc;

use crate::support::socketio_client::{Site, soon};

/// The part of a query that says revision 4, and 3.
pub(crate) const V4: &str = "EIO=4";
pub(crate) const V3: &str = "EIO=3";

/// A site that sends everything back.
pub(crate) struct EchoSite {
    pub(crate) site: Site,
    pub(crate) engine: Engine,
    ends: mpsc::UnboundedReceiver<Reason>,
    latest: Latest,
}

type Latest = Arc<Mutex<Option<Arc<Session>>>>;

impl EchoSite {
    /// The session that was opened last.
    pub(crate) fn latest(&self) -> Arc<Session> {
        let latest = self.latest.lock().expect("nobody panicked");
        latest.clone().expect("a session was opened")
    }

    /// Waits until the session that was opened last has a poll held and nothing to bring home.
    pub(crate) async fn held_poll(&self) {
        let session = self.latest();
        let held = async {
            while !session.is_idle() {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
        };
        soon(held).await;
    }

    /// How the next session ended.
    pub(crate) async fn end(&mut self) -> Reason {
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

/// Options under which no heartbeat comes between, revision 3 included.
pub(crate) fn calm() -> Options {
    Options {
        allow_eio3: true,
        ..Options::default()
    }
}

/// Options with a heartbeat to watch.
pub(crate) fn lively() -> Options {
    Options {
        ping_interval: Duration::from_millis(200),
        ping_timeout: Duration::from_millis(600),
        ..calm()
    }
}

struct Echo {
    session: Arc<Session>,
    ends: mpsc::UnboundedSender<Reason>,
}

impl Connection for Echo {
    fn message(&self, message: Message<'_>) {
        match message {
            Message::Text("close!") => self.session.close(Reason::ForcedClose),
            Message::Text("say and close!") => {
                let _ = self.session.send(&[Frame::text("said")]);
                self.session.close(Reason::ForcedClose);
            }
            Message::Text(text) => {
                let _ = self.session.send(&[Frame::text(text)]);
            }
            Message::Binary(bytes) => {
                let _ = self.session.send(&[Frame::binary(&bytes)]);
            }
        }
    }

    fn closed(&self, reason: Reason) {
        let _ = self.ends.send(reason);
    }
}

/// Launches a site that sends everything back.
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
