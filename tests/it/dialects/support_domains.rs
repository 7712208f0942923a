//! The domains of sites: pasted in many ways, one with and without `www.`, added and removed.

use serde_json::{Value, json};

use crate::{
    support::actor::{PASSWORD, Told, text},
    support::support_world::{Guest, Owner},
    support::world::World,
};

impl World {
    /// Adds or removes a domain: the status and the answer.
    async fn domain(&self, method: reqwest::Method, token: &str, domain: &str) -> (u16, Value) {
        let url = format!("{}/owner/domains", self.base());
        let body = json!({"token": token, "domain": domain});
        let told = Told::of(self.http.request(method, url).json(&body)).await;
        let body = told.json();
        assert_eq!(body["statusCode"], told.status);
        (told.status, body)
    }

    async fn add_domain(&self, token: &str, domain: &str) -> (u16, Value) {
        self.domain(reqwest::Method::POST, token, domain).await
    }

    async fn remove_domain(&self, token: &str, domain: &str) -> (u16, Value) {
        self.domain(reqwest::Method::DELETE, token, domain).await
    }

    /// Opens a chat as a page on this host would, if anybody answers there.
    async fn guest_on(&self, host: &str) -> Option<Guest> {
        let argument = json!({"email": "gus@example.com", "name": "Gus", "domain": host});
        let (status, told) = self.say("getNewChat", argument).await;
        match status {
            200 => Some(Guest::from(told)),
            _ => {
                assert_eq!(told["data"], "Owner for this domain not found", "{host}");
                None
            }
        }
    }

    /// Registers what somebody pasted as the domain of a site: the status and the sentence.
    async fn register(&self, email: &str, domain: &str) -> (u16, String) {
        let account = [("email", email), ("password", PASSWORD), ("domain", domain)];
        let told = self.post("/owner/register", &account).await;
        (told.status, text(&told.json(), "data"))
    }

    async fn owner_of(&self, email: &str, domain: &str) -> Owner {
        assert_eq!(self.register(email, domain).await.0, 200, "{domain}");
        let account = [("email", email), ("password", PASSWORD)];
        let told = self.post("/owner/login", &account).await.with(200).json();
        Owner {
            id: text(&told["data"], "ownerId"),
            token: text(&told["data"], "token"),
            application_id: text(&told["data"], "appId"),
        }
    }
}

#[rocket::async_test]
async fn a_host_is_one_site_however_it_is_written() {
    let world = World::new().await;
    let pasted = "https://www.Shop.example:8443/catalogue?page=2#top";
    let owner = world.owner_of("ann@example.com", pasted).await;
    for host in [
        "shop.example",
        "www.shop.example",
        "WWW.SHOP.EXAMPLE",
        "shop.example.",
        "shop.example:3000",
        "http://shop.example/",
    ] {
        assert!(world.guest_on(host).await.is_some(), "{host}");
        let (status, told) = world.register("bo@example.com", host).await;
        assert_eq!((status, told.as_str()), (400, "Domain already taken"));
    }
    for host in ["shop.example.com", "x.shop.example", "www.example", ""] {
        assert!(world.guest_on(host).await.is_none(), "{host}");
    }
    let told = world.said("getWaitingChats", json!({"token": owner.token}));
    for chat in told.await["data"].as_array().expect("a list") {
        assert_eq!(chat["domain"], "shop.example");
    }
    // Who comes back names the host they are on by then.
    let guest = world.guest_on("shop.example").await.expect("a guest");
    let back = json!({"guestToken": guest.token, "domain": "www.shop.example"});
    let back = Guest::from(world.said("getNewChat", back).await);
    assert_eq!(back.chat, guest.chat);
}

#[rocket::async_test]
async fn a_name_in_any_script_is_kept_in_ascii_and_shown_as_people_write_it() {
    let world = World::new().await;
    let owner = world
        .owner_of("ann@example.com", "http://www.M\u{dc}NCHEN.example/")
        .await;
    let shown = "m\u{fc}nchen.example";
    for host in [
        "xn--mnchen-3ya.example",
        "www.xn--mnchen-3ya.example",
        "mu\u{308}nchen.example",
    ] {
        assert!(world.guest_on(host).await.is_some(), "{host}");
    }
    let told = world.said("getWaitingChats", json!({"token": owner.token}));
    assert_eq!(told.await["data"][0]["domain"], shown);
    let (_, told) = world.add_domain(&owner.token, shown).await;
    assert_eq!(told["domains"], json!([shown]));
    let told = world.get("/owner/domains/xn--mnchen-3ya.example").await;
    assert_eq!(told.with(200).json()["data"]["domain"], shown);
}

#[rocket::async_test]
async fn any_page_may_ask_whether_a_host_has_an_owner() {
    let world = World::new().await;
    world.owner_of("ann@example.com", "shop.example").await;
    for (host, status) in [
        ("shop.example", 200),
        ("www.shop.example", 200),
        ("other.example", 404),
        ("..", 404),
        ("a%20b", 404),
        ("%ff", 404),
    ] {
        let url = format!("{}/owner/domains/{host}", world.base());
        let request = world.http.get(url).header("Origin", "https://shop.example");
        let told = Told::of(request).await;
        if host == ".." {
            // Clients fold it away themselves.
            continue;
        }
        let told = told.with(status);
        assert_eq!(
            told.header("Access-Control-Allow-Origin"),
            "https://shop.example"
        );
        assert_eq!(told.header("Cache-Control"), "no-store");
        let expected = match status {
            200 => {
                json!({"statusCode": 200, "status": "success", "data": {"domain": "shop.example"}})
            }
            _ => {
                json!({"statusCode": 404, "status": "error", "data": "Owner for this domain not found"})
            }
        };
        assert_eq!(told.json(), expected, "{host}");
    }
}

#[rocket::async_test]
async fn an_owner_adds_and_removes_domains() {
    let world = World::new().await;
    let owner = world.owner_of("ann@example.com", "shop.example").await;
    let other = world.owner_of("bo@example.com", "other.example").await;
    let (status, told) = world
        .add_domain(&owner.token, "https://www.store.example/")
        .await;
    let added = json!({"statusCode": 200, "status": "success", "data": "Domain added",
                       "domains": ["shop.example", "store.example"]});
    assert_eq!((status, told), (200, added.clone()));
    // Adding what is there changes nothing.
    let (status, told) = world.add_domain(&owner.token, "store.example").await;
    assert_eq!((status, told), (200, added));
    let guest = world.guest_on("store.example").await.expect("a guest");
    guest.says(&world, "hi").await;
    assert_eq!(
        owner.queue(&world, "getWaitingChats").await,
        [guest.chat.as_str()]
    );
    for domain in ["other.example", "www.other.example"] {
        let (status, told) = world.add_domain(&owner.token, domain).await;
        assert_eq!(
            (status, &told["data"]),
            (400, &json!("Domain already taken"))
        );
        let (status, told) = world.remove_domain(&owner.token, domain).await;
        assert_eq!((status, &told["data"]), (404, &json!("Domain not found")));
    }
    // A colleague may register by either.
    let colleague = [
        ("email", "cy@example.com"),
        ("password", PASSWORD),
        ("domain", "store.example"),
        ("token", &owner.token),
    ];
    world.post("/owner/register", &colleague).await.with(200);
    let (status, told) = world.remove_domain(&owner.token, "www.shop.example").await;
    let removed = json!({"statusCode": 200, "status": "success", "data": "Domain removed",
                         "domains": ["store.example"]});
    assert_eq!((status, told), (200, removed));
    assert!(world.guest_on("shop.example").await.is_none());
    let (status, told) = world.remove_domain(&owner.token, "store.example").await;
    assert_eq!(
        (status, &told["data"]),
        (400, &json!("domain is the last one of its site"))
    );
    // It is free for others now, and what is theirs stays theirs.
    let (status, _) = world.add_domain(&other.token, "shop.example").await;
    assert_eq!(status, 200);
    let (status, _) = world.add_domain(&owner.token, "shop.example").await;
    assert_eq!(status, 400);
}

#[rocket::async_test]
async fn domains_are_their_owners_alone() {
    let world = World::new().await;
    let owner = world.owner_of("ann@example.com", "shop.example").await;
    let guest = world.guest_on("shop.example").await.expect("a guest");
    for token in [guest.token.as_str(), "nonsense", &owner.application_id] {
        for (status, told) in [
            world.add_domain(token, "store.example").await,
            world.remove_domain(token, "shop.example").await,
        ] {
            assert_eq!((status, &told["data"]), (401, &json!("Owner not found")));
        }
    }
    let (status, told) = world.add_domain(&owner.token, "no domain").await;
    assert_eq!(
        (status, &told["validation"]["keys"]),
        (400, &json!(["domain"]))
    );
    assert!(world.guest_on("shop.example").await.is_some());
    assert!(world.guest_on("store.example").await.is_none());
}

#[rocket::async_test]
async fn a_site_keeps_a_domain_and_has_a_hundred_at_most() {
    let world = World::new().await;
    let owner = world.owner_of("ann@example.com", "shop.example").await;
    for number in 1..100 {
        let domain = format!("shop-{number}.example");
        assert_eq!(world.add_domain(&owner.token, &domain).await.0, 200);
    }
    let (status, told) = world.add_domain(&owner.token, "more.example").await;
    assert_eq!(
        (status, &told["data"]),
        (400, &json!("a site has at most 100 domains"))
    );
    // Removed all at once, one is left.
    let all = (0..100).map(|number| {
        let (world, owner) = (&world, &owner);
        async move {
            let domain = match number {
                0 => "shop.example".to_owned(),
                _ => format!("shop-{number}.example"),
            };
            world.remove_domain(&owner.token, &domain).await.0
        }
    });
    let statuses = futures_util::future::join_all(all).await;
    let refused = statuses.iter().filter(|status| **status == 400).count();
    assert_eq!(refused, 1, "{statuses:?}");
    assert!(statuses.iter().all(|status| matches!(status, 200 | 400)));
}
