//! The command line: what the binary is asked to do.

/// What the binary is asked to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Command {
    /// Serve until a signal stops it.
    Serve,
    /// Make an administrator of the person who signs in by this name.
    Admin(String),
    /// Make an administrator of the chat service with this e-mail address.
    ServiceAdmin(String),
    /// Set a new password for the person who signs in by this name.
    Passwd {
        /// The name.
        name: String,
        /// Whether their second factor ends with the old password.
        resets_second_factor: bool,
    },
    /// Copy the database to this file.
    Backup(String),
    /// Put a copy of this file in the database's place.
    Restore(String),
    /// Find out whether what is stored agrees with itself.
    Check,
    /// Copy one database to another.
    Copy {
        /// The address of the one.
        from: String,
        /// The address of the other.
        to: String,
        /// Whether servers write to the one meanwhile.
        live: bool,
    },
    /// Give up a live copy of the database at this address.
    Abandon(String),
    /// Begin another epoch of the log.
    NewEpoch,
    /// Add lanes until there are so many.
    Lanes(usize),
    /// Have a tenant go on in another lane.
    MoveTenant {
        /// Its number, or its application id.
        tenant: String,
        /// The lane's number.
        lane: i64,
    },
    /// Print the usage.
    Help,
    /// Print the version.
    Version,
}

/// The usage.
pub const USAGE: &str = "\
usage: parlance [serve]        serve until a signal stops it
       parlance --help         say this
       parlance --version      say which version this is
       parlance admin NAME     make the person of this name an administrator; where nobody
                               has it, an account is made, and its password is asked for
       parlance passwd NAME    set a new password for the person of this name, and sign them
                               out everywhere; with --reset-second-factor they sign in
                               by the password alone until they begin another one
       parlance admin EMAIL    make an administrator of the chat service; its password is asked for

       parlance backup FILE    copy a SQLite database to a new file, also while a server runs
       parlance restore FILE   put a copy of such a file in the database's place, in a new epoch,
                               and keep what was there; no server may run
       parlance check          find out whether what is stored agrees with itself; exit code 1 if not
       parlance copy --from sqlite://FILE --to postgres://...
                               copy a database to an empty one, on the same engine or the other,
                               in the same epoch; no server may run on either; a copy that was
                               interrupted goes on when it is run again
       parlance copy --live --from ... --to ...
                               the same while servers write to the one; at the end they are
                               refused that, for good, and are to be started on the other
       parlance copy --abandon --from ...
                               give up a live copy that did not end: the database is as before
       parlance new-epoch      have clients begin anew, as after going back to an older state by
                               other means; on SQLite no server may run
       parlance lanes N        write N logs side by side in a PostgreSQL database, and spread the tenants
                               over them, also while servers run; what is added stays
       parlance lanes move TENANT LANE
                               have a tenant (its number, or its application id) go on in a lane of a
                               higher number; its clients come back by themselves

A password is asked for at a terminal, else it is the first line of the standard input. All but restore,
copy (but for a live one) and new-epoch may run beside a server.

Settings are read from Rocket.toml in the current folder or above it, else beside the binary (or from
the file that ROCKET_CONFIG names), and from ROCKET_... variables, which win: ROCKET_PORT=9000.";

/// The most lanes that a database may have.
const MOST_LANES: usize = 256;

/// Ends the second factor with the old password.
const RESET: &str = "--reset-second-factor";

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
            ["admin", who] if !who.starts_with('-') => Ok(if who.contains('@') {
                Self::ServiceAdmin(who.to_owned())
            } else {
                Self::Admin(who.to_owned())
            }),
            ["passwd", name] if !name.starts_with('-') => Ok(Self::Passwd {
                name: name.to_owned(),
                resets_second_factor: false,
            }),
            ["passwd", RESET, name] | ["passwd", name, RESET] if !name.starts_with('-') => {
                Ok(Self::Passwd {
                    name: name.to_owned(),
                    resets_second_factor: true,
                })
            }
            ["backup", file] if !file.starts_with('-') => Ok(Self::Backup(file.to_owned())),
            ["restore", file] if !file.starts_with('-') => Ok(Self::Restore(file.to_owned())),
            ["lanes", "move", tenant, lane] if !tenant.starts_with('-') => move_to(tenant, lane),
            ["lanes"] => Err("parlance lanes needs a number of lanes".to_owned()),
            ["lanes", "move", ..] => {
                Err("parlance lanes move needs a tenant and a lane".to_owned())
            }
            ["lanes", count] => lanes(count),
            ["check"] => Ok(Self::Check),
            ["new-epoch"] => Ok(Self::NewEpoch),
            ["copy", ref rest @ ..] => copy(rest),
            ["backup" | "restore"] => Err(format!("parlance {} needs a file", words[0])),
            ["admin"] => Err("parlance admin needs a name, or an e-mail address".to_owned()),
            ["passwd"] | ["passwd", RESET] => Err("parlance passwd needs a name".to_owned()),
            [
                "serve" | "admin" | "passwd" | "backup" | "restore" | "check" | "new-epoch"
                | "lanes" | "-V" | "--version" | "version",
                ..,
                last,
            ] => Err(format!("parlance {} does not take {last:?}", words[0])),
            [word, ..] => Err(format!("parlance has no command or option {word:?}")),
        }
    }
}

/// How many lanes there are to be.
fn lanes(count: &str) -> Result<Command, String> {
    match count.parse() {
        Ok(count) if (1..=MOST_LANES).contains(&count) => Ok(Command::Lanes(count)),
        Ok(_) | Err(_) => Err(format!(
            "parlance lanes needs a number of lanes, 1 to {MOST_LANES}, and not {count:?}"
        )),
    }
}

/// Which tenant goes on in which lane.
fn move_to(tenant: &str, lane: &str) -> Result<Command, String> {
    let tenant = tenant.to_owned();
    match lane.parse() {
        Ok(lane) if (2..=MOST_LANES).contains(&usize::try_from(lane).unwrap_or(0)) => {
            Ok(Command::MoveTenant { tenant, lane })
        }
        Ok(_) | Err(_) => Err(format!(
            "parlance lanes move needs the number of a lane, 2 to {MOST_LANES}, and not {lane:?}"
        )),
    }
}

/// Reads what `copy` is given.
fn copy(words: &[&str]) -> Result<Command, String> {
    let (live, words) = match words {
        ["--abandon", "--from", from] | ["--from", from, "--abandon"] => {
            database(from)?;
            return Ok(Command::Abandon((*from).to_owned()));
        }
        ["--abandon", ..] => {
            return Err(
                "parlance copy --abandon needs --from with the address of a database, alone"
                    .to_owned(),
            );
        }
        ["--live", rest @ ..] | [rest @ .., "--live"] => (true, rest),
        rest => (false, rest),
    };
    let (["--from", from, "--to", to] | ["--to", to, "--from", from]) = words else {
        return Err(
            "parlance copy needs --from and --to, each with the address of a database".to_owned(),
        );
    };
    database(from)?;
    database(to)?;
    Ok(Command::Copy {
        from: (*from).to_owned(),
        to: (*to).to_owned(),
        live,
    })
}

/// Refuses what is no address of a database.
fn database(url: &str) -> Result<(), String> {
    let known = ["sqlite:", "postgres:", "postgresql:"];
    if known.iter().any(|scheme| url.starts_with(scheme)) {
        Ok(())
    } else {
        Err(format!("{url:?} must begin with sqlite:// or postgres://"))
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
        let admin = Command::ServiceAdmin("a@example.com".to_owned());
        assert_eq!(read(&["admin", "a@example.com"]), Ok(admin));
        let admin = Command::Admin("ann lee".to_owned());
        assert_eq!(read(&["admin", "ann lee"]), Ok(admin));
        let passwd = |resets_second_factor| Command::Passwd {
            name: "ann".to_owned(),
            resets_second_factor,
        };
        assert_eq!(read(&["passwd", "ann"]), Ok(passwd(false)));
        assert_eq!(read(&["passwd", RESET, "ann"]), Ok(passwd(true)));
        assert_eq!(read(&["passwd", "ann", RESET]), Ok(passwd(true)));
        assert_eq!(
            read(&["backup", "a b"]),
            Ok(Command::Backup("a b".to_owned()))
        );
        assert_eq!(
            read(&["restore", "a"]),
            Ok(Command::Restore("a".to_owned()))
        );
        assert_eq!(read(&["check"]), Ok(Command::Check));
        assert_eq!(read(&["new-epoch"]), Ok(Command::NewEpoch));
        assert_eq!(read(&["lanes", "16"]), Ok(Command::Lanes(16)));
        let moved = Command::MoveTenant {
            tenant: "7".to_owned(),
            lane: 16,
        };
        assert_eq!(read(&["lanes", "move", "7", "16"]), Ok(moved));
        let copy = |live| {
            Ok(Command::Copy {
                from: "sqlite://a".to_owned(),
                to: "postgres://b/c".to_owned(),
                live,
            })
        };
        let (from, to) = (["--from", "sqlite://a"], ["--to", "postgres://b/c"]);
        assert_eq!(read(&[&["copy"][..], &from, &to].concat()), copy(false));
        assert_eq!(read(&[&["copy"][..], &to, &from].concat()), copy(false));
        let live = [&["copy", "--live"][..], &from, &to].concat();
        assert_eq!(read(&live), copy(true));
        let live = [&["copy"][..], &to, &from, &["--live"]].concat();
        assert_eq!(read(&live), copy(true));
        let abandon = Ok(Command::Abandon("sqlite://a".to_owned()));
        assert_eq!(read(&[&["copy", "--abandon"][..], &from].concat()), abandon);
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
            (&["passwd"], "a name"),
            (&["passwd", RESET], "a name"),
            (&["passwd", RESET, RESET], RESET),
            (&["passwd", "ann", "lee"], "\"lee\""),
            (&["backup"], "backup needs a file"),
            (&["restore", "--x"], "\"--x\""),
            (&["check", "x"], "\"x\""),
            (&["copy"], "--from and --to"),
            (&["copy", "--from", "sqlite://a"], "--from and --to"),
            (
                &["copy", "--live", "--from", "sqlite://a"],
                "--from and --to",
            ),
            (&["copy", "--abandon"], "--abandon needs --from"),
            (&["copy", "--abandon", "--from", "a.db"], "\"a.db\""),
            (
                &["copy", "--from", "sqlite://a", "--to", "b.db"],
                "\"b.db\"",
            ),
            (&["lanes"], "a number of lanes"),
            (&["lanes", "0"], "\"0\""),
            (&["lanes", "257"], "\"257\""),
            (&["lanes", "many"], "\"many\""),
            (&["lanes", "2", "3"], "\"3\""),
            (&["lanes", "move"], "a tenant and a lane"),
            (&["lanes", "move", "7"], "a tenant and a lane"),
            (&["lanes", "move", "7", "1"], "\"1\""),
            (&["lanes", "move", "7", "-2"], "\"-2\""),
            (&["serve", "x"], "\"x\""),
            (&["--port", "9000"], "\"--port\""),
            (&["--version", "x"], "\"x\""),
        ] {
            let sentence = read(words).expect_err("a mistake");
            assert!(sentence.contains(wrong), "{sentence}");
        }
    }
}
