//! The worker of a socket: the task that calls the handler for what is queued.

use std::{future::poll_fn, panic::AssertUnwindSafe, sync::Arc};

use futures_util::FutureExt;

use super::{
    admission::ConnectError,
    handler::ErasedHandler,
    member::{Member, Phase},
    namespace::{Dispatcher, Namespace},
    socket::Socket,
    task::Task,
};

/// Starts workers that call this handler.
pub(super) struct HandlerDispatcher(Arc<dyn ErasedHandler>);

impl HandlerDispatcher {
    pub(super) fn new(handler: Box<dyn ErasedHandler>) -> Self {
        Self(handler.into())
    }
}

impl Dispatcher for HandlerDispatcher {
    fn start(&self, namespace: &Arc<Namespace>, member: &Arc<Member>) {
        let worker = Worker {
            handler: Arc::clone(&self.0),
            socket: Socket {
                member: Arc::clone(member),
                namespace: Arc::clone(namespace),
            },
        };
        tokio::spawn(worker.run());
    }
}

struct Worker {
    handler: Arc<dyn ErasedHandler>,
    socket: Socket,
}

impl Worker {
    /// Works off the queue, and ends when it is empty.
    async fn run(self) {
        let member = &self.socket.member;
        while let Some(task) = member.next_task() {
            let size = match &task {
                Task::Event(_, size) => *size,
                Task::Connect | Task::Drain | Task::Disconnect(_) => 0,
            };
            if matches!(task, Task::Event(..) | Task::Connect) {
                // A reply is queued whatever its size. So the next event is not handled before the
                // outbox is below its limit.
                poll_fn(|cx| member.session().poll_capacity(cx)).await;
            }
            // Events sent before a disconnect are handled, those of a client that may not join are not.
            let is_rejected = size > 0 && member.phase() == Phase::Connecting;
            if !is_rejected {
                let done = AssertUnwindSafe(self.process(task)).catch_unwind().await;
                if done.is_err() {
                    tracing::error!(namespace = %self.socket.namespace(), "A handler panicked.");
                }
            }
            member.owner().event_handled(size);
        }
    }

    async fn process(&self, task: Task) {
        let (handler, socket) = (&self.handler, &self.socket);
        match task {
            Task::Connect => self.connect().await,
            Task::Event(event, _) => handler.on_event(socket, event).await,
            Task::Drain => handler.on_drain(socket).await,
            Task::Disconnect(reason) => handler.on_disconnect(socket, reason).await,
        }
    }

    async fn connect(&self) {
        let namespace = &self.socket.namespace;
        // A socket that is recovered from memory was admitted before.
        let is_connected = namespace.recover(&self.socket.member) || self.admit().await;
        namespace.end_connect();
        if is_connected {
            self.handler.on_connect(&self.socket).await;
        }
    }

    async fn admit(&self) -> bool {
        let Socket { member, namespace } = &self.socket;
        let admission = AssertUnwindSafe(self.handler.admit(&self.socket, member.auth()))
            .catch_unwind()
            .await;
        let admission = admission.unwrap_or_else(|_| {
            tracing::error!(namespace = %namespace.name(), "A handler panicked while it admitted a socket.");
            Err(ConnectError::new("internal error"))
        });
        match admission {
            Ok(admission) => namespace.connect(member, admission),
            Err(error) => {
                namespace.reject(member, &error);
                false
            }
        }
    }
}
