//! The rules themselves, each with its reason.

use std::collections::BTreeSet;

use super::{
    size,
    source::{Kind, Named, Source},
    verbs,
};

/// What the rules need to know beside the file at hand.
pub(super) struct Workspace {
    /// Crates that a `Cargo.toml` depends on, as code names them.
    pub(super) crates: BTreeSet<String>,
    /// The folders of `src/dialect`.
    pub(super) dialects: BTreeSet<String>,
}

/// What a module may name.
struct Layer {
    part: &'static str,
    /// Our own modules, beside itself and `error`.
    modules: &'static [&'static str],
    /// Crates, beside `std` and `tracing`.
    crates: &'static [&'static str],
    why: &'static str,
}

/// Most lines of a file.
const LONGEST: usize = 600;

const LAYERS: [Layer; 15] = [
    Layer {
        part: "error",
        modules: &[],
        crates: &[],
        why: "every module uses it, so it can use none",
    },
    Layer {
        part: "json",
        modules: &["socketio"],
        crates: &["serde", "serde_json", "parlance_describe"],
        why: "a value is read alike for every API and every transport, so it knows none of them",
    },
    Layer {
        part: "model",
        modules: &[],
        crates: &[
            "emojis",
            "foldhash",
            "time",
            "unicode_normalization",
            "unicode_properties",
            "unicode_script",
            "unicode_security",
            "url",
            "idna",
        ],
        why: "nouns are plain data: no I/O, no wire format, no database",
    },
    Layer {
        part: "store",
        modules: &["model", "json"],
        crates: &[
            "sqlx",
            "rusqlite",
            "rand",
            "tokio",
            "futures_util",
            "rust_embed",
            "sha2",
        ],
        why: "the store speaks SQL and returns model values; it does not know its callers",
    },
    Layer {
        part: "nats",
        modules: &["config", "store"],
        crates: &[
            "async_nats",
            "futures_util",
            "nkeys",
            "rand",
            "rustls",
            "tokio",
            "webpki_roots",
        ],
        why: "it carries what the store hands it, and does not know what that says",
    },
    Layer {
        part: "pubsub",
        modules: &["model"],
        crates: &["tokio", "tokio_util"],
        why: "the hub knows changes and their subscribers, not how changes are stored or encoded",
    },
    Layer {
        part: "chat",
        modules: &["model", "store", "pubsub", "config"],
        crates: &[
            "tokio",
            "tokio_util",
            "bcrypt",
            "governor",
            "hmac",
            "sha2",
            "base64",
            "qrcode",
            "rand",
            "futures_util",
            "bytes",
            "hyper",
            "hyper_util",
            "http_body_util",
            "rustls",
            "tokio_rustls",
            "url",
            "webpki_roots",
            "async_stream",
            "totp_rs",
        ],
        why: "verbs serve every API, so they know none of them and no framework",
    },
    Layer {
        part: "dialect, its wire and events",
        modules: &["model", "pubsub", "dialect", "json"],
        crates: &["serde", "serde_json", "time", "base64"],
        why: "encoding and decoding are pure: they decide nothing and wait for nothing",
    },
    Layer {
        part: "dialect, its routes",
        modules: &[
            "model",
            "pubsub",
            "chat",
            "http",
            "config",
            "dialect",
            "telemetry",
            "json",
        ],
        crates: &[
            "rocket",
            "serde",
            "serde_json",
            "async_stream",
            "futures_util",
            "tokio",
            "rand",
            "time",
            "percent_encoding",
        ],
        why: "a route guards, parses, asks one verb and answers; SQL is behind the verbs",
    },
    Layer {
        part: "http",
        modules: &["model", "pubsub", "chat", "config", "telemetry", "json"],
        crates: &[
            "rocket",
            "serde",
            "serde_json",
            "multer",
            "bytes",
            "percent_encoding",
            "rust_embed",
            "async_stream",
            "futures_util",
            "tokio",
            "tokio_util",
            "rand",
        ],
        why: "HTTP holds what routes share; SQL is behind the verbs",
    },
    Layer {
        part: "gateway",
        modules: &[
            "json",
            "model",
            "pubsub",
            "chat",
            "dialect",
            "http",
            "socketio",
            "config",
            "telemetry",
        ],
        crates: &[
            "rocket",
            "serde",
            "serde_json",
            "tokio",
            "tokio_util",
            "async_stream",
            "futures_util",
            "rand",
        ],
        why: "the gateway connects dialects, HTTP and Socket.IO and decides nothing",
    },
    Layer {
        part: "openapi",
        modules: &["model", "dialect", "http", "telemetry", "json"],
        crates: &[
            "rocket",
            "serde",
            "serde_json",
            "rust_embed",
            "pulldown_cmark",
        ],
        why: "the description names the types that are sent, and decides nothing",
    },
    Layer {
        part: "socketio",
        modules: &[],
        crates: &[
            "rocket",
            "serde",
            "serde_json",
            "tokio",
            "tokio_util",
            "tokio_tungstenite",
            "futures_util",
            "bytes",
            "http_body_util",
            "hyper",
            "hyper_util",
            "smallvec",
            "base64",
            "rand",
            "percent_encoding",
        ],
        why: "the Socket.IO server is a library of its own: it knows nothing of this one's chat",
    },
    Layer {
        part: "config",
        modules: &[],
        crates: &["rocket", "serde"],
        why: "settings are read before anything else exists",
    },
    Layer {
        part: "telemetry",
        modules: &["config"],
        crates: &[
            "rocket",
            "prometheus_client",
            "tracing_log",
            "tracing_subscriber",
            "rand",
        ],
        why: "counters and log lines are passed to it; it calls no other part",
    },
];

/// Each part, and our own modules that it may name.
pub(super) fn parts() -> impl Iterator<Item = (&'static str, &'static [&'static str])> {
    LAYERS.iter().map(|layer| (layer.part, layer.modules))
}

/// Exceptions from the layers, for one file each.
const EXCEPTIONS: [(&str, &[&str]); 3] = [
    // Rocket hands over the pool's configuration, and closes the pool.
    ("src/store/open.rs", &["rocket", "rocket_db_pools"]),
    // It reads what other nodes wrote.
    ("src/pubsub/log_tail.rs", &["crate::store"]),
    // A test of pure logic that draws its histories at random.
    ("src/chat/writer/fair/tests.rs", &["proptest"]),
];

/// Every breach of a rule in one file, as a sentence with its place and its reason.
pub(super) fn breaches(workspace: &Workspace, source: &Source<'_>) -> Vec<String> {
    let mut found = shape(source);
    found.extend(layers(workspace, source));
    found.extend(environment(source));
    found.extend(one_way_to_publish(source));
    found.extend(turns_at_writing(source));
    found.extend(pure_events(source));
    found.extend(no_dialects_name(workspace, source));
    found.extend(verbs::past_the_verbs(source));
    found.extend(size::long_functions(source));
    found.extend(verbs::dialects_sentences(source));
    // A `use` line with braces names the same module again and again.
    found.dedup();
    found
}

/// A file says in its first line what it holds, is short, and a module says why it is as it is.
pub(super) fn shape(source: &Source<'_>) -> Vec<String> {
    let mut found = Vec::new();
    let first = source.text.lines().next().unwrap_or_default();
    if !first.starts_with("//! ") || first.len() < 10 {
        found.push(breach(
            source,
            1,
            "begins without a `//!` sentence",
            "a reader should know after one line whether it is the right file",
        ));
    }
    let lines = source.text.lines().count();
    if lines > LONGEST {
        found.push(breach(
            source,
            lines,
            &format!("has {lines} lines"),
            "a file is one sentence; past 600 lines it is several and should be several files",
        ));
    }
    let is_module = source.path.starts_with("src/")
        && (source.path.ends_with("/mod.rs") || source.path == "src/socketio/lib.rs");
    if is_module && !source.text.contains("\n//! # Why\n") {
        found.push(breach(
            source,
            1,
            "has no `# Why` section",
            "decisions are kept where they bind",
        ));
    }
    found
}

/// Folders of `tests/it` that hold one test each, in several files.
const TESTS_OF_SEVERAL_FILES: [&str; 2] = ["stories", "house_rules"];

/// A test shares what is in `support`, and imports no other test.
pub(super) fn tests_stand_alone(source: &Source<'_>) -> Vec<String> {
    let module = source.module();
    let whole = if module
        .first()
        .is_some_and(|first| TESTS_OF_SEVERAL_FILES.contains(first))
    {
        1
    } else {
        module.len()
    };
    let own = &module[..whole.min(module.len())];
    source
        .named()
        .iter()
        .filter(|named| named.segments[0] == "crate")
        .filter(|named| {
            let target = &named.segments[1..];
            let shared = matches!(target.first().map(String::as_str), Some("support" | "with_tls"));
            let is_own = target.len() >= own.len() && target.iter().zip(own).all(|(a, b)| a == b);
            !(shared || is_own)
        })
        .map(|named| {
            breach(
                source,
                named.line,
                &format!("names {}", named.segments.join("::")),
                "a test that others need cannot be changed or moved by itself: what they share belongs into support",
            )
        })
        .collect()
}

fn layers(workspace: &Workspace, source: &Source<'_>) -> Vec<String> {
    let module = source.module();
    let Some(layer) = layer_of(&module) else {
        // The top of the crate puts the parts together and may name them all.
        return Vec::new();
    };
    let own = module.first().copied().unwrap_or_default();
    let exceptions = EXCEPTIONS
        .iter()
        .filter(|(path, _)| *path == source.path)
        .flat_map(|(_, names)| names.iter())
        .copied();
    let exceptions: Vec<_> = exceptions.collect();
    let mut found = Vec::new();
    for Named { line, segments } in source.named() {
        let first = segments[0].as_str();
        let (name, allowed) = if first == "crate" {
            let Some(target) = segments.get(1).map(String::as_str) else {
                continue;
            };
            // Types that the crate's root hands on are those of `error`.
            let is_module = target.chars().next().is_some_and(char::is_lowercase);
            let free = !is_module || target == own || target == "error";
            let full = format!("crate::{target}");
            let is_exception = exceptions.contains(&full.as_str());
            (
                full,
                free || is_exception || layer.modules.contains(&target),
            )
        } else if workspace.crates.contains(first) {
            let free = first == "tracing" || exceptions.contains(&first);
            (first.to_owned(), free || layer.crates.contains(&first))
        } else {
            continue;
        };
        if !allowed {
            let what = format!("names {name}, which {} may not", layer.part);
            found.push(breach(source, line, &what, layer.why));
        }
    }
    found
}

fn layer_of(module: &[&str]) -> Option<&'static Layer> {
    let part = match module {
        ["dialect", _, "wire" | "events", ..] => "dialect, its wire and events",
        ["dialect", ..] => "dialect, its routes",
        [first, ..] => first,
        [] => return None,
    };
    LAYERS.iter().find(|layer| layer.part == part)
}

fn environment(source: &Source<'_>) -> Vec<String> {
    // An example is a program of its own.
    if matches!(
        source.module()[..],
        ["config", ..] | ["socketio", "examples", ..]
    ) {
        return Vec::new();
    }
    source
        .named()
        .iter()
        .filter(|named| named.segments.starts_with(&["std".into(), "env".into()]))
        .map(|named| {
            breach(
                source,
                named.line,
                "reads the environment outside config",
                "an operator finds every setting in one place, checked at start",
            )
        })
        .collect()
}

fn one_way_to_publish(source: &Source<'_>) -> Vec<String> {
    let may = source.path.starts_with("src/chat/writer")
        || source.path.starts_with("src/pubsub/log_tail")
        || source.path.starts_with("src/pubsub/hub")
        // What the client of NATS publishes is no change.
        || source.path.starts_with("src/nats/");
    if may {
        return Vec::new();
    }
    ["publish", "begin_publish"]
        .into_iter()
        .flat_map(|name| calls(source, name))
        .map(|line| {
            breach(
                source,
                line,
                "publishes, which only chat's writer and pubsub's log tail may",
                "subscribers receive changes strictly in position order, which one place can guarantee",
            )
        })
        .collect()
}

fn turns_at_writing(source: &Source<'_>) -> Vec<String> {
    if !source.path.starts_with("src/chat/") || source.path.starts_with("src/chat/writer") {
        return Vec::new();
    }
    ["write_batch", "write_anyway"]
        .into_iter()
        .flat_map(|name| calls(source, name))
        .map(|line| {
            breach(
                source,
                line,
                "writes before all others, as the writer does: all others write with Store::write",
                "tenants take turns at writing, so that none of them keeps the others waiting",
            )
        })
        .collect()
}

/// The lines on which a function of that name is called.
fn calls<'a>(source: &'a Source<'_>, name: &'a str) -> impl Iterator<Item = usize> + 'a {
    source
        .words
        .windows(3)
        .filter(move |words| {
            matches!(words[0].kind, Kind::Mark('.' | ':'))
                && words[1].kind == Kind::Name(name.to_owned())
                && words[2].kind == Kind::Mark('(')
        })
        .map(|words| words[1].line)
}

fn pure_events(source: &Source<'_>) -> Vec<String> {
    if !matches!(source.module()[..], ["dialect", _, "events", ..]) {
        return Vec::new();
    }
    names(source)
        .filter(|(_, name)| matches!(*name, "async" | "await"))
        .map(|(line, _)| {
            breach(
                source,
                line,
                "waits in a dialect's events",
                "decoding and encoding are pure, so that any bytes can be thrown at them",
            )
        })
        .collect()
}

/// Where dialects may be named outside their folders, and which.
const NAMED: [(&str, &str, &str); 3] = [
    (
        "src/http/pages.rs",
        "embed",
        "the macro that embeds files into the binary has that name",
    ),
    (
        "src/gateway/http/mod.rs",
        "messenger",
        "a request may name it, though it has no events that clients send",
    ),
    (
        "src/gateway/http/subscribe.rs",
        "messenger",
        "events have its shape where no dialect is named",
    ),
];

fn no_dialects_name(workspace: &Workspace, source: &Source<'_>) -> Vec<String> {
    let part = source.module().first().copied();
    if !matches!(
        part,
        Some("chat" | "socketio" | "gateway" | "http" | "pubsub" | "telemetry")
    ) {
        return Vec::new();
    }
    let may = |name: &str| {
        NAMED.iter().any(|(path, named, _)| {
            *path == source.path && (named.is_empty() || named.eq_ignore_ascii_case(name))
        })
    };
    let texts = source.words.iter().filter_map(|word| match &word.kind {
        Kind::Text(text) => Some((word.line, text.as_str())),
        Kind::Name(_) | Kind::Mark(_) => None,
    });
    names(source)
        .chain(texts)
        .filter(|(_, name)| workspace.dialects.contains(&name.to_lowercase()) && !may(name))
        .map(|(line, name)| {
            breach(
                source,
                line,
                &format!("names the dialect {name}"),
                "a fifth dialect must need no change here",
            )
        })
        .collect()
}

fn names<'a>(source: &'a Source<'_>) -> impl Iterator<Item = (usize, &'a str)> {
    source.words.iter().filter_map(|word| match &word.kind {
        Kind::Name(name) => Some((word.line, name.as_str())),
        Kind::Text(_) | Kind::Mark(_) => None,
    })
}

pub(super) fn breach(source: &Source<'_>, line: usize, what: &str, why: &str) -> String {
    format!("{}:{line} {what}: {why}", source.path)
}
