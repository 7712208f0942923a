//! The messenger API.

mod accounts;
mod chats;
mod creating;
mod editing;
mod governing;
mod hooks;
mod invites;
mod looks;
mod members;
mod mentions;
mod people;
mod presence;
mod reactions;
mod reads;
mod replies;
mod search;
mod seed;
mod sending;
mod typing;
