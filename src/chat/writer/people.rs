//! What changes a person rather than a chat: another name or picture, and the end of an account.

use std::sync::Arc;

use crate::{
    chat::administration,
    chat::writer::{
        actions::TxContext,
        draft::{Kept, PersonAction, PersonChanged, PersonEdit, PersonRequest},
        plan::Subject,
    },
    error::{Error, Kind, Result},
    model::{Audience, Change, ChangeKind, ChatId, LoginId, Name, Person, PersonChange},
    store::{batch::WriteSet, profiles::GONE},
};

/// Where a change stands that belongs to no chat: none has this number.
const NO_CHAT: ChatId = ChatId::new(0);

/// Carries out what a request asks for; a refusal writes nothing. What an administrator of the server does is
/// proved to be one's, and written down.
pub(super) async fn act(
    mut context: TxContext<'_>,
    request: &PersonRequest,
    changes: &mut Vec<Change>,
) -> Result<Result<PersonChanged>> {
    if let Some(audit) = &request.audit {
        let administrators = context.tx.administrators().await?;
        let goes = matches!(request.action, PersonAction::Delete(_)).then_some(request.actor.id);
        if let Err(refusal) = administration::may_act(&administrators, &audit.0, goes) {
            return Ok(Err(refusal));
        }
    }
    let before = changes.len();
    let outcome = act_on(context.reborrow(), request, changes).await?;
    // What changes nothing is no act.
    if let (true, Some(audit)) = (changes.len() > before, &request.audit) {
        let (by, record) = &**audit;
        context.tx.insert_audit(by, record, context.now).await?;
    }
    Ok(outcome)
}

async fn act_on(
    context: TxContext<'_>,
    request: &PersonRequest,
    changes: &mut Vec<Change>,
) -> Result<Result<PersonChanged>> {
    let actor = &request.actor;
    let Some(person) = context.tx.person_ever(actor.tenant, actor.id).await? else {
        return Ok(Err(nobody()));
    };
    match &request.action {
        PersonAction::Describe(description) => {
            describe(context, person, description, changes).await
        }
        PersonAction::Delete(kept) => delete(context, person, *kept, changes).await,
    }
}

async fn describe(
    mut context: TxContext<'_>,
    person: Person,
    description: &PersonEdit,
    changes: &mut Vec<Change>,
) -> Result<Result<PersonChanged>> {
    if person.deleted_at.is_some() && !description.restores {
        return Ok(Err(nobody()));
    }
    let described = description.of(&person);
    if described == person {
        return Ok(Ok(PersonChanged::nothing(person)));
    }
    let described = Person {
        updated_at: context.now,
        ..described
    };
    let key = description.account_key.as_deref();
    let looks = description.name.as_ref().map(Name::looks);
    let looks = looks.filter(|_| key.is_some()).unwrap_or_default();
    let tx = &mut *context.tx;
    if let Some(key) = key
        && tx.is_of_another(person.id, key, &looks).await?
    {
        let sentence = "name is taken, or looks like one that is";
        return Ok(Err(Error::invalid_field("name", sentence)));
    }
    // The key before what it looks like, as a sign-up has it: in another order the two would wait for each
    // other. A sign-up that took the name meanwhile is found by either.
    tx.put_profile(&described, key).await?;
    if key.is_some() && !tx.replace_looks(person.id, &looks).await? {
        return Err(Error::conflict("that name is taken"));
    }
    let is_seen = described.name != person.name
        || described.names != person.names
        || described.photo != person.photo
        || described.deleted_at != person.deleted_at;
    let described = Arc::new(described);
    if !is_seen {
        return Ok(Ok(PersonChanged::nothing(described)));
    }
    let told = tell(context.reborrow(), described, false, Vec::new());
    told.await?.written(context, changes).await
}

async fn delete(
    mut context: TxContext<'_>,
    person: Person,
    kept: Kept,
    changes: &mut Vec<Change>,
) -> Result<Result<PersonChanged>> {
    if person.deleted_at.is_some() {
        return Ok(Ok(PersonChanged::nothing(person)));
    }
    let now = context.now;
    let mut gone = Person {
        updated_at: now,
        deleted_at: Some(now),
        ..person
    };
    match kept {
        Kept::Profile => context.tx.delete_person(gone.id, now).await?,
        Kept::Nothing => {
            context.tx.erase_person(gone.id, now).await?;
            gone = Person {
                name: GONE.into(),
                names: crate::model::Names::default(),
                email: None,
                photo: None,
                ..gone
            };
        }
    }
    let ended = context.tx.delete_logins(gone.id, None).await?;
    context.tx.end_person(gone.id).await?;
    let told = tell(context.reborrow(), Arc::new(gone), true, ended);
    told.await?.written(context, changes).await
}

/// What came of a request, with the change that tells of it.
struct Told {
    outcome: PersonChanged,
    change: Change,
}

async fn tell(
    context: TxContext<'_>,
    person: Arc<Person>,
    gone: bool,
    ended: Vec<LoginId>,
) -> Result<Told> {
    let chats = context.tx.chats_ever_of(person.id).await?.into();
    let subject = Subject {
        tenant: person.tenant,
        chat: NO_CHAT,
        actor: &person,
    };
    let what = ChangeKind::Person(PersonChange { gone, chats });
    let change = subject.change(context.next, context.now, Audience::Acquaintances, what);
    Ok(Told {
        outcome: PersonChanged {
            person: Arc::clone(&person),
            position: Some(change.position),
            ended,
        },
        change,
    })
}

impl Told {
    async fn written(
        self,
        context: TxContext<'_>,
        changes: &mut Vec<Change>,
    ) -> Result<Result<PersonChanged>> {
        let new = vec![self.change];
        context.write(new, WriteSet::default(), changes).await?;
        Ok(Ok(self.outcome))
    }
}

fn nobody() -> Error {
    Error::new(Kind::NotFound, "this account is gone")
}
