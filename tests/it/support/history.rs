//! Random histories: what some people do in some chats.

use proptest::{
    collection::vec,
    prelude::{Just, Strategy, any, prop_oneof},
};

pub(crate) const PEOPLE: usize = 3;
pub(crate) const CHATS: usize = 3;
/// The place of the direct chat that was made last, after those of the others.
pub(crate) const DIRECT: usize = CHATS;

/// One thing that one person does. Whether they may is the server's to say.
#[derive(Debug, Clone)]
pub(crate) enum Action {
    Create(usize),
    Join(usize),
    Leave(usize),
    /// Opens the direct chat with another one.
    Direct(usize),
    Say(usize, u8),
    /// Answers one of the messages.
    Reply(u8, u8),
    /// The same words under the same key are the same message.
    SayAs(usize, u8),
    Read(usize, u8),
    /// Changes what one of the messages says.
    Edit(u8, u8),
    Delete(u8),
    React(u8, u8, bool),
    /// Gets another name.
    Call(u8),
    Add(usize, usize),
    Remove(usize, usize),
    SetRole(usize, usize, &'static str),
    Rename(usize, u8),
    Describe(usize, u8),
    Open(usize, bool),
    Set(usize, u8),
    DeleteChat(usize),
    /// Makes an invitation for so many; none: for any number.
    Invite(usize, u8),
    Uninvite(u8),
    Accept(u8),
    /// Somebody new signs up by an invitation.
    SignUp(u8),
    /// Deletes their own account.
    Erase,
    /// Asks for events with a small limit.
    Follow(u8),
    /// Asks, and gives up before the answer.
    Drop,
    /// Loses the state since the first snapshot.
    Rewind,
    /// Begins with a new snapshot.
    Reload,
}

fn action() -> impl Strategy<Value = Action> {
    let chat = || 0..=DIRECT;
    let member = || (0..=DIRECT, 0..PEOPLE);
    prop_oneof![
        2 => (0..CHATS).prop_map(Action::Create),
        2 => (0..PEOPLE).prop_map(Action::Direct),
        3 => chat().prop_map(Action::Join),
        2 => chat().prop_map(Action::Leave),
        6 => (chat(), any::<u8>()).prop_map(|(chat, word)| Action::Say(chat, word)),
        3 => any::<(u8, u8)>().prop_map(|(which, word)| Action::Reply(which, word)),
        3 => (chat(), 0..3_u8).prop_map(|(chat, key)| Action::SayAs(chat, key)),
        3 => (chat(), any::<u8>()).prop_map(|(chat, which)| Action::Read(chat, which)),
        2 => any::<(u8, u8)>().prop_map(|(which, word)| Action::Edit(which, word)),
        1 => any::<u8>().prop_map(Action::Delete),
        3 => any::<(u8, u8, bool)>().prop_map(|(which, emoji, set)| Action::React(which, emoji, set)),
        1 => any::<u8>().prop_map(Action::Call),
        2 => member().prop_map(|(chat, person)| Action::Add(chat, person)),
        1 => member().prop_map(|(chat, person)| Action::Remove(chat, person)),
        2 => (member(), prop_oneof![Just("admin"), Just("member")])
            .prop_map(|((chat, person), role)| Action::SetRole(chat, person, role)),
        1 => (chat(), any::<u8>()).prop_map(|(chat, word)| Action::Rename(chat, word)),
        1 => (chat(), any::<u8>()).prop_map(|(chat, word)| Action::Describe(chat, word)),
        1 => (chat(), any::<bool>()).prop_map(|(chat, open)| Action::Open(chat, open)),
        2 => (chat(), any::<u8>()).prop_map(|(chat, what)| Action::Set(chat, what)),
        1 => chat().prop_map(Action::DeleteChat),
        2 => (chat(), 0..3_u8).prop_map(|(chat, uses)| Action::Invite(chat, uses)),
        1 => any::<u8>().prop_map(Action::Uninvite),
        3 => any::<u8>().prop_map(Action::Accept),
        1 => any::<u8>().prop_map(Action::SignUp),
        1 => Just(Action::Erase),
        3 => (1..6_u8).prop_map(Action::Follow),
        1 => Just(Action::Drop),
        1 => Just(Action::Rewind),
        1 => Just(Action::Reload),
    ]
}

/// Rounds of actions; those of one round run concurrently.
pub(crate) fn history() -> impl Strategy<Value = Vec<Vec<(usize, Action)>>> {
    vec(vec((0..PEOPLE, action()), 1..5), 1..14)
}
