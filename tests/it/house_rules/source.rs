//! A Rust file as far as the rules are concerned: its tokens, the paths it names, and its shape.

use std::collections::HashSet;

/// A crate of its own inside the repository: its folder, its name in code, and the module that the rules call it.
const LIBRARY: (&str, &str) = ("parlance_socketio", "socketio");

/// A word of a file and the line it stands on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Word {
    pub(super) line: usize,
    pub(super) kind: Kind,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Kind {
    Name(String),
    Text(String),
    Mark(char),
}

/// A path that a file names, such as `crate::chat::Caller`, and the line it stands on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Named {
    pub(super) line: usize,
    pub(super) segments: Vec<String>,
}

/// A file without its comments and its unit tests.
pub(super) struct Source<'a> {
    /// From the top of the repository, as `src/chat/mod.rs`.
    pub(super) path: &'a str,
    pub(super) text: &'a str,
    pub(super) words: Vec<Word>,
}

impl<'a> Source<'a> {
    pub(super) fn new(path: &'a str, text: &'a str) -> Self {
        Self {
            path,
            text,
            words: without_unit_tests(&words(text)),
        }
    }

    /// The module that the file is, as `["chat", "writer"]`.
    pub(super) fn module(&self) -> Vec<&'a str> {
        let inside = ["src/", "tests/it/"]
            .into_iter()
            .find_map(|top| self.path.strip_prefix(top))
            .unwrap_or(self.path);
        let mut parts: Vec<_> = inside
            .strip_suffix(".rs")
            .unwrap_or(inside)
            .split('/')
            .collect();
        if matches!(parts.last(), Some(&("mod" | "lib" | "main"))) {
            parts.pop();
        }
        parts
    }

    /// Every path the file names, those of `use` lines spelled out one by one. Paths within the
    /// crate begin with `crate`; a path that begins with an imported name is left out, for it was
    /// named when it was imported.
    pub(super) fn named(&self) -> Vec<Named> {
        let mut reader = PathReader {
            words: &self.words,
            at: 0,
            found: Vec::new(),
            imported: HashSet::new(),
        };
        reader.read();
        let PathReader {
            found, imported, ..
        } = reader;
        found
            .into_iter()
            .filter(|(in_use, named)| *in_use || !imported.contains(&named.segments[0]))
            .map(|(_, named)| self.rooted(named))
            .collect()
    }

    fn rooted(&self, mut named: Named) -> Named {
        let mut here: Vec<String> = self.module().into_iter().map(String::from).collect();
        let mut climbed = false;
        let mut rest = named.segments.as_slice();
        while let Some((first, after)) = rest.split_first() {
            match first.as_str() {
                "self" => {}
                "super" => {
                    here.pop();
                }
                _ => break,
            }
            climbed = true;
            rest = after;
        }
        // A test is a crate of its own, which names the others.
        let is_test = self.path.starts_with("tests/");
        if climbed {
            let mut segments = vec!["crate".to_owned()];
            segments.append(&mut here);
            segments.extend_from_slice(rest);
            named.segments = segments;
        } else if is_test {
            return named;
        } else if named.segments[0] == "parlance" {
            "crate".clone_into(&mut named.segments[0]);
        } else if named.segments[0] == LIBRARY.0 {
            named
                .segments
                .splice(..1, ["crate", LIBRARY.1].map(String::from));
        } else if named.segments[0] == "crate" && self.module().first() == Some(&LIBRARY.1) {
            // Inside the library `crate` is the library.
            named.segments.insert(1, LIBRARY.1.to_owned());
        }
        named
    }
}

struct PathReader<'a> {
    words: &'a [Word],
    at: usize,
    found: Vec<(bool, Named)>,
    imported: HashSet<String>,
}

impl PathReader<'_> {
    fn read(&mut self) {
        while let Some(word) = self.words.get(self.at) {
            match &word.kind {
                Kind::Name(name) if name == "use" => {
                    self.at += 1;
                    self.skip_colons();
                    self.tree(&[]);
                }
                Kind::Name(_) if !self.after_a_dot() => self.path(),
                Kind::Name(_) | Kind::Text(_) | Kind::Mark(_) => self.at += 1,
            }
        }
    }

    /// One branch of a `use` line, after the segments in `stem`.
    fn tree(&mut self, stem: &[String]) {
        let mut segments = stem.to_vec();
        let line = self.words.get(self.at).map_or(0, |word| word.line);
        loop {
            match self.words.get(self.at).map(|word| &word.kind) {
                Some(Kind::Name(name)) if name == "as" => {
                    if let Some(Kind::Name(alias)) =
                        self.words.get(self.at + 1).map(|word| &word.kind)
                    {
                        self.imported.insert(alias.clone());
                    }
                    self.at += 2;
                }
                Some(Kind::Name(name)) => {
                    segments.push(name.clone());
                    self.at += 1;
                }
                Some(Kind::Mark('{')) => {
                    self.at += 1;
                    while !matches!(self.mark(), None | Some('}')) {
                        self.tree(&segments);
                        if self.mark() == Some(',') {
                            self.at += 1;
                        }
                    }
                    self.at += 1;
                    return;
                }
                Some(Kind::Mark(':' | '*')) => self.at += 1,
                Some(Kind::Mark(_) | Kind::Text(_)) | None => break,
            }
        }
        if let Some(last) = segments.last() {
            if segments.len() > 1 && last != "self" {
                self.imported.insert(last.clone());
            }
            self.found.push((true, Named { line, segments }));
        }
    }

    /// A path elsewhere: only those of two segments or more say where something comes from.
    fn path(&mut self) {
        let line = self.words[self.at].line;
        let mut segments = Vec::new();
        while let Some(Kind::Name(name)) = self.words.get(self.at).map(|word| &word.kind) {
            segments.push(name.clone());
            self.at += 1;
            if !self.skip_colons() {
                break;
            }
        }
        if segments.len() > 1 {
            self.found.push((false, Named { line, segments }));
        }
    }

    fn skip_colons(&mut self) -> bool {
        let is_colon = |at: usize| {
            self.words
                .get(at)
                .is_some_and(|word| word.kind == Kind::Mark(':'))
        };
        let both = is_colon(self.at) && is_colon(self.at + 1);
        if both {
            self.at += 2;
        }
        both
    }

    fn mark(&self) -> Option<char> {
        match self.words.get(self.at)?.kind {
            Kind::Mark(mark) => Some(mark),
            Kind::Name(_) | Kind::Text(_) => Some(' '),
        }
    }

    fn after_a_dot(&self) -> bool {
        self.at > 0 && self.words[self.at - 1].kind == Kind::Mark('.')
    }
}

/// Leaves out modules under `#[cfg(test)]`: tests may use internals.
fn without_unit_tests(words: &[Word]) -> Vec<Word> {
    let spelled = |at: usize, marks: &[&str]| {
        marks.iter().enumerate().all(|(offset, wanted)| {
            words.get(at + offset).is_some_and(|word| match &word.kind {
                Kind::Name(name) => name == wanted,
                Kind::Mark(mark) => wanted.len() == 1 && wanted.starts_with(*mark),
                Kind::Text(_) => false,
            })
        })
    };
    let mut kept = Vec::new();
    let mut at = 0;
    while at < words.len() {
        if spelled(at, &["#", "[", "cfg", "(", "test", ")", "]", "mod"]) {
            at += 9;
            let mut depth = 0;
            while let Some(word) = words.get(at) {
                at += 1;
                match word.kind {
                    Kind::Mark('{') => depth += 1,
                    Kind::Mark('}') => depth -= 1,
                    Kind::Mark(_) | Kind::Name(_) | Kind::Text(_) => {}
                }
                if depth == 0 && matches!(word.kind, Kind::Mark('}' | ';')) {
                    break;
                }
            }
        } else {
            kept.push(words[at].clone());
            at += 1;
        }
    }
    kept
}

/// Splits a file into names, texts and marks; comments are left out.
fn words(text: &str) -> Vec<Word> {
    let letters: Vec<char> = text.chars().collect();
    let mut words = Vec::new();
    let (mut at, mut line) = (0, 1);
    while let Some(&letter) = letters.get(at) {
        let next = letters.get(at + 1).copied().unwrap_or(' ');
        let start = at;
        let kind = match letter {
            '/' if next == '/' => {
                at += letters[at..].iter().take_while(|c| **c != '\n').count();
                None
            }
            '/' if next == '*' => {
                at = after_comment(&letters, at);
                None
            }
            '"' => Some(text_word(&letters, &mut at)),
            'r' | 'b' | 'c' if begins_text(&letters[at..]) => {
                while letters[at] != '"' && letters[at] != '#' {
                    at += 1;
                }
                let raw = letters[start..at].contains(&'r');
                let fence = letters[at..].iter().take_while(|c| **c == '#').count();
                at += fence;
                Some(if raw {
                    raw_word(&letters, &mut at, fence)
                } else {
                    text_word(&letters, &mut at)
                })
            }
            '\'' if is_letter_literal(&letters[at..]) => {
                at += 1;
                while letters.get(at).is_some_and(|c| *c != '\'') {
                    at += if letters[at] == '\\' { 2 } else { 1 };
                }
                at += 1;
                None
            }
            _ if letter.is_alphanumeric() || letter == '_' => {
                while letters
                    .get(at)
                    .is_some_and(|c| c.is_alphanumeric() || *c == '_')
                {
                    at += 1;
                }
                Some(Kind::Name(letters[start..at].iter().collect()))
            }
            _ => {
                at += 1;
                (!letter.is_whitespace()).then_some(Kind::Mark(letter))
            }
        };
        if let Some(kind) = kind {
            words.push(Word { line, kind });
        }
        at = at.min(letters.len());
        line += letters[start..at].iter().filter(|c| **c == '\n').count();
    }
    words
}

fn after_comment(letters: &[char], mut at: usize) -> usize {
    let mut depth = 0;
    while at < letters.len() {
        match (letters[at], letters.get(at + 1)) {
            ('/', Some('*')) => {
                depth += 1;
                at += 2;
            }
            ('*', Some('/')) => {
                depth -= 1;
                at += 2;
                if depth == 0 {
                    return at;
                }
            }
            _ => at += 1,
        }
    }
    at
}

/// Whether `r"`, `r#"`, `b"`, `br#"`, `c"`, … stands here, rather than a name.
fn begins_text(letters: &[char]) -> bool {
    let prefix = letters.iter().take_while(|c| "rbc".contains(**c)).count();
    let fence = letters[prefix..].iter().take_while(|c| **c == '#').count();
    prefix <= 2 && letters.get(prefix + fence) == Some(&'"')
}

/// Whether `'x'` or `'\n'` stands here, rather than a lifetime.
fn is_letter_literal(letters: &[char]) -> bool {
    letters.get(1) == Some(&'\\') || letters.get(2) == Some(&'\'')
}

fn text_word(letters: &[char], at: &mut usize) -> Kind {
    *at += 1;
    let start = *at;
    while letters.get(*at).is_some_and(|c| *c != '"') {
        *at += if letters[*at] == '\\' { 2 } else { 1 };
    }
    let end = (*at).min(letters.len());
    *at += 1;
    Kind::Text(letters[start..end].iter().collect())
}

fn raw_word(letters: &[char], at: &mut usize, fence: usize) -> Kind {
    *at += 1;
    let start = *at;
    let closes = |at: usize| {
        letters[at] == '"'
            && letters[at + 1..]
                .iter()
                .take(fence)
                .filter(|c| **c == '#')
                .count()
                == fence
    };
    while *at < letters.len() && !closes(*at) {
        *at += 1;
    }
    let end = (*at).min(letters.len());
    *at += 1 + fence;
    Kind::Text(letters[start..end].iter().collect())
}
