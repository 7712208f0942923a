//! The files of the Socket.IO library import each other in one direction only.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
};

use super::{rust_files, source::Source};

/// A module by its path, as `socketio::engine::wheel`.
type Module = String;

/// What each file imports.
type Imports = BTreeMap<Module, BTreeSet<Module>>;

/// The library's files, as their modules and the paths that each of them names.
struct Files(BTreeMap<Module, Vec<Vec<String>>>);

impl Files {
    fn read<'a>(files: impl IntoIterator<Item = (&'a str, &'a str)>) -> Self {
        let paths = |(path, text): (&'a str, &'a str)| {
            let source = Source::new(path, text);
            let named = source.named().into_iter().map(|named| named.segments);
            (source.module().join("::"), named.collect())
        };
        Self(files.into_iter().map(paths).collect())
    }

    /// A path as seen from a module: from the top, whether it was relative or not; none outside.
    fn rooted(&self, module: &str, path: &[String]) -> Option<Vec<String>> {
        let (first, rest) = path.split_first()?;
        if first == "crate" {
            return Some(rest.to_vec());
        }
        let child = format!("{module}::{first}");
        self.0.contains_key(&child).then(|| {
            let own = module.split("::").map(String::from);
            own.chain(path.iter().cloned()).collect()
        })
    }

    /// The file in which the last part of a path is defined: a module that only imports it is passed
    /// through.
    fn definition(&self, path: &[String]) -> Option<Module> {
        let mut module = String::new();
        for (index, name) in path.iter().enumerate() {
            let child = if module.is_empty() {
                name.clone()
            } else {
                format!("{module}::{name}")
            };
            if self.0.contains_key(&child) {
                module = child;
                continue;
            }
            let imported = self.0.get(&module)?.iter().find(|import| {
                import.len() > 1 && import.last() == Some(name) && import[..] != path[..=index]
            });
            let Some(imported) = imported.and_then(|import| self.rooted(&module, import)) else {
                return Some(module);
            };
            return self.definition(&[&imported, &path[index + 1..]].concat());
        }
        Some(module)
    }

    fn imports(&self) -> Imports {
        let of = |(module, paths): (&Module, &Vec<Vec<String>>)| {
            let paths = paths.iter().filter_map(|path| self.rooted(module, path));
            let files = paths.filter_map(|path| self.definition(&path));
            (
                module.clone(),
                files.filter(|file| file != module).collect(),
            )
        };
        self.0.iter().map(of).collect()
    }
}

/// Files that import each other in a circle, the first of which is also the last; none if there are none.
fn circle(imports: &Imports) -> Option<Vec<Module>> {
    fn visit(
        module: &Module,
        imports: &Imports,
        path: &mut Vec<Module>,
        done: &mut BTreeSet<Module>,
    ) -> Option<Vec<Module>> {
        if let Some(start) = path.iter().position(|other| other == module) {
            return Some([&path[start..], std::slice::from_ref(module)].concat());
        }
        if done.contains(module) {
            return None;
        }
        path.push(module.clone());
        let others = imports.get(module).into_iter().flatten();
        let found = others
            .into_iter()
            .find_map(|other| visit(other, imports, path, done));
        path.pop();
        done.insert(module.clone());
        found
    }
    let mut done = BTreeSet::new();
    imports
        .keys()
        .find_map(|module| visit(module, imports, &mut Vec::new(), &mut done))
}

#[test]
fn no_files_of_the_library_import_each_other_in_a_circle() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let files = rust_files(root, "src/socketio");
    let sources = files
        .iter()
        .filter(|(path, _)| !path.starts_with("src/socketio/examples/"))
        .map(|(path, text)| (path.as_str(), text.as_str()));
    let imports = Files::read(sources).imports();
    let of = |module: &str| &imports[module];
    assert!(of("socketio::server::socket").contains("socketio::server::namespace"));
    assert!(of("socketio::server::prepared").contains("socketio::engine::frame"));
    assert!(of("socketio::engine::websocket::task").contains("socketio::engine::websocket::wire"));
    assert_eq!(circle(&imports), None);
}

/// The circle among small files of the library, given as name and text.
fn circle_of(files: &[(&str, &str)]) -> Option<Vec<Module>> {
    circle(&Files::read(files.iter().copied()).imports())
}

#[test]
fn a_circle_of_files_would_be_found() {
    let lib = ("src/socketio/lib.rs", "pub mod server;");
    let module = (
        "src/socketio/server/mod.rs",
        "mod a; mod b; pub use a::A; use b::B;",
    );
    let b = ("src/socketio/server/b.rs", "pub struct B(super::A);");
    for a in [
        "use super::b::B; pub struct A(B);",
        "use super::B; pub struct A(B);",
        "use crate::server::b; pub struct A(b::B);",
        "pub struct A(crate::server::b::B);",
    ] {
        let found = circle_of(&[lib, module, ("src/socketio/server/a.rs", a), b]);
        let expected = ["a", "b", "a"].map(|name| format!("socketio::server::{name}"));
        assert_eq!(found, Some(expected.to_vec()), "{a}");
    }
    let a = ("src/socketio/server/a.rs", "pub struct A;");
    assert_eq!(circle_of(&[lib, module, a, b]), None);
    // What a module itself defines is imported from it, and it imports its files.
    let defines = (
        "src/socketio/server/mod.rs",
        "mod a; mod b; pub use a::A; pub struct C;",
    );
    let uses = ("src/socketio/server/a.rs", "use super::C; pub struct A(C);");
    assert!(circle_of(&[lib, defines, uses, b]).is_some());
}
