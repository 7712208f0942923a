//! The store and the writer, on both databases.

pub(crate) mod contract;
pub(crate) mod migrations;
pub(crate) mod outages;
pub(crate) mod plans;
pub(crate) mod writer_failures;
