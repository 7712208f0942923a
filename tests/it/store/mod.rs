//! The store and the writer, on both databases.

mod backups;
mod checks;
mod contract;
mod copies;
mod failover;
mod hanging_up;
mod live_copies;
mod live_sources;
mod migrations;
mod outages;
mod plans;
mod registrations;
mod search_index;
mod search_walks;
mod shared_transactions;
mod writer_failures;
