//! A story's text, read into lines; what could not prove anything is refused here.

/// A story.
#[derive(Debug)]
pub(super) struct Script {
    /// The settings of its server, as TOML.
    pub(super) settings: String,
    /// What happens, in order.
    pub(super) lines: Vec<Line>,
}

/// A line, and where it is.
#[derive(Debug)]
pub(super) struct Line {
    pub(super) number: usize,
    pub(super) act: ChatAction,
}

impl Line {
    /// Where it is; of a request, where its answer is.
    pub(super) fn place(&self) -> usize {
        match &self.act {
            ChatAction::Asks(request) => request.answered,
            ChatAction::Opens(..)
            | ChatAction::Says(..)
            | ChatAction::Hears(..)
            | ChatAction::HearsNothing(_)
            | ChatAction::IsClosed(_)
            | ChatAction::Closes(_) => self.number,
        }
    }
}

/// What a line says. Names and placeholders are not looked at yet.
#[derive(Debug)]
pub(super) enum ChatAction {
    /// A connection is made, with this query, on this port.
    Opens(String, String, Port),
    /// It sends a frame.
    Says(String, String),
    /// The next frame it is sent.
    Hears(String, String),
    /// It is sent nothing by what went before.
    HearsNothing(String),
    /// The server ends it.
    IsClosed(String),
    /// The client ends it.
    Closes(String),
    /// A request, and what it is answered.
    Asks(Request),
}

/// One of the server's ports.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Port {
    First,
    Second,
}

/// A request, and what it is answered.
#[derive(Debug)]
pub(super) struct Request {
    pub(super) method: String,
    pub(super) path: String,
    pub(super) headers: Vec<(String, String)>,
    pub(super) body: String,
    pub(super) status: u16,
    pub(super) answer: String,
    /// The line of the answer.
    pub(super) answered: usize,
}

/// Events that do not come by the log, and so in no order with those that do.
const UNKEPT: [&str; 5] = ["typing", "is_typing", "info", "room_info", "roomData"];

/// Where a story is wrong, and how.
pub(super) type Fault = (usize, String);

impl Script {
    /// Reads a story.
    pub(super) fn parse(text: &str) -> Result<Self, Fault> {
        let mut settings = String::new();
        let mut lines = Vec::new();
        let mut rest = joined(text)?.into_iter().peekable();
        while let Some((number, line)) = rest.next() {
            let (first, then) = line.split_once(' ').unwrap_or((&line, ""));
            let then = then.trim();
            let act = if first == "with" {
                settings.push_str(then);
                settings.push('\n');
                continue;
            } else if matches!(first, "GET" | "POST" | "PUT" | "DELETE") {
                let answer = rest.next_if(|(_, line)| status(line).is_some());
                let (answered, answer) =
                    answer.ok_or((number, "a request without an answer".to_owned()))?;
                ChatAction::Asks(
                    request(first, then, answered, &answer).ok_or_else(|| odd(number, &line))?,
                )
            } else {
                connection(first, then).ok_or_else(|| odd(number, &line))?
            };
            lines.push(Line { number, act });
        }
        for place in 0..lines.len() {
            if let ChatAction::HearsNothing(who) = &lines[place].act {
                proven(who, &lines[..place], &lines[place + 1..])
                    .map_err(|fault| (lines[place].number, fault))?;
            }
        }
        Ok(Self { settings, lines })
    }
}

fn odd(number: usize, line: &str) -> Fault {
    (number, format!("this is no line of a story: {line}"))
}

/// The lines that say something, each with those that go on with it.
fn joined(text: &str) -> Result<Vec<(usize, String)>, Fault> {
    let mut lines: Vec<(usize, String)> = Vec::new();
    for (place, line) in text.lines().enumerate() {
        let number = place + 1;
        if line.trim().is_empty() || line.starts_with('#') {
            continue;
        }
        if line.starts_with(' ') {
            let (_, before) = lines
                .last_mut()
                .ok_or((number, "this goes on with nothing".to_owned()))?;
            before.push(' ');
            before.push_str(line.trim());
        } else {
            lines.push((number, line.trim_end().to_owned()));
        }
    }
    Ok(lines)
}

fn connection(who: &str, then: &str) -> Option<ChatAction> {
    let name = who.to_owned();
    let (verb, what) = then.split_once(' ').unwrap_or((then, ""));
    let what = what.trim();
    if !who.starts_with(|first: char| first.is_ascii_lowercase()) {
        return None;
    }
    Some(match (verb, what) {
        ("closes", "") => ChatAction::Closes(name),
        ("<", "nothing") => ChatAction::HearsNothing(name),
        ("<", "closed") => ChatAction::IsClosed(name),
        (_, "") => return None,
        ("<", frame) => ChatAction::Hears(name, frame.to_owned()),
        (">", frame) => ChatAction::Says(name, frame.to_owned()),
        ("opens", query) => match query.strip_suffix(" on socket_port") {
            Some(query) => ChatAction::Opens(name, query.to_owned(), Port::Second),
            None if query.contains(' ') => return None,
            None => ChatAction::Opens(name, query.to_owned(), Port::First),
        },
        _ => return None,
    })
}

fn request(method: &str, then: &str, answered: usize, answer: &str) -> Option<Request> {
    let (path, mut body) = then.split_once(' ').unwrap_or((then, ""));
    let mut headers = Vec::new();
    while let Some(rest) = body.trim_start().strip_prefix('[') {
        let (header, rest) = rest.split_once(']')?;
        let (name, value) = header.split_once(": ")?;
        headers.push((name.to_owned(), value.to_owned()));
        body = rest;
    }
    let (status, answer) = status(answer)?;
    Some(Request {
        method: method.to_owned(),
        path: path.to_owned(),
        headers,
        body: body.trim().to_owned(),
        status,
        answer: answer.to_owned(),
        answered,
    })
}

/// A status, and the body after it.
fn status(line: &str) -> Option<(u16, &str)> {
    let (status, body) = line.split_once(' ')?;
    let status = status.parse().ok()?;
    (100..600)
        .contains(&status)
        .then_some((status, body.trim()))
}

/// Whether what comes after a `nothing` proves it: see the module above.
fn proven(who: &str, before: &[Line], after: &[Line]) -> Result<(), String> {
    for (place, line) in before.iter().enumerate() {
        let ChatAction::Says(actor, _) = &line.act else {
            continue;
        };
        let goes_on = before[place + 1..].iter().any(|line| match &line.act {
            ChatAction::Hears(name, _) | ChatAction::IsClosed(name) | ChatAction::Closes(name) => {
                name == actor
            }
            ChatAction::Opens(..)
            | ChatAction::Says(..)
            | ChatAction::HearsNothing(_)
            | ChatAction::Asks(_) => false,
        });
        if !goes_on {
            return Err(format!(
                "{actor} is not answered yet: what it did may be to come"
            ));
        }
    }
    let mut others = false;
    for line in after {
        match &line.act {
            ChatAction::Hears(name, frame) if name == who => {
                let is_unkept = |event: &&str| frame.contains(&format!("[\"{event}\""));
                if let Some(event) = UNKEPT.into_iter().find(is_unkept) {
                    let sentence = "is told past the log, so it may overtake news";
                    return Err(format!(
                        "what {who} hears next is {event}, which {sentence}"
                    ));
                }
                let sentence = || format!("{who} hears again before anybody has done anything");
                return if others { Ok(()) } else { Err(sentence()) };
            }
            ChatAction::Says(name, _) if name == who => {
                let sentence = "speaks before it has heard of somebody else, and its answer may \
                                overtake news";
                return Err(format!("{who} {sentence}"));
            }
            ChatAction::Says(..) | ChatAction::Asks(_) => others = true,
            ChatAction::Opens(..)
            | ChatAction::Hears(..)
            | ChatAction::HearsNothing(_)
            | ChatAction::IsClosed(_)
            | ChatAction::Closes(_) => {}
        }
    }
    Err(format!(
        "{who} hears nothing ever after, which proves nothing"
    ))
}
