//! The rows of accounts.

use super::{DAY, RATE};
use crate::config::setting::{
    Kind::{Choice, Flag, Length, Number},
    Preset, Setting,
};

pub(super) const ACCOUNTS: &[Setting] = &[
    Setting::new(
        "registration",
        Preset::Text("open"),
        Choice(&["open", "invitation", "closed"]),
        "Who may make an account: anybody; who was invited, and the page says so; who was invited, and the page \
         offers no account.",
    )
    .more("What an administrator chooses at `/admin` goes before this."),
    Setting::new(
        "bcrypt_cost",
        Preset::Number(12),
        Number(4..=31, ""),
        "Work factor of password hashes: each step doubles the time that a check takes.",
    ),
    Setting::new(
        "bcrypt_parallel",
        Preset::Number(0),
        Number(0..=1_024, "hashes"),
        "How many passwords are hashed at the same time; 0: as many as there are cores.",
    ),
    Setting::new(
        "password_min",
        Preset::Number(8),
        Number(6..=64, "characters"),
        "The fewest characters of a new password.",
    )
    .more("Clients written for the first servers of these APIs may count on 6."),
    Setting::new(
        "login_idle",
        Preset::Text("30d"),
        Length(1..=3_650 * DAY),
        "How long a login lasts unused.",
    ),
    Setting::new(
        "login_max",
        Preset::Text("180d"),
        Length(1..=3_650 * DAY),
        "How long a login lasts at most, however much it is used.",
    ),
    Setting::new(
        "logins_per_person",
        Preset::Number(100),
        Number(1..=10_000, "logins"),
        "Most logins that a person has at a time; past it the one ends that was not used for the longest time.",
    ),
    Setting::new(
        "rate_limits",
        Preset::Flag(true),
        Flag,
        "Rate limits on wrong passwords and on requests. Turn them off for benches and tests only.",
    ),
    Setting::new(
        "rate_per_address",
        Preset::Number(1_000),
        RATE,
        "Requests and events a second from one address; 0: no limit. This machine's own are not counted, nor \
         what browsers ask beforehand (OPTIONS).",
    )
    .more("Ten seconds' worth may come at once; what is more is answered 429 with Retry-After."),
    Setting::new(
        "rate_per_login",
        Preset::Number(500),
        RATE,
        "The same with one login.",
    ),
    Setting::new(
        "rate_per_tenant",
        Preset::Number(10_000),
        RATE,
        "The same for one tenant (a site, an app, everybody with an account at home).",
    ),
];
