//! The tests, in one binary.

mod administration;
mod dialects;
mod engine;
mod events;
mod house_rules;
mod http;
mod messenger;
mod model;
mod nodes;
mod process;
mod security;
mod socketio;
mod store;
mod stories;
mod support;
mod webhooks;

/// Names the TLS library that the tests' HTTP client may use: the one that the server has anyway.
pub(crate) fn with_tls() {
    // It is named once; who comes later finds it named.
    let _ = rustls::crypto::ring::default_provider().install_default();
}
