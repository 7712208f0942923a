//! `Rocket.toml` and the README's table of settings are what the table in `src/config` says.
//!
//! `PARLANCE_BLESS=1 cargo test --test it settings_files` writes both anew.

use std::{fs, path::PathBuf};

use parlance::config::{Preset, SECTIONS, Section, Setting};

/// Most characters of a line of `Rocket.toml`.
const WIDTH: usize = 100;

const HEAD: &str = "\
# Parlance's settings, each at its default. Every key may be left out, and every key may also be
# given in the environment: ROCKET_PORT=9000, ROCKET_BCRYPT_COST=10, or for a key in a table
# ROCKET_DATABASES='{chat={url=\"postgres://…\"}}'. The environment wins.
# Settings are read and checked once, at start. A key that is unknown only warns.
# Lengths of time are seconds, or a number with s, m, h or d.
#
# This file is written from the table in src/config; see CONTRIBUTING.md.

[default]
";

const TABLE_HEAD: &str = "| key | default | values | what it does |\n|---|---|---|---|\n";

fn toml(preset: Preset) -> String {
    match preset {
        Preset::Flag(flag) => flag.to_string(),
        Preset::Number(number) => number.to_string(),
        Preset::Text(text) => format!("{text:?}"),
        Preset::Texts(texts) => format!("{texts:?}"),
        Preset::Machine(_, example) => example.to_owned(),
    }
}

/// Breaks a text into comment lines.
fn comment(text: &str) -> String {
    let mut lines = vec![String::from("#")];
    for word in text.split(' ') {
        let last = lines.last_mut().expect("one line at least");
        if last.chars().count() + 1 + word.chars().count() > WIDTH {
            lines.push(format!("# {word}"));
        } else {
            last.push(' ');
            last.push_str(word);
        }
    }
    lines.join("\n") + "\n"
}

fn entry(setting: &Setting) -> String {
    let mut about = setting.about.to_owned();
    if !setting.more.is_empty() {
        about = format!("{about} {}", setting.more);
    }
    let mut text = comment(&about.replace('`', ""));
    let values = setting.kind.values().replace('`', "");
    if values != "true or false" {
        text += &comment(&format!("Values: {values}."));
    }
    let commented_out = match setting.default {
        Preset::Machine(..) => "# ",
        Preset::Flag(_) | Preset::Number(_) | Preset::Text(_) | Preset::Texts(_) => "",
    };
    let value = toml(setting.default);
    text + &format!("{commented_out}{} = {value}\n", setting.name)
}

fn rocket_toml() -> String {
    let mut text = HEAD.to_owned();
    for section in SECTIONS {
        let rule = "-".repeat(WIDTH - 7 - section.title.len());
        text.extend(["\n# --- ", section.title, " ", &rule, "\n"]);
        if !section.table.is_empty() {
            text.extend(["\n[default.", section.table, "]\n"]);
        }
        for setting in section.settings {
            text.push('\n');
            text += &entry(setting);
        }
    }
    text
}

fn row(section: &Section, setting: &Setting) -> String {
    let default = match setting.default {
        Preset::Machine(words, _) => words.to_owned(),
        preset @ (Preset::Flag(_) | Preset::Number(_) | Preset::Text(_) | Preset::Texts(_)) => {
            format!("`{}`", toml(preset))
        }
    };
    let key = section.key(setting);
    let values = setting.kind.values();
    format!("| `{key}` | {default} | {values} | {} |\n", setting.about)
}

fn readme_table() -> String {
    let rows = SECTIONS.iter().flat_map(|section| {
        let settings = section.settings.iter();
        settings.map(|setting| row(section, setting))
    });
    TABLE_HEAD.to_owned() + &rows.collect::<String>()
}

/// The README with the table that `table` is.
fn with_table(readme: &str, table: &str) -> String {
    let start = readme
        .find("| key | default |")
        .expect("there is a table of settings");
    let length = readme[start..]
        .find("\n\n")
        .expect("it ends with an empty line")
        + 1;
    format!("{}{table}{}", &readme[..start], &readme[start + length..])
}

fn compare(name: &str, wanted: impl FnOnce(&str) -> String) {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(name);
    let found = fs::read_to_string(&path).expect("the file is there");
    let wanted = wanted(&found);
    if std::env::var_os("PARLANCE_BLESS").is_some() {
        fs::write(&path, wanted).expect("written");
        return;
    }
    let differs = found
        .lines()
        .zip(wanted.lines())
        .find(|(found, wanted)| found != wanted);
    assert!(
        found == wanted,
        "{name} is not what the table of src/config says; write it anew with\n\
         PARLANCE_BLESS=1 cargo test --test it settings_files\n{differs:#?}"
    );
}

#[test]
fn rocket_toml_is_what_the_table_says() {
    compare("Rocket.toml", |_| rocket_toml());
}

#[test]
fn the_readme_lists_what_the_table_says() {
    compare("README.md", |readme| with_table(readme, &readme_table()));
}
