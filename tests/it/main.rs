//! The tests, in one binary.

mod config;
