//! Turns away, before any route sees it, what comes too often from one address.

use std::sync::Arc;

use rocket::{
    Data, Request,
    fairing::{Fairing, Info, Kind},
    http::{ext::IntoOwned, uri::Origin},
};

use super::{ClientAddress, headers::under, origins::REFUSED, refusal};
use crate::chat::{Services, limits::Who};

/// Paths that are not counted here: those of whoever watches over the server, and Socket.IO, whose
/// events are counted one by one.
const UNCOUNTED: [&str; 3] = ["/health", "/metrics", "/socket.io"];

/// See the module.
pub(super) struct Door;

#[rocket::async_trait]
impl Fairing for Door {
    fn info(&self) -> Info {
        Info {
            name: "limits",
            kind: Kind::Request,
        }
    }

    async fn on_request(&self, request: &mut Request<'_>, _: &mut Data<'_>) {
        let path = request.uri().path();
        if UNCOUNTED.iter().any(|base| under(&path, base)) {
            return;
        }
        let Some(services) = request.rocket().state::<Arc<Services>>() else {
            return;
        };
        let network = ClientAddress::of(request).network();
        if let Err(error) = services.limits.count(Who::Address(network)) {
            refusal::keep(request, error);
            if let Ok(uri) = Origin::parse(REFUSED) {
                request.set_uri(uri.into_owned());
            }
        }
    }
}
