//! Whatever is done in an editor, the server says what `unleak check` says of the same contents.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use unleak::config::{Configuration, Overrides, Sought};
use unleak::engine::{self, Options, Outcome, Progress, Request};
use unleak::source::Location;

use crate::server::{Editor, modern, uri};
use crate::{files, root};

/// Marsaglia's xorshift: the same edits in every run.
struct Random(u64);

impl Random {
    fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % end.max(1) as u64) as usize
    }
}

const FILES: [&str; 7] =
    ["app/__init__.py", "app/state.py", "app/views.py", "app/jobs.py", "app/deep/pool.py", "lone.py", "test_app.py"];

/// What is typed: lines of all fixtures, and what makes trouble.
fn lines() -> Vec<String> {
    let mut lines: Vec<String> = vec!["# 😀 日本".into(), "'''".into(), "def (:".into(), "\u{c}".into(), "\r".into()];
    lines.push("x = 1  # unleak: ignore".into());
    lines.push("from app import state".into());
    lines.push("from app.state import *".into());
    for (_, text) in files(&root().join("fixtures"), "py").iter().step_by(7) {
        lines.extend(text.lines().map(str::to_owned));
    }
    lines
}

struct World {
    folder: PathBuf,
    random: Random,
    lines: Vec<String>,
    programs: Vec<String>,
    /// The texts that are open, with their versions.
    open: BTreeMap<PathBuf, (String, i32)>,
    editor: Editor,
}

impl World {
    fn step(&mut self) {
        let path = self.folder.join(FILES[self.random.below(FILES.len())]);
        let is_open = self.open.contains_key(&path);
        self.editor.forget();
        match self.random.below(20) {
            0..=2 if !is_open => {
                let text = fs::read_to_string(&path).unwrap_or_default();
                self.editor.open(&path, &text);
                self.open.insert(path, (text, 1));
            }
            3 if is_open => {
                self.editor.close(&path);
                self.open.remove(&path);
            }
            // Saved.
            4 if is_open => {
                let existed = path.exists();
                fs::write(&path, &self.open[&path].0).unwrap();
                self.editor.notify("textDocument/didSave", json!({"textDocument": {"uri": uri(&path)}}));
                self.editor.wrote(&path, if existed { 2 } else { 1 });
            }
            // Written by somebody else.
            5 => {
                let existed = path.exists();
                let text = self.programs[self.random.below(self.programs.len())].clone();
                fs::write(&path, text).unwrap();
                self.editor.wrote(&path, if existed { 2 } else { 1 });
            }
            6 if path.exists() && self.random.below(4) == 0 => {
                fs::remove_file(&path).unwrap();
                self.editor.wrote(&path, 3);
            }
            7 if self.random.below(5) == 0 => {
                let configuration = self.folder.join("unleak.toml");
                let texts =
                    ["", "min-confidence = \"low\"\n", "ignore = [\"LK1\"]\n", "exclude = [\"deep\"]\n", "wrong"];
                fs::write(&configuration, texts[self.random.below(texts.len())]).unwrap();
                self.editor.wrote(&configuration, 2);
            }
            8 => {
                let id = self.editor.send("textDocument/diagnostic", json!({"textDocument": {"uri": uri(&path)}}));
                if self.random.below(2) == 0 {
                    self.editor.notify("$/cancelRequest", json!({"id": id}));
                    self.editor.response(&id);
                    return;
                }
                // What is known early of one file is what is known of it when all are looked at.
                let early = self.editor.response(&id).response_result.unwrap();
                let all = self.editor.request("workspace/diagnostic", json!({"previousResultIds": []}));
                let files = all["items"].as_array().unwrap();
                let same = files.iter().find(|file| file["uri"] == json!(uri(&path)));
                assert_eq!(early["items"], same.map_or_else(|| json!([]), |file| file["items"].clone()));
            }
            9 => {
                let range = json!({"start": {"line": 0, "character": 0}, "end": {"line": 99, "character": 0}});
                let params =
                    json!({"textDocument": {"uri": uri(&path)}, "range": range, "context": {"diagnostics": []}});
                self.editor.request("textDocument/codeAction", params);
            }
            10 if is_open => {
                let text = self.programs[self.random.below(self.programs.len())].clone();
                self.edit(&path, json!([{"text": text}]), text);
            }
            _ if is_open => self.type_line(&path),
            _ => {}
        }
    }

    /// Puts a line in place of some.
    fn type_line(&mut self, path: &Path) {
        let text = self.open[path].0.clone();
        let rows: Vec<&str> = text.split_inclusive('\n').collect();
        let first = self.random.below(rows.len() + 1);
        let gone = self.random.below(3).min(rows.len() - first);
        let line = format!("{}\n", self.lines[self.random.below(self.lines.len())]);
        let (before, behind) = (rows[..first].concat(), rows[first + gone..].concat());
        // As the protocol counts: `\r` alone ends a line as well.
        let index = unleak::source::LineIndex::new(&text);
        let position = |offset: usize| {
            let (line, character) = index.utf16_position(&text, offset as u32);
            json!({"line": line, "character": character})
        };
        let (start, end) = (position(before.len()), position(text.len() - behind.len()));
        let change = json!([{"range": {"start": start, "end": end}, "text": line}]);
        self.edit(path, change, format!("{before}{line}{behind}"));
    }

    fn edit(&mut self, path: &Path, changes: Value, text: String) {
        let (known, version) = self.open.get_mut(path).unwrap();
        *version += 1;
        *known = text;
        let version = *version;
        self.editor.change(path, version, changes);
    }

    /// What the server shows.
    fn shown(&mut self) -> Vec<String> {
        let report = self.editor.request("workspace/diagnostic", json!({"previousResultIds": []}));
        let mut shown = Vec::new();
        for file in report["items"].as_array().unwrap() {
            for item in file["items"].as_array().unwrap() {
                let related = item["relatedInformation"].as_array().cloned().unwrap_or_default();
                let related: Vec<String> = (related.iter())
                    .map(|label| {
                        format!(
                            "{} {} {}",
                            label["location"]["uri"], label["location"]["range"]["start"], label["message"]
                        )
                    })
                    .collect();
                let (uri, range) = (&file["uri"], &item["range"]);
                shown.push(format!("{uri} {range} {} {} {related:?}", item["code"], item["message"]));
            }
        }
        shown.sort();
        shown
    }

    /// What a check says once everything is saved; then the disk is as it was.
    fn checked(&self) -> Vec<String> {
        let mut before = Vec::new();
        for (path, (text, _)) in &self.open {
            before.push((path, fs::read(path).ok()));
            fs::write(path, text).unwrap();
        }
        let configuration = Configuration::new(Sought::Nearest, Overrides::default(), &self.folder).unwrap();
        let options = Options { configuration, threads: None };
        let request = Request { paths: vec![self.folder.clone()], options, ..Request::default() };
        let outcome = engine::check(&request, &Progress::default());
        for (path, bytes) in before {
            match bytes {
                Some(bytes) => fs::write(path, bytes).unwrap(),
                None => fs::remove_file(path).unwrap(),
            }
        }
        let mut said = said(&outcome);
        said.sort();
        said
    }
}

fn said(outcome: &Outcome) -> Vec<String> {
    let place = |location: Location| {
        let file = outcome.file(location.file).unwrap();
        let position = |offset: u32| {
            let (line, character) = file.lines.utf16_position(&file.source.text, offset);
            json!({"line": line, "character": character})
        };
        let span = location.span;
        (json!(uri(&file.path)), json!({"start": position(span.start), "end": position(span.end)}))
    };
    let of_finding = |finding: &unleak::finding::Finding| {
        let related: Vec<String> = (finding.related.iter())
            .map(|label| {
                let (uri, range) = place(label.location);
                format!("{uri} {} {}", range["start"], json!(label.message))
            })
            .collect();
        let (uri, range) = place(finding.location);
        format!("{uri} {range} {} {} {related:?}", json!(finding.code), json!(finding.message))
    };
    let mut said: Vec<String> = outcome.findings.iter().map(of_finding).collect();
    for problem in outcome.problems.iter().filter(|_| outcome.is_refused()) {
        let at = problem.position.map_or((0, 0), |at| (at.row - 1, at.column - 1));
        let range = json!({
            "start": {"line": at.0, "character": at.1}, "end": {"line": at.0, "character": at.1 + 1},
        });
        let path = std::path::absolute(&problem.path).unwrap();
        let path = fs::canonicalize(&path).unwrap_or(path);
        let none: Vec<String> = Vec::new();
        said.push(format!("{} {range} null {} {none:?}", json!(uri(&path)), json!(problem.message)));
    }
    said
}

/// Bytes of this process that are in memory, as Linux counts them; 0 elsewhere.
fn memory() -> u64 {
    let pages = fs::read_to_string("/proc/self/statm").unwrap_or_default();
    pages.split_whitespace().nth(1).and_then(|pages| pages.parse::<u64>().ok()).unwrap_or(0) * 4096
}

fn edits(count: usize, between: usize, seed: u64) {
    let folder = tempfile::tempdir().unwrap();
    let programs: Vec<String> =
        files(&root().join("fixtures"), "py").into_iter().step_by(5).map(|(_, text)| text).collect();
    let folder_path = fs::canonicalize(folder.path()).unwrap();
    fs::write(folder_path.join("pyproject.toml"), "").unwrap();
    for (number, file) in FILES.iter().enumerate() {
        let path = folder_path.join(file);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, &programs[number * 3 % programs.len()]).unwrap();
    }
    let editor = Editor::start(&[&folder_path], modern());
    let mut world =
        World { folder: folder_path, random: Random(seed), lines: lines(), programs, open: BTreeMap::new(), editor };
    let mut findings = 0;
    for number in 1..=count {
        world.step();
        if number % between == 0 {
            let (shown, checked) = (world.shown(), world.checked());
            findings += shown.len();
            assert_eq!(shown, checked, "after {number} edits of seed {seed}");
        }
        if number % (count / 10).max(1) == 0 && count > 1000 {
            println!("{number} edits, {findings} findings compared, {:.1} MB", memory() as f64 / 1e6);
        }
    }
    assert!(findings > 0, "nothing was compared");
    assert!(world.editor.quit());
}

#[test]
fn edits_say_what_a_check_says() {
    edits(120, 6, 0x9e37_79b9_7f4a_7c15);
}

/// `cargo test --test it -- --ignored --nocapture ten_thousand`
#[test]
#[ignore = "takes minutes"]
fn ten_thousand_edits_say_what_a_check_says() {
    edits(10_000, 20, 0x2545_f491_4f6c_dd1d);
}
