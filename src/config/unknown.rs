//! Warnings about keys that nothing reads, with the key that was probably meant.

use rocket::figment::{
    Figment, Profile, Provider,
    value::{Dict, Value},
};

use super::{Defaults, Preset, defaults::insert, table::SECTIONS};

/// Keys that the table leaves out: the variable that names the settings file. What Rocket would read if
/// it were built with TLS or secrets is not read here, and an operator who sets it gets a warning.
const OTHERS: [&str; 1] = ["config"];

/// One sentence for every key that nothing reads.
pub(super) fn warnings(figment: &Figment) -> Vec<String> {
    let mut known = Defaults
        .data()
        .ok()
        .and_then(|mut data| data.remove(&Profile::Default))
        .unwrap_or_default();
    for section in SECTIONS {
        for setting in section.settings {
            if let Preset::Machine(words, _) = setting.default {
                insert(&mut known, &section.key(setting), words.into());
            }
        }
    }
    let given = figment.extract::<Dict>().unwrap_or_default();
    let mut warnings = Vec::new();
    compare(figment, "", &given, &known, &mut warnings);
    warnings
}

fn compare(figment: &Figment, path: &str, given: &Dict, known: &Dict, warnings: &mut Vec<String>) {
    for (key, value) in given {
        let full = format!("{path}{key}");
        match (known.get(key), value) {
            // Rocket lets routes name limits of their own.
            (Some(_), _) if full == "limits" => {}
            (Some(Value::Dict(_, known)), Value::Dict(_, given)) => {
                compare(figment, &format!("{full}."), given, known, warnings);
            }
            (Some(_), _) => {}
            (None, _) if path.is_empty() && OTHERS.contains(&key.as_str()) => {}
            (None, _) => warnings.push(sentence(figment, path, key, known)),
        }
    }
}

fn sentence(figment: &Figment, path: &str, key: &str, known: &Dict) -> String {
    let full = format!("{path}{key}");
    let place = figment
        .find_metadata(&full)
        .map(|metadata| match &metadata.source {
            Some(source) => format!(" (in {source})"),
            None => format!(" (in {})", metadata.name),
        })
        .unwrap_or_default();
    let others = OTHERS.into_iter().filter(|_| path.is_empty());
    let hint = known
        .keys()
        .map(String::as_str)
        .chain(others)
        .map(|name| (distance(key, name), name))
        .filter(|(distance, name)| *distance <= 2.max(name.len() / 4))
        .min()
        .map(|(_, name)| format!(": did you mean {path}{name}?"))
        .unwrap_or_default();
    format!("the setting {full}{place} is unknown and ignored{hint}")
}

/// How many letters must be added, removed, changed or swapped with a neighbour to turn one word
/// into the other.
fn distance(from: &str, to: &str) -> usize {
    let (from, to): (Vec<char>, Vec<char>) = (from.chars().collect(), to.chars().collect());
    let mut rows = vec![vec![0; to.len() + 1]; from.len() + 1];
    for (i, row) in rows.iter_mut().enumerate() {
        row[0] = i;
    }
    for (j, cell) in rows[0].iter_mut().enumerate() {
        *cell = j;
    }
    for i in 1..=from.len() {
        for j in 1..=to.len() {
            let change = usize::from(from[i - 1] != to[j - 1]);
            let mut best = (rows[i - 1][j] + 1)
                .min(rows[i][j - 1] + 1)
                .min(rows[i - 1][j - 1] + change);
            if i > 1 && j > 1 && from[i - 1] == to[j - 2] && from[i - 2] == to[j - 1] {
                best = best.min(rows[i - 2][j - 2] + 1);
            }
            rows[i][j] = best;
        }
    }
    rows[from.len()][to.len()]
}
