//! The messenger API.

mod accounts;
mod chats;
mod looks;
mod reads;
mod seed;
mod sending;
