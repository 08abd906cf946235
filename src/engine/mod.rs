//! A stand-in that knows one leak, until the engine is there.

use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::finding::{Confidence, Finding, Label};
use crate::source::{FileId, Location, SourceFile, SourceKind, Span};

/// What a run is asked to do.
#[derive(Debug, Default)]
pub struct Request {
    /// Files and folders that are reported on.
    pub paths: Vec<PathBuf>,
    /// Text that stands for a file: its path and its bytes as they were read.
    pub stdin: Option<(PathBuf, Vec<u8>)>,
    /// The user's own model files: path and text.
    pub models: Vec<(PathBuf, String)>,
    pub options: Options,
}

#[derive(Debug)]
pub struct Options {
    /// Codes of the rules that run, sorted.
    pub rules: Vec<&'static str>,
    pub min_confidence: Confidence,
    /// As many as there are processors if not said.
    pub threads: Option<NonZeroUsize>,
}

impl Default for Options {
    fn default() -> Self {
        Options { rules: Vec::new(), min_confidence: Confidence::Medium, threads: None }
    }
}

/// How far a run is; read by others while it runs.
#[derive(Debug, Default)]
pub struct Progress {
    /// How many files there are; zero until that is known.
    pub files: AtomicUsize,
    pub done: AtomicUsize,
}

#[derive(Debug, Default)]
pub struct Outcome {
    pub findings: Vec<Finding>,
    pub files: Vec<SourceFile>,
    pub problems: Vec<Problem>,
    pub statistics: Statistics,
}

#[derive(Debug)]
pub struct Problem {
    pub path: PathBuf,
    /// Row and column from 1.
    pub position: Option<(usize, usize)>,
    pub message: String,
    pub kind: ProblemKind,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProblemKind {
    /// The work was done all the same.
    Warning,
    /// Something could not be checked.
    Error,
}

#[derive(Debug, Default)]
pub struct Statistics {
    pub files: usize,
}

pub fn check(request: &Request, progress: &Progress) -> Outcome {
    let mut outcome = Outcome::default();
    for root in &request.paths {
        for entry in ignore::Walk::new(root) {
            match entry {
                Ok(entry) if entry.file_type().is_some_and(|kind| kind.is_file()) => {
                    match std::fs::read(entry.path()) {
                        Ok(bytes) => check_file(entry.path(), &bytes, request, &mut outcome),
                        Err(error) => outcome.problems.push(problem(entry.path(), &error)),
                    }
                }
                Ok(_) => {}
                Err(error) => outcome.problems.push(problem(root, &error)),
            }
            progress.done.fetch_add(1, Ordering::Relaxed);
        }
    }
    if let Some((path, bytes)) = &request.stdin {
        check_file(path, bytes, request, &mut outcome);
    }
    outcome.statistics.files = outcome.files.len();
    outcome
}

fn problem(path: &Path, error: &dyn std::error::Error) -> Problem {
    Problem { path: path.into(), position: None, message: error.to_string(), kind: ProblemKind::Error }
}

fn check_file(path: &Path, bytes: &[u8], request: &Request, outcome: &mut Outcome) {
    let text = String::from_utf8_lossy(bytes).into_owned();
    let file = FileId(outcome.files.len() as u32);
    let at = |word: &str| {
        let start = text.find(word)? as u32;
        Some(Location { file, span: Span::new(start, start + word.len() as u32) })
    };
    if let (Some(location), Some(growth)) = (at("SEEN"), at("SEEN.add(request.id)"))
        && request.options.rules.contains(&"LK101")
    {
        outcome.findings.push(Finding {
            code: "LK101",
            confidence: Confidence::High,
            location,
            message: "`SEEN` only grows".into(),
            label: "held by the module for the life of the process".into(),
            related: vec![Label { location: growth, message: "each call of `handle` adds an item here".into() }],
            symbol: "app.SEEN".into(),
        });
    }
    outcome.files.push(SourceFile::new(path, text, SourceKind::Python));
}
