//! Edits that mend findings: what is offered, and what may be written.
//!
//! A rule says how its finding is mended ([`Remedy`]), and here that becomes a change of the text, if the text around
//! has a form that can be changed with certainty; everywhere else nothing is offered. The tree was dropped long ago, so
//! the few files that have such findings are parsed again. What is offered is not believed: before anything is written,
//! the changed files are checked again in [`mend`].

mod apply;
mod cache;
mod enclose;
mod lines;
mod mend;
mod silence;
mod suppression;
mod temporary;

pub use apply::{applied, changed_lines, changes, unified_diff};
pub use mend::{ChangedFile, Mended, Texts, mend, mend_by};
pub use silence::{silence, silencing};

use crate::engine::{self, Outcome, ShownFile};
use crate::finding::{Finding, Fix, Remedy};
use crate::source::{FileId, SourceFile, SourceKind};
use crate::syntax::{self, Tree};

/// Fills in the fixes that a run can offer.
pub fn offer(outcome: &mut Outcome) {
    let wanted: Vec<FileId> = (outcome.findings.iter())
        .filter(|finding| finding.remedy.is_some() && finding.fix.is_none())
        .map(|finding| finding.location.file)
        .collect();
    if wanted.is_empty() {
        return;
    }
    let (findings, files) = (&mut outcome.findings, &outcome.files);
    // Without threads nothing is offered, and the run has said so itself.
    let _ = engine::on_large_stacks(std::num::NonZeroUsize::MIN, || {
        for file in files.iter().filter(|file| wanted.contains(&file.id)) {
            let of_file = findings.iter_mut().filter(|finding| finding.location.file == file.id);
            offer_in(file, of_file);
        }
    });
}

/// What can be offered for findings of one file.
pub fn offered(file: &ShownFile, findings: &[&Finding]) -> Vec<Option<Fix>> {
    let mut findings: Vec<Finding> = findings.iter().map(|finding| (*finding).clone()).collect();
    let _ = engine::on_large_stacks(std::num::NonZeroUsize::MIN, || offer_in(file, findings.iter_mut()));
    findings.into_iter().map(|finding| finding.fix).collect()
}

fn offer_in<'f>(file: &ShownFile, findings: impl Iterator<Item = &'f mut Finding>) {
    // A notebook's text is not what its file holds, and what does not parse is not understood.
    if file.source.kind == SourceKind::Notebook {
        return;
    }
    let tree = syntax::parse(&file.source);
    if !tree.errors.is_empty() {
        return;
    }
    for finding in findings.filter(|finding| finding.fix.is_none()) {
        finding.fix = finding.remedy.and_then(|remedy| fix(&file.source, &tree, finding, remedy));
    }
}

fn fix(file: &SourceFile, tree: &Tree, finding: &Finding, remedy: Remedy) -> Option<Fix> {
    let place = finding.location.span;
    match remedy {
        Remedy::BoundCache { made_by, parameter, bounded_form } => {
            cache::bounded(file, tree, place, made_by, parameter, bounded_form)
        }
        Remedy::ReleaseOnEveryWay { name, release, method } => {
            enclose::until_release(file, tree, place, name, release, method)
        }
        Remedy::CloseAfterUse { name, method } => enclose::until_last_use(file, tree, place, name, method),
        Remedy::NameAndClose => temporary::named(file, tree, place),
        Remedy::DropSuppression => suppression::dropped(file, &tree.directives, place),
        Remedy::ReplaceWord { by } => Some(suppression::replaced(place, by)),
    }
}
