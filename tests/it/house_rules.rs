//! The rules of the code: which module may name which, compared with every file under `src`.
//!
//! A rule that is written in a document alone is not followed for long. Each is printed with its reason, so
//! that a contributor who breaks one knows what to do instead.

mod files;
mod map;
mod rules;
mod samples;
mod shelf;
mod size;
mod source;
mod verbs;

use std::{collections::BTreeSet, fs, path::Path};

use rules::{Workspace, breaches};
use source::Source;

#[test]
fn the_house_keeps_its_rules() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let manifests = [
        include_str!("../../Cargo.toml"),
        include_str!("../../src/socketio/Cargo.toml"),
    ];
    let workspace = Workspace {
        crates: manifests.into_iter().flat_map(dependencies).collect(),
        dialects: folders(&root.join("src/dialect")),
    };
    let files = rust_files(root, "src");
    assert!(files.len() > 10, "the sources were not found");
    let found: Vec<_> = files
        .iter()
        .flat_map(|(path, text)| breaches(&workspace, &Source::new(path, text)))
        .chain(size::long_files(&files))
        .collect();
    assert!(found.is_empty(), "\n{}\n", found.join("\n"));
}

#[test]
fn every_test_file_says_what_it_holds_stays_short_and_stands_alone() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let found: Vec<_> = rust_files(root, "tests")
        .iter()
        .flat_map(|(path, text)| {
            let source = Source::new(path, text);
            let mut found = rules::shape(&source);
            found.extend(rules::tests_stand_alone(&source));
            found
        })
        .collect();
    assert!(found.is_empty(), "\n{}\n", found.join("\n"));
}

/// Every Rust file below `folder`, with its path from `root`.
fn rust_files(root: &Path, folder: &str) -> Vec<(String, String)> {
    fn walk(folder: &Path, into: &mut Vec<std::path::PathBuf>) {
        for entry in fs::read_dir(folder).expect("a folder").flatten() {
            let path = entry.path();
            if path.is_dir() {
                walk(&path, into);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                into.push(path);
            }
        }
    }
    let mut paths = Vec::new();
    walk(&root.join(folder), &mut paths);
    paths.sort();
    paths
        .iter()
        .map(|path| {
            let name = path.strip_prefix(root).expect("below the root");
            let name = name.to_string_lossy().replace('\\', "/");
            (name, fs::read_to_string(path).expect("text"))
        })
        .collect()
}

fn folders(parent: &Path) -> BTreeSet<String> {
    fs::read_dir(parent)
        .map(|entries| {
            entries
                .flatten()
                .filter(|entry| entry.path().is_dir())
                .map(|entry| entry.file_name().to_string_lossy().into_owned())
                .collect()
        })
        .unwrap_or_default()
}

/// The names that code has for what `Cargo.toml` depends on.
fn dependencies(manifest: &str) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    let mut within = false;
    for line in manifest.lines() {
        if line.starts_with('[') {
            within = line.ends_with("dependencies]");
        } else if let (true, Some((name, _))) = (within, line.split_once('=')) {
            names.insert(name.trim().replace('-', "_"));
        }
    }
    names
}

#[test]
fn dependencies_are_read_from_the_manifest() {
    let names = dependencies(
        "[package]\nname = \"x\"\n[dependencies]\nserde-json = \"1\"\n\
         [target.'cfg(unix)'.dependencies]\nrocket = { version = \"0.5\" }\n[lints]\na = 1\n",
    );
    assert_eq!(names, ["rocket", "serde_json"].map(String::from).into());
}
