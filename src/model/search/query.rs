//! What somebody searches for, and where a text has it.

use std::ops::Range;

use super::words::{Word, words};
use crate::error::{Error, Result};

/// The most characters and the most words of a query.
const QUERY_CHARS: usize = 256;
const QUERY_WORDS: usize = 64;
/// The most places of one clause that are marked.
const MATCHES: usize = 64;

/// Adjacent words; of the last one perhaps only the beginning.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Clause {
    pub(super) words: Vec<Word>,
    pub(super) prefix: bool,
}

/// A query: all of its words and phrases must occur. The last word, and a word before `*`, may be
/// the beginning of one; words in quotes stand next to each other. Everything else is harmless text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Query {
    pub(super) clauses: Vec<Clause>,
}

/// A place where a text has what was searched for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Match {
    /// Which word or phrase of the query.
    pub clause: usize,
    /// The place, in bytes.
    pub range: Range<usize>,
}

impl Query {
    /// Reads a query; refuses one without a word, and one that is too long.
    pub fn parse(text: &str) -> Result<Self> {
        let refusal = |sentence: String| Err(Error::invalid_field("query", sentence));
        if text.chars().count() > QUERY_CHARS {
            return refusal(format!("query must have at most {QUERY_CHARS} characters"));
        }
        let mut clauses = Vec::new();
        for (index, part) in text.split(is_quote).enumerate() {
            if index % 2 == 1 {
                // In quotes.
                clauses.extend(clause(part, false));
            } else {
                let chunks = part.split_whitespace();
                clauses.extend(chunks.filter_map(|chunk| clause(chunk, chunk.ends_with('*'))));
            }
        }
        // The last word may be unfinished while it is typed, unless a quote ends it.
        let quoted = text.trim_end().ends_with(is_quote);
        if let Some(last) = clauses.last_mut()
            && !quoted
        {
            last.prefix = last.words.last().is_some_and(|word| !word.single);
        }
        let mut distinct: Vec<Clause> = Vec::new();
        for clause in clauses {
            if !distinct.iter().any(|other| other.same(&clause)) {
                distinct.push(clause);
            }
        }
        let count: usize = distinct.iter().map(|clause| clause.words.len()).sum();
        match count {
            0 => refusal("query must have a word to search for".to_owned()),
            1..=QUERY_WORDS => Ok(Self { clauses: distinct }),
            _ => refusal(format!("query must have at most {QUERY_WORDS} words")),
        }
    }

    /// Where a text has each word and phrase, in the text's order; none when it lacks one.
    pub fn find(&self, text: &str) -> Option<Vec<Match>> {
        let words = words(text);
        let mut found = Vec::new();
        for (index, clause) in self.clauses.iter().enumerate() {
            let before = found.len();
            let places = clause.places(&words).take(MATCHES);
            found.extend(places.map(|range| Match {
                clause: index,
                range,
            }));
            if found.len() == before {
                return None;
            }
        }
        found.sort_by_key(|found| (found.range.start, found.range.end));
        Some(found)
    }
}

impl Clause {
    fn same(&self, other: &Self) -> bool {
        let texts = |clause: &Self| {
            let words = clause.words.iter();
            words.map(|word| word.text.clone()).collect::<Vec<_>>()
        };
        self.prefix == other.prefix && texts(self) == texts(other)
    }

    fn places<'a>(&'a self, words: &'a [Word]) -> impl Iterator<Item = Range<usize>> + 'a {
        let windows = words.windows(self.words.len());
        windows
            .filter(|window| self.is_at(window))
            .filter_map(|window| Some(window.first()?.start..window.last()?.end))
    }

    fn is_at(&self, window: &[Word]) -> bool {
        let last = self.words.len() - 1;
        let pairs = self.words.iter().zip(window).enumerate();
        pairs.into_iter().all(|(index, (asked, word))| {
            if self.prefix && index == last {
                word.text.starts_with(&asked.text)
            } else {
                word.text == asked.text
            }
        })
    }
}

fn is_quote(character: char) -> bool {
    matches!(character, '"' | '“' | '”' | '„' | '«' | '»')
}

fn clause(text: &str, prefix: bool) -> Option<Clause> {
    let words = words(text);
    let last = words.last()?;
    Some(Clause {
        prefix: prefix && !last.single,
        words,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn finds(query: &str, text: &str) -> bool {
        Query::parse(query).expect("a query").find(text).is_some()
    }

    #[test]
    fn all_words_must_occur_and_the_last_may_be_a_beginning() {
        let text = "The quick brown fox jumps";
        for (query, found) in [
            ("quick fox", true),
            ("fox quick", true),
            ("qui fox", false),
            ("qui* fox", true),
            ("quick jum", true),
            ("quick jumped", false),
            ("FOX", true),
            ("\"quick brown\"", true),
            ("\"brown quick\"", false),
            ("\"quick bro\"", false),
            ("\"quick bro", true),
            ("“quick brown” the", true),
            ("\"jum\"", false),
            ("\"jump\" fox", false),
        ] {
            assert_eq!(finds(query, text), found, "{query}");
        }
    }

    #[test]
    fn engine_syntax_is_harmless_text() {
        for query in [
            "fox NEAR near",
            "-fox near",
            "near:fox",
            "fox AND near OR not",
            "^fox near",
            "{fox} (near)",
            "fox* NEAR/",
            "'fox' & near | !",
            "fox:* near",
            "near\\ fox",
            "fox \"\" near",
            "\" fox near",
        ] {
            let parsed = Query::parse(query).expect("harmless");
            let text = "fox near and or not 2";
            let phrase = query == "near:fox";
            assert_eq!(parsed.find(text).is_some(), !phrase, "{query}");
        }
        assert!(finds("near:fox", "they are near: fox and hound"));
    }

    #[test]
    fn a_query_without_a_word_or_too_long_is_refused() {
        for query in ["", "  ", "\"\"", "***", "- : '", "\u{200b}"] {
            Query::parse(query).expect_err(query);
        }
        Query::parse(&"x".repeat(QUERY_CHARS)).expect("as long as may be");
        Query::parse(&"x".repeat(QUERY_CHARS + 1)).expect_err("too long");
        let many: Vec<_> = (0..=QUERY_WORDS).map(|n| n.to_string()).collect();
        Query::parse(&many.join(" ")).expect_err("too many words");
        Query::parse(&"x ".repeat(100)).expect("the same word again is one");
    }

    #[test]
    fn parts_of_a_text_without_blanks_are_found() {
        let text = "昨日東京タワーに登りました。กินข้าวแล้ว";
        for part in [
            "東京",
            "京タ",
            "タワー",
            "登り",
            "ข้าว",
            "ินข",
            "東京タワーに登りました",
        ] {
            assert!(finds(part, text), "{part}");
        }
        assert!(!finds("京東", text));
        assert!(finds("東 京 \"ワー\"", text));
    }

    #[test]
    fn matches_stand_in_the_texts_order() {
        let query = Query::parse("b \"a b\" c").expect("a query");
        let found = query.find("c a b cd").expect("all are there");
        let places: Vec<_> = found
            .iter()
            .map(|it| (it.clause, it.range.clone()))
            .collect();
        assert_eq!(places, [(2, 0..1), (1, 2..5), (0, 4..5), (2, 6..8)]);
    }
}
