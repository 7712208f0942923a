//! The messenger API.

mod accounts;
mod chats;
mod creating;
mod looks;
mod reads;
mod seed;
mod sending;
