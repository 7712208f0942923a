//! A second factor at the sign-in, what is asked for again before what matters, and what is kept of sign-ins.

use std::time::{SystemTime, UNIX_EPOCH};

use futures_util::future::join_all;
use parlance::{
    chat::administration::{self, SecondFactorChoice, SecondFactorLeft},
    model::Password,
};
use reqwest::Method;
use serde_json::{Value, json};
use totp_rs::{Builder, Secret};

use crate::{
    support::actor::{Actor, PASSWORD, Told, list, text},
    support::administration::administrator,
    support::world::World,
};

/// The code of a secret so many seconds from now.
fn code_of(secret: &str, seconds: i64) -> String {
    let now = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .expect("a time");
    let at = now.as_secs().checked_add_signed(seconds).expect("a time");
    let secret = Secret::try_from_base32(secret).expect("a secret is in base 32");
    let totp = Builder::new().with_secret(secret).build_noncompliant();
    totp.generate(at).to_string()
}

async fn sign_in(world: &World, password: &str, code: Option<&str>) -> Told {
    let mut form = vec![("name", "ann"), ("password", password)];
    form.extend(code.map(|code| ("code", code)));
    world.post("/api/login", &form).await
}

async fn remove(who: &Actor, path: &str, form: &[(&str, &str)]) -> Told {
    Told::of(who.request(Method::DELETE, path).form(form)).await
}

/// Somebody with a second factor: its secret, and the recovery codes.
async fn enrolled(world: &World, ann: &Actor) -> (String, Vec<String>) {
    let begun = ann
        .post("/api/me/second-factor", &[("password", PASSWORD)])
        .await;
    let secret = text(&begun.with(200).json(), "secret");
    let code = code_of(&secret, 0);
    let confirmed = ann
        .post("/api/me/second-factor/confirm", &[("code", &code)])
        .await;
    let codes = list(&confirmed.with(200).json(), "recovery_codes");
    // As if that were long ago: the code of this moment has yet to be taken.
    world
        .place
        .beside()
        .await
        .run("update second_factors set step = 0")
        .await;
    let codes = codes
        .iter()
        .map(|code| code.as_str().expect("a text").to_owned());
    (secret, codes.collect())
}

#[rocket::async_test]
async fn a_second_factor_begins_with_the_password_and_a_code() {
    let world = World::new().await;
    let ann = world.actor("ann").await;
    let path = "/api/me/second-factor";
    for form in [&[][..], &[("password", "wrong horse")]] {
        ann.post(path, form).await.refused(400, "bad_request");
    }
    ann.post(&format!("{path}/confirm"), &[("code", "123456")])
        .await
        .refused(404, "not_found");
    let begun = ann
        .post(path, &[("password", PASSWORD)])
        .await
        .with(200)
        .json();
    let first = text(&begun, "secret");
    let url = format!("otpauth://totp/Parlance:ann?secret={first}&issuer=Parlance");
    assert_eq!(text(&begun, "url"), url);
    assert!(text(&begun, "qr").starts_with("data:image/svg+xml;base64,"));
    // Nothing is asked for before it is confirmed, and it may be begun anew.
    sign_in(&world, PASSWORD, None).await.ok(200);
    let begun = ann
        .post(path, &[("password", PASSWORD)])
        .await
        .with(200)
        .json();
    let secret = text(&begun, "secret");
    assert_ne!(secret, first);
    let wrong = code_of(&first, 0);
    ann.post(&format!("{path}/confirm"), &[("code", &wrong)])
        .await
        .refused(400, "bad_request");
    assert_eq!(ann.get(path).await.with(200).json()["enabled"], false);
    let code = code_of(&secret, 0);
    let confirm = ann
        .post(&format!("{path}/confirm"), &[("code", &code)])
        .await;
    assert_eq!(list(&confirm.with(200).json(), "recovery_codes").len(), 10);
    let status = ann.get(path).await.with(200).json();
    assert_eq!(
        json!([status["enabled"], status["recovery_codes_left"]]),
        json!([true, 10])
    );
    ann.post(path, &[("password", PASSWORD)])
        .await
        .refused(409, "conflict");
    ann.post(&format!("{path}/confirm"), &[("code", &code)])
        .await
        .refused(409, "conflict");
    for (method, path) in [
        (Method::GET, "/api/me/second-factor"),
        (Method::POST, "/api/me/second-factor"),
        (Method::POST, "/api/me/second-factor/confirm"),
        (Method::DELETE, "/api/me/second-factor"),
        (Method::POST, "/api/me/recovery-codes"),
        (Method::GET, "/api/logins/attempts"),
        (Method::GET, "/api/me/export"),
    ] {
        let request = world
            .http
            .request(method, format!("{}{path}", world.base()));
        Told::of(request).await.refused(401, "unauthenticated");
    }
}

#[rocket::async_test]
async fn signing_in_takes_a_code_and_each_code_once() {
    let world = World::new().await;
    let ann = world.actor("ann").await;
    let (secret, _) = enrolled(&world, &ann).await;
    let asked = sign_in(&world, PASSWORD, None)
        .await
        .refused(400, "code_required");
    assert!(asked.cookie("token").is_none());
    sign_in(&world, PASSWORD, Some(""))
        .await
        .refused(400, "code_required");
    sign_in(&world, "wrong horse", None)
        .await
        .refused(400, "bad_request");
    // A wrong password and a wrong code are answered alike, and use up no code.
    let good = code_of(&secret, 0);
    let one = sign_in(&world, "wrong horse", Some(&good))
        .await
        .refused(400, "bad_request");
    let other = sign_in(&world, PASSWORD, Some("000000x"))
        .await
        .refused(400, "bad_request");
    assert_eq!(one.body, other.body);
    sign_in(&world, PASSWORD, Some(&code_of(&secret, 300)))
        .await
        .refused(400, "bad_request");
    // Shown several times at once it is good for one.
    let tries = (0..6).map(|_| sign_in(&world, PASSWORD, Some(&good)));
    let told = join_all(tries).await;
    let good_for = told.iter().filter(|told| told.status == 200).count();
    assert_eq!(
        good_for,
        1,
        "{:?}",
        told.iter().map(|it| it.status).collect::<Vec<_>>()
    );
    let earlier = code_of(&secret, -30);
    for taken in [&good, &earlier] {
        sign_in(&world, PASSWORD, Some(taken))
            .await
            .refused(400, "bad_request");
    }
    sign_in(&world, PASSWORD, Some(&code_of(&secret, 30)))
        .await
        .ok(200);
}

#[rocket::async_test]
async fn recovery_codes_are_good_once_and_until_there_are_others() {
    let world = World::new().await;
    let ann = world.actor("ann").await;
    let (_, codes) = enrolled(&world, &ann).await;
    sign_in(&world, PASSWORD, Some(&codes[0])).await.ok(200);
    sign_in(&world, PASSWORD, Some(&codes[0]))
        .await
        .refused(400, "bad_request");
    let written = codes[1].to_uppercase().replace('-', " ");
    let tries = (0..4).map(|_| sign_in(&world, PASSWORD, Some(&written)));
    let told = join_all(tries).await;
    assert_eq!(told.iter().filter(|told| told.status == 200).count(), 1);
    let left = ann.get("/api/me/second-factor").await.with(200).json();
    assert_eq!(left["recovery_codes_left"], 8);
    ann.post("/api/me/recovery-codes", &[])
        .await
        .refused(400, "bad_request");
    let renewed = ann
        .post("/api/me/recovery-codes", &[("password", PASSWORD)])
        .await;
    let renewed = list(&renewed.with(200).json(), "recovery_codes");
    sign_in(&world, PASSWORD, Some(&codes[2]))
        .await
        .refused(400, "bad_request");
    let new = renewed[0].as_str().expect("a text");
    sign_in(&world, PASSWORD, Some(new)).await.ok(200);
    let mut beside = world.place.beside().await;
    let kept = format!(
        "select count(*) from recovery_codes where code_hash like '%{}%'",
        &new[..6]
    );
    assert_eq!(beside.number(&kept).await, 0);
    // And it ends by the password.
    let path = "/api/me/second-factor";
    remove(&ann, path, &[]).await.refused(400, "bad_request");
    remove(&ann, path, &[("password", "wrong horse")])
        .await
        .refused(400, "bad_request");
    remove(&ann, path, &[("password", PASSWORD)]).await.ok(200);
    remove(&ann, path, &[("password", PASSWORD)])
        .await
        .refused(404, "not_found");
    sign_in(&world, PASSWORD, None).await.ok(200);
    assert_eq!(
        beside.number("select count(*) from recovery_codes").await,
        0
    );
}

#[rocket::async_test]
async fn an_administrator_ends_a_second_factor_that_is_lost() {
    let world = World::new().await;
    let root = administrator(&world, "root").await;
    let (ann, bo) = world.ann_and_bo().await;
    enrolled(&world, &ann).await;
    let person = format!("/api/admin/people/{}", ann.id);
    let path = format!("{person}/second-factor");
    remove(&bo, &path, &[]).await.refused(403, "forbidden");
    sign_in(&world, PASSWORD, None)
        .await
        .refused(400, "code_required");
    let found = root.get(&person).await.with(200).json();
    assert_eq!(found["second_factor"], true);
    remove(&root, &path, &[]).await.ok(200);
    sign_in(&world, PASSWORD, None).await.ok(200);
    ann.get("/api/me").await.with(200);
    let found = root.get(&person).await.with(200).json();
    assert_eq!(found["second_factor"], false);
    // What changes nothing is not written down.
    remove(&root, &path, &[]).await.ok(200);
    let audit = root.get("/api/admin/audit").await.with(200).json();
    let (last, before) = (&audit["audit"][0], &audit["audit"][1]);
    assert_eq!(
        json!([last["act"], last["by"]["name"], last["target"]["name"]]),
        json!(["reset_second_factor", "root", "ann"])
    );
    assert_ne!(before["act"], "reset_second_factor");
    let mut beside = world.place.beside().await;
    let codes = "select count(*) from recovery_codes";
    assert_eq!(beside.number(codes).await, 0);
    let missing = "/api/admin/people/999999/second-factor";
    remove(&root, missing, &[]).await.refused(404, "not_found");
    // And she may begin another one.
    enrolled(&world, &ann).await;
}

#[rocket::async_test]
async fn a_new_password_from_the_machine_keeps_a_second_factor_or_ends_it() {
    let world = World::new().await;
    let root = administrator(&world, "root").await;
    let ann = world.actor("ann").await;
    enrolled(&world, &ann).await;
    let set = async |password: &'static str, choice| {
        let new = || Password::attempt(password.to_owned());
        let set = administration::set_password(world.services(), "Ann", choice, new).await;
        set.expect("it is set")
    };
    let kept = set("battery staple", SecondFactorChoice::Keep).await;
    assert_eq!(kept, SecondFactorLeft::Kept);
    sign_in(&world, "battery staple", None)
        .await
        .refused(400, "code_required");
    let reset = set("battery horse", SecondFactorChoice::Reset).await;
    assert_eq!(reset, SecondFactorLeft::Reset);
    sign_in(&world, "battery horse", None).await.ok(200);
    let nothing = set("battery staple", SecondFactorChoice::Reset).await;
    assert_eq!(nothing, SecondFactorLeft::None);
    let audit = root.get("/api/admin/audit?limit=4").await.with(200).json();
    let done: Vec<_> = list(&audit, "audit")
        .iter()
        .map(|it| it["act"].clone())
        .collect();
    let expected = [
        "set_password",
        "reset_second_factor",
        "set_password",
        "set_password",
    ];
    assert_eq!(done, expected);
}

#[rocket::async_test]
async fn wrong_codes_are_guesses_and_a_missing_one_is_none() {
    let world = World::with("rate_limits = true").await;
    let ann = world.actor("ann").await;
    let (secret, _) = enrolled(&world, &ann).await;
    for _ in 0..8 {
        sign_in(&world, PASSWORD, None)
            .await
            .refused(400, "code_required");
    }
    let mut statuses = Vec::new();
    for _ in 0..8 {
        statuses.push(sign_in(&world, PASSWORD, Some("000000x")).await.status);
    }
    assert_eq!(statuses[0], 400);
    assert_eq!(statuses[7], 429, "{statuses:?}");
    let told = sign_in(&world, PASSWORD, Some(&code_of(&secret, 0))).await;
    assert_eq!(told.status, 429, "the right one waits as well");
}

#[rocket::async_test]
async fn i_see_who_signed_in_and_who_tried() {
    let world = World::new().await;
    let (ann, bo) = world.ann_and_bo().await;
    let (_, codes) = enrolled(&world, &ann).await;
    sign_in(&world, "wrong horse", None)
        .await
        .refused(400, "bad_request");
    sign_in(&world, PASSWORD, None)
        .await
        .refused(400, "code_required");
    sign_in(&world, PASSWORD, Some("000000x"))
        .await
        .refused(400, "bad_request");
    sign_in(&world, PASSWORD, Some(&codes[0])).await.ok(200);
    let told = ann.get("/api/logins/attempts").await.with(200).json();
    let attempts = list(&told, "attempts");
    let outcomes: Vec<_> = attempts.iter().map(|it| text(it, "outcome")).collect();
    assert_eq!(
        outcomes,
        ["succeeded", "wrong_code", "no_code", "wrong_password"]
    );
    assert!(attempts.iter().all(|it| it["address"] == "127.0.0.1"));
    assert_eq!(told["has_more"], false);
    let page = ann
        .get("/api/logins/attempts?limit=2")
        .await
        .with(200)
        .json();
    assert_eq!(page["has_more"], true);
    let last = &list(&page, "attempts")[1]["id"];
    let rest = ann
        .get(&format!("/api/logins/attempts?before={last}"))
        .await
        .with(200)
        .json();
    assert_eq!(list(&rest, "attempts")[..], attempts[2..]);
    let others = bo.get("/api/logins/attempts").await.with(200).json();
    assert_eq!(others["attempts"], json!([]));
    // Failures are bounded, and wash away nobody who succeeded.
    for _ in 0..60 {
        sign_in(&world, "wrong horse", None)
            .await
            .refused(400, "bad_request");
    }
    let told = ann
        .get("/api/logins/attempts?limit=200")
        .await
        .with(200)
        .json();
    let attempts = list(&told, "attempts");
    let succeeded = attempts
        .iter()
        .filter(|it| it["outcome"] == "succeeded")
        .count();
    assert_eq!((attempts.len(), succeeded), (51, 1));
    // They outlive the server, and not their time.
    let world = world.restart().await;
    let ann = ann.at(&world);
    let kept = ann
        .get("/api/logins/attempts?limit=200")
        .await
        .with(200)
        .json();
    assert_eq!(kept["attempts"], told["attempts"]);
    world
        .place
        .beside()
        .await
        .run("update sign_ins set at = 1")
        .await;
    let done = parlance::chat::housekeeping::expire(world.services()).await;
    done.expect("the database is there");
    let kept = ann.get("/api/logins/attempts").await.with(200).json();
    assert_eq!(kept["attempts"], json!([]));
}

#[rocket::async_test]
async fn ending_other_logins_asks_for_the_password_after_a_while() {
    let world = World::new().await;
    let ann = world.actor("ann").await;
    let phone = Actor::sign_in(&world, "ann", PASSWORD).await;
    let mut beside = world.place.beside().await;
    beside
        .run("update logins set created_at = created_at - 700000")
        .await;
    let world = world.restart().await;
    let (ann, phone) = (ann.at(&world), phone.at(&world));
    let logins = ann.get("/api/logins").await.with(200).json();
    let id = |mine: bool| {
        let logins = list(&logins, "logins");
        let login = logins.into_iter().find(|login| login["current"] == mine);
        login.expect("both are there")["id"].to_string()
    };
    let (own, other) = (
        format!("/api/logins/{}", id(true)),
        format!("/api/logins/{}", id(false)),
    );
    remove(&ann, &other, &[])
        .await
        .refused(403, "password_required");
    ann.post("/api/logout-all", &[])
        .await
        .refused(403, "password_required");
    remove(&ann, &other, &[("password", "wrong horse")])
        .await
        .refused(400, "bad_request");
    phone.get("/api/me").await.with(200);
    remove(&ann, &other, &[("password", PASSWORD)])
        .await
        .ok(200);
    phone.get("/api/me").await.refused(401, "unauthenticated");
    // Proved once it is enough for a while.
    let third = Actor::sign_in(&world, "ann", PASSWORD).await;
    ann.post("/api/logout-all", &[]).await.ok(200);
    third.get("/api/me").await.refused(401, "unauthenticated");
    // One's own login ends without.
    let fourth = Actor::sign_in(&world, "ann", PASSWORD).await;
    assert_ne!(own, other);
    world
        .place
        .beside()
        .await
        .run("update logins set created_at = created_at - 700000")
        .await;
    let world = world.restart().await;
    let fourth = fourth.at(&world);
    let logins = list(&fourth.get("/api/logins").await.with(200).json(), "logins");
    remove(&fourth, &format!("/api/logins/{}", logins[0]["id"]), &[])
        .await
        .ok(200);
    fourth.get("/api/me").await.refused(401, "unauthenticated");
}

#[rocket::async_test]
async fn of_more_logins_than_a_person_may_have_the_oldest_idle_one_ends() {
    let world = World::with("logins_per_person = 3").await;
    let first = world.actor("ann").await;
    let mut others = Vec::new();
    for _ in 0..2 {
        others.push(Actor::sign_in(&world, "ann", PASSWORD).await);
    }
    // It is not the oldest one that goes, but the one that was not used for the longest time.
    let mut beside = world.place.beside().await;
    beside
        .run("update logins set used_at = used_at - 1000")
        .await;
    beside
        .run("update logins set used_at = 1 where id = (select max(id) from logins)")
        .await;
    let world = world.restart().await;
    others.push(Actor::sign_in(&world, "ann", PASSWORD).await);
    first.at(&world).get("/api/me").await.with(200);
    others[0].at(&world).get("/api/me").await.with(200);
    others[1]
        .at(&world)
        .get("/api/me")
        .await
        .refused(401, "unauthenticated");
    others[2].get("/api/me").await.with(200);
}

#[rocket::async_test]
async fn everything_that_is_kept_of_me_is_mine_to_take() {
    let world = World::new().await;
    let (ann, bo) = world.ann_and_bo().await;
    let chat = ann.make("tea").await;
    bo.join(chat).await;
    for number in 0..30 {
        ann.say(chat, &format!("mine {number}")).await;
        bo.say(chat, &format!("bo's {number}")).await;
    }
    let left = bo.make("left").await;
    ann.say(left, "and gone").await;
    ann.leave(left).await;
    let quiet = bo.make("not hers").await;
    let told = ann.get("/api/me/export").await.with(200);
    assert_eq!(told.header("Content-Type"), "application/x-ndjson");
    assert_eq!(told.header("Cache-Control"), "no-store");
    let lines: Vec<Value> = told
        .body
        .lines()
        .map(|line| serde_json::from_str(line).expect("a line is JSON"))
        .collect();
    let of =
        |kind: &str| -> Vec<&Value> { lines.iter().filter(|line| line["type"] == kind).collect() };
    assert_eq!(
        (&lines[0]["type"], &lines[0]["name"]),
        (&"profile".into(), &"ann".into())
    );
    assert_eq!(lines.last().expect("a line"), &json!({"type": "end"}));
    assert_eq!(of("login").len(), 1);
    let chats: Vec<_> = of("chat")
        .iter()
        .map(|it| json!([it["id"], it["standing"]]))
        .collect();
    assert_eq!(chats, [json!([chat, "in"]), json!([left, "left"])]);
    let said: Vec<_> = of("message").iter().map(|it| text(it, "content")).collect();
    assert_eq!(said.len(), 31);
    assert!(
        said.iter().all(|content| !content.contains("bo's")),
        "{said:?}"
    );
    assert_eq!(said.last().map(String::as_str), Some("and gone"));
    assert!(!told.body.contains(&ann.token) && !told.body.contains("$2b$"));
    assert_ne!(quiet, chat);
}

#[rocket::async_test]
async fn another_name_or_address_asks_for_the_password_after_a_while() {
    let world = World::new().await;
    let ann = world.actor("ann").await;
    ann.patch("/api/me", &[("name", "anne")]).await.with(200);
    let mut beside = world.place.beside().await;
    beside
        .run("update logins set created_at = created_at - 700000")
        .await;
    let world = world.restart().await;
    let ann = ann.at(&world);
    let me = ann.get("/api/me").await.with(200).json();
    let (name, email) = (text(&me, "name"), text(&me, "email"));
    for part in [
        ("name", "anna"),
        ("name", "ANNE"),
        ("email", "ann@mail.example"),
    ] {
        ann.patch("/api/me", &[part])
            .await
            .refused(403, "password_required");
        let wrong = [part, ("password", "wrong horse")];
        ann.patch("/api/me", &wrong)
            .await
            .refused(400, "bad_request");
    }
    assert_eq!(ann.get("/api/me").await.with(200).json(), me);
    // What recovers no account does not ask, and neither does what changes nothing.
    let harmless = [
        ("name", name.as_str()),
        ("email", email.as_str()),
        ("photo", "https://example.com/ann.png"),
    ];
    ann.patch("/api/me", &harmless).await.with(200);
    let proven = [("email", "ann@mail.example"), ("password", PASSWORD)];
    ann.patch("/api/me", &proven).await.with(200);
    let me = ann.patch("/api/me", &[("name", "anna")]).await.with(200);
    assert_eq!(me.json()["name"], "anna");
}
