//! Each format's bytes, for findings made by hand: what is shown must not depend on what rules happen to find.
//!
//! The expected bytes are in `fixtures/output/`; `UNLEAK_BLESS=1 cargo test` writes them anew.

#![allow(clippy::unwrap_used)]

use std::io::Write;
use std::path::{Path, PathBuf};

use clap::ValueEnum;
use unleak::finding::{Confidence, Finding, Label, Severity};
use unleak::output::{Format, Report, shown_path};
use unleak::source::{Cell, FileId, Location, SourceFile, SourceKind, Span};

const STATE: &str = "\
from collections import defaultdict

SEEN = set()
BY_USER = defaultdict(list)
";

const VIEWS: &str = "\
from app.state import BY_USER, SEEN


def handle(request):
\tif request.user:
\t\tBY_USER[request.user].append(request)
\t名前 = '日本語'; SEEN.add((名前, request.id))  # 🙂 done
\treturn 名前


while True:
    handle(next(requests))
";

const NOTEBOOK: &str = "\
CACHE = {}
def load(path):
    CACHE[path] = open(path).read()
for path in paths:
    load(path)
";

/// Compares with a file of the repository, or writes it if that was asked for.
pub fn check_file(path: &str, actual: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    if std::env::var_os("UNLEAK_BLESS").is_some() {
        std::fs::write(&path, actual).unwrap();
        return;
    }
    let expected = std::fs::read_to_string(&path).unwrap_or_default().replace("\r\n", "\n");
    assert!(expected == actual, "{} differs; it would now be:\n{actual}", path.display());
}

/// The text without its styles, as it is printed where there is no terminal.
pub fn without_styles(styled: &[u8]) -> String {
    let mut out = anstream::StripStream::new(Vec::new());
    out.write_all(styled).unwrap();
    String::from_utf8(out.into_inner()).unwrap()
}

pub struct Program {
    pub files: Vec<SourceFile>,
    pub findings: Vec<Finding>,
}

impl Program {
    pub fn report(&self) -> Report<'_> {
        let directory = Path::new("/home/user/project");
        Report { findings: &self.findings, sources: &self.files, files: 214, directory }
    }

    pub fn styled(&self, format: Format) -> Vec<u8> {
        let mut bytes = Vec::new();
        self.report().write(format, &mut bytes).unwrap();
        bytes
    }

    /// Where the words stand for the n-th time, from 0.
    pub fn at(&self, file: u32, words: &str, n: usize) -> Location {
        let (start, _) = self.files[file as usize].text.match_indices(words).nth(n).unwrap();
        Location { file: FileId(file), span: Span::new(start as u32, (start + words.len()) as u32) }
    }
}

pub fn label(location: Location, message: &str) -> Label {
    Label { location, message: message.into() }
}

pub fn program() -> Program {
    let generated = format!("TABLE = [{}]; TABLE.append(object())\n", "0, ".repeat(5000));
    let mut notebook = SourceFile::new("notes/Übung.ipynb", NOTEBOOK, SourceKind::Notebook);
    notebook.cells = vec![
        Cell { number: 2, start: 0 },
        Cell { number: 3, start: NOTEBOOK.find("def").unwrap() as u32 },
        Cell { number: 5, start: NOTEBOOK.find("for").unwrap() as u32 },
    ];
    let files = vec![
        SourceFile::new("/home/user/project/app/state.py", STATE, SourceKind::Python),
        SourceFile::new("./app/views.py", VIEWS, SourceKind::Python),
        SourceFile::new("/srv/generated.py", generated, SourceKind::Python),
        notebook,
        SourceFile::new("a\x1b[31m.py", "X = [] # \x1b[31m \u{202e}\nX.append(1)\r\nX.append(2)", SourceKind::Python),
    ];
    let mut program = Program { files, findings: Vec::new() };
    let finding = |code, confidence, location, message: &str, label: &str, symbol: &str, related| Finding {
        code,
        severity: Severity::Warning,
        confidence,
        location,
        message: message.into(),
        label: label.into(),
        related,
        symbol: symbol.into(),
        effect: None,
        remedy: None,
        fix: None,
    };
    program.findings = vec![
        finding(
            "LK101",
            Confidence::High,
            program.at(0, "SEEN", 0),
            "`SEEN` only grows",
            "held by the module for the life of the process",
            "app.state.SEEN",
            vec![
                label(program.at(1, "SEEN.add((名前, request.id))", 0), "each call of `handle` adds an item here"),
                label(program.at(1, "handle(next(requests))", 0), "which is called in a loop without end"),
            ],
        ),
        finding(
            "LK101",
            Confidence::Medium,
            program.at(0, "BY_USER", 0),
            "`BY_USER` only grows",
            "",
            "app.state.BY_USER",
            vec![label(program.at(1, "BY_USER[request.user].append(request)", 0), "each call of `handle` adds here")],
        ),
        finding(
            "LK301",
            Confidence::High,
            // More than one line: only the first is marked.
            Location { file: FileId(1), span: Span::new(program.at(1, "def handle", 0).span.start, 150) },
            "a place of several lines",
            "here",
            "app.views.handle",
            vec![],
        ),
        finding(
            "LK101",
            Confidence::High,
            program.at(2, "TABLE", 0),
            "`TABLE` only grows",
            "held by the module",
            "generated.TABLE",
            vec![label(program.at(2, "TABLE.append(object())", 0), "an item is added here")],
        ),
        finding(
            "LK104",
            Confidence::Medium,
            program.at(3, "CACHE", 0),
            "`CACHE` has no bound",
            "held by the notebook",
            "CACHE",
            vec![
                label(program.at(3, "CACHE[path]", 0), "an entry for each `path`"),
                label(program.at(3, "load(path)", 1), "called for each of `paths`"),
            ],
        ),
        finding(
            "LK101",
            Confidence::Low,
            program.at(4, "X.append(1)", 0),
            "a name with \x1b[31m control characters",
            "a place that is given twice",
            "X",
            vec![label(program.at(4, "X", 0), "held here")],
        ),
        finding("LK101", Confidence::Low, program.at(4, "X.append(1)", 0), "the same again", "", "X", vec![]),
        finding(
            "LK101",
            Confidence::High,
            // Beyond the end, which no rule should say, but no report may fail.
            Location { file: FileId(4), span: Span::new(9000, 9001) },
            "a place that is not there",
            "the end",
            "X",
            vec![],
        ),
    ];
    program
}

#[test]
fn full() {
    let mut styled = program().styled(Format::Full);
    program().report().write_summary(&mut styled).unwrap();
    check_file("fixtures/output/full.txt", &without_styles(&styled));
}

#[test]
fn full_in_colours() {
    let mut program = program();
    program.findings.truncate(1);
    check_file("fixtures/output/full.ansi", &String::from_utf8(program.styled(Format::Full)).unwrap());
}

#[test]
fn concise() {
    check_file("fixtures/output/concise.txt", &without_styles(&program().styled(Format::Concise)));
}

#[test]
fn json() {
    let bytes = String::from_utf8(program().styled(Format::Json)).unwrap();
    check_file("fixtures/output/report.json", &bytes);
    let value: serde_json::Value = serde_json::from_str(&bytes).unwrap();
    assert_eq!(value[0]["location"], serde_json::json!({"row": 3, "column": 1}));
    assert_eq!(value[0]["end_location"], serde_json::json!({"row": 3, "column": 5}));
    assert_eq!(value[0]["related"][0]["location"], serde_json::json!({"row": 7, "column": 14}));
}

#[test]
fn the_readme_shows_the_shape_of_json() {
    let readme = include_str!("../../README.md").replace("\r\n", "\n");
    let (_, example) = readme.split_once("```json\n").unwrap();
    let (example, _) = example.split_once("```").unwrap();
    let example: serde_json::Value = serde_json::from_str(example).unwrap();
    let actual: serde_json::Value = serde_json::from_slice(&program().styled(Format::Json)).unwrap();
    let keys = |value: &serde_json::Value| value.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
    assert_eq!(keys(&example[0]), keys(&actual[0]));
    assert_eq!(keys(&example[0]["related"][0]), keys(&actual[0]["related"][0]));
}

#[test]
fn json_without_findings_is_an_empty_array() {
    let program = Program { files: Vec::new(), findings: Vec::new() };
    assert_eq!(program.styled(Format::Json), b"[]\n");
}

#[test]
fn statistics() {
    let mut bytes = Vec::new();
    program().report().write_statistics(Format::Full, &mut bytes).unwrap();
    check_file("fixtures/output/statistics.txt", &without_styles(&bytes));
    let mut bytes = Vec::new();
    program().report().write_statistics(Format::Json, &mut bytes).unwrap();
    check_file("fixtures/output/statistics.json", &String::from_utf8(bytes).unwrap());
}

#[test]
fn summary_of_nothing() {
    let mut bytes = Vec::new();
    let report = |files| Report { findings: &[], sources: &EMPTY, files, directory: Path::new("") };
    report(1).write_summary(&mut bytes).unwrap();
    report(2).write_summary(&mut bytes).unwrap();
    assert_eq!(String::from_utf8(bytes).unwrap(), "No leaks found in 1 file.\nNo leaks found in 2 files.\n");
}

static EMPTY: Vec<SourceFile> = Vec::new();

#[test]
fn fingerprints_survive_moved_lines_and_new_spaces() {
    let fingerprints = |program: &Program| -> Vec<String> {
        let value: serde_json::Value = serde_json::from_slice(&program.styled(Format::Json)).unwrap();
        value.as_array().unwrap().iter().map(|entry| entry["fingerprint"].as_str().unwrap().to_owned()).collect()
    };
    let before = program();
    let mut after = program();
    after.files[0].text = format!("import os\n\n{}", STATE.replace("SEEN = ", "SEEN  =  "));
    after.findings[0].location = after.at(0, "SEEN", 0);
    after.findings[1].location = after.at(0, "BY_USER", 0);
    assert_eq!(fingerprints(&before), fingerprints(&after));

    let mut distinct = fingerprints(&before);
    distinct.sort();
    distinct.dedup();
    assert_eq!(distinct.len(), before.findings.len());
}

/// Every place of a text that holds all kinds of characters and line ends, whether it makes sense or not.
#[test]
fn no_place_breaks_a_report() {
    let text = "a\tb = 1\r\n\r日本 = '🙂'\n\n\x0c\x1b\u{202e}x\r";
    let text = format!("{text}{}e\u{301}{}", "長い".repeat(100), "y".repeat(300));
    let mut program = Program { files: Vec::new(), findings: Vec::new() };
    program.files.push(SourceFile::new("x.py", text.clone(), SourceKind::Python));
    let length = text.len() as u32;
    let ends = [0, 1, 7, 8, 9, 10, 13, 40, 200, length - 1, length, length + 5];
    for start in (0..40).chain([100, 300, 640, length - 1, length, length + 1]) {
        for end in ends {
            let location = Location { file: FileId(0), span: Span::new(start, end) };
            let other = Location { file: FileId(0), span: Span::new(end, start) };
            program.findings.push(Finding {
                code: "LK101",
                severity: Severity::Warning,
                confidence: Confidence::High,
                location,
                message: String::new(),
                label: "here".into(),
                related: vec![label(other, "there")],
                symbol: String::new(),
                effect: None,
                remedy: None,
                fix: None,
            });
        }
    }
    for format in Format::value_variants() {
        assert!(!program.styled(*format).is_empty());
    }
}

#[test]
fn paths_are_relative_to_the_directory() {
    let shown = |path: &str| {
        let path: PathBuf = path.split('/').collect::<Vec<_>>().join(std::path::MAIN_SEPARATOR_STR).into();
        shown_path(&path, Path::new("/here"))
    };
    assert_eq!(shown("a/b.py"), "a/b.py");
    assert_eq!(shown("./a/./b.py"), "a/b.py");
    assert_eq!(shown("../b.py"), "../b.py");
    assert_eq!(shown("-"), "-");
    if cfg!(unix) {
        assert_eq!(shown("/here/a/b.py"), "a/b.py");
        assert_eq!(shown("/elsewhere/b.py"), "/elsewhere/b.py");
    }
}
