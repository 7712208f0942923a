//! One turn of one server: a warm-up, then the span that counts, then what is under way is waited for.

use std::{
    cell::{Cell, RefCell},
    time::Duration,
};

use tokio::time::{Instant, sleep};

use crate::{
    Outcome,
    figures::{Column, Figures, Times},
    options::Options,
    server::Server,
};

#[derive(Clone, Copy, PartialEq, Eq)]
enum Phase {
    WarmUp,
    Measured,
    Over,
}

/// What the clients of a turn share.
pub struct Stage {
    phase: Cell<Phase>,
    units: Cell<u64>,
    times: RefCell<Times>,
}

impl Stage {
    pub fn new() -> Self {
        Self {
            phase: Cell::new(Phase::WarmUp),
            units: Cell::new(0),
            times: RefCell::default(),
        }
    }

    /// Counts work that is done.
    pub fn count(&self, units: u64) {
        self.units.set(self.units.get() + units);
    }

    /// Notes how long something took that began then, if this is the span that counts.
    pub fn time(&self, began: Instant) {
        if self.phase.get() == Phase::Measured {
            self.times.borrow_mut().add(began.elapsed());
        }
    }

    /// Whether nothing new is to be begun.
    pub fn is_over(&self) -> bool {
        self.phase.get() == Phase::Over
    }

    /// Lets a turn pass. Clients are at work in other tasks.
    pub async fn run(&self, server: &Server, options: &Options) -> Outcome<Figures> {
        self.run_for(server, options.warm_up, options.turn).await
    }

    pub async fn run_for(
        &self,
        server: &Server,
        warm_up: Duration,
        turn: Duration,
    ) -> Outcome<Figures> {
        sleep(warm_up).await;
        self.phase.set(Phase::Measured);
        let (began, processor, units) = (Instant::now(), server.processor()?, self.units.get());
        sleep(turn).await;
        let (elapsed, used) = (
            began.elapsed(),
            server.processor()?.saturating_sub(processor),
        );
        let done = self.units.get() - units;
        self.phase.set(Phase::Over);
        let mut figures = Figures::default();
        if done > 0 {
            figures.set(Column::Rate, done as f64 / elapsed.as_secs_f64());
            figures.set(Column::Processor, microseconds(used) / done as f64);
        }
        figures.set_times(&mut self.times.borrow_mut());
        Ok(figures)
    }
}

pub fn microseconds(time: Duration) -> f64 {
    time.as_secs_f64() * 1e6
}
