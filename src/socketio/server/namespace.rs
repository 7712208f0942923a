//! One namespace: its name, its sockets and rooms, and what is kept for recovery.

use std::sync::{
    Arc, Mutex,
    atomic::{AtomicU64, Ordering},
};

use super::{
    admission::{Admission, ConnectError},
    id::SocketId,
    member::{Member, Phase},
    members::Members,
    options::Overflow,
    prepared::Prepared,
    recovery::RecoveryStore,
    target::{Target, Volatile},
    task::Task,
};
use crate::{
    engine::{DisconnectReason, SendError},
    packet::{Args, Encoded, NamespaceName, Version},
    sync::lock,
};

/// One namespace. Broadcasts are sent under one lock, so that all sockets receive them in the same
/// order.
pub(super) struct Namespace {
    name: NamespaceName,
    dispatcher: Box<dyn Dispatcher>,
    members: Mutex<Members>,
    recovery: Option<Mutex<RecoveryStore>>,
    ack_ids: AtomicU64,
    overflow: Overflow,
    /// Set for a namespace that was made on demand: called when it may have become empty.
    on_empty: Option<OnEmpty>,
}

/// Called with the name of a namespace that may have become empty.
pub(super) type OnEmpty = Box<dyn Fn(&NamespaceName) + Send + Sync>;

/// Starts the workers that call a namespace's handler.
pub(super) trait Dispatcher: Send + Sync {
    /// Spawns a worker for a socket. It runs until the socket's queue is empty.
    fn start(&self, namespace: &Arc<Namespace>, member: &Arc<Member>);
}

/// What [`Socket::disconnect`](super::Socket::disconnect) ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Disconnect {
    /// The socket only. The client stays connected to other namespaces.
    Namespace,
    /// The connection, with all its namespaces.
    Connection,
}

impl Namespace {
    pub(super) fn new(
        name: NamespaceName,
        dispatcher: Box<dyn Dispatcher>,
        recovery: Option<RecoveryStore>,
        overflow: Overflow,
        on_empty: Option<OnEmpty>,
    ) -> Arc<Self> {
        Arc::new(Self {
            name,
            dispatcher,
            members: Mutex::default(),
            recovery: recovery.map(Mutex::new),
            ack_ids: AtomicU64::new(0),
            overflow,
            on_empty,
        })
    }

    pub(super) fn name(&self) -> &NamespaceName {
        &self.name
    }

    pub(super) fn overflow(&self) -> Overflow {
        self.overflow
    }

    /// Whether emitted events are kept for recovery.
    pub(super) fn keeps_events(&self) -> bool {
        self.recovery.is_some()
    }

    pub(super) fn next_ack_id(&self) -> u64 {
        self.ack_ids.fetch_add(1, Ordering::Relaxed)
    }

    /// Queues a task for a socket. Its worker runs only while there are tasks.
    pub(super) fn enqueue(self: &Arc<Self>, member: &Arc<Member>, task: Task) {
        if member.push_task(task) {
            self.dispatcher.start(self, member);
        }
    }

    /// A client is about to ask to join. The namespace exists until [`Namespace::end_connect`].
    pub(super) fn begin_connect(&self) {
        lock(&self.members).connecting += 1;
    }

    /// The client has its answer.
    pub(super) fn end_connect(&self) {
        lock(&self.members).connecting -= 1;
        self.check_empty();
    }

    /// Whether it has no sockets and none that connect.
    pub(super) fn is_empty(&self) -> bool {
        lock(&self.members).is_empty()
    }

    fn check_empty(&self) {
        if let Some(on_empty) = &self.on_empty {
            on_empty(&self.name);
        }
    }

    /// Connects a socket that the middleware has admitted: sends the `CONNECT` packet, then the events
    /// it has missed, and only then anything else. False if it has left meanwhile.
    pub(super) fn connect(self: &Arc<Self>, member: &Arc<Member>, admission: Admission) -> bool {
        let Admission { pid, recovered } = admission;
        let missed = match recovered {
            Some(recovered) => {
                member.recover_id(recovered.id);
                recovered.missed
            }
            None => Vec::new(),
        };
        let needs_pid = self.keeps_events() && member.version() == Version::V5 && pid.is_none();
        let pid = pid.or_else(|| needs_pid.then(new_pid));
        let replaced = {
            let mut members = lock(&self.members);
            members.connect(&self.name, member, pid.as_deref(), &missed)
        };
        self.finish_connect(member, replaced)
    }

    /// Recovers a socket, if the store has its session and the events since its offset. No event can be
    /// emitted between the missed ones and its return, which happen under one lock.
    pub(super) fn recover(self: &Arc<Self>, member: &Arc<Member>) -> bool {
        let Some(recovery) = &self.recovery else {
            return false;
        };
        let ids = member.auth().and_then(|auth| {
            let pid = auth.get("pid")?.as_str()?;
            Some((pid, auth.get("offset")?.as_str()?))
        });
        let Some((pid, offset)) = ids else {
            return false;
        };
        let replaced = {
            let mut members = lock(&self.members);
            let Some(saved) = lock(recovery).restore(pid, offset) else {
                return false;
            };
            member.recover_id(saved.id);
            if let Some(data) = saved.data {
                member.set_data(data);
            }
            lock(&member.state).rooms = saved.rooms;
            members.connect(&self.name, member, Some(pid), &saved.missed)
        };
        self.finish_connect(member, replaced)
    }

    /// Whether the socket is connected. Closes the socket that it replaces: a client may reconnect
    /// before the server notices that its old connection is lost.
    fn finish_connect(
        self: &Arc<Self>,
        member: &Arc<Member>,
        replaced: Result<Option<Arc<Member>>, SendError>,
    ) -> bool {
        let replaced = match replaced {
            Ok(replaced) => replaced,
            // A reply is never too large, so the client is gone.
            Err(SendError::Closed | SendError::Full) => return false,
        };
        if member.is_recovered() {
            member.session().count_recovery();
        }
        if let Some(old) = replaced {
            old.session().close(DisconnectReason::ForcedServerClose);
            self.remove(&old, DisconnectReason::ForcedServerClose);
        }
        true
    }

    /// Tells a client that it may not join, unless it has left meanwhile.
    pub(super) fn reject(&self, member: &Arc<Member>, error: &ConnectError) {
        let before = {
            let _members = lock(&self.members);
            member.set_phase(Phase::Disconnected)
        };
        member.owner().forget(member);
        if before == Phase::Connecting {
            let (version, data) = (member.version(), error.data.as_ref());
            let packet = Encoded::connect_error(version, &self.name, &error.message, data);
            reply(member, &packet);
        }
    }

    /// Removes a socket and calls the handler's `on_disconnect`.
    pub(super) fn remove(self: &Arc<Self>, member: &Arc<Member>, reason: DisconnectReason) {
        let before = self.take_out(member, reason);
        self.finish_remove(member, before, reason);
    }

    /// Disconnects a socket from the namespace, or the client from all its namespaces.
    pub(super) fn disconnect(self: &Arc<Self>, member: &Arc<Member>, how: Disconnect) {
        match how {
            Disconnect::Namespace => {
                let reason = DisconnectReason::ServerNamespaceDisconnect;
                let before = self.take_out(member, reason);
                member.owner().forget(member);
                if before != Phase::Disconnected {
                    reply(member, &Encoded::disconnect(&self.name));
                }
                self.finish_remove(member, before, reason);
            }
            Disconnect::Connection => {
                member.owner().disconnect_all();
                let session = member.session();
                session.close(DisconnectReason::ForcedServerClose);
            }
        }
    }

    /// Removes a socket and returns its previous phase.
    fn take_out(&self, member: &Arc<Member>, reason: DisconnectReason) -> Phase {
        let mut members = lock(&self.members);
        let before = member.set_phase(Phase::Disconnected);
        if before == Phase::Connected {
            members.remove(member);
            if let Some(recovery) = &self.recovery {
                lock(recovery).save(member, reason);
            }
        }
        before
    }

    fn finish_remove(
        self: &Arc<Self>,
        member: &Arc<Member>,
        before: Phase,
        reason: DisconnectReason,
    ) {
        lock(&member.state).acks.clear();
        if before == Phase::Connected {
            self.enqueue(member, Task::Disconnect(reason));
            self.check_empty();
        }
    }

    pub(super) fn join(&self, member: &Arc<Member>, room: &str) {
        let mut members = lock(&self.members);
        if member.phase() == Phase::Disconnected {
            return;
        }
        let name = members.room_name(room);
        {
            let mut state = lock(&member.state);
            if state.rooms.contains(&name) {
                return;
            }
            state.rooms.push(Arc::clone(&name));
        }
        // A socket that is still connecting is added when it is connected.
        if member.phase() == Phase::Connected {
            members.add_to_room(name, member);
        }
    }

    pub(super) fn leave(&self, member: &Arc<Member>, room: &str) {
        let mut members = lock(&self.members);
        lock(&member.state).rooms.retain(|name| **name != *room);
        members.remove_from_room(room, member);
    }

    /// The sockets of a target.
    pub(super) fn members_of(&self, target: &Target) -> Vec<Arc<Member>> {
        lock(&self.members).of_target(target)
    }

    /// Sends an event to the sockets of a target.
    pub(super) fn send(&self, target: &Target, event: &Prepared, volatile: Volatile) {
        let full = lock(&self.members).send(target, event.frames(), volatile);
        self.close_full(full);
    }

    /// Sends an event to the sockets of a target, and keeps it for those that will be recovered.
    pub(super) fn send_and_keep(&self, target: &Target, name: &str, mut args: Args) {
        let Some(recovery) = &self.recovery else {
            return;
        };
        let full = {
            let members = lock(&self.members);
            let mut recovery = lock(recovery);
            args.push(recovery.next_offset());
            let event = Prepared::event(&self.name, name, args);
            recovery.keep(target, event.clone());
            members.send(target, event.frames(), Volatile::No)
        };
        self.close_full(full);
    }

    /// Sends an event that wants acknowledgements to the sockets of a target. `before_send` is called
    /// with each of them first.
    pub(super) fn send_with_ack(
        &self,
        target: &Target,
        encoded: &Encoded,
        before_send: impl FnMut(&Arc<Member>),
    ) {
        let event = Prepared::from(encoded);
        let full = {
            let members = lock(&self.members);
            members.of_target(target).iter().for_each(before_send);
            members.send(target, event.frames(), Volatile::No)
        };
        self.close_full(full);
    }

    /// Closes the connections whose outbox is full, if the options say so.
    fn close_full(&self, full: Vec<Arc<Member>>) {
        if self.overflow == Overflow::Close {
            for member in full {
                let session = member.session();
                session.close(DisconnectReason::ForcedServerClose);
            }
        }
    }
}

/// Sends a packet that is not subject to the outbox's limit. A client that is gone does not need it.
fn reply(member: &Member, packet: &Encoded) {
    let _ = member.session().send_reply(Prepared::from(packet).frames());
}

/// A new private id for recovery. It is as secret as a session's id.
fn new_pid() -> String {
    SocketId::random().as_str().to_owned()
}
