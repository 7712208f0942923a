//! Several servers of one PostgreSQL.

mod ends;
mod guesses;
mod hearing;
mod histories;
mod killed;
mod mangled;
mod online;
mod passing_on;
mod recovery;
mod rooms;
mod turns;
mod typing;
mod waits;
