//! The task of the bus: tells digests and snapshots of this server's facts, and takes what others tell.

use std::{
    collections::HashMap,
    sync::{Arc, PoisonError, Weak},
    time::Duration,
};

use tokio::{sync::mpsc, time::Instant};
use tokio_util::sync::CancellationToken;

use super::{
    Bus, Event, Fact, Movement, Relayed,
    fact::stopped,
    replica::{News, Received, Replica},
};
use crate::{
    chat::Services,
    model::{ChatId, PersonId},
    store::Datagram,
};

/// How often a server tells a digest of its facts.
const DIGESTS: Duration = Duration::from_secs(5);
/// A server loses its facts that has told nothing for so long and of whose heartbeat nobody knows.
const SILENT: Duration = Duration::from_secs(15);
/// So does one that has told nothing for so long, though it lives: it cannot be heard.
const UNHEARD: Duration = Duration::from_mins(1);
/// Snapshots are at least so far apart, however many ask for one.
const APART: Duration = Duration::from_millis(500);

/// What there is to do.
enum Work {
    Take(Datagram),
    Digest,
    Snapshot,
}

/// What is known of other servers, and asked by them.
#[derive(Default)]
struct Others {
    replicas: HashMap<String, Replica>,
    /// When a snapshot was told last.
    told_at: Option<Instant>,
    /// When one is to be told.
    due: Option<Instant>,
}

/// Runs until the server stops.
pub(in crate::chat) async fn run(services: Weak<Services>, closing: CancellationToken) {
    let Some(bus) = services.upgrade().map(|services| Arc::clone(&services.bus)) else {
        return;
    };
    let unread = bus
        .unread
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .take();
    let Some(mut unread) = unread.filter(|_| bus.carrier.is_some()) else {
        return;
    };
    let mut digests = tokio::time::interval(DIGESTS);
    let mut others = Others::default();
    loop {
        let work = tokio::select! {
            () = closing.cancelled() => return,
            work = next(&mut unread, &mut digests, others.due) => work,
        };
        let Some(services) = services.upgrade() else {
            return;
        };
        match work {
            Work::Take(datagram) => others.take(&services, datagram),
            Work::Digest => {
                bus.tell_digest();
                others.end_the_silent(&services);
            }
            Work::Snapshot => {
                bus.tell_all();
                others.due = None;
                others.told_at = Some(Instant::now());
            }
        }
    }
}

async fn next(
    unread: &mut mpsc::Receiver<Datagram>,
    digests: &mut tokio::time::Interval,
    due: Option<Instant>,
) -> Work {
    let due = async {
        match due {
            Some(due) => tokio::time::sleep_until(due).await,
            None => std::future::pending().await,
        }
    };
    tokio::select! {
        Some(datagram) = unread.recv() => Work::Take(datagram),
        _ = digests.tick() => Work::Digest,
        () = due => Work::Snapshot,
    }
}

impl Others {
    fn take(&mut self, services: &Services, datagram: Datagram) {
        let now = Instant::now();
        let Datagram {
            node,
            number,
            lines,
        } = datagram;
        let bus = &services.bus;
        let replica = self.replicas.entry(node.clone());
        let replica = replica.or_insert_with(|| Replica::new(now));
        let Received { news, asks, asked } = replica.receive(number, &lines, now);
        if asks {
            bus.ask(node);
        }
        let is_own = |node: &Option<String>| node.as_deref().is_none_or(|node| bus.is_own(node));
        if self.due.is_none() && asked.iter().any(is_own) {
            let soonest = self.told_at.map_or(now, |at| at + APART);
            self.due = Some(soonest.max(now));
        }
        pass_on(services, news);
    }

    fn end_the_silent(&mut self, services: &Services) {
        let is_gone = |(node, replica): &(&String, &Replica)| {
            let silence = replica.heard_at.elapsed();
            silence >= UNHEARD || (silence >= SILENT && !services.store.is_living(node))
        };
        let gone = self.replicas.iter().filter(is_gone);
        let gone: Vec<_> = gone.map(|(node, _)| node.clone()).collect();
        for node in gone {
            if let Some(replica) = self.replicas.remove(&node) {
                tracing::debug!(node, "Another server is heard of no more.");
                pass_on(services, replica.end());
            }
        }
    }
}

impl Bus {
    fn is_own(&self, node: &str) -> bool {
        let store = self.carrier.as_ref();
        store.is_some_and(|store| store.is_own_node(node))
    }
}

/// Tells those here whom it concerns.
fn pass_on(services: &Services, news: Vec<News>) {
    // By their chats: who has entered it, and who has left it.
    let mut movements = HashMap::<ChatId, (Vec<PersonId>, Vec<PersonId>)>::new();
    for news in news {
        match news {
            News::Begins(Fact::Online(online)) => services.online.begins_elsewhere(&online),
            News::Ends(Fact::Online(online)) => services.online.ends_elsewhere(&online),
            News::Begins(Fact::Present(present)) => {
                let moved = movements.entry(present.chat).or_default();
                moved.0.push(present.person);
                services.presence.enters_elsewhere(present);
            }
            News::Ends(Fact::Present(present)) => {
                let moved = movements.entry(present.chat).or_default();
                moved.1.push(present.person);
                services.presence.leaves_elsewhere(&present);
            }
            News::Begins(Fact::Types(signal)) | News::Signal(signal) => {
                services.hub(signal.tenant).signal(signal);
            }
            News::Ends(Fact::Types(signal)) => {
                services.hub(signal.tenant).signal(stopped(signal));
            }
            News::Event(Event::Waits(wait)) => services.wait_limit.supersede(&wait),
            News::Event(Event::Returned(id)) => services.bus.relay(Relayed::Returned(id)),
            News::Event(Event::Room(event)) => services.bus.relay(Relayed::Room(event)),
            News::Event(Event::Attempted(outcome)) => services.login_throttle.heard(outcome),
        }
    }
    for (chat, (entered, left)) in movements {
        services.bus.relay(Relayed::Moved(Movement {
            chat,
            entered,
            left,
        }));
    }
}
