//! Bounds on what one caller may take: requests, guesses of passwords, waits.
//!
//! # Why
//! Each bound counts what costs the server something and says when to come again. They stand
//! together so that a new route or event finds the one that it needs.

pub mod login_throttle;
pub mod rate_limit;
pub mod wait_limit;

use std::net::IpAddr;

use crate::{
    chat::{Caller, Services, callers::KeyHolder, logins},
    error::Result,
};

pub use rate_limit::Rates;
pub(super) use rate_limit::{RateLimit, Who};

/// Counts a request for the address it came from, of IPv6 the network that one customer gets.
pub fn count_address(services: &Services, network: IpAddr) -> Result<()> {
    services.limits.count(Who::Address(network))
}

/// Counts an event on a connection, whose tokens were proved long ago: for the address it came from,
/// and for every login and tenant that the connection acts for. A client that has several logins on one
/// connection has no more to say with them than with one.
pub fn count_event<'a>(
    services: &Services,
    network: Option<IpAddr>,
    key: Option<&KeyHolder>,
    callers: impl Iterator<Item = &'a Caller>,
) -> Result<()> {
    let limits = &services.limits;
    if let Some(network) = network {
        limits.count(Who::Address(network))?;
    }
    let mut tenants: Vec<_> = key.map(|key| key.tenant().id).into_iter().collect();
    for caller in callers {
        if let Some(login) = caller.login() {
            limits.count(Who::Login(login.login.id))?;
        }
        if !tenants.contains(&caller.tenant()) {
            tenants.push(caller.tenant());
        }
    }
    for tenant in tenants {
        limits.count(Who::Tenant(tenant))?;
    }
    Ok(())
}

/// Counts that somebody showed a secret that is no login's, right or wrong; refuses who guesses.
pub async fn count_secret(
    services: &Services,
    secret: &str,
    network: IpAddr,
    is_right: bool,
) -> Result<()> {
    let throttle = &services.login_throttle;
    let attempt = throttle.token(None, &logins::hash(secret), network).await?;
    attempt.settle(&Ok(is_right), |is_right| *is_right);
    Ok(())
}
