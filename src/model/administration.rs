//! Administration: what administrators do, and what is written down of it.

use crate::model::{ids::PersonId, login::Login, person::Person, tenant::Tenant, time::Timestamp};

words! {
    /// An act of an administrator.
    pub enum Act {
        /// Made an account.
        Create = "create",
        /// Made a link by which somebody may sign up.
        Invite = "invite",
        /// Took back such a link.
        RevokeInvitation = "revoke_invitation",
        /// Gave a person another name.
        Rename = "rename",
        /// Ended all logins of a person.
        SignOut = "sign_out",
        /// Ended one login of a person.
        EndLogin = "end_login",
        /// Made a link by which a person sets a new password.
        PasswordLink = "password_link",
        /// Set a new password, on the machine.
        SetPassword = "set_password",
        /// Ended the second factor of a person who has lost it.
        ResetSecondFactor = "reset_second_factor",
        /// Made a person an administrator.
        Promote = "promote",
        /// Made a person an ordinary one again.
        Demote = "demote",
        /// Deactivated a person.
        Deactivate = "deactivate",
        /// Let a person in again.
        Reactivate = "reactivate",
        /// Deleted a person, or a chat.
        Delete = "delete",
        /// Took a message down.
        TakeDown = "take_down",
        /// Suspended a site or an app.
        Suspend = "suspend",
        /// Let it go on.
        Resume = "resume",
        /// Chose who may sign up.
        SetRegistration = "set_registration",
        /// Registered a webhook.
        CreateWebhook = "create_webhook",
        /// Changed a webhook, gave it another secret, or let it go on.
        ChangeWebhook = "change_webhook",
        /// Deleted a webhook.
        DeleteWebhook = "delete_webhook",
    }
}

words! {
    /// What an act was done to.
    pub enum TargetKind {
        /// A person.
        Person = "person",
        /// A chat.
        Chat = "chat",
        /// A message.
        Message = "message",
        /// A web site with live support.
        Site = "site",
        /// An application.
        App = "app",
        /// An invitation.
        Invitation = "invitation",
        /// A webhook.
        Webhook = "webhook",
        /// The server.
        Server = "server",
    }
}

words! {
    /// Who may sign up.
    pub enum RegistrationMode {
        /// Anybody.
        Open = "open",
        /// Who was invited, and the page says so.
        Invitation = "invitation",
        /// Who was invited; the page offers nothing.
        Closed = "closed",
    }
}

words! {
    /// What a one-time link is good for.
    pub enum LinkKind {
        /// Signing up.
        Invitation = "invitation",
        /// A new password.
        Password = "password",
    }
}

/// What an act was done to, as it was called at that time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// What it is.
    pub kind: TargetKind,
    /// Its number.
    pub id: Option<i64>,
    /// Its name.
    pub name: Option<String>,
}

/// An act that is to be written down.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// What was done.
    pub act: Act,
    /// To what.
    pub target: Target,
    /// What else there is to say.
    pub detail: Option<String>,
}

/// Who acts: an administrator, or the operator of the machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Operator {
    /// Their number and their name; none on the machine.
    pub person: Option<(PersonId, String)>,
    /// The address they act from.
    pub address: Option<String>,
}

/// An act that is written down.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditEntry {
    /// Its number.
    pub id: i64,
    /// When it was done.
    pub at: Timestamp,
    /// By whom; none on the machine.
    pub by: Operator,
    /// What.
    pub record: Record,
}

/// A person of home as administrators see them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    /// The person.
    pub person: Person,
    /// The key under which they sign in.
    pub key: Option<String>,
    /// Whether they have a password.
    pub has_password: bool,
    /// Whether they have a second factor.
    pub has_second_factor: bool,
    /// Whether they are an administrator.
    pub is_administrator: bool,
    /// When they were deactivated.
    pub deactivated_at: Option<Timestamp>,
    /// How many logins they have.
    pub logins: i64,
    /// When one of those was last used.
    pub last_seen: Option<Timestamp>,
}

/// Which people are listed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum AccountFilter {
    /// All of them.
    #[default]
    All,
    /// Administrators.
    Administrators,
    /// Those who are deactivated.
    Deactivated,
}

/// A login, and whose it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignedInPerson {
    /// The login.
    pub login: Login,
    /// Its person's name.
    pub name: String,
}

/// A one-time link that has not been used, without its token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OneTimeLink {
    /// Its number.
    pub id: i64,
    /// Who made it, and what they are called.
    pub made_by: (PersonId, String),
    /// When.
    pub created_at: Timestamp,
    /// Until when it is good.
    pub expires_at: Timestamp,
}

/// A site or an app as administrators see it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TenantSummary {
    /// The site or the app.
    pub tenant: Tenant,
    /// The domains of a site.
    pub domains: Vec<String>,
    /// Whose it is: the developer who registered an app, the agents of a site.
    pub owners: Vec<Person>,
    /// How many people it has.
    pub people: i64,
    /// How many chats it has.
    pub chats: i64,
    /// How many messages were sent in those.
    pub messages: i64,
}

/// What is counted in the database.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Figures {
    /// People of home.
    pub people: i64,
    /// Those of them who are deactivated.
    pub deactivated: i64,
    /// Those of them who are administrators.
    pub administrators: i64,
    /// Chats of home.
    pub chats: i64,
    /// Messages that were sent in those.
    pub messages: i64,
    /// Sites and apps.
    pub tenants: i64,
    /// Messages that were sent in theirs.
    pub tenants_messages: i64,
    /// Logins of home.
    pub logins: i64,
    /// The size of the database, in bytes.
    pub database_bytes: i64,
}
