//! The tests, in one binary.

mod actor;
mod config;
mod http_bodies;
mod http_errors;
mod http_origins;
mod http_world;
mod messenger_seed;
mod place;
mod world;
