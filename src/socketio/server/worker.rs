//! The worker of a socket: the task that calls the handler for what is queued.

use std::{
    collections::VecDeque,
    future::poll_fn,
    panic::{AssertUnwindSafe, catch_unwind},
    pin::pin,
    sync::Arc,
    task::{Context, Poll},
};

use futures_util::FutureExt;

use super::{
    admission::ConnectError,
    event::Event,
    handler::{AnswerState, ErasedHandler, MAX_OPEN, PipelinedAnswer},
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
        let calls = Calls {
            handler: Arc::clone(&self.0),
            socket: Socket {
                member: Arc::clone(member),
                namespace: Arc::clone(namespace),
            },
        };
        let worker = Worker {
            calls,
            open: OpenEvents::default(),
            held: None,
        };
        tokio::spawn(worker.run());
    }
}

struct Worker {
    calls: Calls,
    open: OpenEvents,
    /// A task that has to wait until no event is open.
    held: Option<Task>,
}

/// Calls the handler for a socket.
struct Calls {
    handler: Arc<dyn ErasedHandler>,
    socket: Socket,
}

/// The pipelined events that are not answered yet, in their order.
#[derive(Default)]
struct OpenEvents(VecDeque<OpenEvent>);

struct OpenEvent {
    answer: PipelinedAnswer,
    size: usize,
}

impl OpenEvent {
    /// Waits for the outcome, then until the outbox is below its limit, and answers.
    fn poll_answer(&mut self, socket: &Socket, cx: &mut Context<'_>) -> Poll<()> {
        let state = &mut self.answer.0;
        if let AnswerState::Waiting(outcome) = state {
            // An answer that has begun may hold a lock: nothing but locks may delay it.
            if socket.session().poll_capacity(cx).is_pending() {
                return Poll::Pending;
            }
            let Poll::Ready(answer) = outcome.as_mut().poll(cx) else {
                return Poll::Pending;
            };
            *state = AnswerState::Answering(answer);
        }
        match state {
            AnswerState::Waiting(_) => Poll::Pending,
            AnswerState::Answering(answer) => answer.as_mut().poll(cx),
        }
    }
}

impl OpenEvents {
    /// Answers what can be answered. Registers the task for the first event that cannot be answered yet.
    fn poll_answers(&mut self, socket: &Socket, cx: &mut Context<'_>) {
        let member = &socket.member;
        while let Some(first) = self.0.front_mut() {
            let polled = catch_unwind(AssertUnwindSafe(|| first.poll_answer(socket, cx)));
            match polled {
                Ok(Poll::Pending) => return,
                Ok(Poll::Ready(())) => {}
                Err(_) => note_panic(socket),
            }
            let size = first.size;
            self.0.pop_front();
            member.owner().event_handled(size);
        }
    }
}

fn note_panic(socket: &Socket) {
    tracing::error!(namespace = %socket.namespace(), "A handler panicked.");
}

impl Worker {
    /// Works off the queue, and ends when it is empty and every event is answered.
    async fn run(mut self) {
        while let Some((task, is_pipelined)) = poll_fn(|cx| self.poll_next(cx)).await {
            match task {
                Task::Event(event, size) if is_pipelined => self.begin(event, size).await,
                task => self.calls.handle(task).await,
            }
        }
    }

    /// The next task that may begin, with whether it is pipelined. Meanwhile the open events are answered.
    fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Option<(Task, bool)>> {
        self.open.poll_answers(&self.calls.socket, cx);
        let open = self.open.0.len();
        if open == MAX_OPEN || (open > 0 && self.held.is_some()) {
            return Poll::Pending;
        }
        let task = match self.held.take() {
            Some(task) => task,
            None => match self.calls.socket.member.poll_task(cx, open > 0) {
                Poll::Ready(Some(task)) => task,
                Poll::Ready(None) => return Poll::Ready(None),
                Poll::Pending => return Poll::Pending,
            },
        };
        let handler = &self.calls.handler;
        let is_pipelined = matches!(&task, Task::Event(event, _) if handler.is_pipelined(event));
        if open > 0 && !is_pipelined {
            self.held = Some(task);
            return Poll::Pending;
        }
        Poll::Ready(Some((task, is_pipelined)))
    }

    /// Begins a pipelined event. Answers go on meanwhile, for one of them may be what this has to wait for.
    async fn begin(&mut self, event: Event, size: usize) {
        let Calls { handler, socket } = &self.calls;
        let member = &socket.member;
        if member.phase() == Phase::Connecting {
            member.owner().event_handled(size);
            return;
        }
        let begun = async {
            poll_fn(|cx| member.session().poll_capacity(cx)).await;
            handler.begin_event(socket, event).await
        };
        let mut begun = pin!(AssertUnwindSafe(begun).catch_unwind());
        let open = &mut self.open;
        let begun = poll_fn(|cx| {
            open.poll_answers(socket, cx);
            begun.as_mut().poll(cx)
        });
        match begun.await {
            Ok(answer) => self.open.0.push_back(OpenEvent { answer, size }),
            Err(_) => {
                note_panic(socket);
                member.owner().event_handled(size);
            }
        }
    }
}

impl Calls {
    /// Handles a task while no event is open.
    async fn handle(&self, task: Task) {
        let member = &self.socket.member;
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
                note_panic(&self.socket);
            }
        }
        member.owner().event_handled(size);
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
