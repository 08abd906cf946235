//! The floors of `src/lib.rs`: a floor uses only those before it, the tree ends early, the disk is at the edge.

use std::collections::HashMap;

use crate::{files, report, root};

/// Only these may name the syntax tree.
const TREE: [&str; 2] = ["syntax", "facts"];
/// Only these may touch files, the network or other processes.
const EDGE: [&str; 6] = ["engine", "config", "lsp", "confirm", "cli", "main"];

/// A line of a file in `src/`, without its comment, outside of tests.
struct Line {
    /// `src/facts/lower.rs:12`
    place: String,
    floor: String,
    /// How many modules its file stands below the crate's root.
    depth: usize,
    code: String,
}

fn lines() -> Vec<Line> {
    let mut lines = Vec::new();
    for (path, text) in files(&root().join("src"), "rs") {
        let shown = path.display().to_string();
        let mut modules: Vec<&str> = shown.trim_end_matches(".rs").split('/').collect();
        if matches!(modules.last(), Some(&("mod" | "lib"))) {
            modules.pop();
        }
        let floor = modules.first().copied().unwrap_or_default().to_owned();
        let without_tests = text.split("\n#[cfg(test)]").next().unwrap_or_default();
        for (number, line) in without_tests.lines().enumerate() {
            lines.push(Line {
                place: format!("src/{shown}:{}", number + 1),
                floor: floor.clone(),
                depth: modules.len(),
                code: without_comment(line).to_owned(),
            });
        }
    }
    lines
}

/// Good enough for paths: a `//` in a string also ends the line.
fn without_comment(line: &str) -> &str {
    line.split("//").next().unwrap_or_default()
}

/// The floors, lowest first, as `src/lib.rs` lists them.
fn floors() -> Vec<String> {
    let lib = std::fs::read_to_string(root().join("src/lib.rs")).expect("src/lib.rs is there");
    lib.lines().filter_map(|line| line.strip_prefix("pub mod ")?.strip_suffix(';')).map(str::to_owned).collect()
}

/// The modules at the crate's root that a line names: `crate::facts::…`, `crate::{facts, source::Name}` and, counted
/// in levels, `super::super::facts`.
fn names_at_the_root(line: &Line) -> Vec<String> {
    let mut names = Vec::new();
    for (at, _) in line.code.match_indices("crate::") {
        if !line.code[..at].ends_with(is_part_of_a_name) {
            names.extend(first_names(&line.code[at + "crate::".len()..]));
        }
    }
    let mut rest = line.code.as_str();
    while let Some(at) = rest.find("super::") {
        let after = rest[at..].trim_start_matches("super::");
        let levels = (rest.len() - at - after.len()) / "super::".len();
        if levels >= line.depth {
            names.extend(first_names(after));
        }
        rest = after;
    }
    names
}

/// The first name of a path, or of each path in braces that end on the same line.
fn first_names(path: &str) -> Vec<String> {
    let name = |path: &str| path.trim_start().chars().take_while(|c| is_part_of_a_name(*c)).collect::<String>();
    let Some(group) = path.strip_prefix('{') else { return vec![name(path)] };
    let mut names = vec![name(group)];
    let mut nested = 0;
    for (at, c) in group.char_indices() {
        match c {
            '{' => nested += 1,
            '}' if nested == 0 => break,
            '}' => nested -= 1,
            ',' if nested == 0 => names.push(name(&group[at + 1..])),
            _ => {}
        }
    }
    names
}

fn is_part_of_a_name(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

#[test]
fn a_floor_uses_only_lower_floors() {
    let floors = floors();
    let level: HashMap<&str, usize> = floors.iter().enumerate().map(|(level, floor)| (floor.as_str(), level)).collect();
    assert!(level.len() > 5, "src/lib.rs lists its floors as `pub mod` lines");
    let mut failures = Vec::new();
    for line in lines() {
        let Some(here) = level.get(line.floor.as_str()) else { continue };
        for name in names_at_the_root(&line) {
            if level.get(name.as_str()).is_some_and(|used| used > here) {
                failures.push(format!("{}: `{}` reaches up to `{name}`:{}", line.place, line.floor, line.code));
            }
        }
    }
    report(failures);
}

#[test]
fn every_module_is_a_floor() {
    let floors = floors();
    let mut failures = Vec::new();
    for line in lines() {
        let outside = matches!(line.floor.as_str(), "" | "main");
        if !outside && !floors.contains(&line.floor) {
            failures.push(format!("{}: `{}` is not in the list of src/lib.rs", line.place, line.floor));
        }
    }
    failures.dedup_by_key(|failure| failure.split_once(':').map(|(file, _)| file.to_owned()));
    report(failures);
}

#[test]
fn the_tree_ends_at_the_facts() {
    report(naming(&["ruff_python_", "ruff_text_size", "ruff_source_file", "ruff_notebook"], &TREE));
}

#[test]
fn the_disk_is_at_the_edge() {
    report(naming(&["std::fs", "std::net", "std::process", "fs::read", "File::open"], &EDGE));
}

/// The lines with one of these words outside of the floors that may use them.
fn naming(words: &[&str], allowed: &[&str]) -> Vec<String> {
    let mut failures = Vec::new();
    for line in lines() {
        if allowed.contains(&line.floor.as_str()) {
            continue;
        }
        for word in words.iter().filter(|word| line.code.contains(**word)) {
            failures.push(format!("{}: `{word}` is for {} only:{}", line.place, allowed.join(", "), line.code));
        }
    }
    failures
}

/// clippy warns as well; this also sees code that clippy was told to allow.
#[test]
fn nothing_is_unwrapped() {
    let mut failures = Vec::new();
    for line in lines() {
        if line.code.contains(".unwrap()")
            || line.code.contains(".expect(\"")
            || line.code.contains("allow(clippy::unwrap")
        {
            failures.push(format!("{}:{}", line.place, line.code));
        }
    }
    report(failures);
}

#[test]
fn paths_are_read_as_rust_reads_them() {
    let line = |depth, code: &str| Line { place: String::new(), floor: String::new(), depth, code: code.to_owned() };
    let names = |depth, code: &str| names_at_the_root(&line(depth, code));
    assert_eq!(names(1, "use crate::source::Name;"), ["source"]);
    assert_eq!(names(1, "use crate::{facts::{self, Call}, source};"), ["facts", "source"]);
    assert_eq!(names(2, "use super::Call;"), [""; 0]);
    assert_eq!(names(1, "use super::engine::check;"), ["engine"]);
    assert_eq!(names(2, "let x = super::super::engine::check();"), ["engine"]);
    assert_eq!(names(1, "use my_crate::engine;"), [""; 0]);
}
