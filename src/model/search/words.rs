//! The words of a text in any script, folded for comparing.
//!
//! A word is a run of letters and digits. Scripts that put no blanks between words (Chinese, Japanese, Thai and
//! others) have a word for each character instead, so that any part of such a text is a phrase; so have emoji.

use unicode_normalization::{
    UnicodeNormalization,
    char::{canonical_combining_class, is_combining_mark},
};
use unicode_properties::UnicodeEmoji;
use unicode_script::{Script, UnicodeScript};

use crate::model::text::fold::is_unseen;

/// A letter that only lengthens a line of Arabic.
const TATWEEL: char = '\u{640}';

/// Scripts that are written without blanks between words.
const WITHOUT_BLANKS: [Script; 14] = [
    Script::Han,
    Script::Hiragana,
    Script::Katakana,
    Script::Bopomofo,
    Script::Yi,
    Script::Thai,
    Script::Lao,
    Script::Khmer,
    Script::Myanmar,
    Script::Tai_Le,
    Script::New_Tai_Lue,
    Script::Tai_Tham,
    Script::Tai_Viet,
    Script::Javanese,
];

/// A word of a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Word {
    /// The word as it is compared.
    pub text: String,
    /// Where it begins in the text, in bytes.
    pub start: usize,
    /// Where it ends.
    pub end: usize,
    /// Whether it is one character by its nature, and never the beginning of a longer word.
    pub single: bool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Class {
    /// Part of a longer word.
    Letter,
    /// A word by itself.
    Single,
    /// Belongs to the character before it.
    Attached,
    /// Parts words.
    Between,
}

/// The words of a text, in their order.
pub fn words(text: &str) -> Vec<Word> {
    let mut found = Vec::new();
    let mut run: Option<(usize, usize)> = None;
    let mut characters = text.char_indices().peekable();
    while let Some((start, character)) = characters.next() {
        let class = class(character);
        let mut end = start + character.len_utf8();
        while class != Class::Between
            && let Some((at, next)) = characters.peek().copied()
            && self::class(next) == Class::Attached
        {
            end = at + next.len_utf8();
            characters.next();
        }
        match class {
            Class::Letter => run = Some((run.map_or(start, |(begun, _)| begun), end)),
            Class::Single => {
                flush(text, run.take(), &mut found);
                let folded = fold(&text[start..end]);
                found.extend(folded.chars().map(|character| Word {
                    text: character.into(),
                    start,
                    end,
                    single: true,
                }));
            }
            Class::Attached | Class::Between => flush(text, run.take(), &mut found),
        }
    }
    flush(text, run, &mut found);
    found
}

fn flush(text: &str, run: Option<(usize, usize)>, found: &mut Vec<Word>) {
    let Some((start, end)) = run else { return };
    let folded = fold(&text[start..end]);
    if !folded.is_empty() {
        found.push(Word {
            text: folded,
            start,
            end,
            single: false,
        });
    }
}

fn class(character: char) -> Class {
    if character.is_ascii() {
        return if character.is_ascii_alphanumeric() {
            Class::Letter
        } else {
            Class::Between
        };
    }
    // The halfwidth marks of Japanese are letters to Unicode.
    if is_combining_mark(character)
        || matches!(character, '\u{ff9e}' | '\u{ff9f}')
        || is_unseen(character)
    {
        return Class::Attached;
    }
    if character.is_alphanumeric() {
        let scripts = character.script_extension();
        let single = WITHOUT_BLANKS
            .iter()
            .any(|script| scripts.contains_script(*script));
        // What all scripts use is in the extension of each.
        return if single && !scripts.is_common() {
            Class::Single
        } else {
            Class::Letter
        };
    }
    if character.is_emoji_char() {
        Class::Single
    } else {
        Class::Between
    }
}

/// Folds case, compatible forms and diacritics. Marks that are letters of their own, as the vowels of Thai and
/// Devanagari and the voicing of kana, stay.
fn fold(word: &str) -> String {
    if word.is_ascii() {
        return word.to_ascii_lowercase();
    }
    let letters = word.chars().filter(|letter| !is_unseen(*letter));
    let bare = letters.nfkd().filter(|letter| !is_diacritic(*letter));
    // By way of capitals: a sharp s is two letters, a final sigma is a sigma, and an i without a dot is an i.
    let lower = bare
        .flat_map(char::to_uppercase)
        .flat_map(char::to_lowercase);
    let mut folded = String::with_capacity(word.len());
    for letter in lower.nfc() {
        match plain(letter) {
            Some(plain) => folded.push_str(plain),
            None if is_part(letter) => folded.push(letter),
            None => {}
        }
    }
    folded
}

fn is_part(letter: char) -> bool {
    letter.is_alphanumeric()
        || is_combining_mark(letter)
        || (!letter.is_ascii() && letter.is_emoji_char())
}

/// Accents of European scripts, the points of Hebrew and the vowel signs of Arabic.
fn is_diacritic(letter: char) -> bool {
    letter == TATWEEL || matches!(canonical_combining_class(letter), 10..=36 | 200..)
}

/// Latin letters with a stroke and ligatures, which Unicode does not take apart.
fn plain(letter: char) -> Option<&'static str> {
    Some(match letter {
        'ø' => "o",
        'ł' => "l",
        'đ' | 'ð' => "d",
        'ħ' => "h",
        'ŧ' => "t",
        'æ' => "ae",
        'œ' => "oe",
        'þ' => "th",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn texts(text: &str) -> Vec<String> {
        words(text).into_iter().map(|word| word.text).collect()
    }

    #[test]
    fn words_are_runs_of_letters_and_digits() {
        for (text, expected) in [
            ("Hello, world!", vec!["hello", "world"]),
            ("can't stop", vec!["can", "t", "stop"]),
            ("snake_case:x-1", vec!["snake", "case", "x", "1"]),
            (
                "https://a.example/b?c=d",
                vec!["https", "a", "example", "b", "c", "d"],
            ),
            ("", vec![]),
            ("... \"*\" - :", vec![]),
        ] {
            assert_eq!(texts(text), expected, "{text:?}");
        }
    }

    #[test]
    fn case_diacritics_and_compatible_forms_are_folded() {
        for (one, other) in [
            ("CAFÉ", "cafe\u{301}"),
            ("Straße", "STRASSE"),
            ("Łódź", "lodz"),
            ("ΣΊΣΥΦΟΣ", "σισυφος"),
            ("İstanbul", "ISTANBUL"),
            ("ınce", "ince"),
            ("Ёлка", "елка"),
            ("ﬁne ＡＢＣ①", "fine abc1"),
            ("שָׁלוֹם", "שלום"),
            ("مُحَمَّد", "محمد"),
            ("أحمد", "احمد"),
            ("soft\u{ad}hyphen", "softhyphen"),
            ("ガ", "ｶﾞ"),
            ("が", "か\u{3099}"),
            ("서울", "\u{1109}\u{1165}\u{110b}\u{116e}\u{11af}"),
            ("Ærø", "aero"),
            ("Đặng", "dang"),
        ] {
            assert_eq!(texts(one), texts(other), "{one:?} {other:?}");
            assert!(!texts(one).is_empty(), "{one:?}");
        }
        assert_ne!(texts("か"), texts("が"), "voicing makes another letter");
        assert_ne!(texts("कि"), texts("कु"), "vowel signs are letters");
    }

    #[test]
    fn scripts_without_blanks_have_a_word_a_character() {
        assert_eq!(texts("東京タワー"), ["東", "京", "タ", "ワ", "ー"]);
        assert_eq!(texts("กิน"), ["ก", "\u{e34}", "น"]);
        assert_eq!(texts("iPhone买了2台"), ["iphone", "买", "了", "2", "台"]);
        assert_eq!(texts("hi👍🏽!"), ["hi", "👍", "🏽"]);
        assert!(words("東").iter().all(|word| word.single));
        assert!(words("ab").iter().all(|word| !word.single));
    }

    proptest! {
        #[test]
        fn words_stand_in_the_text_in_their_order(text in "\\PC{0,40}") {
            let mut least = 0;
            for word in words(&text) {
                prop_assert!(!word.text.is_empty());
                prop_assert!(least <= word.start && word.start < word.end);
                prop_assert!(text.is_char_boundary(word.start) && text.is_char_boundary(word.end));
                prop_assert!(!word.text.contains(|letter: char| letter.is_ascii() && !letter.is_ascii_alphanumeric()));
                least = word.start;
            }
        }

        #[test]
        fn canonical_equivalents_have_the_same_words(text in "[a-zà-ÿ가-힣が-ドかねक-ह ]{0,20}") {
            let decomposed: String = text.nfd().collect();
            prop_assert_eq!(texts(&text), texts(&decomposed));
        }
    }
}
