//! The tongues: one folder for each API that this server speaks.
//!
//! # Why
//! A dialect translates and decides nothing: `wire` holds the types of its document, `events`
//! writes changes down as that document wants them, `routes` are its HTTP routes. What they do is
//! done by the verbs in [`crate::chat`], the same for all of them.

pub mod messenger;

/// Which of a [`crate::live::Published`]'s forms is whose.
pub mod form {
    /// The messenger's events.
    pub const MESSENGER: usize = 0;
    /// The messenger's messages, as the chat's own long-poll lists them.
    pub const MESSENGER_MESSAGE: usize = 1;
}
