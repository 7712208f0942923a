//! Signing in: however many come at once, and whatever strangers guess meanwhile.

use std::net::Ipv4Addr;

use futures_util::future::join_all;
use reqwest::Method;
use serde_json::json;

use crate::{
    support::actor::{Actor, PASSWORD, Told},
    support::world::World,
};

const WRONG: &str = "wrong horse";

/// A endpoint at which one signs in with a password: its path, what the name is called there, ann's name, and how a
/// wrong password is answered.
const ENDPOINTS: [(&str, &str, &str, u16); 3] = [
    ("/api/login", "name", "ann", 400),
    ("/owner/login", "email", "owner@shop.example", 404),
    ("/auth/login", "email", "admin@example.com", 401),
];

/// A server with an account at each endpoint, made from an address of its own.
async fn world() -> World {
    let settings = "rate_limits = true\nip_header = 'X-Real-IP'\nadmin_email = 'admin@example.com'\n\
                    admin_password = 'correct horse'";
    let world = World::with(settings).await;
    world.actor("ann").await;
    world.actor("bo").await;
    world.owner("shop.example").await;
    world
}

/// Tries to sign in at an endpoint from an address, with a cookie.
async fn try_at(world: &World, endpoint: usize, password: &str, from: u32, cookie: &str) -> Told {
    let (path, field, name, _) = ENDPOINTS[endpoint];
    let body = json!({field: name, "password": password});
    let request = world
        .http
        .post(format!("{}{path}", world.base()))
        .json(&body);
    let request = request.header("X-Real-IP", Ipv4Addr::from(0x0a00_0000 + from).to_string());
    Told::of(match cookie {
        "" => request,
        cookie => request.header("Cookie", format!("device={cookie}")),
    })
    .await
}

#[rocket::async_test]
async fn sixty_right_passwords_at_once_are_all_let_in() {
    let world = world().await;
    for (endpoint, (path, ..)) in ENDPOINTS.iter().enumerate() {
        // One person from everywhere, and from one place.
        for shared in [false, true] {
            let tries = (0..60).map(|number| {
                let from = if shared { 1 } else { number };
                try_at(&world, endpoint, PASSWORD, from, "")
            });
            for told in join_all(tries).await {
                assert_eq!(told.status, 200, "{path} {shared}: {}", told.body);
            }
        }
    }
    world.stop().await;
}

#[rocket::async_test]
async fn of_sixty_wrong_passwords_at_once_six_are_checked() {
    let world = world().await;
    for (endpoint, (path, _, _, wrong)) in ENDPOINTS.iter().enumerate() {
        let base = u32::try_from(endpoint).expect("few") * 1_000;
        let tries = (0..60).map(|number| try_at(&world, endpoint, WRONG, base + number, ""));
        let told = join_all(tries).await;
        let count = |status| told.iter().filter(|told| told.status == status).count();
        assert_eq!((count(*wrong), count(429)), (6, 54), "{path}");
    }
    world.stop().await;
}

/// Guesses from everywhere until the account is paused, so that a stranger who is right has to wait.
async fn strangers_guess(world: &World, endpoint: usize, base: u32) {
    let (path, ..) = ENDPOINTS[endpoint];
    for round in 0..20 {
        let guesses = (0..8).map(|number| {
            let from = base + 100 + round * 8 + number;
            try_at(world, endpoint, WRONG, from, "")
        });
        join_all(guesses).await;
        let told = try_at(world, endpoint, PASSWORD, base + 500, "").await;
        if told.status == 429 {
            let wait = told.header("Retry-After").parse::<u64>();
            assert!(wait.is_ok_and(|wait| wait >= 1), "{path}");
            return;
        }
    }
    panic!("{path}: nobody has to wait");
}

#[rocket::async_test]
async fn a_browser_that_signed_in_before_is_not_slowed_by_strangers() {
    let world = world().await;
    for (endpoint, (path, _, _, wrong)) in ENDPOINTS.iter().enumerate() {
        let base = u32::try_from(endpoint).expect("few") * 1_000;
        let first = try_at(&world, endpoint, PASSWORD, base, "").await.with(200);
        let (device, attributes) = first.cookie("device").expect("it is known from now on");
        for attribute in ["HttpOnly", "SameSite=Lax", "Path=/", "Max-Age=31536000"] {
            assert!(
                attributes.iter().any(|it| it == attribute),
                "{path}: {attributes:?}"
            );
        }
        assert!(
            !device.contains("ann") && !device.contains("example"),
            "{device}"
        );
        let refused = try_at(&world, endpoint, WRONG, base + 1, "")
            .await
            .with(*wrong);
        assert_eq!(
            refused.cookie("device"),
            None,
            "{path}: a guess makes nobody known"
        );
        strangers_guess(&world, endpoint, base).await;
        let told = try_at(&world, endpoint, PASSWORD, base + 501, &device)
            .await
            .with(200);
        assert_eq!(told.cookie("device").expect("the same").0, device, "{path}");
        // What nobody signed is no cookie, and neither is one of another account.
        let forged = device.replace(['0', '1', '2'], "3");
        let others = world
            .post("/api/login", &[("name", "bo"), ("password", PASSWORD)])
            .await;
        let others = others.with(200).cookie("device").expect("bo's").0;
        for cookie in [forged.as_str(), &others, "x", "...", &device[..40]] {
            let told = try_at(&world, endpoint, PASSWORD, base + 502, cookie).await;
            assert_eq!(told.status, 429, "{path} {cookie}");
        }
        // Two people may share a browser.
        let both = format!("{others}.{device}");
        try_at(&world, endpoint, PASSWORD, base + 503, &both)
            .await
            .with(200);
        // It has a counter of its own: who found the browser guesses no faster than anybody.
        let mut checked = 0;
        loop {
            let told = try_at(&world, endpoint, WRONG, base + 504 + checked, &device).await;
            if told.status == 429 {
                break;
            }
            assert_eq!(told.status, *wrong, "{path}: {}", told.body);
            checked += 1;
            assert!(checked <= 10, "{path}: nobody is refused");
        }
        assert!(checked >= 6, "{path}: {checked}");
    }
    world.stop().await;
}

#[rocket::async_test]
async fn a_browser_is_known_after_a_restart_and_from_its_sign_up_on() {
    let world = World::with("rate_limits = true\nip_header = 'X-Real-IP'").await;
    let form = [
        ("name", "ann"),
        ("password", PASSWORD),
        ("email", "a@example.com"),
    ];
    let told = world.post("/api/reg", &form).await.ok(201);
    let device = told.cookie("device").expect("it is known from now on").0;
    let world = world.restart().await;
    strangers_guess(&world, 0, 0).await;
    try_at(&world, 0, PASSWORD, 501, &device).await.with(200);
    // It lets nobody in.
    let url = format!("{}/api/me", world.base());
    let asked = world
        .http
        .get(url)
        .header("Cookie", format!("user_id=1; device={device}"));
    Told::of(asked).await.refused(401, "unauthenticated");
    world.stop().await;
}

#[rocket::async_test]
async fn guesses_of_ones_present_password_are_counted_by_login() {
    let world = world().await;
    let (ann, other) = (
        Actor::sign_in(&world, "ann", PASSWORD).await,
        Actor::sign_in(&world, "ann", PASSWORD).await,
    );
    let change = async |who: &Actor, old: &str, from: u32| {
        let form = [("password", old), ("new_password", PASSWORD)];
        let request = who.request(Method::POST, "/api/password").form(&form);
        let from = Ipv4Addr::from(0x0a00_0000 + from).to_string();
        Told::of(request.header("X-Real-IP", from)).await
    };
    // Strangers' guesses are no business of who is signed in.
    strangers_guess(&world, 0, 0).await;
    for number in 0..3 {
        change(&ann, WRONG, number)
            .await
            .refused(400, "bad_request");
    }
    change(&ann, PASSWORD, 3).await.ok(200);
    // That ended the other login; the right password starts afresh.
    change(&other, PASSWORD, 4)
        .await
        .refused(401, "unauthenticated");
    let mut checked = 0;
    let told = loop {
        // From everywhere: it is the login that counts.
        let told = change(&ann, WRONG, 10 + checked).await;
        if told.status == 429 {
            break told;
        }
        told.refused(400, "bad_request");
        checked += 1;
        assert!(checked <= 12, "nobody is refused");
    };
    assert!(checked >= 6, "{checked}");
    assert!(
        told.header("Retry-After")
            .parse::<u64>()
            .is_ok_and(|wait| wait >= 1)
    );
    told.refused(429, "rate_limited");
    // Nor is it slowed down who signs in, from another address or at the same time.
    let bo = Actor::sign_in(&world, "bo", PASSWORD).await;
    change(&bo, WRONG, 10).await.refused(400, "bad_request");
    let many = (0..40).map(|number| change(&bo, PASSWORD, number));
    for told in join_all(many).await {
        assert_eq!(told.status, 200, "{}", told.body);
    }
    world.stop().await;
}

#[rocket::async_test]
async fn a_crowd_whose_tokens_are_right_comes_in_at_once() {
    let world = World::with("rate_limits = true").await;
    world.actor("ann").await;
    // As many logins as one may have, from one address, none of them known since the restart.
    let logins = join_all((0..60).map(|_| Actor::sign_in(&world, "ann", PASSWORD))).await;
    let world = world.restart().await;
    let told = join_all(logins.iter().map(|login| {
        let login = login.at(&world);
        async move { login.get("/api/me").await }
    }));
    for told in told.await {
        assert_eq!(told.status, 200, "{}", told.body);
    }
    world.stop().await;
}
