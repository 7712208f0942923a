//! What is done on the machine, also beside a running server: `parlance admin` and `parlance passwd`.

use std::{
    io::{BufRead, IsTerminal, Write},
    process::{Command, Stdio},
    sync::Arc,
    time::Duration,
};

use tokio_util::sync::CancellationToken;

use crate::{
    chat::{
        Services, WriteObserver,
        administration::{self, NewAdministrator, SecondFactorChoice, SecondFactorLeft},
        developers,
    },
    config::Settings,
    error::{Error, Result},
    model::Password,
    server,
    store::Store,
};

/// What the operator of the machine wants done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Task {
    /// An administrator of home, by name.
    Administrator(String),
    /// An administrator of the chat service, by e-mail address.
    ServiceAdministrator(String),
    /// A new password for the person who signs in by this name, and what becomes of their second factor.
    Password(String, SecondFactorChoice),
}

/// Does it, and says so.
pub async fn run(settings: &Settings, task: &Task) -> Result<()> {
    let store = Store::open(&server::store_options(settings)).await?;
    let closing = CancellationToken::new();
    let services = Services::start_beside(store, settings, Arc::new(Silent), closing).await?;
    let done = perform(&services, task).await;
    let stopped = services.stop().await;
    let said = done?;
    stopped?;
    println!("{said}");
    Ok(())
}

async fn perform(services: &Services, task: &Task) -> Result<String> {
    Ok(match task {
        Task::Administrator(name) => {
            let password = || new_password(name);
            match administration::make_administrator(services, name, password).await? {
                NewAdministrator::Promoted => format!("{name} is an administrator now."),
                NewAdministrator::Made => {
                    format!("{name} has an account and is an administrator now.")
                }
                NewAdministrator::Already => format!("{name} is an administrator already."),
            }
        }
        Task::ServiceAdministrator(email) => {
            let password = read_password(&format!("Password for {email}: "))?;
            developers::add_admin(services, email, &password).await?;
            format!("{email} is an administrator of the chat service now.")
        }
        Task::Password(name, choice) => {
            let password = || new_password(name);
            let left = administration::set_password(services, name, *choice, password).await?;
            let about = match left {
                SecondFactorLeft::None => "",
                SecondFactorLeft::Kept => {
                    " Their second factor is asked for as before: --reset-second-factor ends it."
                }
                SecondFactorLeft::Reset => " Their second factor is gone.",
            };
            format!("{name} has a new password, and is signed out everywhere.{about}")
        }
    })
}

/// A new password: at a terminal it is asked for twice, else it is the first line of the standard input.
fn new_password(name: &str) -> Result<Password> {
    let password = read_password(&format!("New password for {name}: "))?;
    if std::io::stdin().is_terminal() && read_password("Once more: ")? != password {
        return Err(Error::invalid("the two are not the same"));
    }
    Password::attempt(password)
}

/// The first line of the standard input, which a terminal does not show.
fn read_password(prompt: &str) -> Result<String> {
    let _hidden = std::io::stdin()
        .is_terminal()
        .then(|| Hidden::begin(prompt));
    let mut line = String::new();
    std::io::stdin()
        .lock()
        .read_line(&mut line)
        .map_err(Error::internal)?;
    Ok(line.trim_end_matches(['\r', '\n']).to_owned())
}

/// While this lives the terminal does not show what is typed, where it can be told so.
struct Hidden;

impl Hidden {
    fn begin(prompt: &str) -> Self {
        let mut stderr = std::io::stderr();
        drop(write!(stderr, "{prompt}"));
        drop(stderr.flush());
        stty("-echo");
        Self
    }
}

impl Drop for Hidden {
    fn drop(&mut self) {
        stty("echo");
        drop(writeln!(std::io::stderr()));
    }
}

/// Tells the terminal at the standard input: every Unix has this program, and it takes no unsafe code.
fn stty(word: &str) {
    let told = Command::new("stty")
        .arg(word)
        .stdin(Stdio::inherit())
        .stderr(Stdio::null())
        .status();
    drop(told);
}

/// Nobody reads the figures of a process that ends at once.
struct Silent;

impl WriteObserver for Silent {
    fn batch(&self, _drafts: usize, _messages: usize, _took: Duration) {}
}
