//! The tests, in one binary.

mod actor;
mod bad_input;
mod binary;
mod binary_database;
mod config;
mod crowds;
mod engine;
mod engine_handshake;
mod engine_heartbeat;
mod engine_polling;
mod engine_upgrade;
mod engine_websocket;
mod events_alike;
mod events_audience;
mod events_ends;
mod events_poll;
mod events_stream;
mod hostile;
mod hostile_asks;
mod house_rules;
mod http_bodies;
mod http_doors;
mod http_errors;
mod http_origins;
mod http_pages;
mod http_wire;
mod http_world;
mod large_answers;
mod messenger_accounts;
mod messenger_chats;
mod messenger_reads;
mod messenger_seed;
mod messenger_sending;
mod model_histories;
mod model_mirror;
mod outages;
mod packet;
mod packet_oracle;
mod packet_properties;
mod place;
mod service_docs;
mod service_limits;
mod service_verify;
mod socketio;
mod socketio_answers;
mod socketio_client;
mod socketio_connect;
mod socketio_cookies;
mod socketio_events;
mod socketio_overflow;
mod socketio_private_id;
mod socketio_recovery;
mod socketio_rooms;
mod socketio_world;
mod store_contract;
mod store_migrations;
mod store_plans;
mod stories;
mod strangers;
mod strangers_house;
mod support_desk;
mod support_domains;
mod support_events;
mod support_owners;
mod support_queues;
mod support_repeats;
mod support_typing;
mod support_world;
mod telemetry;
mod world;
mod writer_failures;

/// Names the TLS library that the tests' HTTP client may use: the one that the server has anyway.
pub(crate) fn with_tls() {
    // It is named once; who comes later finds it named.
    let _ = rustls::crypto::ring::default_provider().install_default();
}
