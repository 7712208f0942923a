//! What the command line asks for.

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use crate::{ALONE, Outcome, contender::Contender, database::Engine, workloads::WORKLOADS};

pub const USAGE: &str = "\
benches/run [OPTION]… [WORKLOAD]…     every workload unless some are named

  --list             what there is to measure
  --quick            short turns and small crowds: about five minutes, and rougher figures
  --rounds N         how often each server has its turn
  --seconds S        how long a turn is measured
  --engine NAME      Parlance on this database alone: sqlite or postgres
  --without NAME     leave a server out, such as nchan
  --sockets N        how many idle sockets, as far as open files are allowed
  --history N        how many messages the large chat holds
  --out FOLDER       where the report goes; target/bench/report unless said";

pub struct Options {
    pub quick: bool,
    pub rounds: usize,
    pub warm_up: Duration,
    pub turn: Duration,
    pub engines: Vec<Engine>,
    pub without: Vec<String>,
    pub sockets: usize,
    pub history: u64,
    pub out: Option<PathBuf>,
    pub list: bool,
    pub help: bool,
    named: Vec<String>,
}

impl Options {
    pub fn read(words: impl IntoIterator<Item = String>) -> Outcome<Self> {
        let words: Vec<_> = words.into_iter().collect();
        let quick = words.iter().any(|word| word == "--quick");
        let mut options = Self::new(quick);
        let mut words = words.into_iter();
        while let Some(word) = words.next() {
            let mut value = || {
                let missing = format!("{word} wants a value");
                words.next().ok_or(missing)
            };
            match word.as_str() {
                "--quick" => {}
                "--list" => options.list = true,
                "--help" | "-h" => options.help = true,
                "--rounds" => options.rounds = value()?.parse()?,
                "--seconds" => options.turn = Duration::try_from_secs_f64(value()?.parse()?)?,
                "--engine" => options.engines = vec![Engine::named(&value()?)?],
                "--without" => options.without.push(server_named(value()?)?),
                "--sockets" => options.sockets = value()?.parse()?,
                "--history" => options.history = value()?.parse()?,
                "--out" => options.out = Some(value()?.into()),
                _ if is_workload(&word) => options.named.push(word),
                _ => return Err(format!("there is no {word}\n\n{USAGE}").into()),
            }
        }
        if options.rounds == 0 || options.turn.is_zero() {
            return Err("a run has one round at least, and a turn some time".into());
        }
        Ok(options)
    }

    fn new(quick: bool) -> Self {
        let milliseconds = |short, long| Duration::from_millis(if quick { short } else { long });
        Self {
            quick,
            rounds: if quick { 2 } else { 3 },
            warm_up: milliseconds(300, 1000),
            turn: milliseconds(1000, 4000),
            engines: Engine::ALL.to_vec(),
            without: Vec::new(),
            sockets: if quick { 2_000 } else { 100_000 },
            history: if quick { 20_000 } else { 1_000_000 },
            out: None,
            list: false,
            help: false,
            named: Vec::new(),
        }
    }

    /// One size for a whole run, another for a quick one.
    pub fn size(&self, whole: usize, quick: usize) -> usize {
        if self.quick { quick } else { whole }
    }

    /// Where the report goes.
    pub fn out_or(&self, folder: &Path) -> PathBuf {
        self.out.clone().unwrap_or_else(|| folder.join("report"))
    }

    pub fn wants(&self, workload: &str) -> bool {
        self.named.is_empty() || self.named.iter().any(|name| name == workload)
    }
}

fn server_named(word: String) -> Outcome<String> {
    if Contender::ALL
        .iter()
        .any(|contender| contender.key() == word)
    {
        return Ok(word);
    }
    Err(format!("there is no server {word}; see --list").into())
}

fn is_workload(word: &str) -> bool {
    WORKLOADS.iter().any(|workload| workload.name == word)
        || ALONE.iter().any(|(name, _)| *name == word)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(words: &[&str]) -> Outcome<Options> {
        Options::read(words.iter().map(|word| (*word).to_owned()))
    }

    #[test]
    fn an_option_after_quick_or_before_it_counts_alike() {
        for words in [["--quick", "--rounds", "7"], ["--rounds", "7", "--quick"]] {
            let options = read(&words).expect("good options");
            assert_eq!((options.quick, options.rounds), (true, 7));
        }
    }

    #[test]
    fn only_what_is_named_is_wanted() {
        let options = read(&["echoes", "pairs"]).expect("good options");
        assert!(options.wants("echoes") && options.wants("pairs") && !options.wants("posts"));
        assert!(read(&[]).expect("good options").wants("posts"));
    }

    #[test]
    fn what_does_not_exist_is_refused() {
        for words in [
            &["--fast"][..],
            &["echos"],
            &["--rounds"],
            &["--rounds", "0"],
            &["--without", "x"],
        ] {
            assert!(read(words).is_err(), "{words:?}");
        }
    }
}
