//! The tests, in one binary.

mod actor;
mod binary;
mod config;
mod events_audience;
mod events_ends;
mod events_poll;
mod events_stream;
mod house_rules;
mod http_bodies;
mod http_doors;
mod http_errors;
mod http_origins;
mod http_pages;
mod http_wire;
mod http_world;
mod messenger_accounts;
mod messenger_chats;
mod messenger_seed;
mod messenger_sending;
mod packet;
mod packet_oracle;
mod packet_properties;
mod place;
mod telemetry;
mod world;
