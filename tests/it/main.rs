//! The tests, in one binary.

mod config;
mod http_bodies;
mod http_doors;
mod http_errors;
mod http_origins;
mod http_pages;
mod http_world;
mod packet;
mod packet_oracle;
mod packet_properties;
mod telemetry;
