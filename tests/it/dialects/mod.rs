//! Live support, chat as a service and embedded chat.

mod crowds;
mod delivery;
mod embed_repeats;
mod fifth;
mod large_answers;
mod pipelining;
mod returning;
mod service_limits;
mod service_verify;
mod support_desk;
mod support_domains;
mod support_events;
mod support_owners;
mod support_queues;
mod support_repeats;
mod support_typing;
