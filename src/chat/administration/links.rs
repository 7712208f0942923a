//! One-time links: an invitation to sign up, and a new password for a person who lost theirs.
//!
//! A link's token has 256 random bits, of which the hash is kept. It is good once, and for a time.

use std::time::Duration;

use super::{Administrator, account, on_person, perform};
use crate::{
    chat::{
        Services,
        accounts::{self, Device},
        callers,
        housekeeping::HOUSE,
        logins::{self, Token},
    },
    error::{Error, Result},
    model::{
        Account, Act, LinkKind, OneTimeLink, Password, PersonId, Record, Target, TargetKind,
        Timestamp, TokenHash,
    },
    store::Tx,
};

/// The shortest and the longest time that a link is good.
const SHORTEST: Duration = Duration::from_mins(1);
const LONGEST: Duration = Duration::from_hours(30 * 24);

/// How long a link is good.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Term(Duration);

impl Term {
    /// A link for a new password: a day.
    pub(super) const PASSWORD: Self = Self(Duration::from_hours(24));
    /// An invitation: a week.
    pub(super) const INVITATION: Self = Self(Duration::from_hours(7 * 24));

    /// So long, or as long as is usual.
    fn or(asked: Option<Duration>, usual: Self) -> Result<Self> {
        let Some(asked) = asked else {
            return Ok(usual);
        };
        if !(SHORTEST..=LONGEST).contains(&asked) {
            let (shortest, longest) = (SHORTEST.as_secs(), LONGEST.as_secs());
            let sentence = format!("expires must be {shortest} to {longest} seconds");
            return Err(Error::invalid_field("expires", sentence));
        }
        Ok(Self(asked))
    }
}

/// A link that was made just now: its token is told once.
pub struct IssuedLink {
    /// The token.
    pub token: Token,
    /// Until when it is good.
    pub expires_at: Timestamp,
}

/// Makes a link by which one person may sign up, even where registration is closed.
pub async fn invite(
    services: &Services,
    admin: &Administrator,
    expires: Option<Duration>,
) -> Result<IssuedLink> {
    let Term(term) = Term::or(expires, Term::INVITATION)?;
    let token = Token::random();
    let (hash, by, now) = (token.hash(), admin.caller.id(), services.clock.now());
    let expires_at = now.plus(term);
    let made = perform(services, admin, move |tx| {
        Box::pin(async move {
            let what = (LinkKind::Invitation, None);
            let link = tx.insert_link(what, &hash, by, (now, expires_at)).await?;
            Ok(((), Some(on_invitation(Act::Invite, link))))
        })
    });
    made.await?;
    Ok(IssuedLink { token, expires_at })
}

/// A page of the invitations that nobody has used, the newest first, and whether there are more.
pub async fn invitations(
    services: &Services,
    _: &Administrator,
    before: Option<i64>,
    limit: usize,
) -> Result<(Vec<OneTimeLink>, bool)> {
    let wanted = i64::try_from(limit + 1).unwrap_or(i64::MAX);
    let (before, now) = (before.unwrap_or(i64::MAX), services.clock.now());
    let found = services.store.invitations(before, now, wanted).await?;
    Ok(super::server::page(found, limit))
}

/// Takes back an invitation.
pub async fn revoke_invitation(
    services: &Services,
    admin: &Administrator,
    link: i64,
) -> Result<()> {
    perform(services, admin, move |tx| {
        Box::pin(async move {
            if !tx.delete_invitation(link).await? {
                return Err(Error::not_found("there is no such invitation"));
            }
            Ok(((), Some(on_invitation(Act::RevokeInvitation, link))))
        })
    })
    .await
}

fn on_invitation(act: Act, link: i64) -> Record {
    Record {
        act,
        target: Target {
            kind: TargetKind::Invitation,
            id: Some(link),
            name: None,
        },
        detail: None,
    }
}

/// Whether an invitation is good that somebody shows who wants to sign up.
pub(super) async fn is_invitation(services: &Services, token: &str) -> Result<bool> {
    let (hash, now) = (logins::hash(token), services.clock.now());
    let found = services
        .store
        .link(LinkKind::Invitation, &hash, now)
        .await?;
    Ok(found.is_some())
}

/// Takes an invitation within the transaction that signs somebody up; a refusal where it is not good.
pub(in crate::chat) async fn take_invitation(
    tx: &mut Tx,
    token: &str,
    now: Timestamp,
) -> Result<()> {
    let hash = logins::hash(token);
    let taken = tx.take_link(LinkKind::Invitation, &hash, now).await?;
    taken.map(drop).ok_or_else(not_invited)
}

/// The refusal of an invitation that is not good.
pub(super) fn not_invited() -> Error {
    let sentence = "invite was used, has expired, or never was an invitation";
    Error::invalid_field("invite", sentence)
}

/// Makes a link by which a person sets a new password; it takes the place of the one before.
pub async fn password_link(
    services: &Services,
    admin: &Administrator,
    id: PersonId,
    expires: Option<Duration>,
) -> Result<IssuedLink> {
    let term = Term::or(expires, Term::PASSWORD)?;
    let token = Token::random();
    let (hash, by, now) = (token.hash(), admin.caller.id(), services.clock.now());
    let made = perform(services, admin, move |tx| {
        Box::pin(async move {
            let account = account(tx, id).await?;
            if account.key.is_none() || account.deactivated_at.is_some() {
                let sentence = "this person cannot sign in, and needs no password";
                return Err(Error::conflict(sentence));
            }
            let expires_at = keep_password_link(tx, (id, by), &hash, (now, term)).await?;
            Ok((expires_at, Some(on_person(Act::PasswordLink, &account))))
        })
    });
    let expires_at = made.await?;
    Ok(IssuedLink { token, expires_at })
}

/// Keeps a link for a new password, in place of those before; returns until when it is good.
pub(super) async fn keep_password_link(
    tx: &mut Tx,
    (person, by): (PersonId, PersonId),
    hash: &TokenHash,
    (now, Term(term)): (Timestamp, Term),
) -> Result<Timestamp> {
    let expires_at = now.plus(term);
    tx.delete_links_of(person).await?;
    let what = (LinkKind::Password, Some(person));
    tx.insert_link(what, hash, by, (now, expires_at)).await?;
    Ok(expires_at)
}

/// For whom a link for a new password is, and until when it is good.
#[derive(Debug)]
pub struct LinkOwner {
    account: Account,
    /// Until when it is good.
    pub expires_at: Timestamp,
}

impl LinkOwner {
    /// What the person is called.
    pub fn name(&self) -> &str {
        &self.account.person.name
    }
}

/// Whose link it is that has this token. Who asks for one that there is not has guessed.
pub async fn link_owner(services: &Services, token: &str, device: &Device) -> Result<LinkOwner> {
    let find = find_owner(services, token);
    let secret = format!("link {token}");
    let from = (None, Some(device.network));
    let found = callers::guess(services, &secret, from, find, Option::is_some);
    found.await?.ok_or_else(used_up)
}

async fn find_owner(services: &Services, token: &str) -> Result<Option<LinkOwner>> {
    let (hash, now) = (logins::hash(token), services.clock.now());
    let link = services.store.link(LinkKind::Password, &hash, now).await?;
    let Some((Some(person), expires_at)) = link else {
        return Ok(None);
    };
    let account = services.store.home_account(person).await?;
    let account = account.filter(|account| account.deactivated_at.is_none());
    Ok(account.map(|account| LinkOwner {
        account,
        expires_at,
    }))
}

/// Sets the password of the person whose link this is: all their logins end, and the link is good no more.
pub async fn set_password_by_link(
    services: &Services,
    token: &str,
    password: &Password,
    device: &Device,
) -> Result<()> {
    let owner = link_owner(services, token, device).await?;
    let new = accounts::new_password_of(services, password, &owner.account.person);
    let new = new.map_err(|error| error.about("new_password"))?;
    let hash = services.hasher.hash(&new).await?;
    let (token, now) = (logins::hash(token), services.clock.now());
    let set = services
        .store
        .write(owner.account.person.tenant, move |tx| {
            Box::pin(async move {
                let taken = tx.take_link(LinkKind::Password, &token, now).await?;
                let person = taken.flatten().ok_or_else(used_up)?;
                let account = tx.account_of(person).await?;
                if account.is_none_or(|account| account.deactivated_at.is_some()) {
                    return Err(used_up());
                }
                tx.set_password(person, &hash, now).await?;
                tx.delete_logins(person, None).await
            })
        });
    services.logins.end(&set.await?);
    Ok(())
}

/// Forgets the links that are past their time.
pub(in crate::chat) async fn forget_links(services: &Services) -> Result<()> {
    let now = services.clock.now();
    let forgotten = services.store.write(HOUSE, move |tx| {
        Box::pin(async move { tx.delete_expired_links(now).await })
    });
    forgotten.await
}

fn used_up() -> Error {
    Error::not_found("this link was used, has expired, or never was one")
}
