//! Several servers of one PostgreSQL.

mod ends;
mod hearing;
mod histories;
mod killed;
mod passing_on;
mod recovery;
