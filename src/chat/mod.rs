//! The verbs: everything that people do, by whichever API.
//!
//! # Why
//! Every handler (of a route, of a socket's event) parses its API's request and calls one verb here;
//! that is what keeps four APIs one product. Verbs take a proof of who asks: a [`Caller`] can only
//! be made by [`callers`], a [`access::Reader`] only by [`access`]. Verbs answer with model values
//! and know neither JSON nor HTTP.
//!
//! Whether somebody may *send* is decided by the `writer` inside the transaction that writes: a
//! check before it could be outdated by the time the batch is written, and would cost every post a
//! second look at the database.

pub mod access;
pub mod accounts;
pub mod administration;
pub mod apps;
pub mod bus;
pub mod callers;
pub mod change_feed;
pub mod change_filter;
pub mod chats;
pub mod connections;
pub mod conversations;
pub mod cursors;
pub mod deletion;
pub mod developers;
mod device_cookies;
pub mod domains;
pub mod export;
mod follower;
mod gathered;
pub mod housekeeping;
pub mod incoming;
pub mod invites;
mod keys;
mod lanes;
mod latest;
mod lifetime;
pub mod limits;
pub mod logins;
pub mod members;
pub mod messages;
mod online;
pub mod outgoing;
pub mod owners;
mod password;
pub mod peers;
pub mod people;
pub mod presence;
pub mod profiles;
mod qr;
mod registrations;
mod renamed;
mod renewal;
pub mod rooms;
pub mod search;
pub mod second_factor;
mod services;
pub mod sessions;
mod sign_ins;
pub mod signals;
pub mod subscription;
pub mod tokens;
pub mod verify;
pub mod webhooks;
mod writer;

pub use callers::Caller;
pub use services::Services;
pub use writer::{Bounds as WriterBounds, Observer as WriteObserver};
