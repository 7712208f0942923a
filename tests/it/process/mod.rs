//! The binary, its settings and its log.

mod binary;
mod binary_database;
mod config;
mod deployment;
mod descriptors;
mod metrics;
mod nats_settings;
mod settings_files;
mod spans;
mod telemetry;
