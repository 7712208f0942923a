//! The logins of a person: seeing and ending them, and proving the password again before what matters.

use std::{sync::Arc, time::Duration};

use crate::{
    chat::{
        Caller, Services,
        accounts::{self, Device},
        limits::login_throttle::Guesser,
        logins::LiveLogin,
        password::Verdict,
        sign_ins::Reason,
    },
    error::{Error, Kind, Result},
    model::{Login, LoginId, Password, SignIn},
};

/// How long it is enough to have proved the password before what matters.
const PROOF_LASTS: Duration = Duration::from_mins(10);

/// Ends the caller's login: its waiters are told at once. If it was ended at the same moment, that is what was asked for.
pub async fn sign_out(services: &Services, caller: &Caller) -> Result<()> {
    end_login(services, caller, caller.login_id()?).await?;
    Ok(())
}

/// Ends one of the caller's logins; for another one than they came with they prove their password.
pub async fn end_other_login(
    services: &Services,
    caller: &Caller,
    login: LoginId,
    (password, device): (Option<&Password>, &Device),
) -> Result<()> {
    if caller.login_id()? != login {
        prove_lately(services, caller, password, device).await?;
    }
    if end_login(services, caller, login).await? {
        Ok(())
    } else {
        Err(Error::not_found("there is no such login"))
    }
}

/// Whether there was such a login of the caller's.
async fn end_login(services: &Services, caller: &Caller, login: LoginId) -> Result<bool> {
    let person = caller.id();
    let deleted = services.store.write(caller.tenant(), move |tx| {
        Box::pin(tx.delete_login(person, login))
    });
    let deleted = deleted.await?;
    if deleted {
        services.logins.end(&[login]);
    }
    Ok(deleted)
}

/// Ends all of the caller's logins.
pub async fn sign_out_everywhere(
    services: &Services,
    caller: &Caller,
    (password, device): (Option<&Password>, &Device),
) -> Result<()> {
    prove_lately(services, caller, password, device).await?;
    let person = caller.id();
    let deleted = services.store.write(caller.tenant(), move |tx| {
        Box::pin(tx.delete_logins(person, None))
    });
    services.logins.end(&deleted.await?);
    Ok(())
}

/// Refuses who does not prove the password that they have. The holder of a login need not know it, so
/// guesses are counted, by that login: neither do strangers slow it down, nor it others.
pub(super) async fn prove_again(
    services: &Services,
    caller: &Caller,
    password: &Password,
    device: &Device,
) -> Result<()> {
    let guesser = Guesser::Login(caller.login_id()?);
    let checked = accounts::guess(services, guesser, device, async |place| {
        let hash = services.store.password_hash(caller.id()).await?;
        let verdict = place.verify(password, hash).await?;
        let is_right = verdict != Verdict::Wrong;
        Ok(is_right.then_some(()).ok_or(Reason::WrongPassword))
    });
    let proven = checked.await?;
    let sentence = "the present password is wrong";
    proven.ok_or_else(|| Error::invalid_field("password", sentence))?;
    if let Some(login) = caller.login() {
        login.prove(services.clock.now());
    }
    Ok(())
}

/// Refuses who has not proved their password for a while and does not do so now. Whose tenant's server gives
/// them tokens has none to prove.
pub(super) async fn prove_lately(
    services: &Services,
    caller: &Caller,
    password: Option<&Password>,
    device: &Device,
) -> Result<()> {
    if let Some(password) = password {
        return prove_again(services, caller, password, device).await;
    }
    let now = services.clock.now();
    let is_late = |login: &Arc<LiveLogin>| login.since_proof(now) >= PROOF_LASTS;
    if !caller.login().is_some_and(is_late)
        || services.store.password_hash(caller.id()).await?.is_none()
    {
        return Ok(());
    }
    let sentence = "that matters: send your password with it";
    Err(Error::new(Kind::PasswordRequired, sentence))
}

/// What a code of the caller's proves, as an attempt that is counted by their login; nothing when it is wrong.
pub(super) async fn guess_code<T>(
    services: &Services,
    caller: &Caller,
    device: &Device,
    check: impl FnOnce() -> Result<Option<T>>,
) -> Result<Option<T>> {
    let guesser = Guesser::Login(caller.login_id()?);
    accounts::guess(services, guesser, device, async |_place| {
        Ok(check()?.ok_or(Reason::WrongCode))
    })
    .await
}

/// Sets a new password and ends the caller's other logins.
pub async fn change_password(
    services: &Services,
    caller: &Caller,
    (old, new): (&Password, &Password),
    device: &Device,
) -> Result<()> {
    let new = accounts::new_password_of(services, new, caller.person());
    let new = new.map_err(|error| error.about("new_password"))?;
    prove_again(services, caller, old, device).await?;
    let hash = services.hasher.hash(&new).await?;
    let (person, login, now) = (caller.id(), caller.login_id()?, services.clock.now());
    let changed = services.store.write(caller.tenant(), move |tx| {
        Box::pin(async move {
            tx.set_password(person, &hash, now).await?;
            tx.delete_logins(person, Some(login)).await
        })
    });
    services.logins.end(&changed.await?);
    Ok(())
}

/// The caller's logins, the last used first.
pub async fn logins(services: &Services, caller: &Caller) -> Result<Vec<Login>> {
    services.store.logins(caller.id()).await
}

/// The caller's sign-ins and the failed ones, the latest first: those before one of them, and whether there are
/// more.
pub async fn attempts(
    services: &Services,
    caller: &Caller,
    before: Option<i64>,
    limit: usize,
) -> Result<(Vec<SignIn>, bool)> {
    services.sign_ins.flush(&services.store).await?;
    let before = before.unwrap_or(i64::MAX);
    let found = services.store.sign_ins(caller.id(), before, limit + 1);
    let mut found = found.await?;
    let more = found.len() > limit;
    found.truncate(limit);
    Ok((found, more))
}
