//! Personal access tokens: what people give their programs instead of a password.
//!
//! A token is a login with a name, scopes and an end, so it is looked up, counted and ended as logins are: everything
//! that waits or is connected by it ends with it, and what ends all logins of a person ends their tokens. It is never
//! good for the account itself: who has a token can neither make more of them nor change the password.

use std::time::Duration;

use crate::{
    chat::{Caller, Services, accounts::Device, callers, logins::Token, sessions},
    error::{Error, Result},
    model::{AccessToken, LoginId, Name, Password, Scope, TokenTerms},
};

/// What every token begins with.
pub const PREFIX: &str = "pat_";
/// The most tokens of one person.
const MOST: i64 = 50;
/// How long a token is good where nobody says.
pub const GOOD_FOR: Duration = Duration::from_hours(90 * 24);
/// The longest that one is good.
pub const LONGEST: Duration = Duration::from_hours(366 * 24);

/// A fresh token: it is told once.
pub struct IssuedToken {
    /// The token.
    pub token: Token,
    /// What its person sees of it.
    pub listed: AccessToken,
}

/// Makes a token. Who has not proved their password for a while does so first.
pub async fn create(
    services: &Services,
    caller: &Caller,
    (name, scopes, good_for): (Name, Vec<Scope>, Duration),
    (password, device): (Option<&Password>, &Device),
) -> Result<IssuedToken> {
    callers::refuse_token(caller)?;
    if caller.person().is_guest() {
        return Err(Error::forbidden("a guest has no tokens"));
    }
    if caller
        .login()
        .is_some_and(|login| login.verify_url.is_some())
    {
        let sentence = "the tokens here are those that your tenant's own system gives out";
        return Err(Error::forbidden(sentence));
    }
    sessions::prove_lately(services, caller, password, device).await?;
    let token = Token::for_programs();
    let now = services.clock.now();
    let terms = TokenTerms {
        scopes,
        expires_at: now.plus(good_for.min(LONGEST)),
    };
    let (who, hash) = ((caller.tenant(), caller.id()), token.hash());
    let listed = services.store.write(caller.tenant(), move |tx| {
        Box::pin(async move {
            if tx.count_tokens(who.1).await? >= MOST {
                return Err(Error::conflict(format!("you have {MOST} tokens already")));
            }
            let named = (name.as_str(), &hash);
            let id = tx.insert_token(who, named, &terms, now).await?;
            Ok(AccessToken {
                id,
                name: name.as_str().to_owned(),
                terms,
                created_at: now,
                used_at: now,
            })
        })
    });
    let listed = listed.await?;
    Ok(IssuedToken { token, listed })
}

/// The caller's tokens, the oldest first.
pub async fn list(services: &Services, caller: &Caller) -> Result<Vec<AccessToken>> {
    let mut tokens = services.store.tokens(caller.id()).await?;
    let now = services.clock.now();
    for token in &mut tokens {
        token.used_at = services.logins.last_used(token.id, token.used_at, now);
    }
    Ok(tokens)
}

/// Ends a token of the caller's, with everything that was opened by it.
pub async fn revoke(services: &Services, caller: &Caller, token: LoginId) -> Result<()> {
    callers::refuse_token(caller)?;
    let person = caller.id();
    let deleted = services.store.write(caller.tenant(), move |tx| {
        Box::pin(tx.delete_token(person, token))
    });
    if !deleted.await? {
        return Err(Error::not_found("there is no such token"));
    }
    services.logins.end(&[token]);
    Ok(())
}
