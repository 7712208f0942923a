//! The routes that the server mounts.

use parlance::{
    Server,
    config::{Defaults, Settings},
    openapi,
};
use rocket::figment::Figment;

/// Method and path of every route that is to be documented.
pub(crate) fn routes() -> Vec<(String, String)> {
    let figment = Figment::from(rocket::Config::default()).merge(Defaults);
    let mut found = Vec::new();
    let server = Server::build(&figment, Settings::default()).map(|rocket| {
        for (route, path) in openapi::documented(rocket.routes()) {
            found.push((route.method.to_string(), path));
        }
        rocket
    });
    drop(server);
    assert!(found.len() > 30, "the routes were not found");
    found
}
