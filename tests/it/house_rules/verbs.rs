//! Endpoints act by verbs alone: no code reaches past them, and they contain no dialect's sentences.

use super::{
    rules::breach,
    source::{Kind, Named, Source, Word},
};

/// Modules that are chat's own, though its verbs are built on them.
const INNER: [&str; 9] = [
    "config", "keys", "lifetime", "password", "renewal", "services", "sign_ins", "store", "writer",
];

/// What of `pubsub` verbs hand out or take, and the slots in which encodings are kept.
const HANDED_OUT: [&str; 7] = [
    "ENCODING_SLOTS",
    "EncodingSlot",
    "EventFormat",
    "EventText",
    "Published",
    "PublishedSignal",
    "Waker",
];

const WHY: &str = "an endpoint asks one verb; what a verb checks, counts and writes is checked, counted \
                   and written for every endpoint";

/// Fields of the services that are open, names of chat's inner parts outside of it, and uses of what the
/// services hold.
pub(super) fn past_the_verbs(source: &Source<'_>) -> Vec<String> {
    let mut found = open_fields(source);
    if matches!(
        source.module().first(),
        Some(&("chat" | "store" | "pubsub" | "model" | "error"))
    ) {
        return found;
    }
    for words in source.words.windows(4) {
        if let [Word { line, kind }, dot, held, next] = words
            && *kind == Kind::Name("services".to_owned())
            && dot.kind == Kind::Mark('.')
            && let Kind::Name(held) = &held.kind
            && next.kind != Kind::Mark('(')
            && held != "await"
        {
            found.push(breach(
                source,
                *line,
                &format!("reaches for services.{held}"),
                WHY,
            ));
        }
    }
    for Named { line, segments } in source.named() {
        let path: Vec<_> = segments.iter().map(String::as_str).collect();
        let inner = match path[..] {
            ["crate", "chat", part, ..] => INNER.contains(&part),
            ["crate", "pubsub", part, ..] => !HANDED_OUT.contains(&part),
            _ => false,
        };
        if inner {
            found.push(breach(
                source,
                line,
                &format!("names {}", path.join("::")),
                WHY,
            ));
        }
    }
    found
}

/// The compiler keeps code outside of chat from private fields: so all of them are private.
fn open_fields(source: &Source<'_>) -> Vec<String> {
    if source.path != "src/chat/services.rs" {
        return Vec::new();
    }
    let is = |word: &Word, name: &str| word.kind == Kind::Name(name.to_owned());
    let begin = source
        .words
        .windows(2)
        .position(|words| is(&words[0], "struct") && is(&words[1], "Services"));
    let Some(begin) = begin else {
        let what = "does not hold the struct Services";
        return vec![breach(source, 1, what, WHY)];
    };
    let fields = source.words[begin..]
        .iter()
        .take_while(|word| word.kind != Kind::Mark('}'));
    let fields: Vec<_> = fields.collect();
    fields
        .windows(3)
        .filter(|words| is(words[0], "pub") && !is(words[2], "super"))
        .map(|words| breach(source, words[0].line, "opens a field of Services", WHY))
        .collect()
}

/// Refusals of the verbs begin in lower case, lines of the log end with a full stop: a sentence that does
/// neither is a document's, and so is the name of a field in camel case.
pub(super) fn dialects_sentences(source: &Source<'_>) -> Vec<String> {
    if !matches!(source.module().first(), Some(&("chat" | "pubsub"))) {
        return Vec::new();
    }
    let texts = source.words.iter().enumerate();
    texts
        .filter_map(|(at, word)| match &word.kind {
            Kind::Text(text) => Some((at, word.line, text)),
            Kind::Name(_) | Kind::Mark(_) => None,
        })
        .filter(|(at, _, text)| {
            let is_reason = at
                .checked_sub(2)
                .is_some_and(|at| source.words[at].kind == Kind::Name("expect".to_owned()));
            !is_reason && (is_documents_sentence(text) || is_camel_case(text))
        })
        .map(|(_, line, text)| {
            breach(
                source,
                line,
                &format!("speaks a dialect's words: {text:?}"),
                "verbs serve every dialect; each says a refusal in its document's words",
            )
        })
        .collect()
}

fn is_documents_sentence(text: &str) -> bool {
    let mut letters = text.chars();
    let begins = letters.next().is_some_and(char::is_uppercase)
        && letters.next().is_some_and(char::is_lowercase);
    begins && text.contains(' ') && !text.ends_with('.')
}

fn is_camel_case(text: &str) -> bool {
    text.split(' ').any(|word| {
        let letters: Vec<_> = word.chars().collect();
        letters.iter().all(char::is_ascii_alphabetic)
            && letters
                .windows(2)
                .any(|pair| pair[0].is_lowercase() && pair[1].is_uppercase())
    })
}
