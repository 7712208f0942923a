//! The Authorization header and the parameter `token`: read in one way by every API and transport.

use reqwest::Method;
use serde_json::{Value, json};

use crate::{
    support::security_world::{Credentials, endpoints},
    support::tenants::{CLOSED_SETTINGS, sign_in},
    support::world::World,
};

/// Authorization headers, `TOKEN` standing for a live token, and whether they show it.
const HEADERS: [(&str, bool); 10] = [
    ("Bearer TOKEN", true),
    ("bearer TOKEN", true),
    ("BEARER   TOKEN", true),
    ("TOKEN", true),
    ("Basic TOKEN", false),
    ("basic TOKEN", false),
    ("Digest TOKEN", false),
    ("Basic bWU6c2VjcmV0", false),
    ("Bearer", false),
    ("Bearer wrong-token", false),
];

fn showing(header: &str, token: &str) -> Credentials {
    Credentials::default().header("authorization", header.replace("TOKEN", token))
}

/// The status of a service route that needs a token, the body of its refusal, and what the route that checks
/// tokens says.
async fn rest(world: &World, credentials: &Credentials) -> (u16, Value, Value) {
    let apps = credentials.request(world, Method::GET, "/app", None).await;
    let status = apps.status().as_u16();
    let apps = apps.json().await.expect("it is JSON");
    let verify = credentials.request(world, Method::GET, "/auth/verify", None);
    let verified = verify.await.json().await.expect("it is JSON");
    (status, apps, verified)
}

#[tokio::test(flavor = "multi_thread")]
async fn an_authorization_header_is_read_in_the_same_way_everywhere() {
    let world = World::with(CLOSED_SETTINGS).await;
    let ann = world.actor("ann").await;
    let admin = sign_in(&world).await;
    for (header, is_read) in HEADERS {
        let credentials = showing(header, &ann.token);
        for endpoint in endpoints(false) {
            let opens = endpoint.opens(&world, ann.id, &credentials).await;
            assert_eq!(opens, is_read, "{endpoint:?} {header}");
        }
        let (status, body, verified) = rest(&world, &showing(header, &admin)).await;
        assert_eq!(status, if is_read { 200 } else { 401 }, "{header}");
        assert_eq!(verified, json!(is_read), "{header}");
        let shows_none = !is_read && !header.contains("wrong");
        let is_none = body["error"]["message"] == "No token provided";
        assert_eq!(is_none, shows_none, "{header} {body}");
    }
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_header_for_a_proxy_hides_no_other_credentials() {
    let world = World::with(CLOSED_SETTINGS).await;
    let ann = world.actor("ann").await;
    let admin = sign_in(&world).await;
    for header in ["Basic bWU6c2VjcmV0", "Bearer of-the-proxy"] {
        let credentials = showing(header, "").asking("token", &ann.token);
        for endpoint in endpoints(false) {
            assert!(
                endpoint.opens(&world, ann.id, &credentials).await,
                "{endpoint:?}"
            );
        }
        let credentials = showing(header, "").asking("token", &admin);
        let (status, _, verified) = rest(&world, &credentials).await;
        assert_eq!((status, verified), (200, json!(true)), "{header}");
        let credentials = showing(header, "").header("token", admin.as_str());
        let (status, _, verified) = rest(&world, &credentials).await;
        assert_eq!((status, verified), (200, json!(true)), "{header}");
    }
    let cookies = format!("user_id={}; token={}", ann.id, ann.token);
    let credentials = showing("Basic bWU6c2VjcmV0", "").header("cookie", cookies);
    for endpoint in endpoints(true) {
        assert!(
            endpoint.opens(&world, ann.id, &credentials).await,
            "{endpoint:?}"
        );
    }
    world.stop().await;
}
