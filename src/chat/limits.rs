//! How often anybody may ask: per address, per login and per tenant.
//!
//! Each has a steady rate and may save up ten seconds of it for a burst. Whoever asks too often is
//! told when to come back, and is not punished for having asked.

use std::{
    collections::HashMap,
    net::IpAddr,
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use crate::{
    error::{Error, Result},
    model::{LoginId, TenantId},
};

/// How many seconds of its rate anybody may save up.
const SAVED: u32 = 10;
/// The most callers that are remembered.
const MOST: usize = 100_000;

/// Requests a second; zero is no limit.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Rates {
    /// From one address.
    pub address: u32,
    /// With one login.
    pub login: u32,
    /// For one tenant, whoever asks.
    pub tenant: u32,
}

/// Whose requests are counted together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Who {
    /// An address, of IPv6 the network that one customer gets.
    Address(IpAddr),
    /// A login.
    Login(LoginId),
    /// A tenant.
    Tenant(TenantId),
}

/// Counts requests.
#[derive(Debug)]
pub struct Limits {
    rates: Rates,
    /// When each one's savings will be full again.
    full_at: Mutex<HashMap<Who, Instant>>,
}

impl Limits {
    /// Limits that nobody has used yet.
    pub fn new(rates: Rates) -> Self {
        Self {
            rates,
            full_at: Mutex::default(),
        }
    }

    /// Counts a request; refuses it when there were too many.
    pub fn count(&self, who: Who) -> Result<()> {
        self.count_at(who, Instant::now())
    }

    fn count_at(&self, who: Who, now: Instant) -> Result<()> {
        let rate = match who {
            // What runs on this machine is the operator's own, or a proxy that counts for itself.
            Who::Address(address) if address.is_loopback() => 0,
            Who::Address(_) => self.rates.address,
            Who::Login(_) => self.rates.login,
            Who::Tenant(_) => self.rates.tenant,
        };
        let Some(each) = Duration::from_secs(1).checked_div(rate) else {
            return Ok(());
        };
        let savings = Duration::from_secs(1) * SAVED;
        let mut full_at = self.full_at();
        if full_at.len() >= MOST && !full_at.contains_key(&who) {
            full_at.retain(|_, at| *at > now);
            if full_at.len() >= MOST {
                full_at.clear();
            }
        }
        let at = full_at.entry(who).or_insert(now);
        let next = (*at).max(now) + each;
        let wait = next.saturating_duration_since(now).saturating_sub(savings);
        if !wait.is_zero() {
            return Err(Error::too_many("too many requests, please slow down", wait));
        }
        *at = next;
        Ok(())
    }

    fn full_at(&self) -> MutexGuard<'_, HashMap<Who, Instant>> {
        self.full_at.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn limits() -> Limits {
        Limits::new(Rates {
            address: 2,
            login: 1,
            tenant: 0,
        })
    }

    #[test]
    fn ten_seconds_are_saved_up_and_come_back() {
        let (limits, now) = (limits(), Instant::now());
        let who = Who::Address(IpAddr::from([192, 0, 2, 1]));
        for _ in 0..20 {
            limits.count_at(who, now).expect("saved up");
        }
        let refused = limits.count_at(who, now).expect_err("too many");
        assert_eq!(refused.retry_after(), Some(Duration::from_millis(500)));
        let later = now + Duration::from_millis(500);
        limits.count_at(who, later).expect("one came back");
        limits.count_at(who, later).expect_err("but one only");
        let other = Who::Address(IpAddr::from([192, 0, 2, 2]));
        limits.count_at(other, later).expect("others are others");
    }

    #[test]
    fn no_rate_and_this_machine_are_no_limit() {
        let (limits, now) = (limits(), Instant::now());
        for _ in 0..1000 {
            limits
                .count_at(Who::Tenant(TenantId::new(1)), now)
                .expect("no limit");
            limits
                .count_at(Who::Address(IpAddr::from([127, 0, 0, 1])), now)
                .expect("this machine");
        }
    }
}
