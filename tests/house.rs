//! Who may import whom, and other rules of the house that a machine can check.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Each part with the parts it may use. `sim` may use nothing: it and the connectors share no code, so that a
/// mistake in one shows in the other.
const MAY_USE: &[(&str, &[&str])] = &[
    ("model", &[]),
    ("tomlread", &[]),
    ("catalog", &["model", "tomlread"]),
    ("query", &["model"]),
    ("connect", &["model"]),
    ("store", &["model", "query"]),
    ("watch", &["model", "connect", "store"]),
    ("operate", &["model", "catalog", "connect", "store"]),
    ("config", &["model", "query", "connect", "tomlread"]),
    ("sim", &[]),
    ("kinds", &["model", "connect", "sim"]),
];

fn sources(dir: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(dir).expect("a readable folder") {
        let path = entry.expect("a readable entry").path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|e| e == "rs") {
            found.push(path);
        }
    }
}

fn all_sources() -> Vec<(String, PathBuf, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = Vec::new();
    sources(&root, &mut files);
    files
        .into_iter()
        .map(|path| {
            let inside = path.strip_prefix(&root).expect("below src");
            let first = inside.components().next().expect("a name");
            let part = first
                .as_os_str()
                .to_string_lossy()
                .trim_end_matches(".rs")
                .to_owned();
            let text = fs::read_to_string(&path).expect("a readable source");
            (part, path, text)
        })
        .collect()
}

/// The parts of ours that a source names: `crate::part` and, in nested imports, `crate::{part, …}`.
fn named_parts(text: &str) -> Vec<String> {
    let code: String = text
        .lines()
        .filter(|line| !line.trim_start().starts_with("//"))
        .collect::<Vec<_>>()
        .join("\n");
    let mut parts = Vec::new();
    for (at, _) in code.match_indices("crate::") {
        let rest = &code[at + "crate::".len()..];
        if let Some(group) = rest.strip_prefix('{') {
            let mut depth = 0;
            let mut word = String::new();
            for c in group.chars() {
                match c {
                    '{' => depth += 1,
                    '}' if depth == 0 => break,
                    '}' => depth -= 1,
                    ',' if depth == 0 => word.clear(),
                    ':' if depth == 0 && !word.is_empty() => {
                        parts.push(std::mem::take(&mut word));
                    }
                    c if depth == 0 && (c.is_alphanumeric() || c == '_') => word.push(c),
                    _ => {}
                }
            }
        } else {
            parts.push(
                rest.chars()
                    .take_while(|c| c.is_alphanumeric() || *c == '_')
                    .collect(),
            );
        }
    }
    parts
}

#[test]
fn every_part_uses_only_what_it_may() {
    let rules: BTreeMap<&str, &[&str]> = MAY_USE.iter().copied().collect();
    let all: Vec<&str> = rules
        .keys()
        .copied()
        .chain(["console", "command", "history"])
        .collect();
    let mut wrong = Vec::new();
    for (part, path, text) in all_sources() {
        let Some(allowed) = rules.get(part.as_str()) else {
            continue;
        };
        for used in named_parts(&text) {
            let ours = all.contains(&used.as_str());
            if ours && used != part && !allowed.contains(&used.as_str()) {
                wrong.push(format!("{} uses {used}", path.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn the_check_itself_sees_imports() {
    assert_eq!(named_parts("use crate::sim::World;"), ["sim"]);
    assert_eq!(
        named_parts("use crate::{model::Task, connect::{http, Session}};"),
        ["model", "connect"]
    );
    assert_eq!(named_parts("// crate::sim"), Vec::<String>::new());
    assert_eq!(
        named_parts("let x = crate::store::Store::new();"),
        ["store"]
    );
}

/// What may stand at the top of the repository, besides files whose names begin with a dot.
const TOP: [&str; 8] = [
    "Cargo.lock",
    "Cargo.toml",
    "LICENSE",
    "README.md",
    "assets",
    "screenshots",
    "src",
    "tests",
];

#[test]
fn the_top_of_the_repository_stays_small() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    if !root.join(".git").exists() {
        // a copy without a history: nobody can say what belongs to it
        return;
    }
    let listed = Command::new("git")
        .args(["ls-files", "-z"])
        .current_dir(root)
        .output()
        .expect("git is there");
    assert!(listed.status.success(), "{listed:?}");
    let files = String::from_utf8(listed.stdout).expect("names are UTF-8");
    let strangers: BTreeSet<&str> = files
        .split('\0')
        .filter_map(|path| path.split('/').next())
        .filter(|name| !name.is_empty() && !name.starts_with('.') && !TOP.contains(name))
        .collect();
    assert!(strangers.is_empty(), "at the top: {strangers:?}");
    assert!(files.contains("Cargo.toml\0"), "git lists nothing");
}

#[test]
fn the_repository_speaks_of_itself_alone() {
    let mut files = Vec::new();
    sources(
        &Path::new(env!("CARGO_MANIFEST_DIR")).join("src"),
        &mut files,
    );
    let foreign = ["../shared", "/work/"];
    for path in files {
        let text = fs::read_to_string(&path).expect("a readable source");
        for word in foreign {
            assert!(!text.contains(word), "{} names {word}", path.display());
        }
    }
}
