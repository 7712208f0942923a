//! Invitations: links by which people come into a chat, with an account and without one.

use std::time::Duration;

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use rand::Rng;
use sha2::{Digest, Sha256};

use crate::{
    chat::{
        Caller, Services,
        access::{Reader, denied},
        accounts::{self, Device, NewLogin},
        limits,
        logins::Token,
        writer::{self, ActionRequest, ChatAction, SignUpDraft, SignUpLogin},
    },
    error::{Error, Kind, Result},
    model::{
        ChatId, Invitation, Invite, InviteHash, InviteId, InviteKey, MembershipStatus, PersonId,
        Relation, Timestamp, hex,
    },
    store::{NewInvite, NewPerson},
};

/// How many bytes of chance a code holds.
const CODE_BYTES: usize = 16;
/// How many characters it has.
const CODE_CHARS: usize = 22;
/// How many of them are kept, to tell invitations from one another by.
const PREFIX_CHARS: usize = 4;
/// How long an invitation is good where nobody says.
pub const GOOD_FOR: Duration = Duration::from_hours(7 * 24);
/// The longest that one is good.
pub const LONGEST: Duration = Duration::from_hours(365 * 24);

/// The code of an invitation: 128 random bits. Never stored, and never logged.
pub struct InviteCode(String);

impl InviteCode {
    fn random() -> Self {
        let mut bytes = [0_u8; CODE_BYTES];
        rand::rng().fill_bytes(&mut bytes);
        Self(BASE64_URL_SAFE_NO_PAD.encode(bytes))
    }

    /// Reads a code; nothing when text cannot be one.
    pub fn parse(text: &str) -> Option<Self> {
        let is_plain = |c: u8| c.is_ascii_alphanumeric() || b"-_".contains(&c);
        let is_code = text.len() == CODE_CHARS && text.bytes().all(is_plain);
        is_code.then(|| Self(text.to_owned()))
    }

    /// The code, to hand to its maker.
    pub fn expose(&self) -> &str {
        &self.0
    }

    fn hash(&self) -> InviteHash {
        let mut hasher = Sha256::new();
        hasher.update(b"parlance invitation\0");
        hasher.update(self.0.as_bytes());
        InviteHash::new(hex::encode(&hasher.finalize()))
    }
}

/// A fresh invitation: its code is told once.
pub struct IssuedInvite {
    /// The code.
    pub code: InviteCode,
    /// Until when it is good.
    pub expires_at: Timestamp,
    /// How many may come by it; any number, where that is none.
    pub uses: Option<i64>,
}

/// Invites to a chat: its admins may.
pub async fn create(
    services: &Services,
    caller: &Caller,
    chat: ChatId,
    (good_for, uses): (Duration, Option<i64>),
) -> Result<IssuedInvite> {
    let code = InviteCode::random();
    let expires_at = services.clock.now().plus(good_for.min(LONGEST));
    let new = NewInvite {
        hash: code.hash(),
        prefix: code.0.chars().take(PREFIX_CHARS).collect(),
        expires_at,
        uses,
    };
    let action = ChatAction::Invite(new);
    let request = ActionRequest::own(caller.person(), chat, action);
    services.writer.act(request).await?;
    Ok(IssuedInvite {
        code,
        expires_at,
        uses,
    })
}

/// The invitations to a chat by which somebody may come, those before one, the latest first: its admins see them.
pub async fn list(
    services: &Services,
    caller: &Caller,
    reader: &Reader,
    (before, limit): (Option<InviteId>, usize),
) -> Result<(Vec<Invite>, bool)> {
    let chat = reader.chat();
    let relation = Relation::new(chat.kind, caller.person(), reader.membership());
    relation.can_govern().map_err(denied)?;
    let (now, ask) = (services.clock.now(), limit.saturating_add(1));
    let mut invites = services.store.invites(chat.id, now, before, ask).await?;
    let more = invites.len() > limit;
    invites.truncate(limit);
    Ok((invites, more))
}

/// Which invitation somebody means who names its number or its code.
pub fn key(text: &str) -> Option<InviteKey> {
    match text.parse() {
        Ok(id) => Some(InviteKey::Id(id)),
        Err(_) => InviteCode::parse(text).map(|code| InviteKey::Code(code.hash())),
    }
}

/// Takes an invitation back: the chat's admins may.
pub async fn delete(
    services: &Services,
    caller: &Caller,
    chat: ChatId,
    key: InviteKey,
) -> Result<()> {
    let action = ChatAction::Uninvite(key);
    let request = ActionRequest::own(caller.person(), chat, action);
    services.writer.act(request).await
}

/// What one is invited to. Who guesses at codes is slowed down.
pub async fn find(services: &Services, code: &str, device: &Device) -> Result<Invitation> {
    let found = match InviteCode::parse(code) {
        Some(parsed) => find_good(services, &parsed).await?,
        None => None,
    };
    let is_right = found.is_some();
    limits::count_secret(services, code, device.network, is_right).await?;
    found.ok_or_else(writer::no_invitation)
}

/// Makes the caller a member of the chat that they are invited to, and says which it is. Who is in it already is
/// told so, also when the invitation is over meanwhile.
pub async fn accept(
    services: &Services,
    caller: &Caller,
    code: &str,
    device: &Device,
) -> Result<ChatId> {
    let found = match InviteCode::parse(code) {
        Some(parsed) => find_for(services, caller, &parsed).await?,
        None => None,
    };
    limits::count_secret(services, code, device.network, found.is_some()).await?;
    let (chat, hash) = found.ok_or_else(writer::no_invitation)?;
    if let Some(hash) = hash {
        let action = ChatAction::Accept(hash);
        let request = ActionRequest::own(caller.person(), chat, action);
        services.writer.act(request).await?;
    }
    Ok(chat)
}

/// The chat that a code is for, and the hash by which the caller comes into it, unless they are in it.
async fn find_for(
    services: &Services,
    caller: &Caller,
    code: &InviteCode,
) -> Result<Option<(ChatId, Option<InviteHash>)>> {
    let hash = code.hash();
    let Some(found) = services.store.invitation(&hash).await? else {
        return Ok(None);
    };
    let chat = found.chat.id;
    let place = services
        .store
        .chat(caller.tenant(), chat, caller.id())
        .await?;
    let Some((_, membership)) = place else {
        return Ok(None);
    };
    if membership.is_some_and(|place| place.standing == MembershipStatus::In) {
        return Ok(Some((chat, None)));
    }
    let is_good = found.is_good(services.clock.now());
    Ok(is_good.then_some((chat, Some(hash))))
}

/// The hash of the code that somebody signs up with at home, if it is good.
pub(super) async fn for_sign_up(
    services: &Services,
    code: &InviteCode,
    device: &Device,
) -> Result<InviteHash> {
    let found = find_good(services, code).await?;
    let found = found.filter(|it| it.chat.tenant == accounts::HOME);
    limits::count_secret(services, code.expose(), device.network, found.is_some()).await?;
    found.map(|_| code.hash()).ok_or_else(not_good)
}

/// Makes an account with a first login, and a member of the chat that it is invited to.
pub(super) async fn sign_up(
    services: &Services,
    person: NewPerson,
    (login, invite): (NewLogin, InviteHash),
) -> Result<(PersonId, Token, ChatId)> {
    let token = Token::random();
    let login = SignUpLogin {
        token: token.hash(),
        client: login.client,
        address: login.address,
    };
    let draft = SignUpDraft {
        person,
        login,
        invite,
    };
    let made = services.writer.sign_up(draft).await;
    let made = made.map_err(|error| match error.kind() {
        Kind::NotFound => not_good().because(error),
        _ => error.conflict_as(accounts::name_taken),
    })?;
    Ok((made.person, token, made.chat))
}

async fn find_good(services: &Services, code: &InviteCode) -> Result<Option<Invitation>> {
    let found = services.store.invitation(&code.hash()).await?;
    let now = services.clock.now();
    Ok(found.filter(|it| it.is_good(now)))
}

/// The refusal of somebody who signs up by an invitation that is over.
fn not_good() -> Error {
    let sentence = "invite is not good any more: ask for a new one";
    Error::invalid_field("invite", sentence)
}
