//! Rate limits: per address, per login and per tenant.
//!
//! # Why
//! Each has a steady rate and may save up ten seconds of it for a burst. A client past its limit
//! is refused with a `Retry-After`, and refused requests do not count. The counting is the governor
//! crate's; what is ours is who is counted together, and that a flood of callers never seen before
//! cannot grow the tables without bound.

use std::{hash::Hash, net::IpAddr, num::NonZeroU32};

use governor::{
    Quota, RateLimiter,
    clock::{Clock, MonotonicClock},
    middleware::NoOpMiddleware,
    state::keyed::HashMapStateStore,
};

use crate::{
    error::{Error, Result},
    model::{HookId, LoginId, TenantId},
};

/// How many seconds of its rate anybody may save up.
const SAVED: u32 = 10;
/// The most callers of one kind that are remembered.
const MOST: usize = 100_000;

/// Requests a second; zero is no limit.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Rates {
    /// From one address.
    pub address: u32,
    /// With one login.
    pub login: u32,
    /// For one tenant, all its people together.
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
    /// An incoming hook, as often as a login.
    Hook(HookId),
}

/// Counts requests.
#[derive(Debug)]
pub struct RateLimit<C: Clock + Clone = MonotonicClock> {
    addresses: Meter<IpAddr, C>,
    logins: Meter<LoginId, C>,
    tenants: Meter<TenantId, C>,
    hooks: Meter<HookId, C>,
}

impl RateLimit {
    /// Limits without any request yet.
    pub fn new(rates: Rates) -> Self {
        Self::with_clock(rates, &MonotonicClock)
    }
}

impl<C: Clock + Clone> RateLimit<C> {
    fn with_clock(rates: Rates, clock: &C) -> Self {
        Self {
            addresses: Meter::new(rates.address, clock),
            logins: Meter::new(rates.login, clock),
            tenants: Meter::new(rates.tenant, clock),
            hooks: Meter::new(rates.login, clock),
        }
    }

    /// Counts a request; refuses it when there were too many.
    pub fn count(&self, who: Who) -> Result<()> {
        self.count_many(who, 1)
    }

    /// Counts a request that costs as much as so many: never more than may be saved up, so that it can
    /// be made at all.
    pub fn count_many(&self, who: Who, requests: usize) -> Result<()> {
        match who {
            Who::Address(address) => self.addresses.count(&address, requests),
            Who::Login(login) => self.logins.count(&login, requests),
            Who::Tenant(tenant) => self.tenants.count(&tenant, requests),
            Who::Hook(hook) => self.hooks.count(&hook, requests),
        }
    }
}

type Limiter<K, C> = RateLimiter<K, HashMapStateStore<K>, C, NoOpMiddleware<<C as Clock>::Instant>>;

/// Counts the requests of callers of one kind.
#[derive(Debug)]
struct Meter<K: Hash + Eq + Clone, C: Clock + Clone> {
    /// None where there is no limit.
    limiter: Option<Limiter<K, C>>,
    /// The most requests that may come at once.
    burst: u32,
    clock: C,
}

impl<K: Hash + Eq + Clone, C: Clock + Clone> Meter<K, C> {
    fn new(rate: u32, clock: &C) -> Self {
        let limiter = NonZeroU32::new(rate).map(|rate| {
            let burst = rate.saturating_mul(NonZeroU32::new(SAVED).expect("it is not zero"));
            let quota = Quota::per_second(rate).allow_burst(burst);
            RateLimiter::hashmap_with_clock(quota, clock.clone())
        });
        Self {
            limiter,
            burst: rate.saturating_mul(SAVED),
            clock: clock.clone(),
        }
    }

    fn count(&self, who: &K, requests: usize) -> Result<()> {
        let requests = u32::try_from(requests).unwrap_or(u32::MAX).min(self.burst);
        let (Some(limiter), Some(requests)) = (&self.limiter, NonZeroU32::new(requests)) else {
            return Ok(());
        };
        let counted = limiter.check_key_n(who, requests);
        let counted = counted.map_err(|_| Error::internal("a burst larger than the largest"))?;
        counted.map_err(|refused| {
            let wait = refused.wait_time_from(self.clock.now());
            Error::too_many("too many requests, please slow down", wait)
        })?;
        if limiter.len() > MOST {
            // A full bucket is the same as a new one.
            limiter.retain_recent();
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use governor::clock::FakeRelativeClock;

    use super::*;

    const RATES: Rates = Rates {
        address: 2,
        login: 1,
        tenant: 0,
    };

    #[test]
    fn ten_seconds_are_saved_up_and_come_back() {
        let clock = FakeRelativeClock::default();
        let limits = RateLimit::with_clock(RATES, &clock);
        let who = Who::Address(IpAddr::from([192, 0, 2, 1]));
        for _ in 0..20 {
            limits.count(who).expect("saved up");
        }
        let refused = limits.count(who).expect_err("too many");
        assert_eq!(refused.retry_after(), Some(Duration::from_millis(500)));
        clock.advance(Duration::from_millis(500));
        limits.count(who).expect("one came back");
        limits.count(who).expect_err("but one only");
        let other = Who::Address(IpAddr::from([192, 0, 2, 2]));
        limits.count(other).expect("others are others");
    }

    #[test]
    fn what_costs_as_much_as_many_counts_as_many_and_can_be_made_at_all() {
        let clock = FakeRelativeClock::default();
        let limits = RateLimit::with_clock(RATES, &clock);
        let who = Who::Login(LoginId::new(1));
        limits.count_many(who, 7).expect("saved up");
        limits.count_many(who, 4).expect_err("three are left");
        limits.count_many(who, 3).expect("just as many");
        limits.count_many(who, 0).expect("nothing costs nothing");
        clock.advance(Duration::from_secs(10));
        limits.count_many(who, 1_000_000).expect("all there is");
        limits.count(who).expect_err("nothing is left");
    }

    #[test]
    fn no_rate_is_no_limit_and_no_address_is_apart() {
        let limits = RateLimit::new(RATES);
        for _ in 0..1000 {
            limits.count(Who::Tenant(TenantId::new(1))).expect("none");
        }
        // Who is on this machine is found out where they come in: a proxy has that address as well.
        let here = Who::Address(IpAddr::from([127, 0, 0, 1]));
        let counted = (0..1000).filter(|_| limits.count(here).is_ok()).count();
        assert!(counted < 100, "{counted}");
    }

    #[test]
    fn a_flood_of_strangers_is_forgotten_and_who_asks_too_often_is_not() {
        let clock = FakeRelativeClock::default();
        let limits = RateLimit::with_clock(RATES, &clock);
        let greedy = Who::Login(LoginId::new(1));
        for _ in 0..10 {
            limits.count(greedy).expect("saved up");
        }
        let flood = i64::try_from(MOST).expect("it is small");
        for stranger in 2..=flood {
            let _ = limits.count(Who::Login(LoginId::new(stranger)));
        }
        clock.advance(Duration::from_secs(3));
        for stranger in 1..=10 {
            limits
                .count(Who::Login(LoginId::new(flood + stranger)))
                .expect("they are new");
        }
        let kept = limits.logins.limiter.as_ref().map_or(0, RateLimiter::len);
        assert!(kept < 100, "{kept} are remembered");
        for _ in 0..3 {
            limits.count(greedy).expect("three seconds came back");
        }
        limits.count(greedy).expect_err("and no more");
    }
}
