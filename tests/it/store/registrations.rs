//! People whom tenants' servers register: many in one transaction, each of them once.

use parlance::{
    model::{Name, Names, Person, PersonKind, TenantId, Timestamp},
    store::{NewPerson, Store},
};

use crate::support::place::Place;

const OPEN: TenantId = TenantId::new(2);
const NOW: Timestamp = Timestamp::new(1_700_000_000_000);

fn new(id: &str, name: &str, photo: Option<&str>) -> NewPerson {
    NewPerson {
        tenant: OPEN,
        kind: PersonKind::Person,
        name: Name::parse(name).expect("a sound name"),
        names: Names {
            first: photo.map(|_| "First".to_owned()),
            middle: None,
            last: Some(String::new()),
        },
        photo: photo.map(str::to_owned),
        external_id: Some(id.to_owned()),
        email: None,
        account_key: None,
        password_hash: None,
    }
}

async fn register(store: &Store, new: Vec<NewPerson>) -> Vec<(Person, bool)> {
    let registered = store.write(OPEN, move |tx| {
        Box::pin(async move { tx.register_all(OPEN, &new, NOW).await })
    });
    registered.await.expect("they are registered")
}

#[rocket::async_test]
async fn each_is_new_once_and_found_afterwards() {
    let place = Place::make().await;
    let store = place.store().await;
    assert_eq!(register(&store, Vec::new()).await, []);
    let first = [
        new("b", "Bo", None),
        new("a", "Ann", Some("/a.png")),
        new("b", "Another Bo", Some("/b.png")),
    ];
    let first = register(&store, first.to_vec()).await;
    let news: Vec<_> = first.iter().map(|(_, is_new)| *is_new).collect();
    assert_eq!(news, [true, true, false]);
    assert_eq!(first[0].0, first[2].0, "who came first counts");
    assert_eq!(&*first[0].0.name, "Bo");
    let second = [new("c", "C", None), new("a", "Other", None)];
    let second = register(&store, second.to_vec()).await;
    let news: Vec<_> = second.iter().map(|(_, is_new)| *is_new).collect();
    assert_eq!(news, [true, false]);
    assert_eq!(second[1].0, first[1].0);
    for (person, _) in [&first[0], &first[1], &second[0]] {
        let id = person.external_id.as_deref().expect("it was given");
        let found = store.registered(OPEN, id).await.expect("an answer");
        assert_eq!(found.as_ref(), Some(person), "{id}");
    }
    store.close().await;
}

#[rocket::async_test]
async fn two_servers_that_register_the_same_people_make_each_once() {
    const PEOPLE: usize = 40;
    let place = Place::make().await;
    let stores = [place.store().await, place.store().await];
    let tasks = (0..8).map(|number| {
        let store = stores[number % 2].clone();
        // Each begins elsewhere.
        let people = (0..PEOPLE).map(move |at| (at * 7 + number * 5) % PEOPLE);
        let people = people.map(|at| new(&format!("id {at}"), &format!("name {at}"), None));
        let people: Vec<_> = people.collect();
        tokio::spawn(async move { register(&store, people).await })
    });
    let tasks: Vec<_> = tasks.collect();
    let mut made = Vec::new();
    let mut everybody = Vec::new();
    for task in tasks {
        for (person, is_new) in task.await.expect("a task does not fail") {
            let id = person.external_id.clone().expect("it was given");
            everybody.push((id.clone(), person.id));
            if is_new {
                made.push((id, person.id));
            }
        }
    }
    made.sort_unstable();
    everybody.sort_unstable();
    everybody.dedup();
    assert_eq!(made.len(), PEOPLE);
    assert_eq!(everybody, made);
    for store in stores {
        store.close().await;
    }
}
