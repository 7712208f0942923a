//! Where a client continues that shows a cursor.

use crate::{
    chat::Services,
    error::{Error, Result},
    model::{Cursor, Place, Position, TenantId},
};

/// The place from which a client continues, or [`Kind::Gone`](crate::error::Kind::Gone) when nobody can prove what it missed. What another server
/// of the database has told is waited for a moment.
pub async fn resume(services: &Services, tenant: TenantId, cursor: &Cursor) -> Result<Position> {
    if cursor.position < services.store.floor() {
        return Err(Error::gone());
    }
    let follower = &services.follower;
    follower.reach(tenant, cursor, Error::gone).await
}

/// The same of the place from which a socket continues, in each of its lanes.
pub async fn resume_socket(services: &Services, place: &Place) -> Result<()> {
    let floor = services.store.floor();
    if place.positions.iter().any(|position| position < floor) {
        return Err(Error::gone());
    }
    let mut told = place.clone();
    if let Some(part) = place.part {
        told.positions.raise(part.position);
    }
    services.follower.reach_all(&told).await
}
