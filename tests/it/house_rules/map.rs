//! The module graph has no cycle, docs/architecture.md lists it, and retired words stay away.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
    process::Command,
};

use super::rules::parts;

/// Which part may name which others, without the finer division of a part.
type Edges = BTreeMap<String, BTreeSet<String>>;

fn edges() -> Edges {
    let mut edges = Edges::new();
    for (part, modules) in parts() {
        let part = part.split(',').next().expect("a name").to_owned();
        let others = modules.iter().filter(|module| **module != part);
        edges
            .entry(part.clone())
            .or_default()
            .extend(others.map(|module| (*module).to_owned()));
    }
    edges.remove("error");
    edges
}

/// A part that can be reached from itself, if there is one.
fn circle(edges: &Edges) -> Option<String> {
    edges
        .keys()
        .find(|start| {
            let mut seen = BTreeSet::new();
            let mut open: Vec<&String> = edges[*start].iter().collect();
            while let Some(part) = open.pop() {
                if part == *start {
                    return true;
                }
                if seen.insert(part) {
                    open.extend(edges.get(part).into_iter().flatten());
                }
            }
            false
        })
        .cloned()
}

#[test]
fn the_walls_allow_no_circle() {
    assert_eq!(circle(&edges()), None);
}

#[test]
fn a_circle_would_be_found() {
    let mut edges = edges();
    edges
        .entry("store".to_owned())
        .or_default()
        .insert("chat".to_owned());
    assert!(circle(&edges).is_some());
}

#[test]
fn the_tour_says_what_the_walls_say() {
    let tour = include_str!("../../../docs/architecture.md");
    let rows = tour.lines().filter(|line| line.starts_with("| [`"));
    let told: Edges = rows
        .map(|row| {
            let cells: Vec<_> = row.split('|').map(str::trim).collect();
            let name = |cell: &str| cell.split('`').nth(1).expect("a name").to_owned();
            let may = cells[3].split(',').filter(|cell| cell.contains('`'));
            (name(cells[1]), may.map(name).collect())
        })
        .collect();
    assert_eq!(told, edges());
}

/// Words that the glossary has better ones for. They are looked for in code, comments, tests and documents.
const RETIRED: [&str; 109] = [
    "Brought",
    "Ear",
    "Ears",
    "Millis",
    "Standing",
    "DeskStatus",
    "DeskChat",
    "runs_desk",
    "Seated",
    "hand_in",
    "carry_out",
    "find_out",
    "outlast",
    "ActDraft",
    "Acted",
    "Tale",
    "Scene",
    "SendQuestion",
    "SendAnswer",
    "ReadQuestion",
    "ReadAnswer",
    "told_to",
    "Ladder",
    "Tally",
    "Tallies",
    "on_behalf",
    "open_house",
    "Speaker",
    "speaker",
    "Nowhere",
    "come_back",
    "announce_by",
    "announce_signal",
    "Emission",
    "Wish",
    "Deeds",
    "Wishes",
    "overhear",
    "Overhearing",
    "Provenance",
    "Offence",
    "obey",
    "Unsent",
    "BREATH",
    "Doorman",
    "look_at",
    "pump",
    "pumps",
    "toil",
    "doorman",
    "hearers",
    "question_of_send",
    "sent_before",
    "turn_desk",
    "ask_sends",
    "ask_reads",
    "nudge_poll",
    "Nudged",
    "CROSSED",
    "put_out",
    "put_all_out",
    "worked_off",
    "AnyHandler",
    "let_in",
    "is_deserted",
    "forget_if_deserted",
    "step_up",
    "poll_step_up",
    "note_taken",
    "ponged",
    "reminded",
    "on_other",
    "Deed",
    "doorbell",
    "door",
    "doors",
    "Door",
    "Doors",
    "DOORS",
    "bell",
    "bells",
    "rung",
    "ear",
    "ears",
    "tongue",
    "tongues",
    "deed",
    "deeds",
    "wish",
    "wishes",
    "seated",
    "seat_new",
    "seated_before",
    "at_desk",
    "is_at_desk",
    "ring_when_over",
    "overheard",
    "Overhear",
    "has_sent",
    "OwnActions",
    "in_place_of",
    "new_uuid",
    "hearer",
    "ghosts",
    "voice",
    "brought",
    "whoever",
    "Whoever",
    "desk_chats",
];

/// The same for the pages and the tests in a browser, where other words went.
const RETIRED_IN_PAGES: [&str; 18] = [
    "Letters",
    "Refusal",
    "Talk",
    "beginAnew",
    "inWords",
    "introduce",
    "letters",
    "lookedAt",
    "openDesk",
    "openDoor",
    "patience",
    "patiently",
    "peekAgain",
    "peeking",
    "prepareSheets",
    "sheets",
    "stayOnPage",
    "weigh",
];

/// Where pages and what checks them are.
const PAGES: [&str; 3] = ["static/", "tests/clients/browser/", "tests/clients/pages/"];

/// Where each word may stand all the same, and why.
const ALLOWED: [(&str, &str); 4] = [
    ("tests/it/house_rules/map.rs", "the list itself"),
    (
        "src/model/text/common_passwords.txt",
        "people choose what words they like",
    ),
    ("static/vendor/emoji.txt", "Unicode's names of things"),
    ("static/vendor/markdown-it.js", "another project's source"),
];

#[test]
fn retired_words_stay_retired() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let listed = Command::new("git")
        .args(["ls-files", "src", "static", "tests", "docs", "README.md"])
        .current_dir(root)
        .output()
        .expect("git lists the files");
    let listed = String::from_utf8(listed.stdout).expect("paths are text");
    let mut found = Vec::new();
    for path in listed.lines() {
        if ALLOWED.iter().any(|(allowed, _)| *allowed == path) {
            continue;
        }
        let Ok(text) = fs::read_to_string(root.join(path)) else {
            continue;
        };
        let in_pages = PAGES.iter().any(|folder| path.starts_with(folder));
        let retired =
            |word: &&str| RETIRED.contains(word) || in_pages && RETIRED_IN_PAGES.contains(word);
        for (number, line) in text.lines().enumerate() {
            let words = line.split(|c: char| !c.is_alphanumeric() && c != '_');
            for word in words.filter(retired) {
                found.push(format!("{path}:{} says {word}", number + 1));
            }
        }
    }
    assert!(
        found.is_empty(),
        "see docs/glossary.md:\n{}\n",
        found.join("\n")
    );
}
