//! The JSON of what keeps an account safe, and of what is kept of somebody.

use serde::Serialize;
use serde_json::{Value, json};

use crate::{
    chat::export::Item,
    dialect::messenger::wire::{LoginWire, Me},
    json::schema::Describe,
    model::{AccessToken, SecondFactor, SignIn, SignInOutcome, Timestamp},
};

/// A token of mine for a program.
#[derive(Debug, Describe, Serialize)]
#[schema(name = "AccessToken")]
pub struct TokenWire {
    id: i64,
    name: String,
    /// What it is good for.
    scopes: Vec<&'static str>,
    created_at: String,
    used_at: String,
    expires_at: String,
}

impl From<&AccessToken> for TokenWire {
    fn from(token: &AccessToken) -> Self {
        let scopes = token.terms.scopes.iter();
        Self {
            id: token.id.get(),
            name: token.name.clone(),
            scopes: scopes.map(|scope| scope.as_str()).collect(),
            created_at: token.created_at.to_rfc3339(),
            used_at: token.used_at.to_rfc3339(),
            expires_at: token.terms.expires_at.to_rfc3339(),
        }
    }
}

/// A fresh token: it is told once.
#[derive(Debug, Describe, Serialize)]
#[schema(name = "IssuedAccessToken")]
pub struct IssuedToken {
    token: String,
    #[serde(flatten)]
    listed: TokenWire,
}

impl IssuedToken {
    /// A token, and what its person sees of it from then on.
    pub fn new(token: &str, listed: &AccessToken) -> Self {
        Self {
            token: token.to_owned(),
            listed: listed.into(),
        }
    }
}

/// `{"tokens": […]}`.
#[derive(Debug, Describe, Serialize)]
#[schema(name = "AccessTokens")]
pub struct Tokens {
    /// The oldest first.
    pub tokens: Vec<TokenWire>,
}

/// My second factor.
#[derive(Debug, Describe, Serialize)]
pub struct SecondFactorStatus {
    enabled: bool,
    confirmed_at: Option<String>,
    recovery_codes_left: i64,
}

impl From<Option<&SecondFactor>> for SecondFactorStatus {
    fn from(factor: Option<&SecondFactor>) -> Self {
        let confirmed_at = factor.and_then(|factor| factor.confirmed_at);
        Self {
            enabled: confirmed_at.is_some(),
            confirmed_at: confirmed_at.map(Timestamp::to_rfc3339),
            recovery_codes_left: factor.map_or(0, |factor| factor.codes_left),
        }
    }
}

/// What an app needs to make codes.
#[derive(Debug, Describe, Serialize)]
pub struct Enrolment {
    /// The secret, in base 32.
    pub secret: String,
    /// The same as an address that apps read.
    pub url: String,
    /// That address as a QR code: the address of a picture.
    pub qr: String,
}

/// My recovery codes, told once.
#[derive(Debug, Describe, Serialize)]
pub struct RecoveryCodes {
    /// Each takes the place of a code of the app once.
    pub recovery_codes: Vec<String>,
}

/// A sign-in to my account, or a failed one.
#[derive(Debug, Describe, Serialize)]
pub struct Attempt {
    id: i64,
    #[schema(words = SignInOutcome::WORDS)]
    outcome: &'static str,
    client: Option<String>,
    address: Option<String>,
    time: String,
}

impl From<&SignIn> for Attempt {
    fn from(sign_in: &SignIn) -> Self {
        Self {
            id: sign_in.id,
            outcome: sign_in.outcome.as_str(),
            client: sign_in.client.clone(),
            address: sign_in.address.clone(),
            time: sign_in.at.to_rfc3339(),
        }
    }
}

/// Sign-ins to my account.
#[derive(Debug, Describe, Serialize)]
pub struct Attempts {
    /// The latest first.
    pub attempts: Vec<Attempt>,
    /// Whether there are older ones.
    pub has_more: bool,
}

/// One line of an export: an object whose `type` says what it is.
pub fn line(item: &Item) -> Vec<u8> {
    let (kind, mut value) = match item {
        Item::Profile(person) => ("profile", to_value(&Me::from(person))),
        Item::Login(login) => ("login", to_value(&LoginWire::new(login, None))),
        Item::SignIn(sign_in) => ("sign_in", to_value(&Attempt::from(sign_in))),
        Item::Chat(chat) => {
            let membership = chat.membership;
            let value = json!({
                "id": chat.id.get(),
                "kind": chat.kind,
                "title": chat.title,
                "created_at": chat.created_at.to_rfc3339(),
                "role": membership.role.as_str(),
                "standing": membership.standing.as_str(),
                "read_up_to": membership.read.get(),
            });
            ("chat", value)
        }
        Item::Message(message) => {
            let value = json!({
                "id": message.id.get(),
                "chat_id": message.chat.get(),
                "kind": message.kind,
                "content": message.content,
                "time": message.at.to_rfc3339(),
                "edited_at": message.edited_at.map(Timestamp::to_rfc3339),
                "deleted_at": message.deleted_at.map(Timestamp::to_rfc3339),
            });
            ("message", value)
        }
        Item::End => ("end", json!({})),
    };
    if let Some(fields) = value.as_object_mut() {
        fields.insert("type".to_owned(), kind.into());
    }
    format!("{value}\n").into_bytes()
}

fn to_value(value: &impl Serialize) -> Value {
    serde_json::to_value(value).expect("strings, numbers and fixed keys are always JSON")
}
