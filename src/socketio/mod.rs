//! A Socket.IO server on Rocket: what clients of protocol revisions 4 and 5 reach.
//!
//! # Why
//! Each layer is usable and tested without the next: packets know no network.

pub mod packet;
