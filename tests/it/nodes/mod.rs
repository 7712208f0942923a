//! Several servers of one PostgreSQL.

mod ends;
mod guesses;
mod hearing;
mod histories;
mod killed;
mod lane_commands;
mod lane_sockets;
mod lanes;
mod mangled;
mod nats;
mod nats_sign_in;
mod online;
mod passing_on;
mod recovery;
mod rooms;
mod turns;
mod typing;
mod waits;
