//! Apps: registering them, listing them, deleting them, and the key they open.

use crate::{
    chat::{Services, developers::Developer, outgoing},
    error::{Error, Result},
    model::{Name, Tenant, TenantId, TenantKind, hex},
    store::NewTenant,
};

/// Registers an app; its secret is a new uuid.
pub async fn create(
    services: &Services,
    developer: &Developer,
    name: &Name,
    verify_url: Option<&str>,
    require_auth: bool,
) -> Result<Tenant> {
    let verify_url = verify_url
        .map(|url| outgoing::check_url("verify_url", url))
        .transpose()?;
    let new = NewTenant {
        kind: TenantKind::App,
        name: name.as_str().to_owned(),
        application_id: new_application_id(),
        owner: Some(developer.person().id),
        verify_url,
        require_auth,
    };
    let now = services.clock.now();
    let inserted = services.store.write(developer.person().tenant, move |tx| {
        Box::pin(async move { tx.insert_tenant(&new, now).await })
    });
    let id = inserted.await?;
    let tenant = services.store.tenant(id).await?;
    tenant.ok_or_else(|| Error::internal("an app that was made is not there"))
}

/// The developer's apps; all of them for an administrator.
pub async fn list(
    services: &Services,
    developer: &Developer,
    after: TenantId,
) -> Result<Vec<Tenant>> {
    let owner = (!developer.is_admin()).then_some(developer.person().id);
    services.store.apps(owner, after).await
}

/// Deletes an app, by its number or its secret: its people are signed out, its secret opens nothing, and
/// connections that use either end at once.
pub async fn delete(services: &Services, developer: &Developer, app: &str) -> Result<Tenant> {
    let missing = || Error::not_found("there is no such app");
    let found = match app.parse::<TenantId>() {
        Ok(id) => services.store.tenant(id).await?,
        Err(_) => services.store.tenant_by_key(app).await?,
    };
    let tenant = found
        .filter(|tenant| tenant.kind == TenantKind::App)
        .filter(|tenant| developer.is_admin() || tenant.owner == Some(developer.person().id))
        .ok_or_else(missing)?;
    let now = services.clock.now();
    let id = tenant.id;
    let deleted = services
        .store
        .write(id, move |tx| Box::pin(tx.delete_tenant(id, now)));
    deleted.await?;
    services.keys.end(tenant.id);
    // From here on its people's logins are good for nothing; to forget them takes as long as it takes.
    services.logins.end_in(tenant.id);
    services
        .logins
        .forget_in(&services.store, tenant.id)
        .await?;
    Ok(Tenant {
        deleted_at: Some(now),
        updated_at: now,
        ..tenant
    })
}

/// A new application id: a random uuid (version 4), as text.
pub(super) fn new_application_id() -> String {
    let mut bytes: [u8; 16] = rand::random();
    bytes[6] = (bytes[6] & 0x0f) | 0x40;
    bytes[8] = (bytes[8] & 0x3f) | 0x80;
    let digits = hex::encode(&bytes);
    let groups = [
        &digits[..8],
        &digits[8..12],
        &digits[12..16],
        &digits[16..20],
        &digits[20..],
    ];
    groups.join("-")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_a_version_4_uuid() {
        let text = new_application_id();
        let parts: Vec<_> = text.split('-').map(str::len).collect();
        assert_eq!(parts, [8, 4, 4, 4, 12]);
        assert_eq!(text.as_bytes()[14], b'4');
        assert!(b"89ab".contains(&text.as_bytes()[19]));
        assert_ne!(text, new_application_id());
    }
}
