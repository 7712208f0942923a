//! Somebody who speaks an event-style dialect: on a socket, or in one HTTP request.

use std::{any::Any, collections::VecDeque, net::IpAddr, sync::Arc};

use tokio::sync::Notify;

use crate::{
    chat::{Caller, Services, accounts, limits::Who, logins, throttle, wait},
    dialect::Emission,
    error::{Kind, Result},
    live::Listener,
    model::{PersonId, Position, TokenHash},
};

/// How many tokens a speaker remembers having proved.
const PROVED: usize = 64;
/// How many of its own messages a speaker remembers, so as not to be told of them.
const SENT: usize = 256;

/// What the operator decides about dialects.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// Whether anybody may embed without a key, on a connection to a loopback host.
    pub embed_open: bool,
    /// Whether anybody may, on whatever connection.
    pub embed_open_anywhere: bool,
    /// Whether pushes to guests and owners have the first document's shape.
    pub support_push_v1: bool,
    /// Whether a guest's e-mail alone reopens their chat.
    pub support_resume_by_email: bool,
    /// Whether an owner may register without being invited.
    pub owner_registration_open: bool,
}

/// What somebody brought when they connected.
#[derive(Debug, Clone, Default)]
pub struct Credentials {
    /// `?token=`, `auth.token` or the Authorization header.
    pub token: Option<String>,
    /// `?key=` or `auth.key`: a tenant's secret.
    pub key: Option<String>,
    /// `?appId=` or `auth.appId`: which of several tenants is meant.
    pub app: Option<String>,
    /// Whom their cookies name, and the token that is to prove it, where cookies count.
    pub cookies: Option<(PersonId, String)>,
    /// Whether they addressed a loopback host, and no foreign page did for them.
    pub loopback: bool,
    /// The address they come from.
    pub address: Option<IpAddr>,
}

/// What a speaker can do on its connection beside answering; an HTTP request's does little.
pub trait Stage: Send + Sync {
    /// The connection's public name.
    fn id(&self) -> String;
    /// Joins a room of connections.
    fn join(&self, room: &str);
    /// Leaves it.
    fn leave(&self, room: &str);
    /// Tells the connections in a room.
    fn tell(&self, room: &str, whom: Whom, emission: &Emission);
    /// Closes the connection.
    fn close(&self);
}

/// Whom in a room.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Whom {
    /// Everybody.
    All,
    /// Everybody but the speaker.
    Others,
}

/// Somebody a speaker acts for.
#[derive(Debug)]
pub struct Acting {
    /// Who.
    pub caller: Caller,
    /// In which dialects, a bit each.
    dialects: u8,
    /// What came before is not for this connection.
    from: Position,
    listener: Option<Listener>,
}

impl Acting {
    /// Whether it hears in a dialect.
    pub fn hears_in(&self, dialect: usize) -> bool {
        self.dialects & 1 << dialect != 0
    }

    /// The dialects it hears in, a bit each.
    pub fn dialects(&self) -> u8 {
        self.dialects
    }

    /// What came up to here is not for this connection.
    pub fn from(&self) -> Position {
        self.from
    }

    /// The ear.
    pub fn listener(&mut self) -> Option<&mut Listener> {
        self.listener.as_mut()
    }
}

/// See the module.
pub struct Speaker {
    /// The verbs.
    pub services: Arc<Services>,
    /// What the operator decided.
    pub options: Arc<Options>,
    /// What they brought.
    pub credentials: Credentials,
    /// The connection.
    pub stage: Arc<dyn Stage>,
    /// The connection's number in this process, for those who tell everybody else.
    pub number: u64,
    /// Rung when there is something to hear; none for an HTTP request, which hears nothing.
    bell: Option<Arc<Notify>>,
    acting: Vec<Acting>,
    signed_in: Option<Caller>,
    proved: VecDeque<(TokenHash, Caller)>,
    sent: VecDeque<Position>,
    memory: Vec<(usize, Box<dyn Any + Send + Sync>)>,
}

impl Speaker {
    /// Somebody who has said nothing yet. With a `bell` they hear what concerns those they act for.
    pub fn new(
        services: Arc<Services>,
        options: Arc<Options>,
        credentials: Credentials,
        stage: Arc<dyn Stage>,
        (number, bell): (u64, Option<Arc<Notify>>),
    ) -> Self {
        Self {
            services,
            options,
            credentials,
            stage,
            number,
            bell,
            acting: Vec::new(),
            signed_in: None,
            proved: VecDeque::new(),
            sent: VecDeque::new(),
            memory: Vec::new(),
        }
    }

    /// Counts an event on a connection, whose token was proved long ago: for the address it came
    /// from, and for whom this speaker acts if for one only.
    pub fn count(&self) -> Result<()> {
        let limits = &self.services.limits;
        if let Some(address) = self.credentials.address {
            limits.count(Who::Address(throttle::network(address)))?;
        }
        match &self.acting[..] {
            [acting] => accounts::count(&self.services, &acting.caller),
            [acting, ..] => limits.count(Who::Tenant(acting.caller.tenant())),
            [] => Ok(()),
        }
    }

    /// Whether this is a connection, which hears; an HTTP request is answered and gone.
    pub fn listens(&self) -> bool {
        self.bell.is_some()
    }

    /// Acts for somebody in a dialect from now on: hears what they hear, as long as their login lives.
    pub async fn act_as(&mut self, dialect: usize, caller: &Caller) -> Result<()> {
        let from = self.services.hub.head();
        self.act_as_since(1 << dialect, caller, from).await
    }

    /// Acts for somebody in some dialects, a bit each, and hears what came after a position.
    pub async fn act_as_since(
        &mut self,
        dialects: u8,
        caller: &Caller,
        from: Position,
    ) -> Result<()> {
        let known = self
            .acting
            .iter_mut()
            .find(|acting| acting.caller.id() == caller.id());
        if let (Some(bell), Some(login)) = (&self.bell, caller.login()) {
            login.ring_when_ended(bell);
        }
        if let Some(acting) = known {
            acting.dialects |= dialects;
            acting.from = acting.from.min(from);
            acting.caller = caller.clone();
            return Ok(());
        }
        let listener = match &self.bell {
            None => None,
            Some(bell) => {
                let mut listener = wait::listen(&self.services, caller.person()).await?;
                listener.ring(Arc::clone(bell));
                Some(listener)
            }
        };
        self.acting.push(Acting {
            caller: caller.clone(),
            dialects,
            from,
            listener,
        });
        if let Some(bell) = &self.bell {
            // Something may have been told before the bell hung.
            bell.notify_one();
        }
        Ok(())
    }

    /// Those this speaker acts for.
    pub fn acting(&self) -> &[Acting] {
        &self.acting
    }

    /// The same, to listen with.
    pub fn ears(&mut self) -> &mut [Acting] {
        &mut self.acting
    }

    /// Whether this speaker acts for a person in a dialect.
    pub fn acts_for(&self, dialect: usize, person: PersonId) -> Option<&Caller> {
        let acting = self.acting.iter().find(|acting| {
            acting.hears_in(dialect) && acting.caller.id() == person && !acting.caller.is_gone()
        });
        acting.map(|acting| &acting.caller)
    }

    /// Stops acting for those whose login has ended.
    pub fn drop_the_gone(&mut self) {
        let before = self.acting.len();
        let typists = &self.services.typists;
        let number = self.number;
        self.acting.retain(|acting| {
            let gone = acting.caller.is_gone();
            if gone {
                typists.person_left(number, acting.caller.id());
            }
            !gone
        });
        if self.acting.is_empty() && before > 0 {
            // Whoever was let in is nobody any more.
            self.stage.close();
        }
    }

    /// Stops acting for everybody.
    pub fn leave(&mut self) {
        self.services.typists.connection_ended(self.number);
        self.acting.clear();
    }

    /// Stops acting for a person.
    pub fn stop_acting_for(&mut self, person: PersonId) {
        self.services.typists.person_left(self.number, person);
        self.acting.retain(|acting| acting.caller.id() != person);
    }

    /// Whoever holds the cookies that were brought; nobody without any, or once their login has ended.
    pub async fn cookie_holder(&mut self) -> Result<Option<Caller>> {
        if self.signed_in.is_none()
            && let Some((person, token)) = &self.credentials.cookies
        {
            match accounts::authenticate(&self.services, *person, token).await {
                Ok(caller) => self.signed_in = Some(caller),
                // What does not count now never will.
                Err(error) if error.kind() == Kind::Unauthenticated => {
                    self.credentials.cookies = None;
                }
                Err(error) => return Err(error),
            }
        }
        Ok(self.signed_in.clone().filter(|caller| !caller.is_gone()))
    }

    /// Everybody who holds a token; asked of the store once for each token.
    pub async fn holders(&mut self, token: &str) -> Result<Vec<Caller>> {
        let hash = logins::hash(token);
        self.proved.retain(|(_, caller)| !caller.is_gone());
        let known = self.proved.iter().filter(|(proved, _)| *proved == hash);
        let known: Vec<_> = known.map(|(_, caller)| caller.clone()).collect();
        if !known.is_empty() {
            return Ok(known);
        }
        let holders = accounts::holders(&self.services, token).await?;
        for caller in &holders {
            if self.proved.len() == PROVED {
                self.proved.pop_front();
            }
            self.proved.push_back((hash.clone(), caller.clone()));
        }
        Ok(holders)
    }

    /// The one who holds a token in the tenant that this connection means.
    pub async fn holder(&mut self, token: &str) -> Result<Caller> {
        let holders = self.holders(token).await?;
        accounts::chosen(&self.services, holders, self.credentials.app.as_deref()).await
    }

    /// Notes a message that came by this connection.
    pub fn note_sent(&mut self, position: Position) {
        if self.sent.len() == SENT {
            self.sent.pop_front();
        }
        self.sent.push_back(position);
    }

    /// The last messages that came by this connection, at most so many.
    pub fn last_sent(&self, most: usize) -> impl Iterator<Item = Position> {
        let before = self.sent.len().saturating_sub(most);
        self.sent.iter().skip(before).copied()
    }

    /// Whether a change came by this connection.
    pub fn has_sent(&self, position: Position) -> bool {
        self.sent.contains(&position)
    }

    /// What a dialect keeps of this speaker.
    pub fn memory<T: Any + Send + Sync + Default>(&mut self, dialect: usize) -> &mut T {
        let known = self.memory.iter().position(|(owner, _)| *owner == dialect);
        let place = known.unwrap_or_else(|| {
            self.memory.push((dialect, Box::new(T::default())));
            self.memory.len() - 1
        });
        self.memory[place]
            .1
            .downcast_mut()
            .expect("a dialect keeps one type")
    }

    /// What a dialect has kept of this speaker, if anything.
    pub fn remembered<T: Any + Send + Sync>(&self, dialect: usize) -> Option<&T> {
        let (_, kept) = self.memory.iter().find(|(owner, _)| *owner == dialect)?;
        kept.downcast_ref()
    }
}
