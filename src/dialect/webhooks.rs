//! Webhooks in JSON: how they are managed, and what they are told, alike in every API that has them.

use std::sync::Arc;

use serde::Serialize;
use serde_json::Value;

use crate::{
    chat::{
        Services,
        webhooks::{self, Changes, Encoder, Manager},
    },
    dialect::{Options, messenger},
    error::{Error, Result},
    json::schema::Describe,
    model::{
        Change, Delivery, DeliveryFailure, DisabledReason, Timestamp, Webhook, WebhookId,
        WebhookKind, WebhookTarget,
    },
};

/// A webhook.
#[derive(Debug, Describe, Serialize)]
pub struct WebhookWire {
    id: i64,
    url: String,
    /// What it is told of; everything where that is empty.
    kinds: Vec<&'static str>,
    /// In which API's shape.
    dialect: String,
    /// The last change that it is done with.
    position: i64,
    /// How many attempts in a row have failed.
    failures: i64,
    failing_since: Option<String>,
    next_attempt_at: Option<String>,
    disabled_at: Option<String>,
    #[schema(words = DisabledReason::WORDS)]
    disabled_reason: Option<&'static str>,
    created_at: String,
    updated_at: String,
}

/// A webhook with the secret by which its receiver knows what it sends. It is told once.
#[derive(Debug, Describe, Serialize)]
pub struct WebhookWithSecret {
    #[serde(flatten)]
    webhook: WebhookWire,
    secret: String,
    /// Until when the secret before it signs too.
    old_secret_until: Option<String>,
}

/// All webhooks.
#[derive(Debug, Describe, Serialize)]
pub struct Webhooks {
    webhooks: Vec<WebhookWire>,
}

/// An attempt to tell a webhook of a change.
#[derive(Debug, Describe, Serialize)]
pub struct DeliveryWire {
    /// What `webhook-id` said: the same at every attempt.
    id: String,
    position: i64,
    #[schema(words = WebhookKind::WORDS)]
    r#type: &'static str,
    /// The how manieth attempt in a row it was.
    attempt: i64,
    at: String,
    took_ms: i64,
    received: bool,
    /// The status of the answer.
    status: Option<u16>,
    /// Why there was none.
    #[schema(words = DeliveryFailure::WORDS)]
    failure: Option<&'static str>,
}

/// The last attempts, the latest first.
#[derive(Debug, Describe, Serialize)]
pub struct Deliveries {
    deliveries: Vec<DeliveryWire>,
}

impl From<&Webhook> for WebhookWire {
    fn from(webhook: &Webhook) -> Self {
        let rfc3339 = Timestamp::to_rfc3339;
        let kinds = webhook.target.kinds.iter();
        Self {
            id: webhook.id.get(),
            url: webhook.target.url.clone(),
            kinds: kinds.map(|kind| kind.as_str()).collect(),
            dialect: webhook.target.dialect.clone(),
            position: webhook.position.get(),
            failures: webhook.failures,
            failing_since: webhook.failing_since.map(rfc3339),
            next_attempt_at: webhook.next_attempt_at.map(rfc3339),
            disabled_at: webhook.disabled.map(|(at, _)| at.to_rfc3339()),
            disabled_reason: webhook.disabled.map(|(_, reason)| reason.as_str()),
            created_at: webhook.created_at.to_rfc3339(),
            updated_at: webhook.updated_at.to_rfc3339(),
        }
    }
}

impl From<&Webhook> for WebhookWithSecret {
    fn from(webhook: &Webhook) -> Self {
        let old = webhook.old_secret.as_ref();
        Self {
            webhook: webhook.into(),
            secret: webhook.secret.clone(),
            old_secret_until: old.map(|(_, until)| until.to_rfc3339()),
        }
    }
}

impl From<&[Webhook]> for Webhooks {
    fn from(webhooks: &[Webhook]) -> Self {
        let webhooks = webhooks.iter().map(WebhookWire::from).collect();
        Self { webhooks }
    }
}

impl Deliveries {
    /// The attempts of a webhook of that number.
    pub fn new(webhook: i64, deliveries: &[Delivery]) -> Self {
        let deliveries = deliveries.iter().map(|delivery| DeliveryWire {
            id: crate::model::webhook::message_id(webhook, delivery.position),
            position: delivery.position.get(),
            r#type: delivery.kind.as_str(),
            attempt: delivery.attempt,
            at: delivery.at.to_rfc3339(),
            took_ms: delivery.took_ms,
            received: delivery.is_received(),
            status: delivery.outcome.ok(),
            failure: delivery.outcome.err().map(DeliveryFailure::as_str),
        });
        Self {
            deliveries: deliveries.collect(),
        }
    }
}

/// Reads what a webhook is to be told of: words in a list, or with commas between them. Nothing where nobody says.
pub fn kinds(told: Option<&Value>) -> Result<Option<Vec<WebhookKind>>> {
    let words: Vec<&str> = match told {
        None => return Ok(None),
        Some(Value::String(text)) => text.split(',').map(str::trim).collect(),
        Some(Value::Array(words)) => {
            let words = words
                .iter()
                .map(|word| word.as_str().ok_or_else(wrong_kinds));
            words.collect::<Result<_>>()?
        }
        Some(_) => return Err(wrong_kinds()),
    };
    let words = words.into_iter().filter(|word| !word.is_empty());
    let kinds = words.map(|word| WebhookKind::from_stored(word).ok_or_else(wrong_kinds));
    let mut kinds = kinds.collect::<Result<Vec<_>>>()?;
    kinds.sort_by_key(|kind| kind.as_str());
    kinds.dedup();
    Ok(Some(kinds))
}

fn wrong_kinds() -> Error {
    let sentence = format!("kinds must be a list of {}", WebhookKind::WORDS.join(", "));
    Error::invalid_field("kinds", sentence)
}

/// Reads what a new webhook is to be. Without a word for it, it is told in the shape of the API that it is
/// registered by.
pub fn target(
    options: &Options,
    url: &str,
    told: Option<&Value>,
    (dialect, own): (Option<&str>, &'static str),
) -> Result<WebhookTarget> {
    let dialect = dialect.unwrap_or(own);
    if dialect != messenger::NAME && options.dialects.named(dialect).is_none() {
        return Err(Error::invalid_field(
            "dialect",
            "dialect must be the name of an API",
        ));
    }
    let kinds = kinds(told)?.unwrap_or_default();
    check_words(options, dialect, &kinds)?;
    Ok(WebhookTarget {
        url: url.to_owned(),
        kinds,
        dialect: dialect.to_owned(),
    })
}

/// What is changed of a webhook, whose API is the one that it was registered with.
pub async fn changes(
    services: &Services,
    options: &Options,
    (by, id): (Manager<'_>, WebhookId),
    (url, kinds): (Option<&str>, Option<Vec<WebhookKind>>),
) -> Result<Changes> {
    if let Some(kinds) = &kinds {
        let webhook = webhooks::one(services, by, id).await?;
        check_words(options, &webhook.target.dialect, kinds)?;
    }
    Ok(Changes {
        url: url.map(str::to_owned),
        kinds,
    })
}

/// Refuses kinds that an API has no word for: nobody is to wait for what is never sent.
fn check_words(options: &Options, dialect: &str, kinds: &[WebhookKind]) -> Result<()> {
    let Some(api) = options.dialects.named(dialect) else {
        // The messenger has a word for everything.
        return Ok(());
    };
    let Some(unknown) = kinds.iter().find(|kind| !api.tells(**kind)) else {
        return Ok(());
    };
    let all = WebhookKind::WORDS.iter();
    let known = all.filter_map(|word| WebhookKind::from_stored(word));
    let known: Vec<_> = known
        .filter(|kind| api.tells(*kind))
        .map(WebhookKind::as_str)
        .collect();
    let sentence = format!(
        "kinds has {}, for which the dialect {dialect} has no word: it has {}; the dialect messenger has all",
        unknown.as_str(),
        known.join(", ")
    );
    Err(Error::invalid_field("kinds", sentence))
}

/// Encodes changes for webhooks.
pub struct ChangeEncoder(pub Arc<Options>);

impl Encoder for ChangeEncoder {
    fn encode(&self, dialect: &str, change: &Change) -> Option<String> {
        if dialect == messenger::NAME {
            return Some(messenger::events::encode_event(change));
        }
        let dialect = self.0.dialects.named(dialect)?;
        let mut events = dialect.encode_change_with(&self.0, change);
        match events.len() {
            0 => None,
            1 => events.pop().map(|event| event.data.to_json().into_owned()),
            _ => {
                let data: Vec<_> = events.into_iter().map(|event| event.data).collect();
                serde_json::to_string(&data).ok()
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn kinds_come_as_a_list_or_with_commas_and_each_counts_once() {
        let read = |told: Value| kinds(Some(&told)).expect("they are kinds");
        let both = Some(vec![WebhookKind::ChatRead, WebhookKind::MessageCreated]);
        assert_eq!(read(json!(["message.created", "chat.read"])), both);
        assert_eq!(read(json!("message.created, chat.read,chat.read")), both);
        assert_eq!(read(json!("")), Some(Vec::new()));
        assert_eq!(kinds(None).expect("nothing is said"), None);
        for wrong in [
            json!("message"),
            json!(["chat.read", 1]),
            json!({}),
            json!(1),
        ] {
            let refused = kinds(Some(&wrong)).expect_err("these are none");
            assert_eq!(refused.field(), Some("kinds"), "{wrong}");
        }
    }
}
