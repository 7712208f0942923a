//! What may be depended on: no dependency that nothing names, and licences, crates and sources as
//! `deny.toml` says.

use std::{fs, path::Path, process::Command};

use rocket::figment::{
    Figment,
    providers::{Format, Toml},
};
use serde_json::Value;

use super::{dependencies, rust_files};

/// A package of this repository: its folder, and where its code is.
const PACKAGES: [(&str, &[&str]); 6] = [
    (".", &["src", "tests/it"]),
    ("src/socketio", &["src/socketio"]),
    ("src/describe", &["src/describe"]),
    ("benches/load", &["benches/load"]),
    ("benches/socketio", &["benches/socketio"]),
    ("benches/wire", &["benches/wire"]),
];

/// Dependencies in a manifest that no file names.
fn unused(manifest: &str, files: &[(String, String)]) -> Vec<String> {
    dependencies(manifest)
        .into_iter()
        .filter(|name| {
            let is_named = |text: &String| {
                text.split(|c: char| !c.is_alphanumeric() && c != '_')
                    .any(|word| word == name)
            };
            !files.iter().any(|(_, text)| is_named(text))
        })
        .collect()
}

#[test]
fn every_dependency_is_used() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    for (folder, sources) in PACKAGES {
        let manifest =
            fs::read_to_string(root.join(folder).join("Cargo.toml")).expect("a manifest");
        let mut files: Vec<_> = sources.iter().flat_map(|it| rust_files(root, it)).collect();
        // This list names them all, and so does the list of layers.
        files.retain(|(path, _)| !path.contains("house_rules"));
        if folder == "." {
            files.retain(|(path, _)| {
                !path.starts_with("src/socketio/") && !path.starts_with("src/describe/")
            });
        }
        assert_eq!(unused(&manifest, &files), Vec::<String>::new(), "{folder}");
    }
}

#[test]
fn a_dependency_that_nothing_names_is_found() {
    let manifest = "[dependencies]\nserde-json = \"1\"\nrand = \"1\"\n";
    let files = [(
        "a.rs".to_owned(),
        "use serde_json::Value; // operand".to_owned(),
    )];
    assert_eq!(unused(manifest, &files), ["rand"]);
}

/// Whether a licence expression is met by licences of `allowed` alone.
fn is_met(expression: &str, allowed: &[String]) -> bool {
    let spaced = expression
        .replace('(', " ( ")
        .replace(')', " ) ")
        .replace('/', " OR ");
    let words: Vec<_> = spaced.split_whitespace().collect();
    let mut at = 0;
    any_of(&words, &mut at, allowed) && at == words.len()
}

fn any_of(words: &[&str], at: &mut usize, allowed: &[String]) -> bool {
    let mut met = all_of(words, at, allowed);
    while words.get(*at) == Some(&"OR") {
        *at += 1;
        met |= all_of(words, at, allowed);
    }
    met
}

fn all_of(words: &[&str], at: &mut usize, allowed: &[String]) -> bool {
    let mut met = one(words, at, allowed);
    while words.get(*at) == Some(&"AND") {
        *at += 1;
        met &= one(words, at, allowed);
    }
    met
}

fn one(words: &[&str], at: &mut usize, allowed: &[String]) -> bool {
    let Some(word) = words.get(*at) else {
        return false;
    };
    *at += 1;
    if *word == "(" {
        let met = any_of(words, at, allowed);
        *at += 1;
        return met;
    }
    let mut name = (*word).to_owned();
    if words.get(*at) == Some(&"WITH") {
        name = format!("{name} WITH {}", words.get(*at + 1).unwrap_or(&""));
        *at += 2;
    }
    allowed.contains(&name)
}

#[test]
fn licence_expressions_are_read() {
    let allowed = ["MIT", "ISC", "BSD-3-Clause"].map(String::from);
    for (expression, met) in [
        ("MIT", true),
        ("GPL-3.0", false),
        ("MIT OR GPL-3.0", true),
        ("GPL-3.0/MIT", true),
        ("MIT AND GPL-3.0", false),
        ("(GPL-3.0 OR ISC) AND BSD-3-Clause", true),
        ("Apache-2.0 WITH LLVM-exception", false),
        ("Apache-2.0 WITH LLVM-exception OR MIT", true),
        ("", false),
    ] {
        assert_eq!(is_met(expression, &allowed), met, "{expression}");
    }
}

fn packages() -> Vec<Value> {
    let told = Command::new(env!("CARGO"))
        // Not `--offline`: what this test alone was built with is less than all that the workspace depends on.
        .args(["metadata", "--locked", "--format-version", "1"])
        .args(["--filter-platform", "x86_64-unknown-linux-gnu"])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .expect("cargo runs");
    assert!(
        told.status.success(),
        "{}",
        String::from_utf8_lossy(&told.stderr)
    );
    let told: Value = serde_json::from_slice(&told.stdout).expect("JSON");
    told["packages"].as_array().expect("packages").clone()
}

#[test]
fn what_we_depend_on_is_as_deny_toml_says() {
    let deny = Figment::from(Toml::string(include_str!("../../../deny.toml")));
    let texts = |key: &str| {
        deny.extract_inner::<Vec<String>>(key)
            .expect("a list of texts")
    };
    let allowed = texts("licenses.allow");
    let banned: Vec<Value> = deny.extract_inner("bans.deny").expect("a list");
    // A ban of some versions alone is left to `cargo deny`.
    let banned: Vec<_> = banned
        .iter()
        .filter_map(|ban| ban["crate"].as_str())
        .collect();
    let packages = packages();
    assert!(packages.len() > 100, "the packages were not found");
    let mut found = Vec::new();
    for package in &packages {
        let name = package["name"].as_str().expect("a name");
        let licence = package["license"].as_str().unwrap_or_default();
        if !is_met(licence, &allowed) {
            found.push(format!("{name} has the licence {licence:?}"));
        }
        if banned.contains(&name) {
            found.push(format!("{name} is banned"));
        }
        let ours = package["source"].is_null();
        let source = package["source"].as_str().unwrap_or_default();
        if !ours && source != "registry+https://github.com/rust-lang/crates.io-index" {
            found.push(format!("{name} comes from {source}"));
        }
    }
    assert!(found.is_empty(), "see deny.toml:\n{}\n", found.join("\n"));
}
