//! What all HTTP routes share.

mod asyncapi;
mod bodies;
mod connections;
mod description;
mod errors;
mod examples;
mod first_examples;
mod operators;
mod origins;
mod pages;
mod wire;
