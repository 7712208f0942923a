//! What follows from an attempt that failed: a wait, or the end.

use std::time::Duration;

use super::backoff;
use crate::model::{Delivery, DisabledReason, Timestamp, Webhook, WebhookState};

/// How a webhook stands after an attempt that failed, and how long it waits.
pub(super) fn failed(
    webhook: &Webhook,
    delivery: &Delivery,
    now: Timestamp,
) -> (WebhookState, Duration) {
    let failures = delivery.attempt;
    let since = webhook.failing_since.filter(|_| webhook.failures > 0);
    let since = since.unwrap_or(delivery.at);
    let wait = backoff::wait(failures, rand::random());
    let reason = match delivery.outcome {
        Ok(410) => Some(DisabledReason::Gone),
        _ if now.since(since) >= backoff::GIVE_UP => Some(DisabledReason::Failing),
        Ok(_) | Err(_) => None,
    };
    let state = WebhookState {
        position: None,
        failures,
        failing_since: Some(since),
        next_attempt_at: Some(now.plus(wait)),
        disabled: reason.map(|reason| (now, reason)),
    };
    (state, wait)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{
        DeliveryFailure, Position, TenantId, WebhookId, WebhookKind, WebhookTarget,
    };

    const BEGUN: Timestamp = Timestamp::new(1_000);

    fn after(failures: i64, outcome: Result<u16, DeliveryFailure>, now: Timestamp) -> WebhookState {
        let webhook = Webhook {
            id: WebhookId::new(1),
            tenant: TenantId::new(3),
            target: WebhookTarget {
                url: "https://example.com".to_owned(),
                kinds: Vec::new(),
                dialect: "any".to_owned(),
            },
            secret: String::new(),
            old_secret: None,
            position: Position::new(7),
            revision: 0,
            failures,
            failing_since: (failures > 0).then_some(BEGUN),
            next_attempt_at: None,
            disabled: None,
            created_at: BEGUN,
            updated_at: BEGUN,
        };
        let delivery = Delivery {
            position: Position::new(8),
            kind: WebhookKind::MessageCreated,
            attempt: failures + 1,
            at: now,
            took_ms: 1,
            outcome,
        };
        failed(&webhook, &delivery, now).0
    }

    #[test]
    fn who_fails_for_days_or_is_gone_is_disabled_and_nobody_else() {
        let days = BEGUN.plus(backoff::GIVE_UP);
        let last_moment = BEGUN.plus(backoff::GIVE_UP.saturating_sub(Duration::from_millis(1)));
        for (failures, outcome, now, disabled) in [
            (0, Ok(500), days, None),
            (9, Ok(500), last_moment, None),
            (9, Ok(500), days, Some(DisabledReason::Failing)),
            (
                9,
                Err(DeliveryFailure::TimedOut),
                days,
                Some(DisabledReason::Failing),
            ),
            (0, Ok(410), BEGUN, Some(DisabledReason::Gone)),
            (0, Ok(302), BEGUN, None),
        ] {
            let state = after(failures, outcome, now);
            assert_eq!(
                state.disabled.map(|(_, why)| why),
                disabled,
                "{failures} {outcome:?}"
            );
            assert_eq!(state.failures, failures + 1);
            assert_eq!(state.position, None, "it is to be sent again");
            assert!(state.next_attempt_at.is_some_and(|next| next > now));
        }
    }
}
