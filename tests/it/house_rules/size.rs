//! Functions are short, and a source file that is long says why.

use super::{
    rules::breach,
    source::{Kind, Source},
};

/// Most lines of a function.
const LONGEST_FUNCTION: usize = 60;
/// Longer functions, each with what keeps it in one.
const LONG_FUNCTIONS: [(&str, &str, &str); 0] = [];
/// Past so many lines a source file needs a reason, see [`LONG_FILES`].
const LONG: usize = 400;

/// The long files of `src`, each with what keeps it in one.
const LONG_FILES: &[(&str, &str)] = &[
    (
        "src/chat/accounts.rs",
        "signing up and in share one way to check a password",
    ),
    ("src/chat/callers.rs", "authentication has one place"),
    (
        "src/chat/limits/login_throttle/mod.rs",
        "one lock over all tables, and what is counted in which",
    ),
    (
        "src/chat/logins.rs",
        "one lock, and everything that is done under it",
    ),
    (
        "src/chat/writer/actions.rs",
        "one action a function, all on one context",
    ),
    ("src/chat/writer/fair.rs", "one pure scheduler"),
    (
        "src/chat/writer/plan.rs",
        "one pure plan, whose parts see each other's decisions",
    ),
    (
        "src/chat/writer/task.rs",
        "one task, and how a commit that nobody confirmed is settled",
    ),
    ("src/config/table.rs", "one table of all settings"),
    (
        "src/dialect/embed/events/decode.rs",
        "one reader an event, and their tests",
    ),
    ("src/dialect/embed/handlers.rs", "one handler an event"),
    ("src/dialect/service/handlers.rs", "one handler an event"),
    (
        "src/dialect/session.rs",
        "one session, and whom it acts for",
    ),
    (
        "src/model/policy.rs",
        "one place where it is decided who may what, and its tests",
    ),
    ("src/pubsub/hub.rs", "one hub, and its tests"),
    (
        "src/socketio/engine/session.rs",
        "one session: its state machine is read in one piece",
    ),
    (
        "src/server.rs",
        "one place where the parts come together, and stop",
    ),
];

/// Functions of this file that are too long, its unit tests left out.
pub(super) fn long_functions(source: &Source<'_>) -> Vec<String> {
    if source.path.ends_with("/tests.rs") || source.path.contains("/examples/") {
        return Vec::new();
    }
    let mut found = Vec::new();
    for at in 0..source.words.len() {
        if let (true, Some(Kind::Name(name))) = (
            source.words[at].kind == Kind::Name("fn".to_owned()),
            source.words.get(at + 1).map(|word| &word.kind),
        ) {
            let first = source.words[at].line;
            let lines = last_line(source, at).map_or(0, |last| last - first + 1);
            let has_reason = LONG_FUNCTIONS
                .iter()
                .any(|(path, long, _)| *path == source.path && long == name);
            if lines > LONGEST_FUNCTION && !has_reason {
                let what = format!("has a function of {lines} lines, {name}");
                let why = "what does one thing fits on a screen; what does several is several";
                found.push(breach(source, first, &what, why));
            }
        }
    }
    found
}

/// The line on which the function ends that begins at a word; none of one without a body.
fn last_line(source: &Source<'_>, begin: usize) -> Option<usize> {
    let (mut brackets, mut braces) = (0, 0);
    for word in &source.words[begin..] {
        match word.kind {
            Kind::Mark('(' | '[') => brackets += 1,
            Kind::Mark(')' | ']') => brackets -= 1,
            Kind::Mark(';') if brackets == 0 && braces == 0 => return None,
            Kind::Mark('{') => braces += 1,
            Kind::Mark('}') => {
                braces -= 1;
                if braces == 0 {
                    return Some(word.line);
                }
            }
            Kind::Mark(_) | Kind::Name(_) | Kind::Text(_) => {}
        }
    }
    None
}

/// Long files without a reason, and reasons without a file.
pub(super) fn long_files(files: &[(String, String)]) -> Vec<String> {
    let is_long = |text: &str| text.lines().count() > LONG;
    let mut found = Vec::new();
    for (path, text) in files {
        let has_reason = LONG_FILES.iter().any(|(long, _)| long == path);
        if is_long(text) && !has_reason && !path.ends_with("/tests.rs") {
            let source = Source::new(path, text);
            let what = format!("has over {LONG} lines");
            let why = "a long file has a natural seam, or a reason that LONG_FILES tells";
            found.push(breach(&source, text.lines().count(), &what, why));
        }
    }
    for (path, _) in LONG_FILES {
        if !files.iter().any(|(known, _)| known == path) {
            found.push(format!("{path}: is in LONG_FILES and not there any more"));
        }
    }
    found
}

#[test]
fn a_long_function_would_be_found() {
    let of = |code: &str| {
        let text = format!("//! A sample of code.\n{code}");
        long_functions(&Source::new("src/chat/rooms.rs", &text)).len()
    };
    let body = |lines: usize| "    a();\n".repeat(lines);
    assert_eq!(of(&format!("fn f() {{\n{}}}\n", body(58))), 0);
    assert_eq!(of(&format!("fn f() {{\n{}}}\n", body(59))), 1);
    let inner = format!(
        "impl A {{\n fn g(a: [u8; 4]) {{ if b {{ c }} }}\n fn f() {{\n{}}}\n}}",
        body(59)
    );
    assert_eq!(of(&inner), 1);
    let declared = format!(
        "trait A {{\n fn f(a: [u8; 4]);\n{} }}",
        "fn g();\n".repeat(80)
    );
    assert_eq!(of(&declared), 0);
    let test = format!("#[cfg(test)]\nmod tests {{ fn f() {{\n{}}} }}", body(80));
    assert_eq!(of(&test), 0);
}

#[test]
fn a_long_file_without_a_reason_would_be_found() {
    let mut files: Vec<_> = LONG_FILES
        .iter()
        .map(|(path, _)| ((*path).to_owned(), "\n".repeat(LONG + 1)))
        .collect();
    assert_eq!(long_files(&files), Vec::<String>::new());
    files.push(("src/chat/rooms.rs".to_owned(), "\n".repeat(LONG + 1)));
    assert_eq!(long_files(&files).len(), 1);
    files.truncate(1);
    assert_eq!(long_files(&files).len(), LONG_FILES.len() - 1);
}
