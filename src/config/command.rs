//! The command line: what the binary is asked to do.

/// What the binary is asked to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Command {
    /// Serve until a signal stops it.
    Serve,
    /// Make an administrator of the chat service with this e-mail address.
    Admin(String),
}

/// How to ask for what.
const USAGE: &str = "usage: parlance [serve]          serve until a signal stops it
       parlance admin EMAIL     make an administrator of the chat service; the password is read
                                from the first line of the standard input";

impl Command {
    /// Reads the arguments of this process.
    pub fn read() -> Result<Self, &'static str> {
        Self::parse(std::env::args().skip(1))
    }

    /// Reads arguments.
    pub fn parse(arguments: impl IntoIterator<Item = String>) -> Result<Self, &'static str> {
        let arguments: Vec<_> = arguments.into_iter().collect();
        let words: Vec<_> = arguments.iter().map(String::as_str).collect();
        match words[..] {
            [] | ["serve"] => Ok(Self::Serve),
            ["admin", email] if !email.starts_with('-') => Ok(Self::Admin(email.to_owned())),
            _ => Err(USAGE),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_read() {
        let read = |words: &[&str]| Command::parse(words.iter().map(|word| (*word).to_owned()));
        assert_eq!(read(&[]), Ok(Command::Serve));
        assert_eq!(read(&["serve"]), Ok(Command::Serve));
        let admin = Command::Admin("a@example.com".to_owned());
        assert_eq!(read(&["admin", "a@example.com"]), Ok(admin));
        for wrong in [
            &["admin"][..],
            &["--help"],
            &["admin", "--x"],
            &["serve", "x"],
        ] {
            assert_eq!(read(wrong), Err(USAGE));
        }
    }
}
