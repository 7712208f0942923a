//! The domain model: plain data without I/O, shared by every layer.
//!
//! # Why
//! Values are made only by constructors that check them, so a [`text::Content`] or a
//! [`ids::ChatId`] in a signature need not be checked again. Nothing here knows SQL,
//! JSON or HTTP: each layer converts at its own border.

#[macro_use]
mod words;

pub mod administration;
pub mod change;
pub mod chat;
pub mod connection;
pub mod cursor;
pub mod domain;
pub mod ending;
#[cfg(test)]
pub(crate) mod fixture;
pub mod health;
pub mod hex;
pub mod ids;
pub mod incoming;
pub mod invite;
pub mod lane;
pub mod login;
pub mod message;
pub mod network;
mod peer;
pub mod person;
pub mod place;
pub mod policy;
pub mod search;
pub mod sign_in;
pub mod tenant;
pub mod text;
pub mod time;
pub mod token;
pub mod webhook;

pub use administration::{
    Account, AccountFilter, Act, AuditEntry, Figures, LinkKind, OneTimeLink, Operator, Record,
    RegistrationMode, SignedInPerson, Target, TargetKind, TenantSummary,
};
pub use change::{
    Audience, Change, ChangeKind, PersonChange, Presence, ReactionChange, Signal, SignalKind,
    Typing,
};
pub use chat::{
    Chat, ChatKind, ChatSettings, ChatSummary, ConversationStatus, GuestChat, Membership,
    MembershipStatus, Notify, Role,
};
pub use connection::Connection;
pub use cursor::{Cursor, Epoch, EpochMark};
pub use domain::Domain;
pub use ending::Ending;
pub use ids::{
    ChatId, HookId, InviteId, LoginId, MessageId, PersonId, Position, Seq, TenantId, WebhookId,
};
pub use incoming::IncomingHook;
pub use invite::{Invitation, Invite, InviteHash, InviteKey};
pub use lane::{Lane, Move, Positions};
pub use login::{Login, TokenHash};
pub use message::{
    Mentions, Message, MessageKind, Page, QUOTED_CHARS, Quote, Reaction, Surroundings,
};
pub use network::Network;
pub use peer::Peer;
pub use person::{Names, Person, PersonKind, PersonName};
pub use place::{PartTold, Place};
pub use policy::{Denied, Entry, Relation};
pub use sign_in::{SecondFactor, SignIn, SignInOutcome};
pub use tenant::{Tenant, TenantKind};
pub use text::{
    ClientId, Content, Description, Email, Emoji, Name, NewPassword, Password, Photo, Title,
};
pub use time::{Clock, Timestamp};
pub use token::{AccessToken, Scope, TokenTerms};
pub use webhook::{
    Delivery, DeliveryFailure, DisabledReason, Webhook, WebhookKind, WebhookState, WebhookTarget,
};
