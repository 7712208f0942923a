//! The messenger API.

mod accounts;
mod chats;
mod creating;
mod governing;
mod looks;
mod members;
mod reads;
mod seed;
mod sending;
