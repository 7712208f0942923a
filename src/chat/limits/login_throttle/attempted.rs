//! What is attempted, and how it went: as it is counted here, and told to other servers.

use std::net::IpAddr;

use super::backoff::Verdict;
use crate::model::{LoginId, TenantId};

/// What is attempted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::chat) enum Attempted {
    /// To prove an account's password, by its folded name, from an address.
    Password(String, IpAddr),
    /// To prove a password from a browser that is known, by the nonce of its cookie.
    Device(u64),
    /// To prove the password anew, by who has a login.
    Login(LoginId),
    /// To make an account.
    SignUp(IpAddr),
    /// To open a conversation as a guest.
    Guest(IpAddr),
    /// To prove a token by its fingerprint, of some app if that was said.
    Token(Option<TenantId>, u64, IpAddr),
    /// To come back with a connection.
    Recovery(IpAddr),
    /// Nothing that counts.
    Nothing,
}

/// How an attempt went, which counts at every server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::chat) struct Outcome {
    pub(in crate::chat) attempted: Attempted,
    pub(in crate::chat) verdict: Verdict,
}
