//! The tests, in one binary.

mod actor;
mod config;
mod events_audience;
mod events_ends;
mod events_poll;
mod events_stream;
mod http_bodies;
mod http_doors;
mod http_errors;
mod http_origins;
mod http_pages;
mod http_world;
mod messenger_accounts;
mod messenger_chats;
mod messenger_seed;
mod messenger_sending;
mod place;
mod store_contract;
mod store_plans;
mod telemetry;
mod world;
