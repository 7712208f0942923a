//! What all HTTP routes share.

mod asyncapi;
mod bodies;
mod connections;
mod description;
mod errors;
mod examples;
mod operators;
mod origins;
mod pages;
mod wire;
