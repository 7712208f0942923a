//! A person's name.

use super::{
    fold::{fold, fold_of_old, looks, mixes_scripts, turns_text},
    line,
};
use crate::error::{Error, Result};

/// The most characters a name may have.
const NAME_CHARS: usize = 64;
/// The most bytes that are compared with names: no name has more.
const NAME_BYTES: usize = 1_024;

/// A person's name: 1 to 64 characters on one line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Name(String);

impl Name {
    /// Validates a name.
    pub fn parse(text: &str) -> Result<Self> {
        let name = line("name", text, NAME_CHARS)?;
        if name.chars().any(turns_text) {
            return Err(Error::invalid_field(
                "name",
                "name must not turn the text around it",
            ));
        }
        Ok(Self(name))
    }

    /// Validates a name that strangers see: no word of it mixes scripts to
    /// look like another.
    pub fn parse_own(text: &str) -> Result<Self> {
        let name = Self::parse(text)?;
        if mixes_scripts(&name.0) {
            let sentence = "name must not mix letters of several scripts in one word";
            return Err(Error::invalid_field("name", sentence));
        }
        Ok(name)
    }

    /// The name as its owner wrote it.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The name as it is compared with others.
    pub fn folded(&self) -> String {
        fold(&self.0)
    }

    /// The skeletons of the name, see [`looks`].
    pub fn looks(&self) -> Vec<String> {
        looks(&self.0)
    }

    /// The keys under which an account with this name may be found. Some accounts
    /// were made when names were folded otherwise, or would not be valid today.
    pub fn candidates(text: &str) -> Vec<String> {
        let text = text.trim();
        if text.len() > NAME_BYTES {
            return Vec::new();
        }
        let mut candidates = vec![fold_of_old(text), fold(text)];
        candidates.retain(|name| !name.is_empty());
        candidates.dedup();
        candidates
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_trimmed_and_folded() {
        let name = Name::parse("  Ann  Lee ").expect("a sound name");
        assert_eq!(
            (name.as_str(), name.folded().as_str()),
            ("Ann  Lee", "ann lee")
        );
    }

    #[test]
    fn what_looks_the_same_is_compared_as_the_same() {
        let folded = |text: &str| Name::parse(text).map(|name| name.folded()).ok();
        let ann = folded("\u{e1}nn");
        for text in [
            "a\u{301}nn",
            "\u{c1}NN",
            "\u{e1}n\u{200b}n",
            "\u{feff}\u{e1}nn\u{ad}",
            "\u{e1}\u{ff4e}n",
            "\u{e1}nn\u{fe0f}",
            "\u{e1}nn\u{3164}",
            "\u{e1}nn\u{2800}",
        ] {
            assert_eq!(folded(text), ann, "{text:?}");
        }
        for text in [
            "\u{200b}",
            "\u{2060} \u{feff}",
            "\u{3164}",
            "\u{115f}\u{2800}",
            "\u{202e}nna",
            "a\u{2066}b",
        ] {
            assert_eq!(folded(text), None, "{text:?}");
        }
    }

    #[test]
    fn an_account_of_old_is_among_the_candidates() {
        assert_eq!(Name::candidates(" Ann "), ["ann"]);
        assert_eq!(Name::candidates("Ann\u{fe0f}"), ["ann\u{fe0f}", "ann"]);
        assert_eq!(Name::candidates("\u{3164}"), ["\u{1160}"]);
        assert!(Name::candidates(" ").is_empty());
        assert!(Name::candidates(&"x".repeat(2_000)).is_empty());
    }

    #[test]
    fn blank_long_and_control_text_is_refused() {
        let long = "x".repeat(65);
        for text in ["", "  ", "a\0b", "a\nb", long.as_str()] {
            assert!(Name::parse(text).is_err(), "{text:?}");
        }
        assert!(
            Name::parse(&"я".repeat(64)).is_ok(),
            "characters are counted, not bytes"
        );
    }
}
