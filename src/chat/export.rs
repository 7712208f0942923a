//! Everything that is kept of somebody, for themselves, read piece by piece.

use std::sync::Arc;

use futures_util::{Stream, StreamExt, stream::BoxStream};

use crate::{
    chat::{Caller, Services},
    error::{Error, Result},
    model::{ChatId, Login, MessageId, Person, SignIn},
    store::export::{ExportedChat, ExportedMessage},
};

/// How many messages of a chat are looked through at a time.
const WINDOW: i64 = 1_000;
/// How many sign-ins are listed.
const SIGN_INS: usize = 200;

/// One thing that is kept of somebody.
#[derive(Debug)]
pub enum Item {
    /// Who they are.
    Profile(Person),
    /// A login.
    Login(Login),
    /// A sign-in, or a failed one.
    SignIn(SignIn),
    /// A chat that they are or were in.
    Chat(ExportedChat),
    /// A message that they sent.
    Message(ExportedMessage),
    /// Nothing more: all of it was told.
    End,
}

/// Everything that is kept of the caller; it ends when their login does, and before its end where something
/// fails.
pub fn export(services: &Arc<Services>, caller: &Caller) -> BoxStream<'static, Result<Item>> {
    let (services, caller) = (Arc::clone(services), caller.clone());
    items(services, caller).boxed()
}

/// See [`export`].
fn items(services: Arc<Services>, caller: Caller) -> impl Stream<Item = Result<Item>> {
    async_stream::try_stream! {
        let store = &services.store;
        let me = store.person(caller.tenant(), caller.id()).await?;
        yield Item::Profile(me.ok_or_else(Error::unauthenticated)?);
        for login in store.logins(caller.id()).await? {
            yield Item::Login(login);
        }
        for sign_in in store.sign_ins(caller.id(), i64::MAX, SIGN_INS).await? {
            yield Item::SignIn(sign_in);
        }
        let mut after = ChatId::new(0);
        while let Some(chat) = store.chat_ever(caller.id(), after).await? {
            after = chat.id;
            yield Item::Chat(chat);
            let mut seen = Some(MessageId::new(0));
            while let Some(from) = seen {
                if caller.is_gone() {
                    Err::<(), _>(caller.proof().refusal())?;
                }
                // Others read long lists too.
                let turn = services.lists.take(caller.tenant()).await?;
                let (messages, last) = store.own_messages(caller.id(), after, from, WINDOW).await?;
                drop(turn);
                seen = last;
                for message in messages {
                    yield Item::Message(message);
                }
            }
        }
    }
}
