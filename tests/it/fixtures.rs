//! Programs with marks: every finding must be claimed by a mark, and every mark kept.
//!
//! All rules run on all fixtures, so that a fixture of one rule is a near miss for the others. `fixtures/LK101/x.py`
//! is a program, and `fixtures/LK101/x/` a program of several modules.

use std::fs;
use std::path::{Path, PathBuf};

use unleak::finding::Confidence;

use crate::marks::{Claim, Mark, is_code, marks};
use crate::{Found, Place, Source, check, files, report, root};

/// A fixture: a program, and the rule it was written for.
pub struct Program {
    pub rule: String,
    /// From the repository's root.
    pub path: PathBuf,
    pub sources: Vec<Source>,
}

impl Program {
    /// `low` findings are shown only where the first line of a file asks for them.
    pub fn min_confidence(&self) -> Confidence {
        match self.sources.iter().any(|(_, text)| text.starts_with("# min-confidence: low")) {
            true => Confidence::Low,
            false => Confidence::Medium,
        }
    }
}

/// All fixtures, in the order of their paths.
pub fn programs() -> Vec<Program> {
    let mut programs = Vec::new();
    for folder in entries(&root().join("fixtures")) {
        let rule = name(&folder);
        if !is_code(&rule) {
            continue;
        }
        for entry in entries(&folder) {
            let sources = match entry.is_dir() {
                true => files(&entry, "py"),
                false if entry.extension().is_some_and(|extension| extension == "py") => {
                    let text =
                        fs::read_to_string(&entry).unwrap_or_else(|error| panic!("{}: {error}", entry.display()));
                    vec![(PathBuf::from(name(&entry)), text)]
                }
                false => continue,
            };
            let path = entry.strip_prefix(root()).unwrap_or(&entry).to_owned();
            programs.push(Program { rule: rule.clone(), path, sources });
        }
    }
    programs
}

fn entries(folder: &Path) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(folder) else { return Vec::new() };
    let mut paths: Vec<PathBuf> = entries.filter_map(Result::ok).map(|entry| entry.path()).collect();
    paths.sort();
    paths
}

fn name(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

#[test]
fn every_finding_is_marked_and_every_mark_kept() {
    let mut failures = Vec::new();
    for program in programs() {
        let found = check(&program.sources, program.min_confidence());
        for failure in compare(&program, &found) {
            failures.push(failure);
        }
    }
    report(failures);
}

#[test]
fn messages_are_lower_case_and_have_no_full_stop() {
    let mut failures = Vec::new();
    for program in programs() {
        for found in check(&program.sources, program.min_confidence()) {
            let labels = found.labels.iter().map(|(_, label)| label).filter(|label| !label.is_empty());
            for message in labels.chain([&found.message]) {
                if message.starts_with(char::is_uppercase) || message.ends_with('.') || message.is_empty() {
                    failures.push(format!("{} {}: `{message}`", found.place, found.code));
                }
            }
        }
    }
    report(failures);
}

/// What differs between a program's marks and its findings.
fn compare(program: &Program, found: &[Found]) -> Vec<String> {
    let mut failures = Vec::new();
    let mut claimed = vec![false; found.len()];
    for (path, text) in &program.sources {
        let marks = match marks(text, &program.rule) {
            Ok(marks) => marks,
            Err(error) => {
                failures.push(format!("{}:{error}", shown(program, path)));
                continue;
            }
        };
        for mark in marks {
            let place = Place { path: path.clone(), row: mark.row };
            if let Some(failure) = broken(&mark, &place, found, &mut claimed) {
                failures.push(describe(program, &place, text, &failure, found));
            }
        }
    }
    for (found, _) in found.iter().zip(claimed).filter(|(_, claimed)| !claimed) {
        let text = program.sources.iter().find(|(path, _)| *path == found.place.path).map_or("", |(_, text)| text);
        let failure = format!("no mark claims {} `{}` ({:?})", found.code, found.message, found.confidence);
        failures.push(describe(program, &found.place, text, &failure, &[]));
    }
    failures
}

/// Why a mark is not kept, and which findings it claims.
fn broken(mark: &Mark, place: &Place, found: &[Found], claimed: &mut [bool]) -> Option<String> {
    let mut claim = |code: &str, part: Option<&str>| {
        let mut any = false;
        for (found, claimed) in found.iter().zip(claimed.iter_mut()) {
            if found.place == *place && found.code == code && part.is_none_or(|part| found.message.contains(part)) {
                *claimed = true;
                any = true;
            }
        }
        any
    };
    match &mark.claim {
        Claim::Leak { codes, part } => {
            let lost: Vec<&str> =
                codes.iter().map(String::as_str).filter(|code| !claim(code, part.as_deref())).collect();
            let part = part.as_ref().map(|part| format!(" with `{part}` in its message")).unwrap_or_default();
            (!lost.is_empty()).then(|| format!("expected {}{part}, which was not reported", lost.join(" and ")))
        }
        Claim::Why { part } => {
            let said = found.iter().flat_map(|found| &found.labels);
            let kept = said
                .filter(|(at, _)| at == place)
                .any(|(_, label)| part.as_ref().is_none_or(|part| label.contains(part.as_str())));
            (!kept).then(|| "expected a label of a finding here".to_owned())
        }
        Claim::Ok => {
            let here = found.iter().find(|found| found.place == *place)?;
            Some(format!("expected silence, and {} says `{}`", here.code, here.message))
        }
        Claim::Missed { codes } => {
            let mended: Vec<&str> = codes.iter().map(String::as_str).filter(|code| claim(code, None)).collect();
            (!mended.is_empty())
                .then(|| format!("{} is no longer missed: make the mark `# leak`", mended.join(" and ")))
        }
        Claim::Wrong { codes } => {
            let mended: Vec<&str> = codes.iter().map(String::as_str).filter(|code| !claim(code, None)).collect();
            (!mended.is_empty()).then(|| format!("{} is no longer wrong: make the mark `# ok`", mended.join(" and ")))
        }
    }
}

/// A failure with the line it is about, and all that was reported in its file.
fn describe(program: &Program, place: &Place, text: &str, failure: &str, found: &[Found]) -> String {
    let line = text.lines().nth(place.row.saturating_sub(1)).unwrap_or_default().trim_end();
    let mut shown = format!("{}:{}: {failure}\n    {line}", shown(program, &place.path), place.row);
    for found in found.iter().filter(|found| found.place.path == place.path) {
        shown += &format!("\n  found {} at {}: {}", found.code, found.place.row, found.message);
        for (at, label) in &found.labels {
            shown += &format!("\n      label at {at}: {label}");
        }
    }
    shown
}

fn shown(program: &Program, path: &Path) -> String {
    match program.path.extension() {
        Some(_) => program.path.display().to_string(),
        None => program.path.join(path).display().to_string(),
    }
}

/// The harness is worth nothing if it lets something pass, so it is tried on findings made up for it.
#[test]
fn the_harness_sees_every_kind_of_difference() {
    let program = |text: &str| Program {
        rule: "LK101".to_owned(),
        path: PathBuf::from("fixtures/LK101/x.py"),
        sources: vec![(PathBuf::from("x.py"), text.to_owned())],
    };
    let at = |row| Place { path: PathBuf::from("x.py"), row };
    let found = [Found {
        code: "LK101".to_owned(),
        confidence: Confidence::High,
        message: "`X` only grows".to_owned(),
        place: at(1),
        labels: vec![(at(2), "grows here".to_owned())],
    }];
    let failures = |text: &str, found: &[Found]| compare(&program(text), found).len();
    assert_eq!(failures("X = []  # leak \"only grows\"\nf()  # why\n", &found), 0);
    assert_eq!(failures("X = []  # wrong a reason\nf()\n", &found), 0);
    assert_eq!(failures("X = []\nf()\n", &found), 1, "an unclaimed finding");
    assert_eq!(failures("X = []  # leak LK104\nf()\n", &found), 2, "the wrong rule and an unclaimed finding");
    assert_eq!(failures("X = []  # leak \"shrinks\"\nf()\n", &found), 2, "the wrong words");
    assert_eq!(failures("X = []  # leak\nf()\ng()  # why\n", &found), 1, "a label elsewhere");
    assert_eq!(failures("X = []  # ok\nf()\n", &found), 2, "a finding where there should be none");
    assert_eq!(failures("X = []  # missed a reason\nf()\n", &found), 1, "a miss that was mended");
    assert_eq!(failures("X = []  # missed a reason\nf()\n", &[]), 0);
    assert_eq!(failures("X = []  # wrong a reason\nf()\n", &[]), 1, "a false alarm that was mended");
}
