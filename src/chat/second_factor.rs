//! A second factor: codes of an app that change with the time (TOTP, RFC 6238), and recovery codes.
//!
//! # Why
//! The password is asked again before anything here changes: a login that was left open is not to lock its
//! owner out. A code proves itself once, also when two sign-ins show it at the same moment: it is taken in
//! the transaction that makes the login. Wrong codes count as wrong passwords do.

use rand::Rng;
use totp_rs::{Builder, Secret, Totp};

use crate::{
    chat::{
        Caller, Services,
        accounts::{self, Device},
        logins, qr, sessions,
    },
    error::{Error, Kind, Result},
    model::{Password, PersonId, SecondFactor, Timestamp},
    store::Tx,
};

/// Bytes of a secret, as RFC 4226 recommends.
const SECRET: usize = 20;
/// How many recovery codes there are.
const CODES: usize = 10;
/// Bytes of one: more than 112 bits, so that a plain digest of it is enough.
const CODE: usize = 15;
/// Letters of one between two hyphens.
const GROUP: usize = 6;
/// Who asks, as an app shows it beside the code.
const ISSUER: &str = "Parlance";

/// What an app needs to make codes.
#[derive(Debug)]
pub struct Enrolment {
    /// The secret, in base 32.
    pub secret: String,
    /// The same as an address that apps read.
    pub url: String,
    /// That address as a QR code: the address of a picture.
    pub qr: String,
}

/// What a code proves, to be taken in the transaction for which it does.
#[derive(Debug, Clone)]
pub(super) enum Shown {
    /// The code of a time step, by this secret.
    Step(String, i64),
    /// A recovery code, by its hash.
    Recovery(String),
}

/// The caller's second factor, once it is confirmed.
pub async fn status(services: &Services, caller: &Caller) -> Result<Option<SecondFactor>> {
    let factor = services.store.second_factor(caller.id()).await?;
    Ok(factor.filter(|factor| factor.confirmed_at.is_some()))
}

/// Begins a second factor: it counts once a code has confirmed it.
pub async fn begin(
    services: &Services,
    caller: &Caller,
    password: &Password,
    device: &Device,
) -> Result<Enrolment> {
    accounts::own_account(services, caller).await?;
    sessions::prove_again(services, caller, password, device).await?;
    let mut bytes = [0_u8; SECRET];
    rand::rng().fill_bytes(&mut bytes);
    let secret = Secret::from(bytes.to_vec()).to_base32();
    let url = generator(&secret, &caller.person().name)?.to_url();
    let url = url.map_err(|error| Error::internal(error.to_string()))?;
    let qr = qr::picture(&url)?;
    let (person, now, kept) = (caller.id(), services.clock.now(), secret.clone());
    let begun = services.store.write(caller.tenant(), move |tx| {
        Box::pin(async move { tx.begin_second_factor(person, &kept, now).await })
    });
    if !begun.await? {
        return Err(Error::conflict(
            "there is a second factor already: end it before you begin another",
        ));
    }
    Ok(Enrolment { secret, url, qr })
}

/// Confirms the second factor that was begun by a code of it; the recovery codes are told once.
pub async fn confirm(
    services: &Services,
    caller: &Caller,
    code: &str,
    device: &Device,
) -> Result<Vec<String>> {
    let nothing = || Error::not_found("no second factor was begun");
    let factor = services.store.second_factor(caller.id()).await?;
    let factor = factor.ok_or_else(nothing)?;
    if factor.confirmed_at.is_some() {
        return Err(Error::conflict("the second factor is confirmed already"));
    }
    let now = services.clock.now();
    let step = sessions::guess_code(services, caller, device, || step_of(&factor, code, now));
    let step = step.await?.ok_or_else(wrong_code)?;
    let (codes, hashes) = recovery_codes();
    let person = caller.id();
    let confirmed = services.store.write(caller.tenant(), move |tx| {
        Box::pin(async move {
            let place = (factor.secret.as_str(), step);
            if !tx.take_step(person, place, Some(now)).await? {
                return Ok(false);
            }
            tx.set_recovery_codes(person, &hashes, now).await?;
            Ok(true)
        })
    });
    if !confirmed.await? {
        return Err(wrong_code());
    }
    tracing::info!(%person, "Somebody has a second factor now.");
    Ok(codes)
}

/// Replaces the caller's recovery codes.
pub async fn renew_codes(
    services: &Services,
    caller: &Caller,
    password: &Password,
    device: &Device,
) -> Result<Vec<String>> {
    sessions::prove_again(services, caller, password, device).await?;
    if status(services, caller).await?.is_none() {
        return Err(Error::not_found("there is no second factor"));
    }
    let (codes, hashes) = recovery_codes();
    let (person, now) = (caller.id(), services.clock.now());
    let renewed = services.store.write(caller.tenant(), move |tx| {
        Box::pin(async move { tx.set_recovery_codes(person, &hashes, now).await })
    });
    renewed.await.map(|()| codes)
}

/// Ends the caller's second factor.
pub async fn end(
    services: &Services,
    caller: &Caller,
    password: &Password,
    device: &Device,
) -> Result<()> {
    sessions::prove_again(services, caller, password, device).await?;
    let person = caller.id();
    let ended = services.store.write(caller.tenant(), move |tx| {
        Box::pin(async move { tx.end_second_factor(person).await })
    });
    if !ended.await? {
        return Err(Error::not_found("there is no second factor"));
    }
    tracing::info!(%person, "Somebody has no second factor any more.");
    Ok(())
}

/// What a code proves of somebody whose password was right: nothing where there is nothing to prove. No code,
/// where one is needed, is said so; a wrong one is none.
pub(super) async fn check(
    services: &Services,
    person: PersonId,
    code: Option<&str>,
) -> Result<std::result::Result<Option<Shown>, ()>> {
    let factor = services.store.second_factor(person).await?;
    let Some(factor) = factor.filter(|factor| factor.confirmed_at.is_some()) else {
        return Ok(Ok(None));
    };
    let Some(code) = code else {
        return Err(Error::new(
            Kind::CodeRequired,
            "this account has a second factor: send its code as well",
        ));
    };
    if let Some(step) = step_of(&factor, code, services.clock.now())? {
        return Ok(Ok(Some(Shown::Step(factor.secret, step))));
    }
    let hash = recovery_hash(code);
    let is_known = services.store.has_recovery_code(person, &hash).await?;
    Ok(if is_known {
        Ok(Some(Shown::Recovery(hash)))
    } else {
        Err(())
    })
}

impl Shown {
    /// Takes what was shown, in the transaction that it is for; says no when it was taken before.
    pub(super) async fn take(&self, tx: &mut Tx, person: PersonId) -> Result<bool> {
        match self {
            Self::Step(secret, step) => tx.take_step(person, (secret, *step), None).await,
            Self::Recovery(hash) => tx.take_recovery_code(person, hash).await,
        }
    }
}

/// The time step of a code that is good now, or was half a minute ago, or will be: none when it was taken
/// already, or a later one was.
fn step_of(factor: &SecondFactor, code: &str, now: Timestamp) -> Result<Option<i64>> {
    let generator = generator(&factor.secret, "account")?;
    let seconds = u64::try_from(now.get() / 1000).unwrap_or_default();
    let step = generator.check(code.trim(), seconds);
    let step = step.and_then(|step| i64::try_from(step).ok());
    Ok(step.filter(|step| *step > factor.step))
}

/// What makes the codes of a secret: six digits that change every half minute.
fn generator(secret: &str, name: &str) -> Result<Totp> {
    let secret =
        Secret::try_from_base32(secret).map_err(|error| Error::internal(error.to_string()))?;
    // A colon divides the issuer from the name.
    let name = name.replace(':', " ");
    let built = Builder::new()
        .with_secret(secret)
        .with_issuer(Some(ISSUER))
        .with_account_name(name)
        .build();
    built.map_err(|error| Error::internal(error.to_string()))
}

/// New recovery codes, and what is kept of them.
fn recovery_codes() -> (Vec<String>, Vec<String>) {
    let code = |_| {
        let mut bytes = [0_u8; CODE];
        rand::rng().fill_bytes(&mut bytes);
        let letters = Secret::from(bytes.to_vec()).to_base32().to_lowercase();
        let groups = letters.as_bytes().chunks(GROUP);
        let groups = groups.map(|group| String::from_utf8_lossy(group).into_owned());
        groups.collect::<Vec<_>>().join("-")
    };
    let codes: Vec<_> = (0..CODES).map(code).collect();
    let hashes = codes.iter().map(|code| recovery_hash(code)).collect();
    (codes, hashes)
}

/// What is kept of a recovery code, however its letters are written.
fn recovery_hash(code: &str) -> String {
    let letters = code.chars().filter(char::is_ascii_alphanumeric);
    let letters: String = letters.map(|letter| letter.to_ascii_lowercase()).collect();
    logins::hash(&letters).as_str().to_owned()
}

fn wrong_code() -> Error {
    Error::invalid_field("code", "code is wrong, or was used before")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The secret of RFC 6238's tests.
    const SECRET_OF_RFC: &[u8; 20] = b"12345678901234567890";

    fn factor(step: i64) -> SecondFactor {
        SecondFactor {
            secret: Secret::from(SECRET_OF_RFC.to_vec()).to_base32(),
            step,
            confirmed_at: None,
            codes_left: 0,
        }
    }

    fn step(factor: &SecondFactor, code: &str, seconds: i64) -> Option<i64> {
        let step = step_of(factor, code, Timestamp::new(seconds * 1000));
        step.expect("the secret is sound")
    }

    #[test]
    fn codes_are_those_of_the_document_for_a_step_to_either_side() {
        // RFC 6238, appendix B, the last six digits: 59 s is in step 1, 1111111109 s in step 37037036.
        let new = factor(0);
        assert_eq!(step(&new, "287082", 59), Some(1));
        assert_eq!(step(&new, " 081804 ", 1_111_111_109), Some(37_037_036));
        for (at, good) in [(0, true), (29, true), (89, true), (90, false)] {
            assert_eq!(step(&new, "287082", at).is_some(), good, "{at}");
        }
        for wrong in ["", "287083", "28708", "2870820", "abcdef", "\u{663}87082"] {
            assert_eq!(step(&new, wrong, 59), None, "{wrong}");
        }
        assert_eq!(step(&factor(1), "287082", 59), None, "it was taken");
        assert_eq!(
            step(&factor(2), "287082", 59),
            None,
            "a later one was taken"
        );
    }

    #[test]
    fn recovery_codes_are_long_and_known_however_they_are_written() {
        let (codes, hashes) = recovery_codes();
        assert_eq!((codes.len(), hashes.len()), (CODES, CODES));
        let code = &codes[0];
        assert_eq!(code.len(), 27, "{code}");
        assert_eq!(recovery_hash(code), hashes[0]);
        assert_eq!(
            recovery_hash(&code.to_uppercase().replace('-', " ")),
            hashes[0]
        );
        assert_ne!(hashes[0], hashes[1]);
        assert!(!hashes[0].contains(&code[..6]));
    }
}
