//! Guesses are counted by all servers, whichever of them are asked.

use crate::{
    support::actor::{Actor, PASSWORD, Told},
    support::nodes::{next_millisecond, servers, stop},
    support::poll::{answer, hold},
    support::world::World,
};

const LIMITS: &str = "rate_limits = true\nip_header = 'X-Real-IP'";
/// So many wrong passwords for one account pass at one server without a pause.
const FREE: usize = 5;

async fn sign_in(world: &World, name: &str, password: &str, from: u8) -> Told {
    let url = format!("{}/api/login", world.base());
    let form = [("name", name), ("password", password)];
    let from = format!("198.51.100.{from}");
    Told::of(world.http.post(url).form(&form).header("X-Real-IP", from)).await
}

async fn guess_token(world: &World, token: usize) -> Told {
    let url = format!("{}/api/me", world.base());
    let cookie = format!("user_id=1; token={token:064x}");
    let request = world.http.get(url).header("Cookie", cookie);
    Told::of(request.header("X-Real-IP", "203.0.113.9")).await
}

/// Waits until one server has taken all that the other has told so far: it is told in order.
async fn heard_by(ann: &Actor, (here, there): (&World, &World), name: &str) {
    let path = |timeout| format!("/api/events?after=now&timeout={timeout}&poll={name}");
    let old = hold(&ann.at(there), &path(50));
    there.waiting(1).await;
    next_millisecond().await;
    let newer = hold(&ann.at(here), &path(1));
    let told = answer(old).await.with(200).json();
    assert_eq!(told["superseded"], true, "{told}");
    // The next is not to be taken for one of these.
    answer(newer).await.with(200);
    there.waiting(0).await;
}

/// Whether a refusal comes before one that this server would have given by itself. A pause that is over when its
/// machine is slow begins anew with the next guess.
async fn is_refused_early(mut guess: impl AsyncFnMut(usize) -> Told) -> bool {
    for number in 0..3 {
        let told = guess(number).await;
        if told.status == 429 {
            assert_ne!(told.header("retry-after"), "", "{}", told.body);
            return true;
        }
    }
    false
}

#[tokio::test(flavor = "multi_thread")]
async fn wrong_passwords_and_tokens_at_one_server_count_at_the_others() {
    let Some(servers) = servers(2, LIMITS).await else {
        return;
    };
    let (here, there) = (&servers[0], &servers[1]);
    let ann = here.actor("ann").await;
    for from in 0..=5 {
        sign_in(here, "ann", "wrong horse", from).await.with(400);
    }
    heard_by(&ann, (here, there), "passwords").await;
    // Each from elsewhere: it is the account that pauses.
    let guess = async |number: usize| {
        let from = u8::try_from(100 + number).expect("a few");
        sign_in(there, "ann", "wrong horse", from).await
    };
    assert!(is_refused_early(guess).await);
    sign_in(there, "bo", "wrong horse", 200).await.with(400);
    for token in 0..21 {
        guess_token(here, token).await.with(401);
    }
    heard_by(&ann, (here, there), "tokens").await;
    assert!(is_refused_early(async |number| guess_token(there, 100 + number).await).await);
    // Who is signed in is not disturbed.
    ann.at(there).get("/api/me").await.with(200);
    stop(servers).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_right_password_at_one_server_ends_the_count_at_the_others() {
    let Some(servers) = servers(2, LIMITS).await else {
        return;
    };
    let (here, there) = (&servers[0], &servers[1]);
    let ann = here.actor("ann").await;
    for from in 1..FREE {
        let from = u8::try_from(from).expect("a few");
        sign_in(here, "ann", "wrong horse", from).await.with(400);
    }
    heard_by(&ann, (here, there), "wrong").await;
    sign_in(here, "ann", PASSWORD, 50).await.with(200);
    heard_by(&ann, (here, there), "right").await;
    for from in 0..FREE {
        let from = u8::try_from(100 + from).expect("a few");
        sign_in(there, "ann", "wrong horse", from).await.with(400);
    }
    stop(servers).await;
}
