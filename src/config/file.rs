//! Which file the settings are read from.

use std::{
    fmt,
    path::{Path, PathBuf},
};

use rocket::figment::providers::Env;

/// The name of the file that is looked for.
const NAME: &str = "Rocket.toml";

/// Where the settings come from, beside the defaults and the environment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SettingsFile {
    /// This file.
    Read(PathBuf),
    /// `ROCKET_CONFIG` names a file that is not there.
    Missing(PathBuf),
    /// No file.
    None,
}

impl SettingsFile {
    /// The file that `ROCKET_CONFIG` names; else `Rocket.toml` in the current folder or the nearest
    /// one above it; else the one beside the binary.
    pub fn find() -> Self {
        if let Some(named) = Env::var("ROCKET_CONFIG").map(PathBuf::from) {
            return here_or_above(&named).map_or(Self::Missing(named), Self::Read);
        }
        here_or_above(Path::new(NAME))
            .or_else(beside_the_binary)
            .map_or(Self::None, Self::Read)
    }

    /// The file to read, if there is one.
    pub(super) fn path(&self) -> Option<&Path> {
        match self {
            Self::Read(path) => Some(path),
            Self::Missing(_) | Self::None => None,
        }
    }
}

impl fmt::Display for SettingsFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Read(path) => write!(f, "The settings are read from {}.", path.display()),
            Self::Missing(path) => write!(
                f,
                "There is no {}, which ROCKET_CONFIG names: the defaults hold, but for ROCKET_... variables.",
                path.display()
            ),
            Self::None => write!(
                f,
                "There is no {NAME} in the current folder or beside the binary: the defaults hold, \
                 but for ROCKET_... variables."
            ),
        }
    }
}

fn here_or_above(path: &Path) -> Option<PathBuf> {
    let here = std::env::current_dir().ok()?;
    // An absolute path stays as it is.
    here.ancestors()
        .map(|folder| folder.join(path))
        .find(|candidate| candidate.is_file())
}

fn beside_the_binary() -> Option<PathBuf> {
    let binary = std::env::current_exe().ok()?;
    let file = binary.parent()?.join(NAME);
    file.is_file().then_some(file)
}
