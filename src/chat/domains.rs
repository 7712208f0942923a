//! The domains of a site, which its agents add and remove.

use crate::{
    chat::{Caller, Services},
    error::{Error, Kind, Result},
    model::{self, Domain},
};

/// The most domains of one site.
const DOMAINS: usize = 100;

/// Adds a domain to the owner's site; its domains then, as people write them. One
/// that it has already stays.
pub async fn add(services: &Services, owner: &Caller, domain: &Domain) -> Result<Vec<String>> {
    let site = owner.tenant();
    let held = services.store.tenant_of_domain(domain).await?;
    if held.as_ref().is_some_and(|tenant| tenant.id != site) {
        return Err(taken());
    }
    let (domain, now) = (domain.clone(), services.clock.now());
    let added = services.store.write(site, move |tx| {
        Box::pin(async move {
            if !tx.hold_tenant(site, now).await? {
                return Err(gone());
            }
            let domains = tx.domains_of(site).await?;
            if held.is_some() {
                return Ok(domains);
            }
            if domains.len() >= DOMAINS {
                let sentence = format!("a site has at most {DOMAINS} domains");
                return Err(Error::invalid_field("domain", sentence));
            }
            let inserted = tx.insert_domain(&domain, site).await;
            inserted.map_err(|error| error.conflict_as(taken))?;
            tx.domains_of(site).await
        })
    });
    Ok(shown(&added.await?))
}

/// Removes a domain from the owner's site; the domains it has left. The last one
/// stays: without it no guest would find the site.
pub async fn remove(services: &Services, owner: &Caller, domain: &Domain) -> Result<Vec<String>> {
    let site = owner.tenant();
    let (domain, now) = (domain.clone(), services.clock.now());
    let removed = services.store.write(site, move |tx| {
        Box::pin(async move {
            if !tx.hold_tenant(site, now).await? {
                return Err(gone());
            }
            if !tx.delete_domain(&domain, site).await? {
                return Err(Error::not_found("this site has no such domain").in_field("domain"));
            }
            let left = tx.domains_of(site).await?;
            if left.is_empty() {
                let sentence = "domain is the last one of its site";
                return Err(Error::invalid_field("domain", sentence));
            }
            Ok(left)
        })
    });
    Ok(shown(&removed.await?))
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
