//! A command to the writer: a draft, where its outcome is sent, and what it costs.

use crate::{
    chat::writer::{
        ActionOutcome, ActionRequest, ChatAction, CreateDraft, Created, PersonChanged,
        PersonRequest, ReadDraft, SendDraft, Sent, SignUpDraft, SignedUp, fair::Origin,
        reply::Reply,
    },
    error::Error,
    model::{PersonId, TenantId},
    pubsub::Hub,
};

/// What weighs as much as a short message: so many bytes of content, subscribers to notify, and people who
/// join or leave a chat, who are written as one set.
const BYTES: usize = 8 << 10;
const LISTENERS: usize = 256;
const PEOPLE: usize = 4;
/// What an action weighs beside its people: it has statements of its own.
const ACT: usize = 16;

/// A draft and where its outcome is sent.
#[derive(Debug)]
pub(super) enum Command {
    Send(SendDraft, Reply<Sent>),
    Read(ReadDraft, Reply<()>),
    Create(CreateDraft, Reply<Created>),
    Action(ActionRequest, Reply<ActionOutcome>),
    Person(PersonRequest, Reply<PersonChanged>),
    SignUp(SignUpDraft, Reply<SignedUp>),
}

impl Command {
    /// What it costs the writer, in short messages.
    pub(super) fn weight(&self, hub: &Hub) -> usize {
        match self {
            Self::Send(draft, _) => {
                let bytes = draft.content.as_str().len();
                1 + bytes / BYTES + hub.listening(draft.chat) / LISTENERS
            }
            Self::Read(..) => 1,
            Self::Person(..) | Self::SignUp(..) => ACT,
            Self::Create(draft, _) => ACT + draft.members.len() / PEOPLE,
            Self::Action(draft, _) => match &draft.action {
                ChatAction::Add(people) | ChatAction::Remove(people) => ACT + people.len() / PEOPLE,
                ChatAction::Join
                | ChatAction::Leave
                | ChatAction::Edit(..)
                | ChatAction::Delete(_)
                | ChatAction::React(..)
                | ChatAction::Unreact(..)
                | ChatAction::Invite(_)
                | ChatAction::Uninvite(_)
                | ChatAction::Accept(_)
                | ChatAction::SetRole(..)
                | ChatAction::Update(_)
                | ChatAction::Set(_)
                | ChatAction::DeleteChat
                | ChatAction::Close(_) => ACT,
            },
        }
    }

    /// Whether its caller has timed out.
    pub(super) fn is_overdue(&self) -> bool {
        match self {
            Self::Send(_, reply) => reply.is_overdue(),
            Self::Create(_, reply) => reply.is_overdue(),
            Self::Read(_, reply) => reply.is_overdue(),
            Self::Action(_, reply) => reply.is_overdue(),
            Self::Person(_, reply) => reply.is_overdue(),
            Self::SignUp(_, reply) => reply.is_overdue(),
        }
    }

    /// Whose it is.
    pub(super) fn tenant(&self) -> TenantId {
        match self {
            Self::Send(draft, _) => draft.actor.tenant,
            Self::Read(draft, _) => draft.actor.tenant,
            Self::Create(draft, _) => draft.created_by.tenant,
            Self::Action(draft, _) => draft.actor.tenant,
            Self::Person(request, _) => request.actor.tenant,
            Self::SignUp(draft, _) => draft.person.tenant,
        }
    }

    /// Where it comes from.
    pub(super) fn origin(&self) -> Origin {
        let person = match self {
            Self::Send(draft, _) => &draft.actor,
            Self::Read(draft, _) => &draft.actor,
            Self::Create(draft, _) => &draft.created_by,
            Self::Action(draft, _) => &draft.actor,
            Self::Person(request, _) => &request.actor,
            // Who signs up is nobody yet: they take their turns together.
            Self::SignUp(draft, _) => {
                return Origin {
                    flow: (draft.person.tenant, PersonId::new(0)),
                    connection: None,
                };
            }
        };
        let connection = match self {
            Self::Send(draft, _) => draft.connection,
            Self::Read(..)
            | Self::Create(..)
            | Self::Action(..)
            | Self::Person(..)
            | Self::SignUp(..) => None,
        };
        Origin {
            flow: (person.tenant, person.id),
            connection,
        }
    }

    pub(super) fn refuse(self, error: Error) {
        match self {
            Self::Send(_, reply) => reply.send(Err(error)),
            Self::Create(_, reply) => reply.send(Err(error)),
            Self::Read(_, reply) => reply.send(Err(error)),
            Self::Action(_, reply) => reply.send(Err(error)),
            Self::Person(_, reply) => reply.send(Err(error)),
            Self::SignUp(_, reply) => reply.send(Err(error)),
        }
    }
}
