//! Foreign tenants, hostile clients and bad input, by every API and transport.

mod bad_input;
mod cookies;
mod credentials;
mod ends;
mod everything_open;
mod hostile;
mod local;
mod logins;
mod removal;
mod second_factor;
mod sign_ins;
mod strangers;
mod throttles;
mod tokens;
mod values;
mod verify;
