//! Comments for all that is found, so that only what is new will be.

use std::path::PathBuf;

use super::{ChangedFile, Mended, applied, suppression};
use crate::engine::{self, Outcome, Progress, Request, ShownFile};
use crate::finding::{Edit, Finding};
use crate::source::SourceKind;
use crate::syntax::{self, suppression::logical_lines};

/// Checks, and writes a comment at the end of each line that has a finding. What is left in the outcome could not be
/// silenced: a notebook's file is not the text that was checked, and a text with syntax errors is not understood.
pub fn silence(request: &Request, reason: &str, progress: &Progress) -> Mended {
    let outcome = engine::check(request, progress).without_remains();
    let before = outcome.findings.len();
    let files = engine::on_large_stacks(std::num::NonZeroUsize::MIN, || changed_files(&outcome, reason));
    let files = files.unwrap_or_default();
    let mut silent = request.clone();
    for file in &files {
        silent.texts.insert(file.path.clone(), file.new.clone());
    }
    let outcome = engine::check(&silent, &Progress::default());
    let mended = before.saturating_sub(outcome.findings.len());
    Mended { outcome, files, mended }
}

fn changed_files(outcome: &Outcome, reason: &str) -> Vec<ChangedFile> {
    let mut files = Vec::new();
    for file in &outcome.files {
        let findings: Vec<&Finding> =
            outcome.findings.iter().filter(|finding| finding.location.file == file.id).collect();
        if let Some((path, new)) = silenced(file, &findings, reason) {
            files.push(ChangedFile { path, old: file.source.text.clone(), new });
        }
    }
    files.sort_by(|a, b| a.path.cmp(&b.path));
    files
}

/// The edits that silence some findings in the file that they are reported in, whatever it is part of.
pub fn silencing(file: &ShownFile, findings: &[&Finding]) -> Vec<Edit> {
    let work = || {
        let tree = syntax::parse(&file.source);
        suppression::written(&logical_lines(&file.source), &tree.directives, findings, "")
    };
    engine::on_large_stacks(std::num::NonZeroUsize::MIN, work).unwrap_or_default()
}

fn silenced(file: &ShownFile, findings: &[&Finding], reason: &str) -> Option<(PathBuf, String)> {
    let tree = syntax::parse(&file.source);
    if findings.is_empty() || file.source.kind == SourceKind::Notebook || !tree.errors.is_empty() {
        return None;
    }
    let edits = suppression::written(&logical_lines(&file.source), &tree.directives, findings, reason);
    let edits: Vec<&Edit> = edits.iter().collect();
    Some((file.source.path.clone(), applied(&file.source.text, &edits)?))
}
