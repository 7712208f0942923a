//! Owners of sites, who are their agents: registering, and signing in and out.

use std::time::Instant;

use crate::{
    chat::{
        Caller, Services,
        accounts::{self, Device, IssuedLogin},
        apps::new_application_id,
        callers, domains, sessions,
        sign_ins::SignIns,
    },
    error::{Error, Kind, Result},
    model::{
        Domain, Email, Name, Names, NewPassword, Password, Person, PersonId, PersonKind, Scope,
        Tenant, TenantId, TenantKind, Timestamp,
    },
    store::{NewPerson, NewTenant, Tx},
};

/// The most characters of the name that an owner goes by.
const NAME_CHARS: usize = 64;

/// An owner who registers.
#[derive(Debug)]
pub struct NewOwner<'a> {
    /// What they sign in by.
    pub email: &'a Email,
    /// Their password.
    pub password: &'a Password,
    /// Where their guests come from.
    pub domain: &'a Domain,
    /// An owner of that domain's site, who invites them.
    pub colleague: Option<&'a Caller>,
}

/// Registers an owner: of a new site, or beside a colleague. A domain that somebody has registered is
/// theirs: no other owner joins its site without an invitation.
pub async fn register(services: &Services, new: &NewOwner<'_>, device: &Device) -> Result<()> {
    let names = [new.email.as_str(), new.email.local(), new.domain.site()];
    let password = accounts::new_password(services, new.password, &names)?;
    let sign_up = services
        .login_throttle
        .sign_up(device.network, Instant::now())?;
    let made = make(services, new, &password).await;
    sign_up.unless_failed(&made);
    SignIns::signed_up(made?, device.address);
    Ok(())
}

async fn make(services: &Services, new: &NewOwner<'_>, password: &NewPassword) -> Result<PersonId> {
    let email_taken = || Error::conflict("that e-mail address is taken").in_field("email");
    let NewOwner {
        email,
        domain,
        colleague,
        ..
    } = new;
    let key = account_key(&email.folded());
    // Looked up first only to spare the hash; the unique keys decide.
    if services.store.account_exists(&key).await? {
        return Err(email_taken());
    }
    let site = services.store.tenant_of_domain(domain).await?;
    if let Some(site) = &site
        && colleague.is_none_or(|colleague| colleague.tenant() != site.id)
    {
        return Err(domains::taken());
    }
    let hash = services.hasher.hash(password).await?;
    let name = name_of(email)?;
    let now = services.clock.now();
    let (domain, email) = (Domain::clone(domain), email.as_str().to_owned());
    let made = services.store.write(accounts::HOME, move |tx| {
        Box::pin(async move {
            let tenant = match site {
                Some(site) => site.id,
                None => make_site(tx, &domain, now).await?,
            };
            let owner = NewPerson {
                tenant,
                kind: PersonKind::Owner,
                name,
                names: Names::default(),
                email: Some(email),
                photo: None,
                external_id: None,
                account_key: Some(key),
                password_hash: Some(hash),
            };
            let inserted = tx.insert_person(&owner, now).await;
            inserted.map_err(|error| error.conflict_as(email_taken))
        })
    });
    made.await
}

async fn make_site(tx: &mut Tx, domain: &Domain, now: Timestamp) -> Result<TenantId> {
    let site = NewTenant {
        kind: TenantKind::Site,
        name: domain.shown(),
        application_id: new_application_id(),
        owner: None,
        verify_url: None,
        require_auth: false,
    };
    let tenant = tx.insert_tenant(&site, now).await?;
    let inserted = tx.insert_domain(domain, tenant).await;
    inserted.map_err(|error| error.conflict_as(domains::taken))?;
    Ok(tenant)
}

/// Signs an owner in by e-mail and password. One refusal for an unknown address and a wrong
/// password, and both take as long.
pub async fn sign_in(
    services: &Services,
    email: &str,
    password: &Password,
    device: &Device,
) -> Result<(IssuedLogin, Tenant)> {
    let refusal = || Error::not_found("e-mail address or password is wrong");
    let keys = Email::candidates(email);
    let keys: Vec<_> = keys.iter().map(|email| account_key(email)).collect();
    let found = accounts::sign_in_by(services, &keys, password, device).await?;
    let proven = found.ok_or_else(refusal)?;
    let tenant = services.store.tenant(proven.person.tenant).await?;
    let tenant = tenant.ok_or_else(refusal)?;
    let login = IssuedLogin {
        person: proven.person.id,
        chat: None,
        token: proven.token,
        device_cookie: proven.device_cookie,
    };
    Ok((login, tenant))
}

/// Ends the login of the agent who holds this token; returns whether there was one.
pub async fn sign_out(services: &Services, token: &str, device: &Device) -> Result<bool> {
    let Some(owner) = by_token(services, token, device).await? else {
        return Ok(false);
    };
    sessions::sign_out(services, &owner).await?;
    Ok(true)
}

/// The agent who holds this token.
pub async fn by_token(services: &Services, token: &str, device: &Device) -> Result<Option<Caller>> {
    let from = Some(device.network);
    match callers::holder_who(services, token, from, (Scope::Admin, Person::is_agent)).await {
        Err(error) if error.kind() == Kind::Unauthenticated => Ok(None),
        outcome => outcome,
    }
}

/// What an owner signs in by.
fn account_key(folded: &str) -> String {
    format!("owner/{folded}")
}

/// What guests see of an owner: who is written to, not where.
fn name_of(email: &Email) -> Result<Name> {
    Name::parse(&email.local().chars().take(NAME_CHARS).collect::<String>())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_owner_goes_by_the_first_half_of_their_address() {
        let email = Email::parse("Ann.Lee@example.com").expect("sound");
        assert_eq!(name_of(&email).expect("a name").as_str(), "Ann.Lee");
        assert_eq!(account_key(&email.folded()), "owner/ann.lee@example.com");
        let long = Email::parse(&format!("{}@b", "x".repeat(100))).expect("sound");
        assert_eq!(name_of(&long).expect("a name").as_str().len(), NAME_CHARS);
    }
}
