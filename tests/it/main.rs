//! Everything that can be tested in-process, in one binary because linking is slower than the tests.
//!
//! The tests are data: programs with marks, pages with examples, models with proofs. [`check`] is the only caller of
//! the API that they go through, so a change of the API is a change of one function.

#![allow(clippy::expect_used, clippy::unwrap_used)]

mod adopt;
mod cli;
mod config;
mod confirm;
mod examples;
mod facts;
mod fixes;
mod fixtures;
mod floors;
mod flow;
mod formats;
mod marks;
mod load;
mod models;
mod oracle;
mod output;
mod pages;
mod retention;
mod profile;
mod robustness;
mod server;
mod server_drift;
mod suppress;
mod syntax;

use std::fs;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};

use unleak::config::{Configuration, Settings};
use unleak::engine::{self, Options, ProblemKind};
use unleak::finding::Confidence;
use unleak::source::Location;

/// A file of a program under test: its path from the program's root, and its text.
pub type Source = (PathBuf, String);

/// A finding as a test sees it, with rows and paths in place of numbers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    pub code: String,
    pub confidence: Confidence,
    pub message: String,
    pub place: Place,
    /// What is said at the primary place itself and at the related ones.
    pub labels: Vec<(Place, String)>,
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    pub path: PathBuf,
    /// Counted from 1.
    pub row: usize,
}

impl std::fmt::Display for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}:{}", self.path.display(), self.row)
    }
}

/// All findings of all rules in a program, in the order in which unleak shows them.
pub fn check(sources: &[Source], min_confidence: Confidence) -> Vec<Found> {
    check_on(sources, min_confidence, None)
}

/// The same on a number of threads.
pub fn check_on(sources: &[Source], min_confidence: Confidence, threads: Option<NonZeroUsize>) -> Vec<Found> {
    let configuration = Configuration::fixed(Settings { min_confidence, ..Settings::default() });
    let options = Options { configuration, threads };
    let outcome = engine::check_sources(sources.to_vec(), &options);
    for problem in &outcome.problems {
        assert!(problem.kind != ProblemKind::Panic, "{}: {}", problem.path.display(), problem.message);
    }
    let place = |location: Location| {
        let file = outcome.file(location.file).expect("the outcome has every file that a finding names");
        Place {
            path: file.source.path.clone(),
            row: file.source.position(&file.lines, location.span.start).row as usize,
        }
    };
    let found = outcome.findings.iter().map(|finding| {
        let related = finding.related.iter().map(|label| (place(label.location), label.message.clone()));
        Found {
            code: finding.code.to_owned(),
            confidence: finding.confidence,
            message: finding.message.clone(),
            place: place(finding.location),
            labels: [(place(finding.location), finding.label.clone())].into_iter().chain(related).collect(),
        }
    });
    found.collect()
}

/// Checks a program of one file.
pub fn check_text(text: &str) -> Vec<Found> {
    check(&[(PathBuf::from("program.py"), text.to_owned())], Confidence::Medium)
}

pub fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The files under a folder with this extension, sorted, each with its path from the folder.
pub fn files(folder: &Path, extension: &str) -> Vec<Source> {
    let walk = walkdir::WalkDir::new(folder).sort_by_file_name();
    let mut files = Vec::new();
    for entry in walk.into_iter().filter_map(Result::ok) {
        let path = entry.path();
        if path.extension().is_some_and(|actual| actual == extension) {
            let text = fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
            files.push((path.strip_prefix(folder).unwrap_or(path).to_owned(), text));
        }
    }
    files
}

/// Fails with all the failures at once, because one at a time is a slow way to learn about ten.
#[track_caller]
pub fn report(failures: Vec<String>) {
    if !failures.is_empty() {
        panic!("{} failed:\n\n{}\n", failures.len(), failures.join("\n\n"));
    }
}
