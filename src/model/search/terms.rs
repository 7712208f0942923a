//! The terms under which an index holds a text, and those that a query needs.
//!
//! A letter says what a term is: `w` a word, `p` the beginning of a longer one, `b` two adjacent words, `c` a chat,
//! `s` a sender, `x`, `y` and `z` a range of ids, `u` and `v` a sample of one. After it come letters and digits alone, so
//! that no database takes a term for syntax.

use std::collections::HashSet;

use foldhash::fast::RandomState;

use super::{query::Query, ranges::IndexRange, words::words};
use crate::model::{ChatId, MessageId, PersonId};

/// The version of the terms. A change of the words, of the terms or of Unicode's tables is a new number: the
/// index is then built again.
pub const TERMS_VERSION: i64 = 3;

/// The longest beginning that is a term.
const PREFIX_CHARS: usize = 8;
/// Words are the same to an index from this length on.
const WORD_CHARS: usize = 40;
/// The most sets of a query: more narrow its hits no further.
const SETS: usize = 16;

/// What a query needs of an index: of each set at least one term.
pub type TermSets = Vec<Vec<String>>;

/// The terms of a text, each once, parted by blanks.
pub fn terms(text: &str) -> String {
    let words = words(text);
    // All of them, one after the other: a text has many, and few that it has already.
    let mut all = String::with_capacity(text.len() * 6);
    for (index, word) in words.iter().enumerate() {
        add_whole(&mut all, &word.text);
        all.push(' ');
        for (length, (end, _)) in word.text.char_indices().enumerate().skip(1) {
            if length > PREFIX_CHARS {
                break;
            }
            all.push('p');
            all.push_str(&word.text[..end]);
            all.push(' ');
        }
        if let Some(next) = words.get(index + 1) {
            add_pair(&mut all, &word.text, &next.text);
            all.push(' ');
        }
    }
    let mut seen = HashSet::with_capacity_and_hasher(all.len() / 8, RandomState::default());
    let mut terms = String::with_capacity(all.len());
    for term in all.split_ascii_whitespace() {
        if seen.insert(term) {
            terms.push_str(term);
            terms.push(' ');
        }
    }
    terms.pop();
    terms
}

/// The terms of a message: those of its chat, its sender and its text, and of the ranges that its id is in.
pub fn of_message(message: MessageId, (chat, sender): (ChatId, PersonId), text: &str) -> String {
    let mut all = [of_chat(chat), of_sender(sender)].join(" ");
    let mut add = |term: &str| {
        if !term.is_empty() {
            all.push(' ');
            all.push_str(term);
        }
    };
    add(&terms(text));
    for term in IndexRange::terms_of(message.get()) {
        add(&term);
    }
    all
}

/// The term of a chat's messages.
pub fn of_chat(chat: ChatId) -> String {
    format!("c{chat}")
}

/// The term of a sender's messages.
pub fn of_sender(sender: PersonId) -> String {
    format!("s{sender}")
}

impl Query {
    /// The terms that a text has which has what is searched for.
    pub fn terms(&self) -> TermSets {
        let mut sets = TermSets::new();
        for clause in &self.clauses {
            let texts: Vec<_> = clause.words.iter().map(|word| word.text.as_str()).collect();
            let Some((last, before)) = texts.split_last() else {
                continue;
            };
            let (adjacent, beginning) = if clause.prefix {
                (before, Some(*last))
            } else {
                (&texts[..], None)
            };
            match adjacent {
                [] => {}
                [word] => sets.push(vec![whole(word)]),
                _ => sets.extend(adjacent.windows(2).map(|two| vec![pair(two[0], two[1])])),
            }
            sets.extend(beginning.map(begins));
        }
        // Of two sets the one with the longer terms is likely to narrow more.
        sets.sort_by_key(|set| std::cmp::Reverse(set.iter().map(String::len).min()));
        sets.dedup();
        sets.truncate(SETS);
        sets
    }
}

fn whole(word: &str) -> String {
    let mut term = String::new();
    add_whole(&mut term, word);
    term
}

fn add_whole(terms: &mut String, word: &str) {
    terms.push('w');
    terms.push_str(first(word, WORD_CHARS));
}

fn begins(beginning: &str) -> Vec<String> {
    let prefix = format!("p{}", first(beginning, PREFIX_CHARS));
    if beginning.chars().count() > PREFIX_CHARS {
        // A word with this beginning is longer than its longest indexed prefix.
        vec![prefix]
    } else {
        vec![whole(beginning), prefix]
    }
}

fn first(word: &str, most: usize) -> &str {
    if word.len() <= most {
        return word;
    }
    word.char_indices()
        .nth(most)
        .map_or(word, |(end, _)| &word[..end])
}

fn pair(one: &str, other: &str) -> String {
    let mut term = String::new();
    add_pair(&mut term, one, other);
    term
}

/// Two adjacent words as one short term: a hash (FNV-1a), since what it finds is compared with the text.
fn add_pair(terms: &mut String, one: &str, other: &str) {
    const OFFSET: u64 = 0xcbf2_9ce4_8422_2325;
    const PRIME: u64 = 0x0100_0000_01b3;
    let bytes = one.bytes().chain([b' ']).chain(other.bytes());
    let hash = bytes.fold(OFFSET, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(PRIME)
    });
    terms.push('b');
    let short = (hash >> 32) ^ (hash & 0xffff_ffff);
    let digits = short.to_be_bytes();
    for byte in &digits[4..] {
        for digit in [byte >> 4, byte & 0xf] {
            terms.push(char::from(b"0123456789abcdef"[usize::from(digit)]));
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn has(terms: &str, sets: &TermSets) -> bool {
        let terms: HashSet<_> = terms.split(' ').collect();
        sets.iter()
            .all(|set| set.iter().any(|term| terms.contains(term.as_str())))
    }

    #[test]
    fn a_text_has_its_words_their_beginnings_and_pairs() {
        let terms = terms("Ab abc");
        let terms: Vec<_> = terms.split(' ').collect();
        assert_eq!(terms.len(), 5, "{terms:?}");
        for term in ["wab", "pa", "wabc", "pab"] {
            assert!(terms.contains(&term), "{terms:?}");
        }
        assert_eq!(super::terms(" ... "), "");
    }

    #[test]
    fn terms_have_no_syntax_and_fit_an_index() {
        let long = "x".repeat(16_384);
        for term in terms(&format!("a'b\"c\\d:*&|! {long} 東京 é")).split(' ') {
            assert!(term.len() < 200);
            let odd = |c: char| c.is_ascii() && !c.is_ascii_alphanumeric();
            assert!(!term.contains(odd), "{term}");
        }
    }

    #[test]
    fn long_words_are_narrowed_to_what_they_begin_with() {
        let index = terms("internationalisation");
        for query in ["internat", "internatio", "internationalisation"] {
            assert!(
                has(&index, &Query::parse(query).expect("a query").terms()),
                "{query}"
            );
        }
        assert!(!has(
            &index,
            &Query::parse("internet").expect("a query").terms()
        ));
    }

    /// The terms as they were first made: those of an index that is there must be found.
    fn plainly(text: &str) -> String {
        let words = words(text);
        let mut all: Vec<String> = Vec::new();
        for (index, word) in words.iter().enumerate() {
            all.push(whole(&word.text));
            let letters: Vec<char> = word.text.chars().collect();
            for length in 1..letters.len().min(PREFIX_CHARS + 1) {
                all.push(format!("p{}", letters[..length].iter().collect::<String>()));
            }
            if let Some(next) = words.get(index + 1) {
                all.push(pair(&word.text, &next.text));
            }
        }
        let mut distinct: Vec<String> = Vec::new();
        for term in all {
            if !distinct.contains(&term) {
                distinct.push(term);
            }
        }
        distinct.join(" ")
    }

    #[test]
    fn terms_are_what_they_have_been() {
        assert_eq!(terms("a tea, A Tea"), "wa b76dc0b22 wtea pt pte b1df7a2b6");
    }

    proptest! {
        #[test]
        fn terms_come_each_once_in_the_order_of_the_text(
            text in "([abé]{1,3}|東|京|[a-z]{9,45}|[ .']){0,12}",
        ) {
            prop_assert_eq!(terms(&text), plainly(&text));
        }

        /// An index never misses what the text has.
        #[test]
        fn what_is_found_in_a_text_is_found_by_its_terms(
            text in "([abé]{1,3}|東|京|ab{9,12}|[ .']){0,12}",
            query in "([abé]{1,3}[ *\"']?|東|京|ab{9,12}|\"){1,6}",
        ) {
            if let Ok(query) = Query::parse(&query)
                && query.find(&text).is_some()
            {
                prop_assert!(has(&terms(&text), &query.terms()));
            }
        }
    }
}
