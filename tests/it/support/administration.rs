//! Administrators, and what is written down of what they do.

use parlance::chat::administration::{self, NewAdministrator};
use reqwest::Method;
use serde_json::{Value, json};

use crate::{
    support::actor::{Actor, Told, list},
    support::world::World,
};

/// Signs somebody up, and makes them an administrator as on the machine.
pub(crate) async fn administrator(world: &World, name: &str) -> Actor {
    let actor = world.actor(name).await;
    let asked = || unreachable!("who has an account has a password");
    let made = administration::make_administrator(world.services(), name, asked).await;
    assert_eq!(made.expect("it is made"), NewAdministrator::Promoted);
    actor
}

/// A request with a form, by whichever method.
pub(crate) async fn ask(by: &Actor, method: &str, path: &str, form: &[(&str, &str)]) -> Told {
    let method: Method = method.parse().expect("a method");
    Told::of(by.request(method, path).form(form)).await
}

/// What was done: by whom, what, and to what, the newest last, without what was done on the machine.
pub(crate) async fn acts(admin: &Actor) -> Vec<Value> {
    let told = admin.get("/api/admin/audit?limit=200").await.with(200);
    let mut entries = list(&told.json(), "audit");
    entries.reverse();
    entries.retain(|entry| !entry["by"].is_null());
    entries
        .iter()
        .map(|entry| {
            let target = &entry["target"];
            json!([
                entry["by"]["name"],
                entry["act"],
                target["kind"],
                target["name"],
                entry["detail"]
            ])
        })
        .collect()
}

/// The token in the link that an answer holds.
pub(crate) fn link_token(told: &Told, mode: &str) -> String {
    let url = told.json()["url"].as_str().expect("a link").to_owned();
    let token = url.strip_prefix(&format!("/account/#/{mode}/"));
    token.expect("a link of that kind").to_owned()
}
