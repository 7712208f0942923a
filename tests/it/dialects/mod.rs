//! Live support, chat as a service and embedded chat.

pub(crate) mod crowds;
pub(crate) mod embed_repeats;
pub(crate) mod fifth;
pub(crate) mod large_answers;
pub(crate) mod service_docs;
pub(crate) mod service_limits;
pub(crate) mod service_verify;
pub(crate) mod support_desk;
pub(crate) mod support_domains;
pub(crate) mod support_events;
pub(crate) mod support_owners;
pub(crate) mod support_queues;
pub(crate) mod support_repeats;
pub(crate) mod support_typing;
