//! The command line: what the binary is asked to do.

/// What the binary is asked to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Command {
    /// Serve until a signal stops it.
    Serve,
    /// Make an administrator of the chat service with this e-mail address.
    Admin(String),
    /// Print the usage.
    Help,
    /// Print the version.
    Version,
}

/// The usage.
pub const USAGE: &str = "\
usage: parlance [serve]        serve until a signal stops it
       parlance admin EMAIL    make an administrator of the chat service; the password is read
                               from the first line of the standard input
       parlance --help         say this
       parlance --version      say which version this is

Settings are read from Rocket.toml in the current folder or above it, else beside the binary (or from
the file that ROCKET_CONFIG names), and from ROCKET_... variables, which win: ROCKET_PORT=9000.";

impl Command {
    /// Reads the arguments of this process.
    pub fn read() -> Result<Self, String> {
        Self::parse(std::env::args().skip(1))
    }

    /// Reads arguments; the error is a sentence that says what is wrong with them.
    pub fn parse(arguments: impl IntoIterator<Item = String>) -> Result<Self, String> {
        let arguments: Vec<_> = arguments.into_iter().collect();
        let words: Vec<_> = arguments.iter().map(String::as_str).collect();
        match words[..] {
            [] | ["serve"] => Ok(Self::Serve),
            ["-h" | "--help" | "help", ..] | [.., "-h" | "--help"] => Ok(Self::Help),
            ["-V" | "--version" | "version"] => Ok(Self::Version),
            ["admin", email] if !email.starts_with('-') => Ok(Self::Admin(email.to_owned())),
            ["admin"] => Err("parlance admin needs an e-mail address".to_owned()),
            ["serve" | "admin" | "-V" | "--version" | "version", .., last] => {
                Err(format!("parlance {} does not take {last:?}", words[0]))
            }
            [word, ..] => Err(format!("parlance has no command or option {word:?}")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(words: &[&str]) -> Result<Command, String> {
        Command::parse(words.iter().map(|word| (*word).to_owned()))
    }

    #[test]
    fn the_command_line_is_read() {
        assert_eq!(read(&[]), Ok(Command::Serve));
        assert_eq!(read(&["serve"]), Ok(Command::Serve));
        let admin = Command::Admin("a@example.com".to_owned());
        assert_eq!(read(&["admin", "a@example.com"]), Ok(admin));
        for help in [
            &["--help"][..],
            &["-h"],
            &["help"],
            &["help", "admin"],
            &["serve", "--help"],
            &["admin", "-h"],
        ] {
            assert_eq!(read(help), Ok(Command::Help), "{help:?}");
        }
        for version in ["--version", "-V", "version"] {
            assert_eq!(read(&[version]), Ok(Command::Version));
        }
    }

    #[test]
    fn a_mistake_names_the_word_that_is_wrong() {
        for (words, wrong) in [
            (&["admin"][..], "an e-mail address"),
            (&["admin", "--x"], "\"--x\""),
            (&["serve", "x"], "\"x\""),
            (&["--port", "9000"], "\"--port\""),
            (&["--version", "x"], "\"x\""),
        ] {
            let sentence = read(words).expect_err("a mistake");
            assert!(sentence.contains(wrong), "{sentence}");
        }
    }
}
