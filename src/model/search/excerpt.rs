//! The part of a text that shows a hit, with marks.

use super::query::Match;

/// About how many characters an excerpt has.
const EXCERPT_CHARS: usize = 200;
/// How many of them come before the first mark.
const CHARS_BEFORE: usize = 40;
/// What stands for the text that is left out.
const ELLIPSIS: char = '…';

/// A part of a text on one line, and what in it was searched for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Excerpt {
    /// The text.
    pub text: String,
    /// Where each mark begins and ends, in characters (code points); in order, none touching another.
    pub marks: Vec<(usize, usize)>,
}

/// The part of a text with the most of what was searched for, the first of those.
pub fn excerpt(text: &str, matches: &[Match]) -> Excerpt {
    let characters: Vec<(usize, char)> = text.char_indices().collect();
    let place = |byte: usize| characters.partition_point(|(at, _)| *at < byte);
    let found: Vec<_> = matches
        .iter()
        .map(|it| (it.clause, place(it.range.start), place(it.range.end)))
        .collect();
    let (from, to) = part(&characters, &found);
    let mut shown = String::new();
    if from > 0 {
        shown.push(ELLIPSIS);
    }
    let shift = usize::from(from > 0);
    let blank = |letter: char| letter.is_whitespace() || letter.is_control();
    let letters = characters[from..to].iter().map(|(_, letter)| *letter);
    shown.extend(letters.map(|letter| if blank(letter) { ' ' } else { letter }));
    if to < characters.len() {
        shown.push(ELLIPSIS);
    }
    let mut marks: Vec<(usize, usize)> = Vec::new();
    for (_, start, end) in found {
        let (start, end) = (start.max(from), end.min(to));
        if start >= end {
            continue;
        }
        let (start, end) = (start - from + shift, end - from + shift);
        match marks.last_mut() {
            Some(last) if start <= last.1 => last.1 = last.1.max(end),
            _ => marks.push((start, end)),
        }
    }
    Excerpt { text: shown, marks }
}

/// From which character to which the excerpt goes.
fn part(characters: &[(usize, char)], found: &[(usize, usize, usize)]) -> (usize, usize) {
    let length = characters.len();
    if length <= EXCERPT_CHARS {
        return (0, length);
    }
    let reach = EXCERPT_CHARS - CHARS_BEFORE;
    let clauses_from = |start: usize| {
        let near = found
            .iter()
            .filter(|(_, from, to)| *from >= start && *to <= start + reach);
        let clauses: std::collections::HashSet<_> = near.map(|(clause, ..)| *clause).collect();
        clauses.len()
    };
    let mut best = (0, 0);
    for (_, start, _) in found {
        let clauses = clauses_from(*start);
        if clauses > best.0 {
            best = (clauses, *start);
        }
    }
    let from = best
        .1
        .saturating_sub(CHARS_BEFORE)
        .min(length - EXCERPT_CHARS);
    // Not in the middle of a word, where one begins soon.
    let begins = (from..best.1.min(from + CHARS_BEFORE / 2))
        .find(|at| *at == 0 || characters[at - 1].1.is_whitespace());
    let from = begins.unwrap_or(from);
    (from, (from + EXCERPT_CHARS).min(length))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::model::search::Query;

    fn of(query: &str, text: &str) -> Excerpt {
        let query = Query::parse(query).expect("a query");
        excerpt(text, &query.find(text).expect("it is there"))
    }

    fn marked(excerpt: &Excerpt) -> Vec<String> {
        let letters: Vec<char> = excerpt.text.chars().collect();
        let marks = excerpt.marks.iter();
        marks
            .map(|(start, end)| letters[*start..*end].iter().collect())
            .collect()
    }

    #[test]
    fn a_short_text_is_shown_whole_with_its_marks() {
        let shown = of("cafe fox", "Ein Café,\nein Fox und Foxtrott");
        assert_eq!(shown.text, "Ein Café, ein Fox und Foxtrott");
        assert_eq!(marked(&shown), ["Café", "Fox", "Foxtrott"]);
        assert_eq!(shown.marks[0], (4, 8));
    }

    #[test]
    fn marks_that_touch_are_one() {
        assert_eq!(marked(&of("東京 京タ", "東京タワー")), ["東京タ"]);
        assert_eq!(marked(&of("\"a b\" b", "x a b")), ["a b"]);
    }

    #[test]
    fn of_a_long_text_the_part_with_the_most_is_shown() {
        let filler = "lorem ipsum dolor sit amet ".repeat(20);
        let shown = of("red fox", &format!("red {filler} the red fox 🎉 {filler}"));
        assert!(shown.text.starts_with('…') && shown.text.ends_with('…'));
        assert!(shown.text.chars().count() <= EXCERPT_CHARS + 2);
        assert_eq!(marked(&shown), ["red", "fox"]);
    }

    proptest! {
        #[test]
        fn marks_are_in_the_excerpt_and_match(
            text in "(fox|[aé東 \n🎉]){0,300}",
        ) {
            let query = Query::parse("\"fox\"").expect("a query");
            if let Some(found) = query.find(&text) {
                let shown = excerpt(&text, &found);
                prop_assert!(!shown.marks.is_empty());
                for mark in marked(&shown) {
                    prop_assert!(!mark.is_empty() && "fox".contains(&mark) || query.find(&mark).is_some());
                }
                prop_assert!(shown.marks.windows(2).all(|two| two[0].1 < two[1].0));
            }
        }
    }
}
