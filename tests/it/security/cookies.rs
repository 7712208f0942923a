//! Cookies as in RFC 6265, wherever cookies are accepted.

use crate::{
    support::actor::{Actor, PASSWORD, Told},
    support::security_world::{Credentials, Endpoint, endpoints},
    support::world::World,
};

/// Otherwise unauthenticated clients on this machine would be accepted too.
const CLOSED: &str = "embed_open = false";

/// Ways to send one's cookies, with what other software and earlier logins left beside them.
fn spellings(me: &Actor, other: &Actor, stale: &str) -> Vec<Credentials> {
    let (id, good) = (me.id, me.token.as_str());
    let lines = [
        format!("user_id=\"{id}\"; token=\"{good}\""),
        // What Java's own cookie store sends.
        format!("$Version=\"1\"; user_id=\"{id}\";$Path=\"/\"; token=\"{good}\";$Path=\"/\""),
        format!(
            "$Version=\"1\"; user_id=\"{id}\";$Path=\"/\";$Domain=\"127.0.0.1\"; \
             token=\"{good}\";$Path=\"/\";$Domain=\"127.0.0.1\""
        ),
        format!("token={good}; token={stale}; user_id={id}"),
        format!("token={stale}; token={good}; user_id={id}"),
        format!("token={stale}; access_token={good}; user_id={id}"),
        format!("access_token={stale}; user_id={id}; token={good}"),
        format!("user_id={}; user_id={id}; token={good}", other.id),
        format!("user_id={id}; user_id={}; token=\"{good}\"", other.id),
        format!("user_id=; token=; user_id={id}; token={good}"),
        format!("user_id={id};token={good};"),
        format!("user_id={id:024x}; token={good}"),
        format!("theme=a=b; flag; user_id={id}; =x; token={good}; lang=\"de"),
    ];
    let mut spellings: Vec<_> = lines
        .into_iter()
        .map(|line| Credentials::default().header("cookie", line))
        .collect();
    // Bytes that are no UTF-8, in what other software keeps.
    let ours = format!("user_id={id}; token={good}");
    spellings.push(
        Credentials::default().header("cookie", [b"name=Jos\xe9; ", ours.as_bytes()].concat()),
    );
    spellings
        .push(Credentials::default().header("cookie", [ours.as_bytes(), b";\xff=\xfe"].concat()));
    spellings.push(
        Credentials::default()
            .header("cookie", format!("user_id={id}; lang=de"))
            .header("cookie", format!("token={good}")),
    );
    spellings
}

/// Cookies that authenticate nobody.
fn refused(me: &Actor, other: &Actor, stale: &str) -> Vec<Credentials> {
    let (id, good) = (me.id, me.token.as_str());
    let lines = [
        format!("user_id={id}; token={stale}"),
        format!("user_id={}; token={good}", other.id),
        format!("user_id={id}"),
        format!("token={good}"),
        format!("user_id={id}; token=\"{good}"),
        format!("User_Id={id}; Token={good}"),
        format!("user_id={id}; token={good}x; access_token={stale}; token="),
        // The good one is past the bound.
        format!(
            "user_id={id}; token=1; token=2; token=3; token=4; token=5; token=6; token=7; \
             token=8; token={good}"
        ),
    ];
    lines
        .map(|line| Credentials::default().header("cookie", line))
        .into()
}

#[tokio::test(flavor = "multi_thread")]
async fn cookies_are_read_alike_at_every_endpoint() {
    let world = World::with(CLOSED).await;
    let (ann, bo) = world.ann_and_bo().await;
    let gone = Actor::sign_in(&world, "ann", PASSWORD).await;
    gone.get("/api/logout").await.with(200);
    for endpoint in endpoints(true) {
        for credentials in spellings(&ann, &bo, &gone.token) {
            let told = told(&credentials);
            assert!(
                endpoint.opens(&world, ann.id, &credentials).await,
                "{endpoint:?} {told}"
            );
        }
        for credentials in refused(&ann, &bo, &gone.token) {
            let told = told(&credentials);
            assert!(
                !endpoint.opens(&world, ann.id, &credentials).await,
                "{endpoint:?} {told}"
            );
        }
    }
    world.stop().await;
}

fn told(credentials: &Credentials) -> String {
    let lines = credentials.headers.iter();
    let lines = lines.map(|(_, value)| String::from_utf8_lossy(value).into_owned());
    lines.collect::<Vec<_>>().join(" | ")
}

#[tokio::test(flavor = "multi_thread")]
async fn quotes_do_not_let_another_sites_page_in() {
    let world = World::with(CLOSED).await;
    let ann = world.actor("ann").await;
    let line = format!("user_id=\"{}\"; token=\"{}\"", ann.id, ann.token);
    let evil = Credentials::default()
        .header("cookie", line)
        .header("origin", "https://evil.example");
    for endpoint in endpoints(true) {
        assert!(!endpoint.opens(&world, ann.id, &evil).await, "{endpoint:?}");
    }
    let form = serde_json::json!({"title": "x"});
    let post = reqwest::Method::POST;
    let told = evil.request(&world, post, "/api/chats", Some(&form)).await;
    assert_eq!(told.status(), 403);
    let own = Credentials::of(&ann);
    assert!(Endpoint::Rest.opens(&world, ann.id, &own).await);
    world.stop().await;
}

#[rocket::async_test]
async fn by_a_setting_no_other_host_of_the_domain_can_set_our_cookies() {
    let plain = World::with("cookie_secure = true").await;
    let told = plain.get("/").await;
    assert_eq!(told.header("Strict-Transport-Security"), "max-age=31536000");
    let settings = "cookie_secure = true\ncookie_host_prefix = true\nhsts_subdomains = true";
    let world = World::with(settings).await;
    let form = [
        ("name", "ann"),
        ("password", PASSWORD),
        ("email", "a@example.com"),
    ];
    let told = world.post("/api/reg", &form).await.ok(201);
    let below = "max-age=31536000; includeSubDomains";
    assert_eq!(told.header("Strict-Transport-Security"), below);
    assert!(told.cookie("token").is_none() && told.cookie("user_id").is_none());
    let mut values = Vec::new();
    for name in ["user_id", "token", "device"] {
        let (value, attributes) = told.cookie(&format!("__Host-{name}")).expect("it is set");
        // What browsers insist on for such a name.
        assert!(
            attributes.contains(&"Secure".to_owned()),
            "{name}: {attributes:?}"
        );
        assert!(
            attributes.contains(&"Path=/".to_owned()),
            "{name}: {attributes:?}"
        );
        assert!(
            !attributes.iter().any(|it| it.starts_with("Domain")),
            "{name}"
        );
        assert_eq!(
            attributes.contains(&"HttpOnly".to_owned()),
            name != "user_id"
        );
        values.push(value);
    }
    let (id, token) = (&values[0], &values[1]);
    let ask = async |line: String| {
        let request = world.http.get(format!("{}/api/me", world.base()));
        Told::of(request.header("Cookie", line)).await
    };
    ask(format!("__Host-user_id={id}; __Host-token={token}"))
        .await
        .with(200);
    ask(format!("user_id={id}; token={token}")).await.with(200);
    let planted = format!("user_id=1; token=planted; __Host-user_id={id}; __Host-token={token}");
    ask(planted).await.with(200);
    let request = world.http.get(format!("{}/api/logout", world.base()));
    let line = format!("__Host-user_id={id}; __Host-token={token}");
    let told = Told::of(request.header("Cookie", line)).await.ok(200);
    for name in ["__Host-user_id", "__Host-token"] {
        assert_eq!(told.cookie(name).expect("it is emptied").0, "");
    }
    world.stop().await;
    plain.stop().await;
}
