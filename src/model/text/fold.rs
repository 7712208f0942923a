//! Comparing text as people see it: invisible characters and confusable characters.

use unicode_normalization::UnicodeNormalization;
use unicode_security::{
    RestrictionLevel, RestrictionLevelDetection, mixed_script::AugmentedScriptSet, skeleton,
};

/// A blank that Unicode counts among the symbols: a Braille cell without dots.
const EMPTY_CELL: char = '\u{2800}';

/// Folds case, runs of blanks, canonical equivalents and invisible characters, for comparing
/// what people would call the same.
pub fn fold(text: &str) -> String {
    if text.is_ascii() {
        let mut folded = String::with_capacity(text.len());
        for word in text.split_whitespace() {
            if !folded.is_empty() {
                folded.push(' ');
            }
            folded.push_str(word);
        }
        folded.make_ascii_lowercase();
        return folded;
    }
    folded(text)
}

/// The same of any text.
fn folded(text: &str) -> String {
    // What joins or parts letters goes before they are composed, and what comes of composing after.
    let seen: String = text.chars().filter(|letter| !is_unseen(*letter)).collect();
    let composed = seen.nfkc().filter(|letter| !is_unseen(*letter));
    let spaced: String = composed
        .map(|letter| if letter == EMPTY_CELL { ' ' } else { letter })
        .collect();
    spaced
        .split_whitespace()
        .collect::<Vec<_>>()
        .join(" ")
        .to_lowercase()
        .nfc()
        .collect()
}

/// How [`fold`] was before it used Unicode's list of invisible characters. Accounts that were made then are
/// found by this key.
pub fn fold_of_old(text: &str) -> String {
    let unseen = |letter: char| {
        turns_text(letter)
            || matches!(
                letter,
                '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2060}'..='\u{2064}' | '\u{feff}'
            )
    };
    let seen: String = text.nfkc().filter(|letter| !unseen(*letter)).collect();
    seen.split_whitespace()
        .collect::<Vec<_>>()
        .join(" ")
        .to_lowercase()
}

/// Whether a text has no visible character.
pub fn is_blank(text: &str) -> bool {
    text.chars()
        .all(|letter| letter.is_whitespace() || letter == EMPTY_CELL || is_unseen(letter))
}

/// Characters without a width (`Default_Ignorable_Code_Point`): joiners, marks of direction, fillers,
/// variation selectors and their like.
pub fn is_unseen(letter: char) -> bool {
    !letter.is_ascii() && skeleton(letter.encode_utf8(&mut [0; 4])).next().is_none()
}

/// Bidirectional controls, which reorder the text around them.
pub fn turns_text(letter: char) -> bool {
    matches!(letter, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// The skeletons of a text (UTS #39), of the text itself and of its folded forms: two texts that share one
/// are hard to tell apart.
pub fn looks(text: &str) -> Vec<String> {
    let folded = fold(text);
    let written: String = text.nfkc().collect();
    let spaced = written.split_whitespace().collect::<Vec<_>>().join(" ");
    let upper = folded.to_uppercase();
    let mut looks: Vec<String> = [spaced.as_str(), folded.as_str(), upper.as_str()]
        .map(|text| skeleton(text).collect())
        .into();
    looks.retain(|look| !look.is_empty());
    // In an order of their own, so that two who take the same ones wait for each other in one place.
    looks.sort_unstable();
    looks.dedup();
    looks
}

/// Whether a word of a text mixes scripts that no language mixes, such as Latin and Cyrillic.
pub fn mixes_scripts(text: &str) -> bool {
    fold(text)
        .split(|letter: char| !letter.is_alphanumeric())
        .any(|word| {
            AugmentedScriptSet::for_str(word).is_empty()
                && !word.check_restriction_level(RestrictionLevel::ModeratelyRestrictive)
        })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn plain_letters_are_folded_as_all_are(text in "[\\x00-\\x7f]{0,12}") {
            prop_assert_eq!(fold(&text), folded(&text));
        }
    }

    #[test]
    fn unseen_letters_are_those_that_unicode_calls_so() {
        for letter in [
            '\u{ad}',
            '\u{34f}',
            '\u{61c}',
            '\u{115f}',
            '\u{1160}',
            '\u{17b4}',
            '\u{180b}',
            '\u{180e}',
            '\u{200b}',
            '\u{200d}',
            '\u{200e}',
            '\u{202e}',
            '\u{2060}',
            '\u{2065}',
            '\u{206f}',
            '\u{3164}',
            '\u{fe00}',
            '\u{fe0f}',
            '\u{feff}',
            '\u{ffa0}',
            '\u{1d173}',
            '\u{e0001}',
            '\u{e0020}',
            '\u{e0100}',
            '\u{e01ef}',
        ] {
            assert!(is_unseen(letter), "{letter:?}");
            assert_eq!(fold(&format!("an{letter}n")), "ann", "{letter:?}");
            assert!(is_blank(&format!(" {letter}")), "{letter:?}");
        }
        for letter in [
            'a',
            ' ',
            '\u{e4}',
            '\u{301}',
            '\u{2800}',
            '\u{1f600}',
            '\u{4e00}',
            '\0',
        ] {
            assert!(!is_unseen(letter), "{letter:?}");
        }
        assert!(is_blank("\u{2800} \u{2800}\u{3164}"));
        assert_eq!(fold("ann\u{2800}lee"), "ann lee");
    }

    #[test]
    fn what_parts_a_letter_from_its_accent_is_folded_away_first() {
        for text in [
            "a\u{301}nn",
            "a\u{200d}\u{301}nn",
            "\u{c1}NN",
            "\u{e1}nn\u{fe0f}",
        ] {
            assert_eq!(fold(text), "\u{e1}nn", "{text:?}");
        }
    }

    #[test]
    fn looks_are_shared_by_what_looks_alike() {
        let alike = |one: &str, other: &str| {
            let (one, other) = (looks(one), looks(other));
            one.iter().any(|look| other.contains(look))
        };
        for (one, other) in [
            ("ann", "ann\u{fe0f}"),
            ("ann", "\u{430}nn"),
            ("ace", "\u{430}\u{441}\u{435}"),
            ("ACE", "\u{410}\u{421}\u{415}"),
            ("bob", "\u{412}\u{41e}\u{412}"),
            ("Bill", "BiIl"),
            ("bill", "bi1l"),
            ("mary", "rnary"),
            ("ann lee", "ann\u{3164} lee"),
            ("ann", "\u{1d41a}nn"),
            ("paypal", "p\u{251}ypal"),
        ] {
            assert!(alike(one, other), "{one:?} {other:?}");
        }
        for (one, other) in [
            ("ann", "anna"),
            ("lara", "iara"),
            ("ali", "all"),
            ("person 1", "person 2"),
            ("user10", "user100"),
            ("\u{e1}nn", "ann"),
            (
                "\u{430}\u{43d}\u{43d}\u{430}",
                "\u{438}\u{43d}\u{43d}\u{430}",
            ),
        ] {
            assert!(!alike(one, other), "{one:?} {other:?}");
        }
    }

    #[test]
    fn scripts_are_mixed_by_impostors_alone() {
        for text in [
            "p\u{430}ypal",
            "\u{430}nn",
            "\u{391}nn",
            "ann p\u{430}ul",
            "\u{5d0}nn\u{430}",
        ] {
            assert!(mixes_scripts(text), "{text:?}");
        }
        for text in [
            "ann",
            "Ann-Marie O\u{2019}Neill",
            "\u{410}\u{43d}\u{43d}\u{430} Anna",
            "\u{41b}\u{435}\u{432}_7",
            "\u{5c71}\u{7530}\u{592a}\u{90ce}",
            "\u{3084}\u{307e}\u{3060}\u{30bf}\u{30ed}\u{30a6}",
            "T\u{30b7}\u{30e3}\u{30c4}",
            "\u{ae40}\u{cca0}\u{c218}",
            "\u{bb}ann\u{ab} \u{1f600}",
            "m\u{fc}ller2",
            "\u{928}\u{947}\u{939}\u{93e}",
            "",
        ] {
            assert!(!mixes_scripts(text), "{text:?}");
        }
    }
}
