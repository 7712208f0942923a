//! What all HTTP routes share.

mod bodies;
mod connections;
mod errors;
mod operators;
mod origins;
mod pages;
mod wire;
