//! Webhooks: managing them, what they are told, and what becomes of them when receivers or servers fail.

mod delivering;
mod killed;
mod managing;
mod outages;
mod visible;
mod words;
