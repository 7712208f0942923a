//! The binary, its settings and its log.

pub(crate) mod binary;
pub(crate) mod binary_database;
pub(crate) mod config;
pub(crate) mod descriptors;
pub(crate) mod metrics;
pub(crate) mod settings_files;
pub(crate) mod spans;
pub(crate) mod telemetry;
