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

impl<T: std::fmt::Debug> Turn<T> {
    fn begun(self) -> T {
        match self {
            Self::Begun(attempt) => attempt,
            Self::Waits(_) => panic!("it waits for others"),
        }
    }
}

impl LoginThrottle {
    fn attempt(&self, account: &str, from: IpAddr, now: Instant) -> Result<Attempt<'_>> {
        let tried = self.try_password(Guesser::Stranger(account, from), now);
        tried.map(Turn::begun)
    }

    fn known(&self, guesser: Guesser<'_>, now: Instant) -> Result<Attempt<'_>> {
        self.try_password(guesser, now).map(Turn::begun)
    }
}

impl Attempt<'_> {
    fn failed(self, now: Instant) {
        self.ended(Verdict::Wrong, now);
    }
}

fn fail(throttle: &LoginThrottle, account: &str, from: IpAddr, now: Instant) {
    let attempt = throttle.attempt(account, from, now);
    attempt.expect("it may begin").failed(now);
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
    let throttle = LoginThrottle::new(true, Bus::alone());
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
    let throttle = LoginThrottle::new(true, Bus::alone());
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
fn guesses_made_at_once_begin_only_as_far_as_all_of_them_may_be_wrong() {
    let throttle = LoginThrottle::new(true, Bus::alone());
    let stranger = |number: u8| Guesser::Stranger("ann", network(number));
    let begin = |number| throttle.try_password(stranger(number), *START);
    let begun: Vec<_> = (0..100)
        .map(|number| begin(number).expect("nobody is paused"))
        .collect();
    let (begun, waiting): (Vec<_>, Vec<_>) = begun
        .into_iter()
        .partition(|turn| matches!(turn, Turn::Begun(_)));
    assert_eq!((begun.len(), waiting.len()), (6, 94));
    // Those that are right leave room for others, and so do those that nobody checked.
    let mut begun: Vec<_> = begun.into_iter().map(Turn::begun).collect();
    begun.pop().expect("one").succeeded();
    let one = begin(100).expect("there is room").begun();
    begun.pop().expect("one").abandoned();
    let other = begin(101).expect("there is room").begun();
    for attempt in begun.into_iter().chain([one, other]) {
        attempt.failed(*START);
    }
    assert_eq!(told(begin(102)), seconds(1));
}

#[tokio::test(start_paused = true)]
async fn who_waits_for_others_is_let_in_as_they_were_right_and_refused_as_they_were_wrong() {
    for is_right in [true, false] {
        let throttle = LoginThrottle::new(true, Bus::alone());
        let checked = std::sync::atomic::AtomicUsize::new(0);
        // Of one account from everywhere, and of many accounts from one address.
        let guess = async |account: String, from: IpAddr| {
            let attempt = throttle.password(Guesser::Stranger(&account, from)).await;
            let Ok(attempt) = attempt else { return false };
            checked.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
            tokio::time::sleep(Duration::from_millis(50)).await;
            if is_right {
                attempt.succeeded();
            }
            true
        };
        let one = (0..200).map(|number| guess("ann".to_owned(), network(number)));
        let passed = futures_util::future::join_all(one).await;
        assert_eq!(
            passed.iter().filter(|passed| **passed).count(),
            if is_right { 200 } else { 6 }
        );
        let many = (0..200).map(|number| guess(format!("person {number}"), network(255)));
        let passed = futures_util::future::join_all(many).await;
        assert_eq!(
            passed.iter().filter(|passed| **passed).count(),
            if is_right { 200 } else { 21 }
        );
        assert_eq!(checked.into_inner(), if is_right { 400 } else { 27 });
    }
}

#[tokio::test(start_paused = true)]
async fn who_waits_for_two_things_holds_nobody_up() {
    let throttle = LoginThrottle::new(true, Bus::alone());
    let guess = async |account: &str, from: u8| {
        let attempt = throttle
            .password(Guesser::Stranger(account, network(from)))
            .await;
        let attempt = attempt.expect("nobody is wrong");
        tokio::time::sleep(seconds(1)).await;
        attempt.succeeded();
    };
    // The address is busy and so is the account, and each has others that wait for it alone.
    let accounts: Vec<_> = (0..60).map(|number| format!("person {number}")).collect();
    let began = tokio::time::Instant::now();
    let of_address = accounts.iter().map(|account| guess(account, 1));
    let of_both = (0..60).map(|_| guess("ann", 1));
    let of_account = (100..160).map(|from| guess("ann", from));
    tokio::join!(
        futures_util::future::join_all(of_address),
        futures_util::future::join_all(of_both),
        futures_util::future::join_all(of_account),
    );
    assert!(began.elapsed() <= seconds(25), "{:?}", began.elapsed());
    let tables = throttle.tables();
    assert!(tables.accounts.entries.is_empty() && tables.addresses.entries.is_empty());
}

#[tokio::test(start_paused = true)]
async fn who_gives_up_waiting_hands_the_turn_on() {
    let throttle = LoginThrottle::new(true, Bus::alone());
    let stranger = Guesser::Stranger("ann", network(1));
    let begun: Vec<_> = (0..6)
        .map(|_| throttle.known(stranger, now()).expect("free"))
        .collect();
    let mut gone = Box::pin(throttle.password(stranger));
    let mut stays = Box::pin(throttle.password(stranger));
    assert!(futures_util::poll!(&mut gone).is_pending());
    assert!(futures_util::poll!(&mut stays).is_pending());
    let mut begun = begun.into_iter();
    begun.next().expect("one").succeeded();
    drop(gone);
    stays.await.expect("it is its turn").succeeded();
    drop(begun.map(Attempt::abandoned).collect::<Vec<_>>());
    // An attempt that would wait for ever is refused.
    let begun: Vec<_> = (0..6)
        .map(|_| throttle.known(stranger, now()).expect("free"))
        .collect();
    let refused = throttle
        .password(stranger)
        .await
        .expect_err("nobody is ready");
    assert_eq!(refused.kind(), Kind::Unavailable);
    drop(begun);
}

#[test]
fn a_browser_that_is_known_is_not_slowed_by_strangers_nor_they_by_it() {
    let throttle = LoginThrottle::new(true, Bus::alone());
    let device = Guesser::Device(7);
    for guess in 0..50 {
        fail(
            &throttle,
            &format!("person {guess}"),
            network(1),
            *START + seconds(guess * 2_000),
        );
    }
    let now = *START + seconds(200_000);
    for guess in 0..6 {
        fail(&throttle, "ann", network(guess), now);
    }
    told(throttle.attempt("ann", network(99), now));
    for _ in 0..6 {
        throttle.known(device, now).expect("known").failed(now);
    }
    assert_eq!(told(throttle.known(device, now)), seconds(1));
    throttle
        .known(Guesser::Device(8), now)
        .expect("another")
        .abandoned();
    fail(&throttle, "bo", network(200), now);
    let now = now + seconds(1);
    throttle
        .known(device, now)
        .expect("after the pause")
        .succeeded();
    throttle.known(device, now).expect("afresh").failed(now);
}

#[test]
fn who_has_a_login_is_counted_by_it_alone_and_slowed_for_longer() {
    let throttle = LoginThrottle::new(true, Bus::alone());
    let login = Guesser::Login(LoginId::new(5));
    let mut now = *START;
    let mut pauses = Vec::new();
    for _ in 0..20 {
        throttle
            .known(login, now)
            .expect("after the pause")
            .failed(now);
        let pause = throttle.tables().logins.wait(&LoginId::new(5), now);
        pauses.push(pause.as_secs());
        now += pause;
    }
    assert_eq!(pauses[..8], [0, 0, 0, 0, 0, 1, 2, 4]);
    assert_eq!(pauses[19], 3_600);
    let other = throttle.known(Guesser::Login(LoginId::new(6)), *START);
    other.expect("another login").abandoned();
    fail(&throttle, "ann", network(1), *START);
}

#[test]
fn a_success_frees_the_account_but_not_the_address() {
    let throttle = LoginThrottle::new(true, Bus::alone());
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
    let throttle = LoginThrottle::new(true, Bus::alone());
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
            .try_token(None, &token(1), network(1), *START)
            .expect("always")
            .begun()
            .abandoned();
    }
}

#[test]
fn everything_is_forgotten_after_a_quiet_while() {
    let throttle = LoginThrottle::new(true, Bus::alone());
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
    let throttle = LoginThrottle::new(true, Bus::alone());
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
    let throttle = LoginThrottle::new(false, Bus::alone());
    for _ in 0..100 {
        fail(&throttle, "ann", network(1), *START);
        drop(throttle.sign_up(network(1), *START).expect("off"));
    }
}

#[test]
fn memory_is_bounded_and_the_oldest_go_first() {
    let throttle = LoginThrottle::new(true, Bus::alone());
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
    let throttle = LoginThrottle::new(true, Bus::alone());
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
    let attempt = throttle.try_token(None, &token(number), from, now)?;
    attempt.begun().failed(now);
    Ok(())
}

#[test]
fn guesses_of_tokens_from_an_address_are_slowed_down() {
    let throttle = LoginThrottle::new(true, Bus::alone());
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
    let throttle = LoginThrottle::new(true, Bus::alone());
    for _ in 0..1_000 {
        guess(&throttle, 1, network(1), *START).expect("an expired token, again and again");
    }
    for number in 2..1_000 {
        let right = throttle.try_token(None, &token(number), network(1), *START);
        right.expect("nobody guesses").begun().succeeded();
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
    let throttle = LoginThrottle::new(true, Bus::alone());
    let app = Some(TenantId::new(7));
    let from = |number: u32| IpAddr::from(number.to_be_bytes());
    let ask = |number: u32, now| throttle.try_token(app, &token(number), from(number), now);
    for number in 1..=OF_APP.burst {
        ask(number, *START).expect("free").begun().failed(*START);
    }
    assert_eq!(told(ask(5_000, *START)), OF_APP.every);
    let other = throttle.try_token(Some(TenantId::new(8)), &token(1), from(1), *START);
    drop(other.expect("another app"));
    // As soon as there is room for one guess, a right one takes none of it.
    let now = *START + OF_APP.every;
    for number in 6_000..7_000 {
        ask(number, now).expect("right").begun().succeeded();
    }
    ask(5_000, now).expect("one came back").begun().failed(now);
    told(ask(5_001, now));
}

#[tokio::test(start_paused = true)]
async fn a_crowd_that_comes_at_once_is_not_held_to_guess_tokens() {
    for is_right in [true, false] {
        let throttle = LoginThrottle::new(true, Bus::alone());
        let come = async |number: u32, app, from: IpAddr| {
            let Ok(attempt) = throttle.token(app, &token(number), from).await else {
                return false;
            };
            tokio::time::sleep(Duration::from_millis(5)).await;
            if is_right {
                attempt.succeeded();
            }
            true
        };
        // An office, and an app whose users are everywhere.
        let office = (0..500).map(|number| come(number, None, network(1)));
        let passed = futures_util::future::join_all(office).await;
        assert_eq!(
            passed.iter().filter(|it| **it).count(),
            if is_right { 500 } else { 21 }
        );
        let app = Some(TenantId::new(7));
        let users =
            (1_000..2_000).map(|number| come(number, app, IpAddr::from(number.to_be_bytes())));
        let passed = futures_util::future::join_all(users).await;
        assert_eq!(
            passed.iter().filter(|it| **it).count(),
            if is_right { 1_000 } else { 100 }
        );
        let back = (0..500).map(|_| async {
            let Ok(attempt) = throttle.recovery(network(1)).await else {
                return false;
            };
            tokio::time::sleep(Duration::from_millis(5)).await;
            if is_right {
                attempt.succeeded();
            }
            true
        });
        let passed = futures_util::future::join_all(back).await;
        assert_eq!(
            passed.iter().filter(|it| **it).count(),
            if is_right { 500 } else { 101 }
        );
    }
}

#[test]
fn the_memory_of_tokens_is_bounded() {
    let throttle = LoginThrottle::new(true, Bus::alone());
    for round in 0..u32::try_from(WRONG + 1_000).expect("few") {
        let now = *START + seconds(u64::from(round));
        let from = IpAddr::from(round.to_be_bytes());
        guess(&throttle, round, from, now).expect("each from elsewhere");
    }
    assert!(!throttle.tables().wrong.has(&(IpAddr::from([0; 4]), 0)));
    assert!(throttle.tables().tokens.entries.len() <= MOST);
}

#[test]
fn connections_that_nobody_knows_are_slowed_down() {
    let throttle = LoginThrottle::new(true, Bus::alone());
    for _ in 0..=RECOVERY.free {
        let attempt = throttle.try_recovery(network(1), *START);
        attempt.expect("free").begun().failed(*START);
    }
    told(throttle.try_recovery(network(1), *START));
    guess(&throttle, 1, network(1), *START).expect("another matter");
}

#[test]
fn what_was_wrong_or_right_elsewhere_counts_here() {
    let throttle = LoginThrottle::new(true, Bus::alone());
    let now = now();
    let told = |attempted, verdict| throttle.heard(Outcome { attempted, verdict });
    let password = || Attempted::Password("ann".to_owned(), network(1));
    for _ in 0..=ACCOUNT.free {
        told(password(), Verdict::Wrong);
    }
    let pause = self::told(throttle.attempt("ann", network(2), now));
    assert!(pause <= seconds(1) + now.elapsed(), "{pause:?}");
    told(password(), Verdict::Forgiven);
    throttle
        .attempt("ann", network(2), now)
        .expect("it starts afresh")
        .abandoned();
    // The address does not.
    let others = ADDRESS.free - ACCOUNT.free;
    for number in 0..others {
        told(
            Attempted::Password(number.to_string(), network(1)),
            Verdict::Wrong,
        );
    }
    self::told(throttle.attempt("bo", network(1), now));
    for _ in 0..=SIGN_UP.free {
        told(Attempted::SignUp(network(3)), Verdict::Wrong);
    }
    self::told(throttle.sign_up(network(3), now));
    let off = LoginThrottle::new(false, Bus::alone());
    for _ in 0..100 {
        let (attempted, verdict) = (password(), Verdict::Wrong);
        off.heard(Outcome { attempted, verdict });
    }
    off.attempt("ann", network(1), now)
        .expect("everybody passes")
        .abandoned();
}
