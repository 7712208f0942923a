//! What the tests share: actors, servers, clients that know nothing of our own code.

pub(crate) mod actor;
pub(crate) mod administration;
pub(crate) mod asks;
pub(crate) mod binary;
pub(crate) mod engine;
pub(crate) mod everything;
pub(crate) mod history;
pub(crate) mod http_world;
pub(crate) mod log;
pub(crate) mod mirror;
pub(crate) mod old_database;
pub(crate) mod packets;
pub(crate) mod place;
pub(crate) mod poll;
pub(crate) mod roles;
pub(crate) mod routes;
pub(crate) mod security_world;
pub(crate) mod socketio;
pub(crate) mod socketio_client;
pub(crate) mod socketio_world;
pub(crate) mod stage;
pub(crate) mod stream;
pub(crate) mod support_world;
pub(crate) mod tenants;
pub(crate) mod toy;
pub(crate) mod world;
