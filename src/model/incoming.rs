//! Incoming hooks: addresses by which programs say something in one chat.

use crate::model::{
    ids::{ChatId, HookId, PersonId},
    person::Person,
    time::Timestamp,
};

/// An incoming hook.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IncomingHook {
    /// Its number.
    pub id: HookId,
    /// Where it speaks.
    pub chat: ChatId,
    /// The person as whom it speaks.
    pub person: Person,
    /// Who made it.
    pub created_by: PersonId,
    /// When.
    pub created_at: Timestamp,
    /// When it was last used, to the minute.
    pub used_at: Option<Timestamp>,
}
