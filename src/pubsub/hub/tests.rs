//! Subscribers are notified of every batch, in any order of the notifications.

use std::sync::atomic::{AtomicBool, AtomicUsize};

use super::*;
use crate::{
    model::{
        PersonKind,
        fixture::{TENANT, person, read_mark},
    },
    pubsub::Waker,
};

/// Counts the calls.
#[derive(Default)]
struct Counting {
    noted: AtomicBool,
    delivered: AtomicUsize,
}

impl Waker for Counting {
    fn note(&self) -> bool {
        !self.noted.swap(true, Ordering::SeqCst)
    }

    fn deliver(&self) {
        self.noted.store(false, Ordering::SeqCst);
        self.delivered.fetch_add(1, Ordering::SeqCst);
    }
}

impl Counting {
    fn delivered(&self) -> usize {
        self.delivered.load(Ordering::SeqCst)
    }
}

const CHAT: ChatId = ChatId::new(5);

fn hub() -> Arc<Hub> {
    Hub::new(Position::START, Epoch::new("first".to_owned()))
}

fn change(position: i64) -> Change {
    read_mark(position, 1, CHAT)
}

fn subscriber(hub: &Arc<Hub>, waker: &Arc<Counting>) -> Subscriber {
    let mut subscriber = hub.subscribe(Topic::Chat(TenantId::new(1), CHAT));
    subscriber.wake_with(Arc::clone(waker) as Arc<dyn Waker>);
    subscriber
}

fn positions(subscriber: &Subscriber, after: i64) -> Vec<i64> {
    match subscriber.backlog(Position::new(after)) {
        Backlog::Complete(changes, _) => {
            let changes = changes.iter();
            changes
                .map(|published| published.change.position.get())
                .collect()
        }
        Backlog::Lagged => panic!("memory reaches back so far"),
    }
}

#[test]
fn a_batch_wakes_each_subscriber_once() {
    let hub = hub();
    let wakers = [Arc::<Counting>::default(), Arc::<Counting>::default()];
    // One of them has two subscriptions.
    let all = [&wakers[0], &wakers[0], &wakers[1]].map(|waker| subscriber(&hub, waker));
    let batch = hub.begin_publish([change(1), change(2), change(3)]);
    assert_eq!(positions(&all[0], 0), [1, 2, 3], "who looks finds it");
    assert_eq!(wakers[0].delivered(), 0, "and no subscriber is woken yet");
    batch.notify();
    assert_eq!(wakers.map(|waker| waker.delivered()), [1, 1]);
}

#[test]
fn each_batch_wakes_by_itself_in_whatever_order() {
    let hub = hub();
    let waker = Arc::<Counting>::default();
    let subscriber = subscriber(&hub, &waker);
    let first = hub.begin_publish([change(1)]);
    // The first one's subscribers are not woken when the second comes.
    let second = hub.begin_publish([change(2)]);
    second.notify();
    assert_eq!(waker.delivered(), 1, "the second batch wakes for itself");
    assert_eq!(positions(&subscriber, 0), [1, 2]);
    let third = hub.begin_publish([change(3)]);
    first.notify();
    third.notify();
    assert_eq!(waker.delivered(), 3);
    assert_eq!(positions(&subscriber, 2), [3]);
}

#[test]
fn a_gap_wakes_everybody_once_the_head_covers_it() {
    let hub = hub();
    let waker = Arc::<Counting>::default();
    let subscriber = subscriber(&hub, &waker);
    hub.publish([change(1)]);
    let after_gap = hub.begin_publish([change(4), change(5)]);
    assert_eq!(waker.delivered(), 1);
    after_gap.notify();
    assert_eq!(waker.delivered(), 2);
    assert!(matches!(
        subscriber.backlog(Position::new(1)),
        Backlog::Lagged
    ));
    assert_eq!(positions(&subscriber, 3), [4, 5]);
}

#[tokio::test]
async fn many_subscribers_are_delivered_to_by_tasks_of_their_own() {
    let hub = hub();
    let wakers: Vec<_> = (0..300).map(|_| Arc::<Counting>::default()).collect();
    let _all: Vec<_> = wakers.iter().map(|waker| subscriber(&hub, waker)).collect();
    hub.publish([change(1)]);
    assert!(
        wakers.iter().all(|waker| waker.delivered() == 0),
        "the publishing task continues"
    );
    while !wakers.iter().all(|waker| waker.delivered() == 1) {
        tokio::task::yield_now().await;
    }
}

#[test]
fn the_end_of_an_epoch_wakes_everybody_and_leaves_nothing() {
    let hub = hub();
    let waker = Arc::<Counting>::default();
    let old = subscriber(&hub, &waker);
    let mark = hub.epoch();
    hub.publish([change(1)]);
    assert_eq!(waker.delivered(), 1);
    let ended = hub.begin_epoch(Epoch::new("second".to_owned()), Position::new(100));
    assert!(hub.has_ended(&mark), "who looks sees it before being woken");
    assert_eq!(hub.head(), Position::new(100));
    assert_eq!(
        hub.epoch().cursor_at(hub.head()).to_string(),
        "1.second.100"
    );
    assert_eq!(mark.cursor_at(Position::new(1)).to_string(), "1.first.1");
    assert_eq!(waker.delivered(), 1);
    ended.notify();
    assert_eq!(waker.delivered(), 2);
    let new = subscriber(&hub, &waker);
    hub.publish([change(101)]);
    assert_eq!(positions(&new, 100), [101]);
    assert!(matches!(new.backlog(Position::new(1)), Backlog::Lagged));
    drop(old);
    hub.sweep(Duration::ZERO);
    hub.publish([change(102)]);
    assert_eq!(
        positions(&new, 101),
        [102],
        "an old subscriber takes nothing along"
    );
}

/// Somebody's subscription, who is in these chats.
fn listener(hub: &Arc<Hub>, id: i64, chats: &[ChatId], hears: bool) -> Subscriber {
    let topic = Topic::Person(person(id, PersonKind::Person));
    let mut subscriber = hub.subscribe(topic);
    let chats = chats.iter().map(|chat| (*chat, Position::START));
    subscriber.seed_memberships(chats.collect());
    if hears {
        subscriber.hear_presence();
    }
    subscriber
}

fn comes_online(hub: &Hub, chats: &[ChatId]) {
    hub.signal(Signal {
        tenant: TENANT,
        actor: person(1, PersonKind::Person),
        origin: None,
        kind: SignalKind::Presence(Presence {
            online: true,
            last_seen: None,
            chats: chats.into(),
        }),
    });
}

#[test]
fn presence_is_told_to_those_beside_who_listen_for_it() {
    const LARGE: ChatId = ChatId::new(6);
    const LEFT: ChatId = ChatId::new(7);
    let hub = hub();
    assert!(!hub.hears_presence());
    let own = listener(&hub, 1, &[CHAT, LARGE], true);
    let beside = listener(&hub, 2, &[CHAT], true);
    let twice = listener(&hub, 2, &[], true);
    let of_events_alone = listener(&hub, 3, &[CHAT], false);
    let in_large = listener(&hub, 4, &[LARGE], true);
    // The store knew of that chat before its member left.
    let former = listener(&hub, 5, &[LEFT], true);
    let stranger = listener(&hub, 6, &[], true);
    comes_online(&hub, &[CHAT, LEFT]);
    let heard = [
        &beside,
        &twice,
        &own,
        &of_events_alone,
        &in_large,
        &former,
        &stranger,
    ];
    let heard = heard.map(|subscriber| subscriber.signals().len());
    assert_eq!(heard, [1, 1, 0, 0, 0, 0, 0]);
    drop((own, beside, in_large, former, stranger));
    assert!(hub.hears_presence());
    drop(twice);
    assert!(!hub.hears_presence(), "nobody is looked up for nobody");
}

#[test]
fn what_is_before_a_gap_is_read_from_the_log() {
    let hub = Hub::new(Position::new(9), Epoch::new("first".to_owned()));
    hub.fill([3, 4, 7, 8, 9].map(change).into());
    let after = |position| {
        let newer = hub.newest_after(Position::new(position), 10)?;
        let newer = newer
            .iter()
            .map(|published| published.change.position.get());
        Some(newer.collect::<Vec<_>>())
    };
    assert_eq!(after(9), Some(vec![]));
    assert_eq!(after(7), Some(vec![8, 9]));
    assert_eq!(after(6), Some(vec![7, 8, 9]));
    for before in [0, 2, 3, 4, 5] {
        assert_eq!(after(before), None, "{before}");
    }
}
