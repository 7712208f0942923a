//! Apps: registering them, listing them, deleting them, and the key they open.

use rand::Rng;

use crate::{
    chat::{
        Services,
        accounts::{self, KeyHolder},
        developers::{self, Developer},
        verify,
    },
    error::{Error, Kind, Result},
    model::{Name, Tenant, TenantId, TenantKind},
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
    let verify_url = verify_url.map(verify::check_url).transpose()?;
    let new = NewTenant {
        kind: TenantKind::App,
        name: name.as_str(),
        application_id: &new_uuid(),
        owner: Some(developer.person().id),
        verify_url: verify_url.as_deref(),
        require_auth,
    };
    let mut tx = services.store.begin_for(developer.person().tenant).await?;
    let id = tx.insert_tenant(&new, services.clock.now()).await?;
    tx.commit().await?;
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

/// Deletes an app, by its number or its secret: its people are signed out, its secret opens nothing.
pub async fn delete(services: &Services, developer: &Developer, app: &str) -> Result<Tenant> {
    let missing = || Error::not_found("App Not Found");
    let found = match app.parse::<TenantId>() {
        Ok(id) => services.store.tenant(id).await?,
        Err(_) => services.store.tenant_by_key(app).await?,
    };
    let tenant = found
        .filter(|tenant| tenant.kind == TenantKind::App)
        .filter(|tenant| developer.is_admin() || tenant.owner == Some(developer.person().id))
        .ok_or_else(missing)?;
    let now = services.clock.now();
    let mut tx = services.store.begin_for(tenant.id).await?;
    tx.delete_tenant(tenant.id, now).await?;
    tx.commit().await?;
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

/// Proves that somebody holds an app's secret and, where the app wants that too, its owner's token.
pub async fn key_holder(
    services: &Services,
    application_id: &str,
    token: Option<&str>,
) -> Result<KeyHolder> {
    let holder = accounts::key_holder(services, application_id).await?;
    let tenant = holder.tenant();
    if !tenant.require_auth {
        return Ok(holder);
    }
    let Some(token) = token else {
        return Err(Error::new(
            Kind::Unauthenticated,
            "this app wants its owner's token beside its application id",
        ));
    };
    let developer = developers::prove(services, token).await?;
    if developer.is_admin() || tenant.owner == Some(developer.person().id) {
        Ok(holder)
    } else {
        Err(Error::forbidden("this app belongs to another account"))
    }
}

/// A random uuid (version 4) as text.
pub fn new_uuid() -> String {
    let mut bytes = [0_u8; 16];
    rand::rng().fill_bytes(&mut bytes);
    bytes[6] = (bytes[6] & 0x0f) | 0x40;
    bytes[8] = (bytes[8] & 0x3f) | 0x80;
    let mut text = String::with_capacity(36);
    for (place, byte) in bytes.iter().enumerate() {
        if matches!(place, 4 | 6 | 8 | 10) {
            text.push('-');
        }
        for nibble in [byte >> 4, byte & 15] {
            text.extend(char::from_digit(u32::from(nibble), 16));
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_a_version_4_uuid() {
        let text = new_uuid();
        let parts: Vec<_> = text.split('-').map(str::len).collect();
        assert_eq!(parts, [8, 4, 4, 4, 12]);
        assert_eq!(text.as_bytes()[14], b'4');
        assert!(b"89ab".contains(&text.as_bytes()[19]));
        assert_ne!(text, new_uuid());
    }
}
