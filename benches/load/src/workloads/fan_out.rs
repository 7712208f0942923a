//! One who speaks in a chat of a thousand.

use std::{
    cell::{Cell, RefCell},
    rc::Rc,
};

use bench_wire::ANSWER_TIMEOUT;
use tokio::{
    sync::{Notify, watch},
    task::JoinSet,
    time::{Instant, timeout},
};

use super::chats::sum;
use crate::{
    Outcome, audit::Audit, figures::Figures, member::Member, options::Options, server::Server,
    stage::Stage,
};

const HEARERS: usize = 1_000;
/// One in so many hearers tells how long a delivery took.
const TIMED: usize = 16;

/// What the members of the chat share.
struct Chat {
    stage: Stage,
    heard: Cell<u64>,
    grown: Notify,
    /// When each message was sent.
    sent: RefCell<Vec<Instant>>,
    /// How many messages there were, once the last has been sent.
    total: watch::Sender<Option<u64>>,
}

pub async fn turn(server: &Server, options: &Options, window: u64) -> Outcome<(Figures, Audit)> {
    let mut members = Member::crowd(server.port, "member", HEARERS).await?;
    let users: Vec<_> = members.iter().map(|member| member.user.clone()).collect();
    let mut speaker = members.pop().ok_or("nobody is there")?;
    let id = speaker.open_chat(&users).await?;
    speaker.enter(&id);
    let chat = Rc::new(Chat {
        stage: Stage::new(),
        heard: Cell::new(0),
        grown: Notify::new(),
        sent: RefCell::default(),
        total: watch::Sender::new(None),
    });
    let mut hearing = JoinSet::new();
    for (number, member) in members.into_iter().enumerate() {
        let timed = number.is_multiple_of(TIMED);
        hearing.spawn_local(hear(member, Rc::clone(&chat), timed));
    }
    hearing.spawn_local(speak(speaker, Rc::clone(&chat), window));
    let figures = chat.stage.run(server, options).await?;
    Ok((figures, sum(hearing).await?))
}

async fn hear(mut member: Member, chat: Rc<Chat>, timed: bool) -> Outcome<Audit> {
    let mut total = chat.total.subscribe();
    loop {
        let before = member.heard.speakers[0].delivered();
        let last = *total.borrow_and_update();
        if last.is_some_and(|last| before >= last) {
            break;
        }
        let something = async {
            tokio::select! {
                listened = member.listen() => listened,
                _ = total.changed() => Ok(()),
            }
        };
        match timeout(ANSWER_TIMEOUT, something).await {
            Ok(something) => something?,
            Err(_) if last.is_some() => break,
            Err(_) => {}
        }
        chat.told(before, member.heard.speakers[0].delivered(), timed);
    }
    let last = *total.borrow();
    Ok(member.audit([last.unwrap_or_default(), 0]))
}

impl Chat {
    fn told(&self, before: u64, after: u64, timed: bool) {
        if after == before {
            return;
        }
        self.heard.set(self.heard.get() + after - before);
        self.stage.count(after - before);
        if timed {
            let sent = self.sent.borrow();
            let places = (before..after).filter_map(|place| usize::try_from(place).ok());
            for sent in places.filter_map(|place| sent.get(place)) {
                self.stage.time(*sent);
            }
        }
        self.grown.notify_one();
    }
}

async fn speak(mut speaker: Member, chat: Rc<Chat>, window: u64) -> Outcome<Audit> {
    let crowd = HEARERS as u64;
    let mut complete = true;
    while complete && !chat.stage.is_over() {
        chat.sent.borrow_mut().push(Instant::now());
        speaker.say().await?;
        let due = (speaker.said + 1).saturating_sub(window);
        complete = all_heard(&mut speaker, &chat, due * crowd).await?;
    }
    let said = speaker.said;
    chat.total.send_replace(Some(said));
    if complete {
        all_heard(&mut speaker, &chat, said * crowd).await?;
    }
    speaker
        .until(|heard| heard.answers.has(said) && heard.speakers[0].has(said))
        .await?;
    Ok(speaker.audit([speaker.said, 0]))
}

/// Waits until so many deliveries have been made, the speaker's own among them; false if they are not.
async fn all_heard(speaker: &mut Member, chat: &Chat, count: u64) -> Outcome<bool> {
    while chat.heard.get() < count {
        let before = speaker.heard.speakers[0].delivered();
        let something = async {
            tokio::select! {
                listened = speaker.listen() => listened,
                () = chat.grown.notified() => Ok(()),
            }
        };
        let Ok(something) = timeout(ANSWER_TIMEOUT, something).await else {
            return Ok(false);
        };
        something?;
        chat.told(before, speaker.heard.speakers[0].delivered(), false);
    }
    Ok(true)
}
