//! The tests, in one binary.

mod actor;
mod config;
mod http_bodies;
mod http_errors;
mod http_origins;
mod http_world;
mod messenger_accounts;
mod messenger_chats;
mod messenger_seed;
mod messenger_sending;
mod place;
mod world;
