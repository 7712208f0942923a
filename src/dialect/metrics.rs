//! The metrics of a server's dialects, looked up once when the server is built.

use crate::{
    dialect::{DialectEntry, DialectId, DialectMask, DialectSet, messenger},
    telemetry::{DeliveryMetrics, DialectMetrics, Metrics},
};

/// The metrics of each dialect.
#[derive(Debug)]
pub struct DialectsMetrics {
    dialects: &'static DialectSet,
    by_id: [Option<DialectMetrics>; DialectId::COUNT],
    /// Those of the messenger.
    pub messenger: DialectMetrics,
    /// What is counted whatever the dialect.
    pub delivery: DeliveryMetrics,
}

impl DialectsMetrics {
    /// Looks up the metrics of these dialects.
    pub fn new(dialects: &'static DialectSet, metrics: &Metrics) -> Self {
        let mut by_id = [const { None }; DialectId::COUNT];
        for dialect in dialects.iter() {
            let events: Vec<_> = dialect.events().iter().map(|event| event.name).collect();
            by_id[dialect.id().index()] = Some(metrics.dialect(dialect.name(), &events));
        }
        Self {
            dialects,
            by_id,
            messenger: metrics.dialect(messenger::NAME, &[]),
            delivery: metrics.delivery(),
        }
    }

    /// The metrics of a dialect of the set that these were made for.
    pub fn of(&self, dialect: DialectEntry) -> Option<&DialectMetrics> {
        self.by_id[dialect.id().index()].as_ref()
    }

    /// Counts a socket that acts in some dialects, in or out.
    pub(super) fn count_sockets(&self, mask: DialectMask, by: i64) {
        for dialect in self.dialects.among(mask) {
            if let Some(metrics) = self.of(dialect) {
                metrics.sockets.inc_by(by);
            }
        }
    }
}
