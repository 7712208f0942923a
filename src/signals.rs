//! The signals that stop the server, and what happens between one and the end.
//!
//! They are handled here and not by Rocket, which takes no connection any more from the moment of a
//! signal on: a client that polls and has no poll under way just then could not be told that the
//! server stops, and would see an error instead.

use std::time::Duration;

use futures_util::future::{BoxFuture, select_all};
use parlance_socketio::SocketIo;
use rocket::{
    config::{Shutdown, Sig},
    figment::Figment,
};
use tokio::signal::unix::{SignalKind, signal};

use crate::http::ShutdownSignal;

/// How long a stop waits for the clients of sockets to be told.
const TOLD_WITHIN: Duration = Duration::from_millis(1500);

/// What happens between a signal and the end.
#[derive(Clone)]
pub(crate) struct Stopping {
    /// What begins it.
    pub(crate) signals: Signals,
    /// Waits are answered.
    pub(crate) closing: ShutdownSignal,
    /// Connections are closed.
    pub(crate) sockets: SocketIo,
    /// What comes before that.
    pub(crate) drain: Drain,
}

/// What the server does between a signal and its stop, where others serve beside it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Drain {
    /// How long it goes on as before, while its health checks fail.
    pub(crate) wait: Duration,
    /// Over how long it closes connections.
    pub(crate) spread: Duration,
}

impl Stopping {
    /// Runs `servers` until they end, and ends them after a signal, once everybody has been told.
    pub(crate) async fn beside<T>(
        &self,
        shutdowns: Vec<rocket::Shutdown>,
        servers: impl Future<Output = T>,
    ) -> T {
        // Heard from here on: a server that answers and does not yet listen for them would be killed by the first.
        let heard = self.signals.heard();
        let stopping = tokio::spawn(self.clone().run(heard, shutdowns));
        let done = servers.await;
        stopping.abort();
        done
    }

    async fn run(self, heard: impl Future<Output = ()>, shutdowns: Vec<rocket::Shutdown>) {
        heard.await;
        self.drain().await;
        self.closing.begin();
        self.sockets.engine().shut_down(TOLD_WITHIN).await;
        for shutdown in shutdowns {
            shutdown.notify();
        }
    }

    /// Lets a balancer and clients go to other servers first; a second signal ends that.
    async fn drain(&self) {
        let Drain { wait, spread } = self.drain;
        if wait.is_zero() && spread.is_zero() {
            return;
        }
        tracing::info!(?wait, ?spread, "The server will stop.");
        self.closing.announce();
        let again = self.signals.heard();
        let drained = async {
            tokio::time::sleep(wait).await;
            self.sockets.engine().close_over(spread).await;
        };
        tokio::select! {
            () = drained => {}
            () = again => {}
        }
    }
}

/// The signals that stop the server.
#[derive(Debug, Clone)]
pub(crate) struct Signals(Shutdown);

impl Signals {
    /// Those that the settings name.
    pub(crate) fn of(figment: &Figment) -> Self {
        let config = rocket::Config::try_from(figment);
        Self(config.map_or_else(|_| Shutdown::default(), |config| config.shutdown))
    }

    /// The settings of a Rocket that handles none of them.
    pub(crate) fn kept_from(figment: Figment) -> Figment {
        let none: [&str; 0] = [];
        let figment = figment.merge(("shutdown.ctrlc", false));
        figment.merge(("shutdown.signals", none))
    }

    /// Listens for them from now on; the future ends with the first.
    pub(crate) fn heard(&self) -> impl Future<Output = ()> + Send + use<> {
        let kinds = self.0.signals.iter().copied().map(kind);
        let interrupt = self.0.ctrlc.then(SignalKind::interrupt);
        let waits: Vec<BoxFuture<'static, ()>> = kinds.chain(interrupt).filter_map(wait).collect();
        async {
            if waits.is_empty() {
                return std::future::pending().await;
            }
            select_all(waits).await;
        }
    }
}

fn wait(kind: SignalKind) -> Option<BoxFuture<'static, ()>> {
    match signal(kind) {
        Ok(mut signals) => Some(Box::pin(async move {
            signals.recv().await;
        })),
        Err(error) => {
            tracing::warn!(?kind, %error, "A signal cannot be heard.");
            None
        }
    }
}

fn kind(signal: Sig) -> SignalKind {
    match signal {
        Sig::Alrm => SignalKind::alarm(),
        Sig::Chld => SignalKind::child(),
        Sig::Hup => SignalKind::hangup(),
        Sig::Int => SignalKind::interrupt(),
        Sig::Io => SignalKind::io(),
        Sig::Pipe => SignalKind::pipe(),
        Sig::Quit => SignalKind::quit(),
        Sig::Term => SignalKind::terminate(),
        Sig::Usr1 => SignalKind::user_defined1(),
        Sig::Usr2 => SignalKind::user_defined2(),
    }
}

#[cfg(test)]
mod tests {
    use std::process::{self, Command};

    use super::*;

    #[tokio::test]
    async fn a_signal_is_heard_before_anybody_waits_for_it() {
        let figment = rocket::Config::figment().merge(("shutdown.signals", ["usr1"]));
        let heard = Signals::of(&figment).heard();
        // It would end the process if nobody listened.
        let pid = process::id().to_string();
        let sent = Command::new("kill").args(["-USR1", &pid]).status();
        assert!(sent.expect("kill is there").success());
        heard.await;
    }
}
