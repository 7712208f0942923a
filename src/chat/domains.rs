//! The domains of a site: whoever runs its desk adds and removes them.

use crate::{
    chat::{Caller, Services},
    error::{Error, Kind, Result},
    model::{self, Domain},
};

/// The most domains of one site.
const DOMAINS: usize = 100;

/// Adds a domain to the site whose desk the owner runs; its domains then, as people write them. One
/// that it has already stays.
pub async fn add(services: &Services, owner: &Caller, domain: &Domain) -> Result<Vec<String>> {
    let site = owner.tenant();
    let held = services.store.tenant_of_domain(domain).await?;
    if held.as_ref().is_some_and(|tenant| tenant.id != site) {
        return Err(taken());
    }
    let mut tx = services.store.begin_for(site).await?;
    if !tx.hold_tenant(site, services.clock.now()).await? {
        return Err(gone());
    }
    let mut domains = tx.domains_of(site).await?;
    if held.is_none() {
        if domains.len() >= DOMAINS {
            let sentence = format!("a site has at most {DOMAINS} domains");
            return Err(Error::invalid_field("domain", sentence));
        }
        let inserted = tx.insert_domain(domain, site).await;
        inserted.map_err(|error| match error.kind() {
            Kind::Conflict => taken().because(error),
            _ => error,
        })?;
        domains = tx.domains_of(site).await?;
    }
    tx.commit().await?;
    Ok(shown(&domains))
}

/// Removes a domain from the site whose desk the owner runs; the domains it has left. The last one
/// stays: without it nobody would find the desk.
pub async fn remove(services: &Services, owner: &Caller, domain: &Domain) -> Result<Vec<String>> {
    let site = owner.tenant();
    let mut tx = services.store.begin_for(site).await?;
    if !tx.hold_tenant(site, services.clock.now()).await? {
        return Err(gone());
    }
    if !tx.delete_domain(domain, site).await? {
        return Err(Error::not_found("this site has no such domain").in_field("domain"));
    }
    let left = tx.domains_of(site).await?;
    if left.is_empty() {
        return Err(Error::invalid_field(
            "domain",
            "domain is the last one of its site",
        ));
    }
    tx.commit().await?;
    Ok(shown(&left))
}

fn shown(domains: &[String]) -> Vec<String> {
    domains
        .iter()
        .map(|domain| model::domain::shown(domain))
        .collect()
}

/// The refusal of a domain that somebody has registered.
pub(super) fn taken() -> Error {
    Error::conflict("that domain is taken").in_field("domain")
}

fn gone() -> Error {
    Error::new(Kind::Unauthenticated, "this site is gone")
}
