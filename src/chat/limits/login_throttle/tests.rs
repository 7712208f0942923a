//! The throttle, with the time handed in.

use std::sync::LazyLock;

use super::{backoff::MOST, *};
use crate::error::Kind;

static START: LazyLock<Instant> = LazyLock::new(Instant::now);

fn network(last: u8) -> IpAddr {
    IpAddr::from([192, 0, 2, last])
}

fn seconds(number: u64) -> Duration {
    Duration::from_secs(number)
}

/// The pause that a refusal tells, after checking that it is one.
fn told<T: std::fmt::Debug>(refusal: Result<T>) -> Duration {
    let error = refusal.expect_err("it is paused");
    assert_eq!(error.kind(), Kind::TooMany);
    error.retry_after().expect("it says when")
}

fn fail(throttle: &LoginThrottle, account: &str, from: IpAddr, now: Instant) {
    drop(throttle.attempt(account, from, now).expect("it may begin"));
}

#[test]
fn pauses_double_up_to_the_cap() {
    let pauses: Vec<_> = (0..=14)
        .map(|count| ACCOUNT.pause(count).as_secs())
        .collect();
    assert_eq!(pauses, [0, 0, 0, 0, 0, 0, 1, 2, 4, 8, 16, 32, 60, 60, 60]);
    assert_eq!(ACCOUNT.pause(u32::MAX), ACCOUNT.cap);
    assert_eq!(ADDRESS.pause(u32::MAX), seconds(900));
    assert_eq!(ADDRESS.pause(20), Duration::ZERO);
    assert_eq!(ADDRESS.pause(21), seconds(1));
}

#[test]
fn an_account_is_slowed_down_wherever_the_guesses_come_from_and_never_locked() {
    let throttle = LoginThrottle::new(true);
    let mut now = *START;
    for guess in 0..5 {
        fail(&throttle, "ann", network(guess), now);
    }
    for (guess, pause) in [1, 2, 4, 8, 16, 32, 60, 60, 60].into_iter().enumerate() {
        let from = network(u8::try_from(guess).expect("few") + 10);
        fail(&throttle, "ann", from, now);
        assert_eq!(
            told(throttle.attempt("ann", network(1), now)),
            seconds(pause)
        );
        // Others are not slowed down.
        throttle
            .attempt("bo", network(1), now)
            .expect("bo may")
            .succeeded();
        let almost = now + seconds(pause).saturating_sub(Duration::from_millis(1));
        assert_eq!(
            told(throttle.attempt("ann", network(1), almost)),
            Duration::from_millis(1)
        );
        now += seconds(pause);
    }
}

#[test]
fn an_address_is_slowed_down_whatever_account_it_guesses_at() {
    let throttle = LoginThrottle::new(true);
    for guess in 0..21 {
        fail(&throttle, &format!("person {guess}"), network(1), *START);
    }
    assert_eq!(
        told(throttle.attempt("ann", network(1), *START)),
        seconds(1)
    );
    fail(&throttle, "ann", network(2), *START);
}

#[test]
fn guesses_made_at_once_are_counted_before_they_fail() {
    let throttle = LoginThrottle::new(true);
    let begun: Vec<_> = (0..100)
        .filter_map(|_| throttle.attempt("ann", network(1), *START).ok())
        .collect();
    assert_eq!(begun.len(), 6);
}

#[test]
fn a_success_frees_the_account_but_not_the_address() {
    let throttle = LoginThrottle::new(true);
    for _ in 0..4 {
        fail(&throttle, "ann", network(1), *START);
    }
    throttle
        .attempt("ann", network(1), *START)
        .expect("the fifth")
        .succeeded();
    for _ in 0..5 {
        fail(&throttle, "ann", network(2), *START);
    }
    // An attacker's own account does not wash the address clean.
    for guess in 0..16 {
        fail(&throttle, &format!("person {guess}"), network(1), *START);
        throttle
            .attempt("mallory", network(1), *START)
            .expect("right each time")
            .succeeded();
    }
    fail(&throttle, "bo", network(1), *START);
    told(throttle.attempt("mallory", network(1), *START));
}

#[test]
fn an_abandoned_attempt_is_not_held_against_anybody() {
    let throttle = LoginThrottle::new(true);
    for _ in 0..100 {
        throttle
            .attempt("ann", network(1), *START)
            .expect("always")
            .abandoned();
        throttle
            .sign_up(network(1), *START)
            .expect("always")
            .abandoned();
        throttle
            .guest(network(1), *START)
            .expect("always")
            .abandoned();
        throttle
            .token(None, &token(1), network(1), *START)
            .expect("always")
            .abandoned();
    }
}

#[test]
fn everything_is_forgotten_after_a_quiet_while() {
    let throttle = LoginThrottle::new(true);
    for _ in 0..6 {
        fail(&throttle, "ann", network(1), *START);
    }
    let later = *START + seconds(1) + ACCOUNT.forget;
    for _ in 0..5 {
        fail(&throttle, "ann", network(2), later);
    }
    throttle
        .attempt("ann", network(2), later)
        .expect("the sixth")
        .abandoned();
}

#[test]
fn sign_ups_from_an_address_are_slowed_down() {
    let throttle = LoginThrottle::new(true);
    for _ in 0..21 {
        drop(throttle.sign_up(network(1), *START).expect("free"));
    }
    assert_eq!(told(throttle.sign_up(network(1), *START)), seconds(1));
    drop(
        throttle
            .sign_up(network(2), *START)
            .expect("another address"),
    );
    throttle
        .attempt("ann", network(1), *START)
        .expect("signing in is another matter")
        .succeeded();
}

#[test]
fn a_throttle_that_is_off_lets_everybody_pass() {
    let throttle = LoginThrottle::new(false);
    for _ in 0..100 {
        fail(&throttle, "ann", network(1), *START);
        drop(throttle.sign_up(network(1), *START).expect("off"));
    }
}

#[test]
fn memory_is_bounded_and_the_oldest_go_first() {
    let throttle = LoginThrottle::new(true);
    for round in 0..25_000_u32 {
        let now = *START + Duration::from_millis(u64::from(round));
        let from = IpAddr::from(round.to_be_bytes());
        fail(&throttle, &format!("person {round}"), from, now);
        assert!(throttle.tables().accounts.entries.len() <= MOST);
        assert!(throttle.tables().addresses.entries.len() <= MOST);
    }
    let tables = throttle.tables();
    assert!(tables.accounts.entries.contains_key("person 24999"));
    assert!(!tables.accounts.entries.contains_key("person 0"));
}

#[test]
fn guests_from_an_address_are_slowed_down() {
    let throttle = LoginThrottle::new(true);
    for _ in 0..61 {
        drop(throttle.guest(network(1), *START).expect("free"));
    }
    assert_eq!(told(throttle.guest(network(1), *START)), seconds(1));
    drop(throttle.guest(network(2), *START).expect("another address"));
    drop(
        throttle
            .sign_up(network(1), *START)
            .expect("another matter"),
    );
}

#[test]
fn an_ipv6_customer_counts_as_one() {
    let network = |text: &str| super::network(text.parse().expect("an address"));
    assert_eq!(network("2001:db8:1:2:3::4"), network("2001:db8:1:2:ffff::"));
    assert_ne!(network("2001:db8:1:2::1"), network("2001:db8:1:3::1"));
    assert_eq!(network("::ffff:192.0.2.1"), network("192.0.2.1"));
}

fn token(number: u32) -> TokenHash {
    TokenHash::new(format!("{number:016x}"))
}

fn guess(throttle: &LoginThrottle, number: u32, from: IpAddr, now: Instant) -> Result<()> {
    throttle.token(None, &token(number), from, now).map(drop)
}

#[test]
fn guesses_of_tokens_from_an_address_are_slowed_down() {
    let throttle = LoginThrottle::new(true);
    for number in 0..21 {
        guess(&throttle, number, network(1), *START).expect("free");
    }
    assert_eq!(told(guess(&throttle, 21, network(1), *START)), seconds(1));
    guess(&throttle, 21, network(2), *START).expect("another address");
    fail(&throttle, "ann", network(1), *START);
    // Nobody is shut out for long.
    let mut now = *START;
    for number in 100..200 {
        now += TOKEN.cap;
        guess(&throttle, number, network(1), now).expect("after the longest pause");
    }
}

#[test]
fn a_token_that_is_repeated_is_no_new_guess_and_one_that_was_good_passes() {
    let throttle = LoginThrottle::new(true);
    for _ in 0..1_000 {
        guess(&throttle, 1, network(1), *START).expect("an expired token, again and again");
    }
    for number in 2..1_000 {
        let right = throttle.token(None, &token(number), network(1), *START);
        right.expect("nobody guesses").succeeded();
    }
    for number in 1_000..1_020 {
        guess(&throttle, number, network(1), *START).expect("free");
    }
    told(guess(&throttle, 2_000, network(1), *START));
    for number in 1..1_020 {
        guess(&throttle, number, network(1), *START).expect("what is known passes");
    }
    told(
        guess(&throttle, 1, network(1 + 1), *START)
            .and_then(|()| guess(&throttle, 2_000, network(1), *START)),
    );
}

#[test]
fn guesses_of_an_apps_tokens_are_slowed_down_wherever_they_come_from() {
    let throttle = LoginThrottle::new(true);
    let app = Some(TenantId::new(7));
    let from = |number: u32| IpAddr::from(number.to_be_bytes());
    let ask = |number: u32, now| throttle.token(app, &token(number), from(number), now);
    for number in 1..=OF_APP.burst {
        drop(ask(number, *START).expect("free"));
    }
    assert_eq!(told(ask(5_000, *START)), OF_APP.every);
    let other = throttle.token(Some(TenantId::new(8)), &token(1), from(1), *START);
    drop(other.expect("another app"));
    // As soon as there is room for one guess, whoever is right takes none of it.
    let now = *START + OF_APP.every;
    for number in 6_000..7_000 {
        ask(number, now).expect("right").succeeded();
    }
    drop(ask(5_000, now).expect("one came back"));
    told(ask(5_001, now));
}

#[test]
fn tokens_are_counted_before_they_fail_and_their_memory_is_bounded() {
    let throttle = LoginThrottle::new(true);
    let begun: Vec<_> = (0..100)
        .filter_map(|number| {
            let attempt = throttle.token(None, &token(number), network(1), *START);
            attempt.ok()
        })
        .collect();
    assert_eq!(begun.len(), 21);
    for round in 0..u32::try_from(WRONG + 1_000).expect("few") {
        let now = *START + seconds(u64::from(round));
        let from = IpAddr::from(round.to_be_bytes());
        guess(&throttle, round, from, now).expect("each from elsewhere");
    }
    assert!(!throttle.tables().wrong.has(&(network(1), 1)));
    assert!(throttle.tables().tokens.entries.len() <= MOST);
}

#[test]
fn connections_that_nobody_knows_are_slowed_down() {
    let throttle = LoginThrottle::new(true);
    for _ in 0..=RECOVERY.free {
        drop(throttle.recovery(network(1), *START).expect("free"));
    }
    told(throttle.recovery(network(1), *START));
    guess(&throttle, 1, network(1), *START).expect("another matter");
}
