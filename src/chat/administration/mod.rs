//! Administration of home: what administrators see and do, and what is written down of it.
//!
//! # Why
//! An administrator may do much, so two things are certain of every act: that it was an administrator's at
//! the moment when it was written, and that it is in the audit. Both are decided in the transaction of the act:
//! `perform` locks the rows of all administrators, refuses a person who is none of them, does the work and writes
//! the entry. Who was demoted a moment before is refused, however far their request had come; and two
//! administrators cannot end each other's office at once and leave nobody. An act that changes nothing is
//! no act, and leaves no entry. Acts in chats go through the writer, which does the same
//! (`ActionRequest::by_administrator`).
//!
//! What others rely on ends after the commit, and before the answer: logins with all their waits, streams
//! and sockets, and the keys and logins of a suspended site or app.
//!
//! Administrators are people of home like any other and sign in as they do. They have nothing to do with the
//! administrators of the chat service, who register the accounts of developers.

mod chats;
mod links;
mod machine;
mod people;
mod registration;
mod server;
mod tenants;

pub use chats::{ChatDetails, ChatListing, chat, chats, delete_chat, take_down};
pub use links::{
    IssuedLink, LinkOwner, invitations, invite, link_owner, password_link, revoke_invitation,
    set_password_by_link,
};
pub(super) use links::{forget_links, take_invitation};
pub(super) use machine::end_revoked;
pub use machine::{
    NewAdministrator, SecondFactorChoice, SecondFactorLeft, make_administrator, set_password,
};
pub use people::{
    NewAccount, create, deactivate, delete, demote, end_login, people, person, promote, reactivate,
    rename, reset_second_factor, sign_out,
};
pub(super) use registration::may_sign_up;
pub use registration::{Registration, choose_registration, registration};
pub use server::{ServerFigures, audit, figures, signed_in};
pub use tenants::{resume, suspend, tenants};

use std::net::IpAddr;

use crate::{
    chat::{Caller, Services, accounts::HOME},
    error::{Error, Result},
    model::{Account, Act, Operator, PersonId, Record, Target, TargetKind},
    store::{Tx, Work},
};

/// Proof that somebody administers home, and where they act from.
#[derive(Debug, Clone)]
pub struct Administrator {
    caller: Caller,
    address: IpAddr,
}

impl Administrator {
    /// Who they are.
    pub fn caller(&self) -> &Caller {
        &self.caller
    }

    /// What the audit says of them.
    fn operator(&self) -> Operator {
        let person = self.caller.person();
        Operator {
            person: Some((person.id, person.name.to_string())),
            address: Some(self.address.to_string()),
        }
    }
}

/// Proves that a caller administers home, as the database has it now.
pub async fn prove(services: &Services, caller: &Caller, from: IpAddr) -> Result<Administrator> {
    if !services.store.is_administrator(caller.id()).await? {
        return Err(not_one());
    }
    Ok(Administrator {
        caller: caller.clone(),
        address: from,
    })
}

/// The refusal of a person who is no administrator.
pub(super) fn not_one() -> Error {
    Error::forbidden("only an administrator of this server may do that")
}

/// Refuses an act of a person who is none of the administrators, or that would take the last of them away.
pub(super) fn may_act(
    administrators: &[PersonId],
    by: &Operator,
    goes: Option<PersonId>,
) -> Result<()> {
    let by = by.person.as_ref().map(|(id, _)| id);
    if by.is_some_and(|id| !administrators.contains(id)) {
        return Err(not_one());
    }
    goes.map_or(Ok(()), |goes| people::someone_stays(administrators, goes))
}

/// Does an administrator's work in a transaction, and writes it down if it changed anything.
pub(super) async fn perform<T: Send + 'static>(
    services: &Services,
    admin: &Administrator,
    work: impl Work<(T, Option<Record>)>,
) -> Result<T> {
    let (id, by, now) = (admin.caller.id(), admin.operator(), services.clock.now());
    let done = services.store.write(HOME, move |tx| {
        Box::pin(async move {
            if !tx.administrators().await?.contains(&id) {
                return Err(not_one());
            }
            let (value, record) = work(tx).await?;
            if let Some(record) = record {
                tx.insert_audit(&by, &record, now).await?;
            }
            Ok(value)
        })
    });
    done.await
}

/// A person of home, within a transaction.
async fn account(tx: &mut Tx, person: PersonId) -> Result<Account> {
    let found = tx.account_of(person).await?;
    found.ok_or_else(nobody)
}

fn nobody() -> Error {
    Error::not_found("there is no such person")
}

/// What is written down of an act on a person.
fn on_person(act: Act, account: &Account) -> Record {
    Record {
        act,
        target: Target {
            kind: TargetKind::Person,
            id: Some(account.person.id.get()),
            name: Some(account.person.name.to_string()),
        },
        detail: None,
    }
}
