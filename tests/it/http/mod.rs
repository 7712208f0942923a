//! What all HTTP routes share.

mod bodies;
mod connections;
mod doors;
mod errors;
mod origins;
mod pages;
mod wire;
