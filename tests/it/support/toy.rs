//! A dialect of the tests' own, as small as one can be: it is registered in one line and known nowhere else.

use parlance::{
    Error, Result,
    chat::messages::{self, Draft},
    dialect::{
        Boxed, ClientEvent, ClientSession, Dialect, DialectId, DialectInfo, DialectSet, EventApi,
        EventReply, Handled, OutgoingEvent, described::Described,
    },
    json::Args,
    model::{Change, ChangeKind, ChatId, Content, MessageKind, Signal, SignalKind},
};
use serde_json::{Value, json};

/// The server's dialects and the toy, which has the last id that there is.
pub(crate) static WITH_TOY: DialectSet = DialectSet::BUILT_IN.with(&Toy);

/// `toy-hello {}` subscribes, `toy-say {chat,text}` sends; others' messages are `toy-heard`.
pub(crate) struct Toy;

impl DialectInfo for Toy {
    const ID: DialectId = DialectId::new(7);
    const NAME: &'static str = "toy";
}

const API: EventApi = EventApi {
    title: "Toy",
    about: "",
    preparation: "",
    query: "",
    options: "",
    samples: &[],
    events: &[
        ClientEvent::new::<Value>("toy-hello", "Subscribe"),
        ClientEvent::new::<Value>("toy-say", "Send"),
    ],
    emits_answers: true,
    pushes: &[],
    failure: Described::of::<Value>(),
    refusals: &[],
};

impl Dialect for Toy {
    fn described(&self) -> &'static EventApi {
        &API
    }

    fn handle<'a>(
        &'a self,
        session: &'a mut ClientSession,
        event: &'a str,
        arguments: &'a [Value],
    ) -> Boxed<'a, Result<Handled>> {
        Box::pin(async move {
            let data = answer(session, event, arguments.first()).await?;
            Ok(EventReply::reply(200, event.to_owned(), data).into())
        })
    }

    fn refuse(&self, event: &str, error: &Error) -> EventReply {
        EventReply::reply(400, event.to_owned(), json!({"toy-error": error.text()}))
    }

    fn encode_change(&self, change: &Change) -> Vec<OutgoingEvent> {
        let ChangeKind::Message(message) = &change.what else {
            return Vec::new();
        };
        let data = json!({"from": message.sender.get(), "text": message.content});
        vec![OutgoingEvent::new("toy-heard", data)]
    }

    fn tells_presence(&self) -> bool {
        true
    }

    fn encode_signal(&self, signal: &Signal) -> Vec<OutgoingEvent> {
        let from = signal.actor.id.get();
        match &signal.kind {
            SignalKind::Typing(typing) => {
                let data = json!({"from": from, "typing": typing.typing});
                vec![OutgoingEvent::new("toy-typing", data)]
            }
            SignalKind::Presence(presence) => {
                let data = json!({"from": from, "online": presence.online});
                vec![OutgoingEvent::new("toy-presence", data)]
            }
        }
    }
}

async fn answer(
    session: &mut ClientSession,
    event: &str,
    argument: Option<&Value>,
) -> Result<Value> {
    let token = session.credentials.token.clone();
    let token = token.ok_or_else(Error::unauthenticated)?;
    let caller = session.holder(&token).await?;
    session.act_as(Toy::ID, &caller).await?;
    if event == "toy-hello" {
        return Ok(json!({"you": caller.id().get()}));
    }
    let told = Args::of(argument)?;
    let chat = told.number("chat")?.ok_or_else(|| told.missing("chat"))?;
    let draft = Draft {
        kind: MessageKind::Text,
        content: Content::parse(told.required("text")?.to_owned())?,
        reply_to: None,
        client_id: None,
    };
    let sent = messages::send(&session.services, &caller, ChatId::new(chat), draft).await?;
    Ok(json!({"sent": sent.message.id.get()}))
}
