//! Rounds of changing and checking, until nothing is left that can be mended.
//!
//! A change is kept only if the whole program, checked again, has lost the finding and has got no other. Nothing is
//! written here: a round checks texts that stand for files.

use std::path::{Path, PathBuf};

use rustc_hash::{FxHashMap, FxHashSet};

use super::{applied, offer};
use crate::engine::{self, Outcome, Progress, Request};
use crate::finding::{Applicability, Edit, Finding};

/// A round makes room for what overlapped or needed another's import, and tells good changes of a file from bad ones;
/// few programs need three.
const MOST_ROUNDS: usize = 32;

pub struct Mended {
    /// What is found in the changed texts.
    pub outcome: Outcome,
    /// In the order of their paths.
    pub files: Vec<ChangedFile>,
    /// How many findings are gone.
    pub mended: usize,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChangedFile {
    /// As it is shown.
    pub path: PathBuf,
    pub old: String,
    pub new: String,
}

/// What a finding is known by while lines move.
type Key = (PathBuf, &'static str, String);

/// Texts that stand for files, by how these are shown.
pub type Texts = FxHashMap<PathBuf, String>;

/// Checks, and changes what can be changed.
pub fn mend(request: &Request, with_unsafe: bool, progress: &Progress) -> Mended {
    let check = |texts: &Texts| {
        let mut request = request.clone();
        request.texts.extend(texts.clone());
        // Only the first is worth watching: a round checks what was checked before.
        let unseen = Progress::default();
        engine::check(&request, if texts.is_empty() { progress } else { &unseen }).without_remains()
    };
    mend_by(check, |_| true, with_unsafe)
}

/// The same for those who check in their own way, and for some files only.
pub fn mend_by(
    mut check: impl FnMut(&Texts) -> Outcome,
    is_meant: impl Fn(&Path) -> bool,
    with_unsafe: bool,
) -> Mended {
    let mut texts = Texts::default();
    let mut outcome = check(&texts);
    offer(&mut outcome);
    let before = outcome.findings.len();
    let mut old: FxHashMap<PathBuf, String> = FxHashMap::default();
    let mut refused: FxHashSet<Key> = FxHashSet::default();
    // Files whose changes are made one at a time, because together they did not do what they should.
    let mut careful: FxHashSet<PathBuf> = FxHashSet::default();
    for _ in 0..MOST_ROUNDS {
        let mut changes = changes(&outcome, with_unsafe, &refused, &careful);
        changes.retain(|change| is_meant(&change.path));
        if changes.is_empty() {
            break;
        }
        let mut next = texts.clone();
        next.extend(changes.iter().map(|change| (change.path.clone(), change.text.clone())));
        let mut checked = check(&next);
        offer(&mut checked);
        let failed = failed(&outcome, &checked, &changes);
        if !failed.is_empty() {
            for change in failed {
                match change.mends.as_slice() {
                    [only] => refused.insert(only.clone()),
                    _ => careful.insert(change.path.clone()),
                };
            }
            continue;
        }
        for file in outcome.files.iter().filter(|file| changes.iter().any(|change| change.path == file.source.path)) {
            old.entry(file.source.path.clone()).or_insert_with(|| file.source.text.clone());
        }
        (texts, outcome) = (next, checked);
    }
    let mut files: Vec<ChangedFile> = (old.into_iter())
        .filter_map(|(path, old)| Some(ChangedFile { new: texts.remove(&path)?, path, old }))
        .collect();
    files.sort_by(|a, b| a.path.cmp(&b.path));
    let mended = before.saturating_sub(outcome.findings.len());
    Mended { outcome, files, mended }
}

/// The new text of a file, and the findings that it is to mend.
struct Change {
    path: PathBuf,
    text: String,
    mends: Vec<Key>,
}

/// One change for each file that has fixes: as many as do not overlap, the first of the text first.
fn changes(
    outcome: &Outcome,
    with_unsafe: bool,
    refused: &FxHashSet<Key>,
    careful: &FxHashSet<PathBuf>,
) -> Vec<Change> {
    let mut changes = Vec::new();
    for file in &outcome.files {
        let path = &file.source.path;
        let mut fixes: Vec<(Key, &[Edit])> = (outcome.findings.iter())
            .filter(|finding| finding.location.file == file.id)
            .filter_map(|finding| Some((finding, finding.fix.as_ref()?)))
            .filter(|(_, fix)| with_unsafe || fix.applicability == Applicability::Safe)
            .map(|(finding, fix)| (key(finding, path), fix.edits.as_slice()))
            .filter(|(key, _)| !refused.contains(key))
            .collect();
        fixes.sort_by_key(|(_, edits)| edits.first().map(|edit| edit.span));
        let (mut edits, mut mends): (Vec<&Edit>, Vec<Key>) = (Vec::new(), Vec::new());
        for (key, fix) in fixes {
            let is_apart = |edit: &Edit| edits.iter().all(|other| are_apart(edit, other));
            if fix.iter().all(is_apart) && (mends.is_empty() || !careful.contains(path)) {
                edits.extend(fix);
                mends.push(key);
            }
        }
        edits.sort_by_key(|edit| edit.span);
        if mends.is_empty() {
            continue;
        }
        if let Some(text) = applied(&file.source.text, &edits) {
            changes.push(Change { path: path.clone(), text, mends });
        }
    }
    changes
}

/// Two insertions at one place are not: their order would matter.
fn are_apart(one: &Edit, other: &Edit) -> bool {
    one.span.end < other.span.start || other.span.end < one.span.start
}

fn key(finding: &Finding, path: &Path) -> Key {
    (path.to_owned(), finding.code, finding.symbol.clone())
}

/// The changes that did not do what they should: something of theirs is left, the file does not parse or has something
/// new; all of them if the rest of the program has.
fn failed<'c>(before: &Outcome, after: &Outcome, changes: &'c [Change]) -> Vec<&'c Change> {
    let (before_counts, after_counts) = (counts(before), counts(after));
    let count = |counts: &FxHashMap<Key, usize>, key: &Key| counts.get(key).copied().unwrap_or(0);
    let is_new = |key: &&Key| count(&after_counts, key) > count(&before_counts, key);
    let new: Vec<&Key> = after_counts.keys().filter(is_new).collect();
    if new.iter().any(|key| changes.iter().all(|change| change.path != key.0)) {
        return changes.iter().collect();
    }
    let complaints =
        |outcome: &Outcome, path: &Path| outcome.problems.iter().filter(|problem| problem.path == path).count();
    let is_bad = |change: &&Change| {
        let is_left = |key: &Key| {
            let promised = change.mends.iter().filter(|other| *other == key).count();
            count(&after_counts, key) + promised > count(&before_counts, key)
        };
        complaints(after, &change.path) > complaints(before, &change.path)
            || new.iter().any(|key| key.0 == change.path)
            || change.mends.iter().any(is_left)
    };
    changes.iter().filter(is_bad).collect()
}

fn counts(outcome: &Outcome) -> FxHashMap<Key, usize> {
    let mut counts = FxHashMap::default();
    for finding in &outcome.findings {
        if let Some(file) = outcome.file(finding.location.file) {
            *counts.entry(key(finding, &file.source.path)).or_insert(0) += 1;
        }
    }
    counts
}
