//! The operations of webhooks: alike for home, sites and apps.

use super::{
    answers::{OK, OWNER_DONE},
    operation::{Access, Answer, Operation, admin, answer, service, support},
    programs::{NEW_WEBHOOK_URL, REPLAY_POSITION, WEBHOOK_DIALECT, WEBHOOK_KINDS, WEBHOOK_URL},
};
use crate::dialect::{support::webhooks as site, webhooks as wire};

const WEBHOOK: Answer = answer::<wire::WebhookWire>(
    200,
    r#"{"id":1,"url":"https://example.com/hook","kinds":["message.created"],"dialect":"messenger","position":4,"failures":0,"failing_since":null,"next_attempt_at":null,"disabled_at":null,"disabled_reason":null,"created_at":"2021-07-15T05:14:12.117Z","updated_at":"2021-07-15T05:14:12.117Z"}"#,
);
const WITH_SECRET: Answer = answer::<wire::WebhookWithSecret>(
    200,
    r#"{"id":1,"url":"https://example.com/hook","kinds":["message.created"],"dialect":"messenger","position":4,"failures":0,"failing_since":null,"next_attempt_at":null,"disabled_at":null,"disabled_reason":null,"created_at":"2021-07-15T05:14:12.117Z","updated_at":"2021-07-15T05:14:12.117Z","secret":"whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw","old_secret_until":null}"#,
);
const ALL: Answer = answer::<wire::Webhooks>(200, r#"{"webhooks":[]}"#);
const DELIVERIES: Answer = answer::<wire::Deliveries>(
    200,
    r#"{"deliveries":[{"id":"msg_1_4","position":4,"type":"message.created","attempt":1,"at":"2021-07-15T05:14:12.117Z","took_ms":12,"received":true,"status":204,"failure":null}]}"#,
);
const SITES_WEBHOOK: Answer = answer::<site::OwnerWebhook>(
    200,
    r#"{"statusCode":200,"status":"success","data":{"id":1,"url":"https://example.com/hook","kinds":["message.created"],"dialect":"messenger","position":4,"failures":0,"failing_since":null,"next_attempt_at":null,"disabled_at":null,"disabled_reason":null,"created_at":"2021-07-15T05:14:12.117Z","updated_at":"2021-07-15T05:14:12.117Z"}}"#,
);
const SITES_WITH_SECRET: Answer = answer::<site::OwnerWebhookWithSecret>(
    200,
    r#"{"statusCode":200,"status":"success","data":{"id":1,"url":"https://example.com/hook","kinds":["message.created"],"dialect":"messenger","position":4,"failures":0,"failing_since":null,"next_attempt_at":null,"disabled_at":null,"disabled_reason":null,"created_at":"2021-07-15T05:14:12.117Z","updated_at":"2021-07-15T05:14:12.117Z","secret":"whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw","old_secret_until":null}}"#,
);
const SITES_ALL: Answer = answer::<site::OwnerWebhooks>(
    200,
    r#"{"statusCode":200,"status":"success","data":{"webhooks":[]}}"#,
);
const SITES_DELIVERIES: Answer = answer::<site::OwnerDeliveries>(
    200,
    r#"{"statusCode":200,"status":"success","data":{"deliveries":[{"id":"msg_1_4","position":4,"type":"message.created","attempt":1,"at":"2021-07-15T05:14:12.117Z","took_ms":12,"received":true,"status":204,"failure":null}]}}"#,
);

const CREATE: &str = "Register an address that is told of changes";
const CREATE_ABOUT: &str = "It is told of what happens from now on, signed as Standard Webhooks has it. Its secret is told here, and nowhere else.";
const LIST: &str = "The webhooks, the oldest first";
const ONE: &str = "One webhook: how far it has come, and whether it fails";
const CHANGE: &str = "Change where a webhook is told, or of what";
const DELETE: &str = "Delete a webhook";
const ROTATE: &str = "Give a webhook a new secret";
const ROTATE_ABOUT: &str =
    "It is told here, and nowhere else. For a day the old one signs beside it.";
const ATTEMPTS: &str = "The last 100 deliveries, the latest first";
const REPLAY: &str = "Tell a webhook once more of everything after a position";
const ENABLE: &str =
    "Let a webhook that failed or was disabled go on at once, from where it stopped";

pub(super) const WEBHOOKS: &[Operation] = &[
    admin("POST /api/admin/webhooks", "admin_create_webhook")
        .says(CREATE)
        .about(CREATE_ABOUT)
        .body(&[WEBHOOK_URL, WEBHOOK_KINDS, WEBHOOK_DIALECT])
        .answers(WITH_SECRET.status(201).headers(&["Location"]))
        .refuses(&[409]),
    admin("GET /api/admin/webhooks", "admin_webhooks")
        .says(LIST)
        .answers(ALL),
    admin("GET /api/admin/webhooks/{webhook}", "admin_webhook")
        .says(ONE)
        .answers(WEBHOOK),
    admin(
        "PATCH /api/admin/webhooks/{webhook}",
        "admin_change_webhook",
    )
    .says(CHANGE)
    .body(&[NEW_WEBHOOK_URL, WEBHOOK_KINDS])
    .answers(WEBHOOK),
    admin(
        "DELETE /api/admin/webhooks/{webhook}",
        "admin_delete_webhook",
    )
    .says(DELETE)
    .answers(OK),
    admin(
        "POST /api/admin/webhooks/{webhook}/secret",
        "admin_rotate_webhook_secret",
    )
    .says(ROTATE)
    .about(ROTATE_ABOUT)
    .answers(WITH_SECRET),
    admin(
        "GET /api/admin/webhooks/{webhook}/deliveries",
        "admin_webhook_deliveries",
    )
    .says(ATTEMPTS)
    .answers(DELIVERIES),
    admin(
        "POST /api/admin/webhooks/{webhook}/replay",
        "admin_replay_webhook",
    )
    .says(REPLAY)
    .body(&[REPLAY_POSITION])
    .answers(WEBHOOK),
    admin(
        "POST /api/admin/webhooks/{webhook}/enable",
        "admin_enable_webhook",
    )
    .says(ENABLE)
    .answers(WEBHOOK),
    support("POST /owner/webhooks", "owner_create_webhook")
        .says(CREATE)
        .about(CREATE_ABOUT)
        .access(Access::Owner)
        .body(&[WEBHOOK_URL, WEBHOOK_KINDS, WEBHOOK_DIALECT])
        .answers(SITES_WITH_SECRET),
    support("GET /owner/webhooks", "owner_webhooks")
        .says(LIST)
        .access(Access::Owner)
        .answers(SITES_ALL),
    support("GET /owner/webhooks/{webhook}", "owner_webhook")
        .says(ONE)
        .access(Access::Owner)
        .answers(SITES_WEBHOOK),
    support("PATCH /owner/webhooks/{webhook}", "owner_change_webhook")
        .says(CHANGE)
        .access(Access::Owner)
        .body(&[NEW_WEBHOOK_URL, WEBHOOK_KINDS])
        .answers(SITES_WEBHOOK),
    support("DELETE /owner/webhooks/{webhook}", "owner_delete_webhook")
        .says(DELETE)
        .access(Access::Owner)
        .answers(OWNER_DONE),
    support(
        "POST /owner/webhooks/{webhook}/secret",
        "owner_rotate_webhook_secret",
    )
    .says(ROTATE)
    .about(ROTATE_ABOUT)
    .access(Access::Owner)
    .answers(SITES_WITH_SECRET),
    support(
        "GET /owner/webhooks/{webhook}/deliveries",
        "owner_webhook_deliveries",
    )
    .says(ATTEMPTS)
    .access(Access::Owner)
    .answers(SITES_DELIVERIES),
    support(
        "POST /owner/webhooks/{webhook}/replay",
        "owner_replay_webhook",
    )
    .says(REPLAY)
    .access(Access::Owner)
    .body(&[REPLAY_POSITION])
    .answers(SITES_WEBHOOK),
    support(
        "POST /owner/webhooks/{webhook}/enable",
        "owner_enable_webhook",
    )
    .says(ENABLE)
    .access(Access::Owner)
    .answers(SITES_WEBHOOK),
    service("POST /webhook", "app_create_webhook")
        .says(CREATE)
        .about(CREATE_ABOUT)
        .body(&[WEBHOOK_URL, WEBHOOK_KINDS, WEBHOOK_DIALECT])
        .answers(WITH_SECRET.status(201))
        .refuses(&[409]),
    service("GET /webhook", "app_webhooks")
        .says(LIST)
        .answers(ALL),
    service("GET /webhook/{webhook}", "app_webhook")
        .says(ONE)
        .answers(WEBHOOK),
    service("PATCH /webhook/{webhook}", "app_change_webhook")
        .says(CHANGE)
        .body(&[NEW_WEBHOOK_URL, WEBHOOK_KINDS])
        .answers(WEBHOOK),
    service("DELETE /webhook/{webhook}", "app_delete_webhook")
        .says(DELETE)
        .answers(WEBHOOK),
    service(
        "POST /webhook/{webhook}/secret",
        "app_rotate_webhook_secret",
    )
    .says(ROTATE)
    .about(ROTATE_ABOUT)
    .answers(WITH_SECRET),
    service(
        "GET /webhook/{webhook}/deliveries",
        "app_webhook_deliveries",
    )
    .says(ATTEMPTS)
    .answers(DELIVERIES),
    service("POST /webhook/{webhook}/replay", "app_replay_webhook")
        .says(REPLAY)
        .body(&[REPLAY_POSITION])
        .answers(WEBHOOK),
    service("POST /webhook/{webhook}/enable", "app_enable_webhook")
        .says(ENABLE)
        .answers(WEBHOOK),
];
