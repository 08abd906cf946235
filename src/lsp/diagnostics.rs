//! What is found, as the editor shows it.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::hash::Hasher;

use gen_lsp_types::{
    Code, CodeDescription, Diagnostic, DiagnosticRelatedInformation, DiagnosticSeverity, DiagnosticTag, Message,
    Position, Range, Uri,
};
use rustc_hash::FxHasher;

use super::client::Client;
use super::documents::Documents;
use super::places;
use super::uri::{canonical, uri_of};
use crate::engine::{Outcome, Problem, ProblemKind};
use crate::finding::{Finding, Severity};
use crate::rules::page;
use crate::rules::page::PageId;

static UNUSED: PageId = PageId::of("LK002");

/// The diagnostics of one document, and what they are compared by.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Report {
    pub items: Vec<Diagnostic>,
    /// Equal for equal diagnostics.
    pub id: String,
}

/// By the documents' names.
pub type Reports = BTreeMap<String, Report>;

/// What is to be shown in each document.
pub fn reports<'o>(outcomes: impl Iterator<Item = &'o Outcome>, documents: &Documents, client: &Client) -> Reports {
    let mut reports = Reports::new();
    for outcome in outcomes {
        for finding in &outcome.findings {
            if let Some((uri, diagnostic)) = diagnostic(finding, outcome, documents, client) {
                reports.entry(uri.0).or_default().items.push(diagnostic);
            }
        }
        for problem in &outcome.problems {
            if let Some((uri, diagnostic)) = mistake(problem) {
                reports.entry(uri.0).or_default().items.push(diagnostic);
            }
        }
    }
    for report in reports.values_mut() {
        report.id = id(&report.items);
    }
    reports
}

/// The id of a report without diagnostics.
pub fn empty_id() -> String {
    id(&[])
}

fn id(items: &[Diagnostic]) -> String {
    let mut hasher = FxHasher::default();
    hasher.write(&serde_json::to_vec(items).unwrap_or_default());
    format!("{:016x}", hasher.finish())
}

/// A finding, and the document that shows it.
pub fn diagnostic(
    finding: &Finding,
    outcome: &Outcome,
    documents: &Documents,
    client: &Client,
) -> Option<(Uri, Diagnostic)> {
    let file = outcome.file(finding.location.file)?;
    let place = places::location(documents, file, finding.location.span);
    let page = page::page(finding.code);
    let mut message = places::lost_place(documents, file, finding.location.span) + &finding.message;
    let related: Vec<DiagnosticRelatedInformation> = (finding.related.iter())
        .filter_map(|label| {
            let file = outcome.file(label.location.file)?;
            let location = places::location(documents, file, label.location.span);
            let message = places::lost_place(documents, file, label.location.span) + &label.message;
            Some(DiagnosticRelatedInformation { location, message })
        })
        .collect();
    if !client.shows_related {
        for label in &finding.related {
            let Some(file) = outcome.file(label.location.file) else { continue };
            let row = file.source.position(&file.lines, label.location.span.start).row;
            let name = file.path.file_name().unwrap_or_default().to_string_lossy();
            // Writing to a text cannot fail.
            let _ = write!(message, "\n{name}:{row}: {}", label.message);
        }
    }
    let tags = (finding.code == UNUSED.code()).then(|| vec![DiagnosticTag::Unnecessary]);
    let diagnostic = Diagnostic {
        range: place.range,
        severity: Some(severity(finding.severity)),
        code: Some(Code::String(finding.code.to_owned())),
        code_description: page.map(|page| CodeDescription { href: Uri(page.url()) }),
        source: Some("unleak".to_owned()),
        message: Message::String(message),
        tags,
        related_information: (client.shows_related && !related.is_empty()).then_some(related),
        data: None,
    };
    Some((place.uri, diagnostic))
}

fn severity(severity: Severity) -> DiagnosticSeverity {
    match severity {
        Severity::Error => DiagnosticSeverity::Error,
        Severity::Warning => DiagnosticSeverity::Warning,
        Severity::Info => DiagnosticSeverity::Information,
    }
}

/// A mistake in a configuration, a baseline or models, which is shown where it is. What is wrong with Python files
/// other tools say.
fn mistake(problem: &Problem) -> Option<(Uri, Diagnostic)> {
    if !matches!(problem.kind, ProblemKind::Configuration | ProblemKind::Models) {
        return None;
    }
    let (row, column) = problem.position.map_or((1, 1), |position| (position.row, position.column));
    let start = Position { line: row.saturating_sub(1), character: column.saturating_sub(1) };
    let end = Position { character: start.character + 1, ..start };
    let path = std::path::absolute(&problem.path).unwrap_or_else(|_| problem.path.clone());
    let diagnostic = Diagnostic {
        range: Range { start, end },
        severity: Some(DiagnosticSeverity::Error),
        code: None,
        code_description: None,
        source: Some("unleak".to_owned()),
        message: Message::String(problem.message.clone()),
        tags: None,
        related_information: None,
        data: None,
    };
    Some((uri_of(&canonical(&path)), diagnostic))
}
