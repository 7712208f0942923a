//! Pages of the documentation: their frame, and text in them.

use std::fmt::Write as _;

/// A page in the frame of the documentation. `up` leads to the server's root, `body` is its content.
pub(super) fn page(title: &str, up: &str, body: &str) -> String {
    let links = LINKS.map(|(place, name)| format!("<a href=\"{up}{place}\">{name}</a>"));
    let links = links.join("\n");
    format!(
        "<!doctype html>
<html lang=\"en\">
<head>
<meta charset=\"utf-8\">
<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">
<meta name=\"color-scheme\" content=\"light dark\">
<title>{title} · Parlance</title>
<link rel=\"icon\" href=\"{up}icon.svg\" type=\"image/svg+xml\">
<link rel=\"stylesheet\" href=\"{up}shared/style.css\">
<link rel=\"stylesheet\" href=\"{up}shared/docs.css\">
<script src=\"{up}shared/theme.js\"></script>
<script type=\"module\" src=\"{up}shared/docs.js\"></script>
</head>
<body class=\"docs\">
<a class=\"skip\" href=\"#content\">To the content</a>
<header class=\"docs-head\"><nav aria-label=\"Documentation\">
<a class=\"docs-brand\" href=\"{up}docs/\">Parlance</a>
{links}
</nav></header>
<main id=\"content\" tabindex=\"-1\">
{body}</main>
</body>
</html>
",
        title = escaped(title),
    )
}

/// Where the frame leads.
const LINKS: [(&str, &str); 7] = [
    ("docs/", "Events"),
    ("docs/guides/", "Guides"),
    ("swagger/", "Requests"),
    ("docs/errors", "Errors"),
    ("types/", "Types"),
    ("openapi.json", "openapi.json"),
    ("asyncapi.json", "asyncapi.json"),
];

/// Text as it may stand in a page.
pub(super) fn escaped(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            _ => safe.push(c),
        }
    }
    safe
}

/// A sentence in which what stands between backticks is code.
pub(super) fn prose(text: &str) -> String {
    let mut safe = String::new();
    for (number, part) in text.split('`').enumerate() {
        let part = escaped(part);
        // Writing to a string cannot fail.
        let _ = match number % 2 {
            0 => write!(safe, "{part}"),
            _ => write!(safe, "<code>{part}</code>"),
        };
    }
    safe
}

/// Lines of code.
pub(super) fn code(text: &str) -> String {
    format!("<pre><code>{}</code></pre>\n", escaped(text))
}
