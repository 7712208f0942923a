//! What one connection waits for, and when it has waited for too long.

use std::{
    pin::Pin,
    sync::{
        Arc, Mutex, OnceLock, PoisonError,
        atomic::{AtomicBool, AtomicU8, AtomicU64, Ordering},
    },
    task::{Context, Poll, ready},
    time::Duration,
};

use rocket::connection::{BodyTimer, Watch};
use tokio::time::{Instant, Sleep, sleep_until};

use super::Limits;
use crate::telemetry::{Metrics, TimeoutLabels};

/// Nothing of the first request has arrived.
const NEW: u8 = 0;
/// The last answer is on its way, and nothing of another request has arrived.
const BETWEEN_REQUESTS: u8 = 1;
/// The head of a request has begun to arrive.
const IN_HEAD: u8 = 2;
/// A request is being answered: the client waits, and not the server.
const ANSWERING: u8 = 3;

/// How a connection ended whose time was over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    /// In the head of a request, which can be answered.
    InHead,
    /// Elsewhere: there is nobody to tell, or nothing to tell them.
    Elsewhere,
}

/// Watches one connection until it is upgraded or ends.
///
/// Everything but a body's timer happens in the connection's own task, so no order between tasks hangs on
/// these atomics.
pub(super) struct ConnectionWatch {
    limits: Limits,
    metrics: Arc<Metrics>,
    opened: Instant,
    phase: AtomicU8,
    /// When the phase began, in milliseconds since it was opened.
    since: AtomicU64,
    /// Since when the client takes nothing of what it is sent, the same way and one more; zero while it does.
    stalled: AtomicU64,
    /// Bytes that arrive now belong to the next request.
    is_ahead: AtomicBool,
    /// Such bytes have arrived.
    came_ahead: AtomicBool,
    timer: Mutex<Timer>,
    ended: OnceLock<End>,
}

impl ConnectionWatch {
    pub(super) fn new(limits: Limits, metrics: Arc<Metrics>) -> Self {
        Self {
            limits,
            metrics,
            opened: Instant::now(),
            phase: AtomicU8::new(NEW),
            since: AtomicU64::new(0),
            stalled: AtomicU64::new(0),
            is_ahead: AtomicBool::new(false),
            came_ahead: AtomicBool::new(false),
            timer: Mutex::default(),
            ended: OnceLock::new(),
        }
    }

    /// Some bytes have arrived.
    pub(super) fn received(&self) {
        match self.phase.load(Ordering::Relaxed) {
            // The first request has its time from the accept on, whenever its first byte comes.
            NEW => self.phase.store(IN_HEAD, Ordering::Relaxed),
            BETWEEN_REQUESTS => self.enter(IN_HEAD),
            ANSWERING if self.is_ahead.load(Ordering::Relaxed) => {
                self.came_ahead.store(true, Ordering::Relaxed);
            }
            _ => {}
        }
    }

    /// Whether the client took some of what it was sent.
    pub(super) fn sent(&self, any: bool) {
        let is_stalled = self.stalled.load(Ordering::Relaxed) != 0;
        if any == is_stalled {
            let since = if any { 0 } else { self.now() + 1 };
            self.stalled.store(since, Ordering::Relaxed);
        }
    }

    /// How the connection must end, once it must.
    pub(super) fn end(&self) -> Option<End> {
        self.ended.get().copied()
    }

    fn enter(&self, phase: u8) {
        self.since.store(self.now(), Ordering::Relaxed);
        self.phase.store(phase, Ordering::Relaxed);
    }

    /// Milliseconds since the connection was opened.
    fn now(&self) -> u64 {
        u64::try_from(self.opened.elapsed().as_millis()).unwrap_or(u64::MAX)
    }

    fn at(&self, milliseconds: u64) -> Instant {
        self.opened + Duration::from_millis(milliseconds)
    }

    /// Until when the client may keep the server waiting, and for what; none while it does not.
    fn deadline(&self) -> Option<(Instant, &'static str)> {
        let since = self.at(self.since.load(Ordering::Relaxed));
        let phase = match self.phase.load(Ordering::Relaxed) {
            ANSWERING => None,
            BETWEEN_REQUESTS => Some((since + self.limits.keep_alive, "keep_alive")),
            _ => Some((since + self.limits.header, "header")),
        };
        let stalled = match self.stalled.load(Ordering::Relaxed) {
            0 => None,
            since => Some((self.at(since - 1) + self.limits.write, "write")),
        };
        phase.into_iter().chain(stalled).min()
    }
}

impl Watch for ConnectionWatch {
    fn request_begun(&self, has_body: bool) {
        self.phase.store(ANSWERING, Ordering::Relaxed);
        self.is_ahead.store(!has_body, Ordering::Relaxed);
        self.came_ahead.store(false, Ordering::Relaxed);
    }

    fn answer_ended(&self) {
        let ahead = self.came_ahead.load(Ordering::Relaxed);
        self.enter(if ahead { IN_HEAD } else { BETWEEN_REQUESTS });
    }

    fn poll_expired(&self, cx: &mut Context<'_>) -> Poll<()> {
        let Some((deadline, waited_for)) = self.deadline() else {
            return Poll::Pending;
        };
        let mut timer = self.timer.lock().unwrap_or_else(PoisonError::into_inner);
        ready!(timer.poll_until(deadline, cx));
        let can_be_told = self.phase.load(Ordering::Relaxed) == IN_HEAD
            && self.stalled.load(Ordering::Relaxed) == 0;
        let end = if can_be_told {
            End::InHead
        } else {
            End::Elsewhere
        };
        if self.ended.set(end).is_ok() {
            count(&self.metrics, waited_for);
        }
        Poll::Ready(())
    }

    fn released(&self) {
        // A WebSocket lives on for long, and needs no timer of ours.
        *self.timer.lock().unwrap_or_else(PoisonError::into_inner) = Timer::default();
    }

    fn body_timer(&self) -> Box<dyn BodyTimer> {
        Box::new(BodyDeadline {
            idle: self.limits.body_idle,
            whole_until: Instant::now() + self.limits.body,
            some_until: None,
            timer: Timer::default(),
            is_over: false,
            metrics: Arc::clone(&self.metrics),
        })
    }
}

/// Bounds the wait for a body: for its next bytes, and for all of it.
struct BodyDeadline {
    idle: Duration,
    whole_until: Instant,
    /// Until when the next bytes are waited for, once they are.
    some_until: Option<Instant>,
    timer: Timer,
    is_over: bool,
    metrics: Arc<Metrics>,
}

impl BodyTimer for BodyDeadline {
    fn progressed(&mut self) {
        self.some_until = None;
    }

    fn poll_expired(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        if !self.is_over {
            let some_until = *self
                .some_until
                .get_or_insert_with(|| Instant::now() + self.idle);
            let until = some_until.min(self.whole_until);
            ready!(self.timer.poll_until(until, cx));
            self.is_over = true;
            count(&self.metrics, "body");
        }
        Poll::Ready(())
    }
}

fn count(metrics: &Metrics, waited_for: &'static str) {
    let labels = TimeoutLabels { waited_for };
    metrics.connections_timed_out.get_or_create(&labels).inc();
}

/// A timer that is moved on only when it fires: deadlines mostly move on before they come.
#[derive(Default)]
struct Timer(Option<Pin<Box<Sleep>>>);

impl Timer {
    /// Is ready once `until` has come.
    fn poll_until(&mut self, until: Instant, cx: &mut Context<'_>) -> Poll<()> {
        let sleep = self.0.get_or_insert_with(|| Box::pin(sleep_until(until)));
        if sleep.deadline() > until {
            sleep.as_mut().reset(until);
        }
        loop {
            ready!(sleep.as_mut().poll(cx));
            if sleep.deadline() >= until {
                return Poll::Ready(());
            }
            sleep.as_mut().reset(until);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;

    use tokio::time::{advance, timeout};

    use super::*;

    const S: Duration = Duration::from_secs(1);
    const FOREVER: Duration = Duration::from_hours(99);

    fn watch() -> ConnectionWatch {
        let limits = Limits {
            header: 10 * S,
            keep_alive: 75 * S,
            body_idle: 5 * S,
            body: 20 * S,
            write: 30 * S,
            connections: 9,
        };
        ConnectionWatch::new(limits, Arc::new(Metrics::new()))
    }

    /// After how many seconds the connection's time is over; none when it never is.
    async fn over(watch: &ConnectionWatch) -> Option<u64> {
        let asked = Instant::now();
        let expired = poll_fn(|cx| watch.poll_expired(cx));
        let waited = timeout(FOREVER, expired).await;
        waited.ok().map(|()| asked.elapsed().as_secs())
    }

    #[tokio::test(start_paused = true)]
    async fn a_head_has_its_time_from_the_accept_however_it_trickles() {
        let silent = watch();
        assert_eq!(over(&silent).await, Some(10));
        assert_eq!(silent.end(), Some(End::Elsewhere));
        let trickling = watch();
        for _ in 0..4 {
            advance(2 * S).await;
            trickling.received();
        }
        assert_eq!(over(&trickling).await, Some(2));
        assert_eq!(trickling.end(), Some(End::InHead));
    }

    #[tokio::test(start_paused = true)]
    async fn between_requests_there_is_more_time_until_one_begins() {
        let watch = watch();
        watch.received();
        watch.request_begun(false);
        watch.answer_ended();
        advance(70 * S).await;
        watch.received();
        assert_eq!(over(&watch).await, Some(10));
        assert_eq!(watch.end(), Some(End::InHead));

        let idle = self::watch();
        // The timer is set for the head first, and moved on when it fires.
        let early = timeout(S, poll_fn(|cx| idle.poll_expired(cx))).await;
        assert!(early.is_err());
        idle.received();
        idle.request_begun(false);
        idle.answer_ended();
        assert_eq!(over(&idle).await, Some(75));
        assert_eq!(idle.end(), Some(End::Elsewhere));
    }

    #[tokio::test(start_paused = true)]
    async fn a_head_that_began_before_the_last_answer_ended_has_the_time_of_a_head() {
        let watch = watch();
        watch.received();
        watch.request_begun(false);
        watch.received();
        watch.answer_ended();
        assert_eq!(over(&watch).await, Some(10));

        let body = self::watch();
        body.received();
        body.request_begun(true);
        body.received();
        body.answer_ended();
        assert_eq!(over(&body).await, Some(75), "a body is no head");
    }

    #[tokio::test(start_paused = true)]
    async fn a_client_that_is_kept_waiting_is_not_cut() {
        let watch = watch();
        watch.received();
        let early = timeout(S, poll_fn(|cx| watch.poll_expired(cx))).await;
        assert!(early.is_err());
        watch.request_begun(false);
        assert_eq!(over(&watch).await, None);
        watch.sent(true);
        assert_eq!(over(&watch).await, None);
        watch.answer_ended();
        assert_eq!(over(&watch).await, Some(75));
    }

    #[tokio::test(start_paused = true)]
    async fn a_client_that_takes_nothing_is_cut_and_one_that_takes_little_is_not() {
        let watch = watch();
        watch.received();
        watch.request_begun(false);
        for _ in 0..9 {
            watch.sent(false);
            advance(20 * S).await;
            watch.sent(true);
        }
        watch.sent(false);
        advance(20 * S).await;
        watch.sent(false);
        assert_eq!(over(&watch).await, Some(10));
        assert_eq!(watch.end(), Some(End::Elsewhere));
    }

    #[tokio::test(start_paused = true)]
    async fn a_body_must_go_on_and_come_to_an_end() {
        let wait = async |timer: &mut Box<dyn BodyTimer>, most: Duration| {
            let asked = Instant::now();
            let expired = timeout(most, poll_fn(|cx| timer.poll_expired(cx))).await;
            expired.ok().map(|()| asked.elapsed().as_secs())
        };
        let mut silent = watch().body_timer();
        assert_eq!(wait(&mut silent, FOREVER).await, Some(5));
        assert_eq!(wait(&mut silent, FOREVER).await, Some(0), "it stays over");
        let mut trickling = watch().body_timer();
        for _ in 0..4 {
            assert_eq!(wait(&mut trickling, 4 * S).await, None);
            trickling.progressed();
        }
        assert_eq!(wait(&mut trickling, FOREVER).await, Some(4));
        // What the server itself takes between two reads is not the client's.
        let mut slow_server = watch().body_timer();
        assert_eq!(wait(&mut slow_server, S).await, None);
        slow_server.progressed();
        advance(9 * S).await;
        assert_eq!(wait(&mut slow_server, FOREVER).await, Some(5));
    }
}
