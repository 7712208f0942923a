//! Accounts: signing up and in.

use std::{net::IpAddr, sync::Arc, time::Instant};

use crate::{
    chat::{
        Caller, Services, administration,
        invites::{self, InviteCode},
        limits::login_throttle::Guesser,
        logins::{Logins, Token},
        password::{Place, Verdict},
        profiles,
        second_factor::{self, Shown},
        sign_ins::{Reason, SignIns},
    },
    error::{Error, Kind, Result},
    model::{
        ChatId, Email, InviteHash, LoginId, Name, Names, NewPassword, Password, Person, PersonId,
        PersonKind, SignInOutcome, TenantId, Timestamp,
    },
    store::{NewPerson, Tx, Work},
};

/// Where cookie accounts live.
pub const HOME: TenantId = TenantId::new(1);
/// Where embedding without a key happens.
pub const OPEN: TenantId = TenantId::new(2);
/// The most logins that a guest has, who is given one with every page that they open.
const GUEST_LOGINS: usize = 20;
/// The most characters kept of what a client calls itself.
const CLIENT_CHARS: usize = 200;

/// Where somebody signs in from: for the list of their logins, and for throttling.
#[derive(Debug, Clone)]
pub struct Device {
    /// What the client calls itself.
    pub client: Option<String>,
    /// The address it comes from.
    pub address: IpAddr,
    /// What throttles count by: of an IPv6 address the network that one customer gets.
    pub network: IpAddr,
    /// The device cookie that it shows; empty where it shows none.
    pub cookie: String,
}

/// What is kept of a device with a login.
#[derive(Debug, Clone)]
pub(super) struct NewLogin {
    pub(super) client: Option<String>,
    pub(super) address: String,
}

/// A fresh login: the token is told once.
pub struct IssuedLogin {
    /// Who signed in.
    pub person: PersonId,
    /// Their token.
    pub token: Token,
    /// The chat that they signed up to by an invitation.
    pub chat: Option<ChatId>,
    /// What the browser shows when they sign in again.
    pub device_cookie: String,
}

/// A person who proved an account's password.
pub(super) struct Proven {
    pub(super) person: Person,
    pub(super) token: Token,
    pub(super) device_cookie: String,
}

/// Signs somebody up at home, and in: by an invitation also where not everybody may, and by one to a chat into
/// that chat.
pub async fn register(
    services: &Services,
    (name, email): (&Name, &Email),
    password: &Password,
    invitation: Option<&str>,
    device: &Device,
) -> Result<IssuedLogin> {
    // Looked up first only to spare the hash; the transaction decides.
    let by = match invitation.and_then(InviteCode::parse) {
        Some(code) => Invited::ToChat(invites::for_sign_up(services, &code, device).await?),
        None => {
            administration::may_sign_up(services, invitation).await?;
            Invited::ToServer(invitation)
        }
    };
    let names = [name.as_str(), email.as_str(), email.local()];
    let password = new_password(services, password, &names)?;
    let sign_up = services
        .login_throttle
        .sign_up(device.network, Instant::now())?;
    let made = make(services, (name, &password, email), by, device).await;
    sign_up.unless_failed(&made);
    let made = made?;
    SignIns::signed_up(made.person, device.address);
    Ok(made)
}

async fn make(
    services: &Services,
    (name, password, email): (&Name, &NewPassword, &Email),
    by: Invited<'_>,
    device: &Device,
) -> Result<IssuedLogin> {
    let key = profiles::free_key(name)?;
    // Looked up first only to spare the hash; the unique key decides.
    if services.store.account_exists(&key).await? {
        return Err(name_taken());
    }
    let hash = services.hasher.hash(password).await?;
    let new = NewPerson {
        tenant: HOME,
        kind: PersonKind::Person,
        name: name.clone(),
        names: Names::default(),
        photo: None,
        external_id: None,
        email: Some(email.as_str().to_owned()),
        account_key: Some(key.clone()),
        password_hash: Some(hash),
    };
    let login = device.login();
    let (made, chat) = match by {
        Invited::ToChat(invite) => {
            let (person, token, chat) = invites::sign_up(services, new, (login, invite)).await?;
            ((person, token), Some(chat))
        }
        Invited::ToServer(invitation) => (insert(services, new, (login, invitation)).await?, None),
    };
    Ok(issued(services, made, chat, (device, &key)))
}

/// By what somebody signs up.
enum Invited<'a> {
    /// An invitation to the server, or none where everybody may.
    ToServer(Option<&'a str>),
    /// An invitation to a chat.
    ToChat(InviteHash),
}

/// Adds an account with its first login, and takes the invitation.
async fn insert(
    services: &Services,
    new: NewPerson,
    (login, invitation): (NewLogin, Option<&str>),
) -> Result<(PersonId, Token)> {
    let now = services.clock.now();
    let invitation = invitation.map(str::to_owned);
    let made = services.store.write(HOME, move |tx| {
        Box::pin(async move {
            if let Some(invitation) = &invitation {
                administration::take_invitation(tx, invitation, now).await?;
            }
            let person = insert_account(tx, &new, now).await?;
            let token = add_login(tx, (HOME, person), &login, now).await?;
            Ok((person, token))
        })
    });
    made.await
}

/// The first login of somebody who has signed up.
fn issued(
    services: &Services,
    (person, token): (PersonId, Token),
    chat: Option<ChatId>,
    (device, key): (&Device, &str),
) -> IssuedLogin {
    let account = counted_as(key);
    IssuedLogin {
        person,
        token,
        chat,
        device_cookie: services.device_cookies.signed_in(&device.cookie, &account),
    }
}

/// Adds a person of home who signs in by name, within a transaction.
pub(super) async fn insert_account(
    tx: &mut Tx,
    new: &NewPerson,
    now: Timestamp,
) -> Result<PersonId> {
    let inserted = tx.insert_person(new, now).await;
    let person = inserted.map_err(|error| error.conflict_as(name_taken))?;
    if !tx.insert_looks(person, &new.name.looks()).await? {
        return Err(name_looks_taken());
    }
    Ok(person)
}

/// The refusal of a name that looks like another.
pub(super) fn name_looks_taken() -> Error {
    Error::invalid_field("name", "name looks like one that is taken")
}

/// The refusal of a name that somebody has.
pub(super) fn name_taken() -> Error {
    Error::invalid_field("name", "that name is taken")
}

/// Signs somebody in at home by name and password. One refusal for an unknown name and a wrong
/// password, and both take as long.
pub async fn sign_in(
    services: &Services,
    name: &str,
    (password, code): (&Password, Option<&str>),
    device: &Device,
) -> Result<IssuedLogin> {
    let keys = Name::candidates(name);
    let keys: Vec<_> = keys.iter().map(|name| account_key(name)).collect();
    let found = sign_in_with(services, &keys, (password, code), device).await?;
    // One sentence with a code, whether or not the account has a second factor.
    let sentence = match code {
        Some(_) => "name, password or code is wrong",
        None => "name or password is wrong",
    };
    let proven = found.ok_or_else(|| Error::invalid(sentence))?;
    Ok(IssuedLogin {
        person: proven.person.id,
        token: proven.token,
        chat: None,
        device_cookie: proven.device_cookie,
    })
}

/// Signs in whose account has the first of these keys that one has, and this password: nobody, and
/// after as long, when there is no such key and when the password is wrong. Guesses are counted by the
/// last key, which all ways to write the others share.
pub(super) async fn sign_in_by(
    services: &Services,
    keys: &[String],
    password: &Password,
    device: &Device,
) -> Result<Option<Proven>> {
    sign_in_with(services, keys, (password, None), device).await
}

/// The same with the code of a second factor, which is asked for where the account has one.
async fn sign_in_with(
    services: &Services,
    keys: &[String],
    (password, code): (&Password, Option<&str>),
    device: &Device,
) -> Result<Option<Proven>> {
    let counted = keys.last().map_or("", String::as_str);
    let guesser = match services.device_cookies.nonce(&device.cookie, counted) {
        Some(nonce) => Guesser::Device(nonce),
        None => Guesser::Stranger(counted, device.network),
    };
    let checked = guess(services, guesser, device, async |place| {
        let mut account = None;
        for key in keys {
            if account.is_none() {
                account = services.store.account(key).await?;
            }
        }
        let hash = account.as_ref().map(|(_, hash)| hash.clone());
        let verdict = place.verify(password, hash).await?;
        let Some((person, hash)) = account else {
            return Ok(Err(Reason::UnknownAccount));
        };
        let shown = shown_by(services, &person, (verdict, code), device).await?;
        Ok(shown.map(|shown| (person, hash, verdict, shown)))
    });
    let Some((person, hash, verdict, shown)) = checked.await? else {
        return Ok(None);
    };
    let renewed = renewed(services, password, verdict).await?;
    let (id, now) = (person.id, services.clock.now());
    let added = add_login_of(services, &person, device, move |tx| {
        Box::pin(async move {
            // Hashing takes long: a password that was changed meanwhile, and the logins it ended, stay so.
            if !tx.hold_password(id, &hash).await? {
                return Ok(false);
            }
            if let Some(shown) = shown
                && !shown.take(tx, id).await?
            {
                return Ok(false);
            }
            if let Some(renewed) = renewed {
                tx.set_password(id, &renewed, now).await?;
            }
            Ok(true)
        })
    });
    let Some(token) = added.await? else {
        return Ok(None);
    };
    SignIns::succeeded(person.id, device.address);
    let outcome = SignInOutcome::Succeeded;
    services.sign_ins.note(person.id, outcome, device, now);
    Ok(Some(Proven {
        person,
        token,
        device_cookie: services.device_cookies.signed_in(&device.cookie, counted),
    }))
}

/// The hash of a password that was made of it as it was sent, made anew.
async fn renewed(
    services: &Services,
    password: &Password,
    verdict: Verdict,
) -> Result<Option<String>> {
    match verdict {
        Verdict::RightAsSent => {
            let password = NewPassword::renewed(password);
            services.hasher.hash(&password).await.map(Some)
        }
        Verdict::Right | Verdict::Wrong => Ok(None),
    }
}

/// What somebody shows of a second factor whose password was compared; why they are refused, which is noted
/// for them.
async fn shown_by(
    services: &Services,
    person: &Person,
    (verdict, code): (Verdict, Option<&str>),
    device: &Device,
) -> Result<std::result::Result<Option<Shown>, Reason>> {
    let now = services.clock.now();
    let note = |outcome| services.sign_ins.note(person.id, outcome, device, now);
    if verdict == Verdict::Wrong {
        note(SignInOutcome::WrongPassword);
        return Ok(Err(Reason::WrongPassword));
    }
    match second_factor::check(services, person.id, code).await {
        Ok(Ok(shown)) => Ok(Ok(shown)),
        Ok(Err(())) => {
            note(SignInOutcome::WrongCode);
            Ok(Err(Reason::WrongCode))
        }
        Err(error) => {
            if error.kind() == Kind::CodeRequired {
                note(SignInOutcome::NoCode);
            }
            Err(error)
        }
    }
}

/// Checks a password, as an attempt that is counted and told in the log: nothing when it is wrong. An
/// attempt that is never checked is not held against anybody; that there is room to check it is certain
/// before it begins, and others that wait for its outcome need not wait for that.
pub(super) async fn guess<T>(
    services: &Services,
    guesser: Guesser<'_>,
    device: &Device,
    check: impl AsyncFnOnce(Place) -> Result<std::result::Result<T, Reason>>,
) -> Result<Option<T>> {
    let failed = |reason| services.sign_ins.failed(reason, device.address);
    let place = services.hasher.place();
    let place = place.inspect_err(|_| failed(Reason::Unchecked))?;
    let attempt = services.login_throttle.password(guesser).await;
    let attempt = attempt.inspect_err(|error| {
        failed(match error.kind() {
            Kind::TooMany => Reason::Throttled,
            _ => Reason::Unchecked,
        });
    })?;
    let checked = check(place).await;
    attempt.settle(&checked, std::result::Result::is_ok);
    match checked {
        Ok(Ok(right)) => Ok(Some(right)),
        Ok(Err(reason)) => {
            failed(reason);
            Ok(None)
        }
        Err(error) => {
            failed(match error.kind() {
                Kind::CodeRequired => Reason::NoCode,
                _ => Reason::Unchecked,
            });
            Err(error)
        }
    }
}

/// Gives a person who needs no password a login.
pub(super) async fn begin_login(
    services: &Services,
    person: &Person,
    device: &Device,
) -> Result<Token> {
    let token = add_login_of(services, person, device, |_| Box::pin(async { Ok(true) }));
    token
        .await?
        .ok_or_else(|| Error::internal("a login that needs no password was refused"))
}

/// Adds a login of somebody who may have some already, if they may in the same transaction.
async fn add_login_of(
    services: &Services,
    person: &Person,
    device: &Device,
    may: impl Work<bool>,
) -> Result<Option<Token>> {
    let (now, login) = (services.clock.now(), device.login());
    let (logins, person) = (Arc::clone(&services.logins), person.clone());
    let added = services.store.write(person.tenant, move |tx| {
        Box::pin(async move {
            if !may(tx).await? {
                return Ok(None);
            }
            let token = add_login(tx, (person.tenant, person.id), &login, now).await?;
            let ended = bound_logins(&logins, tx, &person, now).await?;
            Ok(Some((token, ended)))
        })
    });
    let Some((token, ended)) = added.await? else {
        return Ok(None);
    };
    services.logins.end(&ended);
    Ok(Some(token))
}

/// Ends those of a person's logins that are more than they may have: those that nobody has used for the
/// longest time. Says which, to be ended here as well once that is committed.
pub(super) async fn bound_logins(
    logins: &Logins,
    tx: &mut Tx,
    person: &Person,
    now: Timestamp,
) -> Result<Vec<LoginId>> {
    let most = if person.is_guest() {
        GUEST_LOGINS
    } else {
        logins.most
    };
    let mut uses = tx.login_uses(person.id).await?;
    if uses.len() <= most {
        return Ok(Vec::new());
    }
    for (login, used_at) in &mut uses {
        *used_at = logins.last_used(*login, *used_at, now);
    }
    // Of those used at the same time the older one goes first.
    uses.sort_unstable_by_key(|(login, used_at)| (*used_at, *login));
    uses.truncate(uses.len() - most);
    let ended: Vec<_> = uses.into_iter().map(|(login, _)| login).collect();
    for login in &ended {
        tx.delete_login(person.id, *login).await?;
    }
    Ok(ended)
}

/// Adds a login within a transaction.
pub(super) async fn add_login(
    tx: &mut Tx,
    who: (TenantId, PersonId),
    login: &NewLogin,
    now: Timestamp,
) -> Result<Token> {
    let token = Token::random();
    let (client, address) = (login.client.as_deref(), Some(login.address.as_str()));
    tx.insert_login(who, &token.hash(), client, address, now)
        .await?;
    Ok(token)
}

/// Refuses whose account is not their own: one that the server of an app or a site has made.
pub(super) async fn own_account(services: &Services, caller: &Caller) -> Result<()> {
    let key = services.store.account_key(caller.id()).await?;
    if key.is_some_and(|key| is_key_of_home(&key)) {
        return Ok(());
    }
    let sentence = "this account belongs to the server of an app or a site";
    Err(Error::forbidden(sentence))
}

impl Device {
    /// What is kept of it: what the client calls itself, and the address.
    pub(super) fn kept(&self) -> (Option<String>, String) {
        let NewLogin { client, address } = self.login();
        (client, address)
    }

    /// What is kept of it with a login.
    pub(super) fn login(&self) -> NewLogin {
        let client = self.client.as_deref().map(|client| {
            client
                .chars()
                .filter(|c| !c.is_control())
                .take(CLIENT_CHARS)
                .collect()
        });
        NewLogin {
            client,
            address: self.address.to_string(),
        }
    }
}

/// Inspects a password that somebody who goes by these names is about to set.
pub(super) fn new_password(
    services: &Services,
    password: &Password,
    names: &[&str],
) -> Result<NewPassword> {
    // A name that is not there is no name.
    let names: Vec<_> = names
        .iter()
        .copied()
        .filter(|name| !name.is_empty())
        .collect();
    NewPassword::inspect(password, services.settings.password_min, &names)
}

/// Inspects a password that somebody is about to set who has an account.
pub(super) fn new_password_of(
    services: &Services,
    password: &Password,
    person: &Person,
) -> Result<NewPassword> {
    let email = person.email.as_deref().unwrap_or_default();
    let local = email.split('@').next().unwrap_or_default();
    new_password(services, password, &[&person.name, email, local])
}

/// What guesses at an account are counted by, see [`sign_in_by`]: its key, or what has taken its place where
/// the key was made when names and addresses were folded otherwise.
pub(super) fn counted_as(key: &str) -> String {
    let Some((kind, folded)) = key.split_once('/') else {
        return key.to_owned();
    };
    let candidates = match kind {
        "name" => Name::candidates(folded),
        _ => Email::candidates(folded),
    };
    let last = candidates.last();
    last.map_or_else(|| key.to_owned(), |folded| format!("{kind}/{folded}"))
}

/// What the key of every account begins with that signs in at home by name.
const PREFIX: &str = "name/";

/// What a person of home signs in by.
pub(super) fn account_key(folded: &str) -> String {
    format!("{PREFIX}{folded}")
}

/// Whether this is what a person of home signs in by.
pub(super) fn is_key_of_home(key: &str) -> bool {
    key.starts_with(PREFIX)
}
