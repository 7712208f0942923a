//! Who may sign up, as the settings say and as an administrator chooses while the server runs.

use serde_json::json;

use crate::{
    support::actor::{Actor, PASSWORD, Told},
    support::administration::{administrator, ask, link_token},
    support::world::World,
};

async fn sign_up(world: &World, name: &str, invitation: Option<&str>) -> Told {
    let mut form = vec![
        ("name", name),
        ("password", PASSWORD),
        ("email", "a@b.example"),
    ];
    form.extend(invitation.map(|invitation| ("invite", invitation)));
    world.post("/api/reg", &form).await
}

async fn choose(root: &Actor, mode: &str) {
    let form = [("registration", mode)];
    ask(root, "PUT", "/api/admin/registration", &form)
        .await
        .ok(200);
}

async fn invite(root: &Actor) -> String {
    let told = root.post("/api/admin/invitations", &[]).await.with(201);
    link_token(&told, "invited")
}

#[rocket::async_test]
async fn what_an_administrator_chooses_holds_at_once_and_over_restarts() {
    let world = World::with("registration = 'closed'").await;
    let making = || parlance::model::Password::attempt(PASSWORD.to_owned());
    let made = parlance::chat::administration::make_administrator(world.services(), "root", making);
    made.await.expect("it is made");
    let root = Actor::sign_in(&world, "root", PASSWORD).await;
    sign_up(&world, "ann", None).await.refused(403, "forbidden");
    let mode = async |world: &World| world.get("/api/registration").await.with(200).json();
    assert_eq!(mode(&world).await, json!({"registration": "closed"}));
    choose(&root, "open").await;
    assert_eq!(mode(&world).await, json!({"registration": "open"}));
    sign_up(&world, "ann", None).await.ok(201);
    let told = root.get("/api/admin/registration").await.with(200).json();
    assert_eq!(
        told,
        json!({"registration": "open", "default": "closed", "chosen": "open"})
    );
    // The choice goes before the settings, until it is taken back.
    let world = world.restart_with("registration = 'closed'").await;
    let root = root.at(&world);
    sign_up(&world, "bo", None).await.ok(201);
    choose(&root, "invitation").await;
    sign_up(&world, "cy", None).await.refused(403, "forbidden");
    assert_eq!(mode(&world).await, json!({"registration": "invitation"}));
    choose(&root, "default").await;
    assert_eq!(mode(&world).await, json!({"registration": "closed"}));
    let world = world.restart_with("registration = 'invitation'").await;
    assert_eq!(mode(&world).await, json!({"registration": "invitation"}));
    sign_up(&world, "cy", None).await.refused(403, "forbidden");
}

#[rocket::async_test]
async fn an_invitation_lets_one_person_in() {
    let world = World::new().await;
    let root = administrator(&world, "root").await;
    for mode in ["closed", "invitation", "open"] {
        choose(&root, mode).await;
        let invitation = invite(&root).await;
        let (ann, bo) = (format!("ann {mode}"), format!("bo {mode}"));
        // Who does not get in has not used it.
        let told = sign_up(&world, "root", Some(&invitation)).await;
        told.refused(400, "bad_request");
        let (one, two) = futures_util::join!(
            sign_up(&world, &ann, Some(&invitation)),
            sign_up(&world, &bo, Some(&invitation))
        );
        let mut statuses = [one.status, two.status];
        statuses.sort_unstable();
        assert_eq!(statuses, [201, 400], "{} {}", one.body, two.body);
        let told = sign_up(&world, "cy", Some(&invitation)).await;
        told.refused(400, "bad_request");
        let told = sign_up(&world, "cy", Some("never was one")).await;
        told.refused(400, "bad_request");
    }
    choose(&root, "closed").await;
    let invitation = invite(&root).await;
    let told = root.get("/api/admin/invitations").await.with(200).json();
    assert_eq!(told["invitations"][0]["made_by"]["name"], "root");
    let path = format!("/api/admin/invitations/{}", told["invitations"][0]["id"]);
    root.delete(&path).await.ok(200);
    let told = sign_up(&world, "dee", Some(&invitation)).await;
    told.refused(400, "bad_request");
}
