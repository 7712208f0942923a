//! How far a hub has come, for those who wait for it.

use std::{pin::pin, time::Duration};

use super::Hub;
use crate::model::Position;

impl Hub {
    /// Waits until everything up to a position is published, and no longer than that; whether it is.
    pub async fn reaches(&self, position: Position, within: Duration) -> bool {
        let reached = async {
            loop {
                let mut moved = pin!(self.moved.notified());
                // Subscribed before the look, or a move in between would be missed.
                moved.as_mut().enable();
                if self.head() >= position {
                    return;
                }
                moved.await;
            }
        };
        tokio::time::timeout(within, reached).await.is_ok()
    }

    /// Whether anybody listens, or did a moment ago.
    pub fn is_heard(&self) -> bool {
        let state = self.state();
        !(state.people.is_empty() && state.chats.is_empty())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Epoch, PersonKind, fixture::person};
    use crate::pubsub::Topic;

    const HOUR: Duration = Duration::from_hours(1);

    #[tokio::test(start_paused = true)]
    async fn who_waits_for_a_position_goes_on_when_it_is_published() {
        let hub = Hub::new(Position::new(7), Epoch::new("first".to_owned()));
        assert!(hub.reaches(Position::new(7), Duration::ZERO).await);
        assert!(!hub.reaches(Position::new(8), HOUR).await);
        let waits = async {
            assert!(hub.reaches(Position::new(9), HOUR).await);
        };
        let moves = async {
            // The waiter is asleep by now: the time only goes on when everybody is.
            tokio::time::sleep(Duration::from_secs(1)).await;
            hub.begin_epoch(Epoch::new("second".to_owned()), Position::new(9))
                .notify();
        };
        tokio::join!(waits, moves);
    }

    #[tokio::test]
    async fn a_topic_is_somebody_who_listens() {
        let hub = Hub::new(Position::new(7), Epoch::new("first".to_owned()));
        assert!(!hub.is_heard());
        let heard = hub.subscribe(Topic::Person(person(1, PersonKind::Person)));
        assert!(hub.is_heard());
        drop(heard);
        hub.sweep(Duration::ZERO);
        assert!(!hub.is_heard());
    }
}
