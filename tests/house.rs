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
    ("threads", &[]),
    ("catalog", &["model", "tomlread"]),
    ("query", &["model"]),
    ("connect", &["model"]),
    ("store", &["model", "query", "threads"]),
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

fn repository() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The tests in a source: names of functions that a test attribute stands above.
fn tests_in(text: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let mut marked = false;
    for line in text.lines().map(str::trim) {
        if line.starts_with("#[") {
            marked |= line == "#[test]" || line.starts_with("#[tokio::test");
            continue;
        }
        if marked && let Some((_, rest)) = line.split_once("fn ") {
            let name = rest.split('(').next().unwrap_or_default();
            found.insert(name.to_owned());
        }
        marked = false;
    }
    found
}

/// The texts between backticks.
fn quoted(line: &str) -> Vec<&str> {
    line.split('`').skip(1).step_by(2).collect()
}

#[test]
fn every_trap_names_tests_that_exist() {
    // how many traps each interface has
    const TRAPS: [(&str, usize); 7] = [
        ("csbs", 19),
        ("sdrs", 22),
        ("cbr", 19),
        ("dbs", 22),
        ("dpod", 20),
        ("atlassian", 23),
        ("karbor", 15),
    ];
    let text = fs::read_to_string(repository().join("assets/docs/traps.md")).expect("the table");
    let mut wrong = Vec::new();
    let mut counted: BTreeMap<&str, usize> = BTreeMap::new();
    let (mut kind, mut known) = ("", BTreeSet::new());
    for line in text.lines() {
        if let Some(name) = line.strip_prefix("## ") {
            (kind, known) = (name, BTreeSet::new());
        } else if let Some(places) = line.strip_prefix("Tests: ") {
            for place in quoted(places) {
                let path = repository().join(place);
                let mut files = Vec::new();
                if path.is_dir() {
                    sources(&path, &mut files);
                } else {
                    files.push(path);
                }
                for file in files {
                    let source = fs::read_to_string(&file);
                    let source = source.unwrap_or_else(|e| panic!("{}: {e}", file.display()));
                    known.extend(tests_in(&source));
                }
            }
        } else if let Some(row) = line.strip_prefix("| ")
            && let Some((number, rest)) = row.split_once(" | ")
            && let Ok(number) = number.parse::<usize>()
        {
            let so_far = counted.entry(kind).or_default();
            *so_far += 1;
            if number != *so_far {
                wrong.push(format!("{kind}: {number} stands where {so_far} should"));
            }
            let cell = rest.trim_end_matches(" |").rsplit(" | ").next();
            let names = cell.map(quoted).unwrap_or_default();
            if names.is_empty() {
                wrong.push(format!("{kind} {number} names no test"));
            }
            for name in names.iter().filter(|name| !known.contains(**name)) {
                wrong.push(format!("{kind} {number}: there is no test {name}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert_eq!(counted, BTreeMap::from(TRAPS), "traps without a row");
}

#[test]
fn the_check_of_traps_sees_tests_alone() {
    let source = "#[tokio::test(flavor = \"x\")]\nasync fn one() {\n}\nfn two() {}\n#[test]\n#[ignore]\nfn three() {}\n#[cfg(test)]\nfn four() {}";
    let found: Vec<String> = tests_in(source).into_iter().collect();
    assert_eq!(found, ["one", "three"]);
    assert_eq!(quoted("a `b`, `c d`"), ["b", "c d"]);
}

/// Vendors' documents print samples with commas too many and words without quotes: what stands here is mended, so that
/// no test passes because a parser gave up.
#[test]
fn every_published_sample_is_json() {
    let mut folders = vec![repository().join("tests/fixtures")];
    let mut read = 0;
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).expect("a readable folder") {
            let path = entry.expect("a readable entry").path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|e| e == "json") {
                let text = fs::read_to_string(&path).expect("a readable sample");
                let parsed = serde_json::from_str::<serde_json::Value>(&text);
                assert!(parsed.is_ok(), "{}: {parsed:?}", path.display());
                read += 1;
            }
        }
    }
    assert!(read > 100, "{read} samples");
}

/// One public client answers nothing where SDRS refuses and pages by what SDRS does not know: what it says of SDRS
/// proves nothing.
#[test]
fn no_judge_trusts_a_client_that_hides_errors() {
    let mut judges = 0;
    for entry in fs::read_dir(repository().join("tests/judges")).expect("the judges") {
        let path = entry.expect("a readable entry").path();
        let name = path
            .file_name()
            .expect("a name")
            .to_string_lossy()
            .into_owned();
        if !name.contains("sdrs") && name != "huawei_client.py" {
            continue;
        }
        let text = fs::read_to_string(&path).expect("a readable judge");
        assert!(!text.contains("otcextensions"), "{name}");
        judges += usize::from(text.contains("huaweicloudsdksdrs"));
    }
    assert!(judges > 0, "nobody judges SDRS by the vendor's own client");
}
