//! Where a text may name somebody: `@`, and what may be a name after it.

use super::fold::fold;

/// What names everybody in a chat.
pub const EVERYBODY: &str = "all";
/// The most places of one text at which somebody may be named.
const MOST_PLACES: usize = 32;
/// The most characters after an `@` that may be a name.
const NAME_CHARS: usize = 64;

/// What may be a name after one `@`, folded, the longest first.
pub type Candidates = Vec<String>;

/// The places of a text at which somebody may be named, outside of code. An `@` inside a word, as in an address, is
/// none.
pub fn mention_candidates(text: &str) -> Vec<Candidates> {
    let mut places = Vec::new();
    if !text.contains('@') {
        return places;
    }
    for prose in outside_code(text) {
        for (at, _) in prose.match_indices('@') {
            let before = prose[..at].chars().next_back();
            if before.is_some_and(char::is_alphanumeric) {
                continue;
            }
            let candidates = candidates(&prose[at + 1..]);
            if !candidates.is_empty() {
                places.push(candidates);
            }
            if places.len() == MOST_PLACES {
                return places;
            }
        }
    }
    places
}

/// The beginnings of a text that may be a name: each ends where a word does.
fn candidates(text: &str) -> Candidates {
    let mut ends = Vec::new();
    for (at, letter) in text.char_indices().take(NAME_CHARS) {
        if letter.is_control() || at == 0 && letter.is_whitespace() {
            break;
        }
        let end = at + letter.len_utf8();
        let next = text[end..].chars().next();
        let goes_on = letter.is_alphanumeric() && next.is_some_and(char::is_alphanumeric);
        if !goes_on && !letter.is_whitespace() {
            ends.push(end);
        }
    }
    let folded = ends.iter().rev().map(|end| fold(&text[..*end]));
    let mut candidates: Vec<_> = folded.filter(|name| !name.is_empty()).collect();
    candidates.dedup();
    candidates
}

/// The parts of a text outside of code: what is between two runs of as many backticks is code.
fn outside_code(text: &str) -> Vec<&str> {
    let (mut parts, mut begin, mut at) = (Vec::new(), 0, 0);
    while let Some(found) = text[at..].find('`') {
        let open = at + found;
        let run = backticks(text, open);
        at = open + run;
        if let Some(close) = closing(text, at, run) {
            parts.push(&text[begin..open]);
            at = close + run;
            begin = at;
        }
    }
    parts.push(&text[begin..]);
    parts
}

/// How many backticks there are at a place.
fn backticks(text: &str, at: usize) -> usize {
    text[at..].bytes().take_while(|byte| *byte == b'`').count()
}

/// Where the next run of exactly so many backticks begins.
fn closing(text: &str, from: usize, run: usize) -> Option<usize> {
    let mut at = from;
    while let Some(found) = text[at..].find('`') {
        let place = at + found;
        let length = backticks(text, place);
        if length == run {
            return Some(place);
        }
        at = place + length;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn first(text: &str) -> Candidates {
        mention_candidates(text)
            .into_iter()
            .next()
            .unwrap_or_default()
    }

    #[test]
    fn a_name_may_have_blanks_and_ends_where_a_word_does() {
        assert_eq!(
            first("@Ann Lee, tea?"),
            [
                "ann lee, tea?",
                "ann lee, tea",
                "ann lee,",
                "ann lee",
                "ann"
            ]
        );
        assert_eq!(first("hi @bo"), ["bo"]);
        assert_eq!(first("(@bo)"), ["bo)", "bo"]);
        assert_eq!(first("@\u{c1}nn\nBo"), ["\u{e1}nn"]);
        assert_eq!(first("@ann_lee2"), ["ann_lee2", "ann_", "ann"]);
        let long = format!("@{}", "x ".repeat(100));
        assert_eq!(
            first(&long).len(),
            32,
            "no name is longer than 64 characters"
        );
    }

    #[test]
    fn what_is_no_name_is_none() {
        for text in [
            "",
            "ann",
            "ann@example.com",
            "@",
            "@ ann",
            "a @",
            "@\n",
            "@\u{200b}",
        ] {
            assert_eq!(mention_candidates(text), [] as [Candidates; 0], "{text:?}");
        }
    }

    #[test]
    fn in_code_nobody_is_named() {
        for text in ["`@ann`", "``a ` @ann``", "```\n@ann\n```", "x `@ann` y"] {
            assert_eq!(mention_candidates(text), [] as [Candidates; 0], "{text:?}");
        }
        for text in ["`@ann", "``@ann`", "`a` @ann", "`a`@ann", "``` @ann ``"] {
            assert_eq!(mention_candidates(text).len(), 1, "{text:?}");
        }
    }

    #[test]
    fn a_text_names_so_many_at_most() {
        assert_eq!(mention_candidates(&"@a ".repeat(100)).len(), MOST_PLACES);
        assert_eq!(mention_candidates(&"@".repeat(16_384)).len(), MOST_PLACES);
    }
}
