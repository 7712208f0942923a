//! Authorization: who may read, post, join, mark as read, signal and govern in a chat, and who receives a change.
//!
//! Pure functions, called wherever a decision is enforced: by the verbs before a read, by the writer inside its
//! transaction, by the hub at delivery. Where SQL must repeat a decision, a test compares the
//! two.

use crate::model::{
    change::Audience,
    chat::{ChatKind, Membership, MembershipStatus, Role},
    person::Person,
    tenant::TenantKind,
};

/// The facts about a person and a chat of their tenant on which a decision rests.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Relation {
    /// The chat's kind.
    pub kind: ChatKind,
    /// Their membership's status, where they ever had one.
    pub status: Option<MembershipStatus>,
    /// Their role, while they are in it.
    pub role: Option<Role>,
    /// Whether they are an agent.
    pub is_agent: bool,
    /// Whether they are a guest, who sees the one conversation of their own.
    pub is_guest: bool,
}

/// Why something is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Denied {
    /// The chat does not exist for them.
    NotFound,
    /// They may see the chat and were removed from it.
    Removed,
    /// They may see the chat and are no member.
    NotMember,
    /// They are no admin of it.
    NotAdmin,
    /// They did not send the message.
    NotSender,
}

/// How an action is allowed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Entry {
    /// They need no membership, or are a member.
    Present,
    /// The action makes them a member.
    Joins,
}

impl Relation {
    /// The relation of a person to a chat of that kind.
    pub fn new(kind: ChatKind, person: &Person, membership: Option<&Membership>) -> Self {
        let status = membership.map(|membership| membership.standing);
        let role = membership
            .filter(|membership| membership.standing == MembershipStatus::In)
            .map(|membership| membership.role);
        Self {
            kind,
            status,
            role,
            is_agent: person.is_agent(),
            is_guest: person.is_guest(),
        }
    }

    /// The same with a membership's status alone, where no role is asked for.
    pub fn with_status(kind: ChatKind, person: &Person, status: Option<MembershipStatus>) -> Self {
        Self {
            status,
            ..Self::new(kind, person, None)
        }
    }

    /// Whether they are a member, or an agent in a conversation of their site.
    pub fn is_in(&self) -> bool {
        self.status == Some(MembershipStatus::In)
            || (self.kind == ChatKind::Conversation && self.is_agent)
    }

    /// Whether they may read the chat.
    pub fn can_read(&self) -> bool {
        match self.kind {
            ChatKind::Open => self.is_in() || !self.is_guest,
            ChatKind::Private | ChatKind::Direct | ChatKind::Conversation => self.is_in(),
        }
    }

    /// Whether they may send a message, and whether that makes them a member.
    pub fn can_post(&self) -> Result<Entry, Denied> {
        if self.is_in() {
            return Ok(Entry::Present);
        }
        self.can_join()
    }

    /// Whether they may become a member by themselves.
    pub fn can_join(&self) -> Result<Entry, Denied> {
        match (self.kind, self.status) {
            (_, Some(MembershipStatus::In)) => Ok(Entry::Present),
            (ChatKind::Open, _) if self.is_guest => Err(Denied::NotFound),
            (ChatKind::Open, None | Some(MembershipStatus::Left | MembershipStatus::Observer)) => {
                Ok(Entry::Joins)
            }
            (ChatKind::Open, Some(MembershipStatus::Removed)) => Err(Denied::Removed),
            (ChatKind::Private | ChatKind::Direct | ChatKind::Conversation, _) => {
                Err(Denied::NotFound)
            }
        }
    }

    /// The status of the row that is to keep their read mark, after an action that was allowed.
    /// Only a change that joins makes a member: an agent who answers or reads does not become one.
    pub fn status_after(&self, entry: Entry) -> MembershipStatus {
        match (entry, self.status) {
            (Entry::Joins, _) | (Entry::Present, Some(MembershipStatus::In)) => {
                MembershipStatus::In
            }
            (
                Entry::Present,
                None
                | Some(
                    MembershipStatus::Left | MembershipStatus::Removed | MembershipStatus::Observer,
                ),
            ) => MembershipStatus::Observer,
        }
    }

    /// Whether they may become a member by an invitation.
    pub fn can_accept(&self) -> Result<Entry, Denied> {
        match (self.kind, self.status) {
            (_, Some(MembershipStatus::In)) => Ok(Entry::Present),
            (ChatKind::Direct | ChatKind::Conversation, _) => Err(Denied::NotFound),
            (ChatKind::Open | ChatKind::Private, _) if self.is_guest => Err(Denied::NotFound),
            (ChatKind::Open | ChatKind::Private, Some(MembershipStatus::Removed)) => {
                Err(Denied::Removed)
            }
            (
                ChatKind::Open | ChatKind::Private,
                None | Some(MembershipStatus::Left | MembershipStatus::Observer),
            ) => Ok(Entry::Joins),
        }
    }

    /// Whether they may move their read mark and send a typing signal.
    pub fn can_signal(&self) -> Result<(), Denied> {
        if self.is_in() {
            Ok(())
        } else if self.kind == ChatKind::Open {
            Err(Denied::NotMember)
        } else {
            Err(Denied::NotFound)
        }
    }

    /// Whether they may set for themselves how the chat is shown to them, and of what they are notified.
    pub fn can_set(&self) -> Result<(), Denied> {
        if self.status == Some(MembershipStatus::In) {
            Ok(())
        } else if self.can_read() {
            Err(Denied::NotMember)
        } else {
            Err(Denied::NotFound)
        }
    }

    /// Whether they may set and take back reactions of their own.
    pub fn can_react(&self) -> Result<(), Denied> {
        self.can_signal()
    }

    /// Whether they may change the text of a message.
    pub fn can_edit(&self, is_sender: bool) -> Result<(), Denied> {
        self.can_signal()?;
        if is_sender {
            Ok(())
        } else {
            Err(Denied::NotSender)
        }
    }

    /// Whether they may delete a message.
    pub fn can_delete(&self, is_sender: bool) -> Result<(), Denied> {
        self.can_edit(is_sender)
            .or_else(|why| self.can_govern().map_err(|_| why))
    }

    /// Whether they may add and remove members, give them roles, invite, rename, open, close and delete. A direct chat
    /// is of its two people and a conversation of a guest's site: nobody governs them.
    pub fn can_govern(&self) -> Result<(), Denied> {
        let is_governed = matches!(self.kind, ChatKind::Open | ChatKind::Private);
        if is_governed && self.role == Some(Role::Admin) && !self.is_guest {
            Ok(())
        } else if self.is_in() || self.kind == ChatKind::Open {
            Err(Denied::NotAdmin)
        } else {
            Err(Denied::NotFound)
        }
    }
}

/// Whether a person receives a change of their tenant. `is_actor` says that it is about them,
/// `is_passage` that it is a joining or leaving, and `was_in` whether they were a member of one of its chats at
/// its position.
pub fn hears(
    audience: Audience,
    person: &Person,
    (is_actor, is_passage): (bool, bool),
    was_in: impl FnOnce() -> bool,
) -> bool {
    match audience {
        Audience::Tenant => !person.is_guest(),
        Audience::Actor => is_actor,
        Audience::Others => !person.is_guest() && !was_in(),
        Audience::Members => is_actor && is_passage || was_in(),
        Audience::Agents => is_actor && is_passage || person.is_agent() || was_in(),
        Audience::Acquaintances => is_actor || was_in(),
    }
}

/// Whether a person is told who of their acquaintances is online, and those are told of them: guests of live support
/// and their agents are there for each other's messages alone.
pub fn has_presence(person: &Person) -> bool {
    !person.is_guest()
}

/// Whether a change of a chat that was deleted since is still told to those who were in it: that it was deleted,
/// and what was never the chat's alone.
pub fn outlives_chat(audience: Audience, is_own_passage: bool, is_of_facts: bool) -> bool {
    match audience {
        Audience::Members | Audience::Agents => is_own_passage || is_of_facts,
        Audience::Tenant | Audience::Others | Audience::Actor | Audience::Acquaintances => true,
    }
}

/// Whether a tenant's webhooks are told of a change. `chat` is the kind of its chat as it is now, and whether that
/// was deleted since; `is_of_facts` says that the change is about the chat itself.
///
/// An app's server may act for all of its people, so nothing is kept from it but what somebody sets for themselves. The
/// agents of a site see its conversations, the administrators of home what everybody there may read: what is
/// said in private and direct chats, and who is in them, is told to neither.
pub fn webhook_hears(
    tenant: TenantKind,
    audience: Audience,
    chat: Option<(ChatKind, bool)>,
    is_of_facts: bool,
) -> bool {
    let is_for_nobody = audience == Audience::Actor || tenant == TenantKind::Open;
    let is_left = chat.is_none_or(|(_, deleted)| !deleted);
    if is_for_nobody || !(is_left || outlives_chat(audience, false, is_of_facts)) {
        return false;
    }
    match audience {
        Audience::Tenant | Audience::Others | Audience::Acquaintances => true,
        Audience::Actor => false,
        Audience::Members | Audience::Agents => match (tenant, chat.map(|(kind, _)| kind)) {
            (TenantKind::App, _)
            | (TenantKind::Site, Some(ChatKind::Open | ChatKind::Conversation))
            | (TenantKind::Home, Some(ChatKind::Open)) => true,
            (TenantKind::Site | TenantKind::Home | TenantKind::Open, _) => false,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KINDS: [ChatKind; 4] = [
        ChatKind::Open,
        ChatKind::Private,
        ChatKind::Direct,
        ChatKind::Conversation,
    ];
    const STATUSES: [Option<MembershipStatus>; 5] = [
        None,
        Some(MembershipStatus::In),
        Some(MembershipStatus::Left),
        Some(MembershipStatus::Removed),
        Some(MembershipStatus::Observer),
    ];

    /// Every relation that there can be.
    fn relations() -> impl Iterator<Item = Relation> {
        KINDS.into_iter().flat_map(|kind| {
            STATUSES.into_iter().flat_map(move |status| {
                [(false, false), (true, false), (false, true)]
                    .into_iter()
                    .flat_map(move |(is_agent, is_guest)| {
                        [Role::Member, Role::Admin]
                            .into_iter()
                            .map(move |role| Relation {
                                kind,
                                status,
                                role: (status == Some(MembershipStatus::In)).then_some(role),
                                is_agent,
                                is_guest,
                            })
                    })
            })
        })
    }

    #[test]
    fn members_read_post_and_signal_everywhere() {
        for relation in relations().filter(|r| r.status == Some(MembershipStatus::In)) {
            assert!(relation.can_read(), "{relation:?}");
            assert_eq!(relation.can_post(), Ok(Entry::Present));
            assert_eq!(relation.can_join(), Ok(Entry::Present));
            assert_eq!(relation.can_signal(), Ok(()));
        }
    }

    #[test]
    fn what_may_not_be_read_is_not_found() {
        for relation in relations().filter(|r| !r.can_read()) {
            assert_eq!(relation.can_post(), Err(Denied::NotFound), "{relation:?}");
            assert_eq!(relation.can_join(), Err(Denied::NotFound));
            assert_ne!(relation.can_signal(), Ok(()));
            assert_ne!(relation.can_govern(), Ok(()));
        }
    }

    #[test]
    fn who_was_removed_may_not_come_back() {
        for relation in relations().filter(|r| r.status == Some(MembershipStatus::Removed)) {
            assert_ne!(relation.can_join(), Ok(Entry::Joins), "{relation:?}");
            assert_ne!(relation.can_accept(), Ok(Entry::Joins), "{relation:?}");
        }
    }

    #[test]
    fn an_invitation_brings_people_into_governed_chats_alone() {
        for relation in relations().filter(|r| r.can_accept() == Ok(Entry::Joins)) {
            assert!(matches!(relation.kind, ChatKind::Open | ChatKind::Private));
            assert!(!relation.is_guest && relation.status != Some(MembershipStatus::In));
        }
    }

    #[test]
    fn posting_joins_an_open_chat_alone() {
        for relation in relations().filter(|r| r.can_post() == Ok(Entry::Joins)) {
            assert_eq!(relation.kind, ChatKind::Open);
            assert!(!relation.is_guest && relation.status != Some(MembershipStatus::In));
        }
    }

    #[test]
    fn only_members_and_those_who_join_are_members_afterwards() {
        for relation in relations() {
            let Ok(entry) = relation.can_post() else {
                continue;
            };
            let is_member = relation.status == Some(MembershipStatus::In);
            assert_eq!(
                relation.status_after(entry) == MembershipStatus::In,
                is_member || entry == Entry::Joins,
                "{relation:?}"
            );
        }
    }

    #[test]
    fn agents_are_in_every_conversation_and_in_nothing_else_by_that() {
        for relation in relations().filter(|r| r.is_agent && r.status.is_none()) {
            assert_eq!(relation.is_in(), relation.kind == ChatKind::Conversation);
        }
    }

    #[test]
    fn a_message_is_changed_by_its_sender_and_deleted_by_admins_too_while_they_are_in() {
        for relation in relations() {
            let is_in = relation.can_signal().is_ok();
            assert_eq!(relation.can_react().is_ok(), is_in, "{relation:?}");
            assert_eq!(relation.can_edit(true).is_ok(), is_in, "{relation:?}");
            assert_eq!(relation.can_delete(true).is_ok(), is_in, "{relation:?}");
            assert!(relation.can_edit(false).is_err(), "{relation:?}");
            let governs = is_in && relation.can_govern().is_ok();
            assert_eq!(relation.can_delete(false).is_ok(), governs, "{relation:?}");
        }
    }

    #[test]
    fn members_and_nobody_else_set_something_for_themselves() {
        for relation in relations() {
            let is_member = relation.status == Some(MembershipStatus::In);
            assert_eq!(relation.can_set().is_ok(), is_member, "{relation:?}");
        }
    }

    #[test]
    fn admins_govern_open_and_private_chats_and_guests_never_do() {
        for relation in relations() {
            let is_governed = matches!(relation.kind, ChatKind::Open | ChatKind::Private);
            let may = is_governed && relation.role == Some(Role::Admin) && !relation.is_guest;
            assert_eq!(relation.can_govern().is_ok(), may, "{relation:?}");
        }
    }

    #[test]
    fn webhooks_hear_of_private_and_direct_chats_at_apps_alone_and_nobodys_settings() {
        let tenants = [
            TenantKind::Home,
            TenantKind::Open,
            TenantKind::Site,
            TenantKind::App,
        ];
        for tenant in tenants {
            for chat in KINDS {
                let hears = |audience| webhook_hears(tenant, audience, Some((chat, false)), false);
                let expected = match (tenant, chat) {
                    (TenantKind::App, _) => true,
                    (TenantKind::Home, kind) => kind == ChatKind::Open,
                    (TenantKind::Site, kind) => {
                        matches!(kind, ChatKind::Open | ChatKind::Conversation)
                    }
                    (TenantKind::Open, _) => false,
                };
                assert_eq!(hears(Audience::Members), expected, "{tenant:?} {chat:?}");
                assert_eq!(hears(Audience::Agents), expected, "{tenant:?} {chat:?}");
                assert!(!hears(Audience::Actor), "{tenant:?} {chat:?}");
                let deleted =
                    |facts| webhook_hears(tenant, Audience::Members, Some((chat, true)), facts);
                assert!(!deleted(false), "what was said in a deleted chat");
                assert_eq!(deleted(true), expected, "that it was deleted");
            }
            let of_a_person = webhook_hears(tenant, Audience::Acquaintances, None, false);
            assert_eq!(of_a_person, tenant != TenantKind::Open, "{tenant:?}");
        }
    }
}
