//! What is said of a place: the rule in short, and the argument of what is found there.

use std::fmt::Write;
use std::sync::Arc;

use gen_lsp_types::{Position, Range, Uri};
use serde_json::{Value, json};

use super::client::Client;
use super::documents::Documents;
use super::places;
use crate::engine::Outcome;
use crate::finding::{Finding, Severity};
use crate::output::confidence_word;
use crate::rules::page::{Page, pages};

/// The answer to a hover; null where there is nothing to say.
pub fn hover(
    uri: &Uri,
    position: Position,
    outcomes: &[Arc<Outcome>],
    documents: &Documents,
    client: &Client,
) -> Value {
    let found = of_findings(uri, position, outcomes, documents).or_else(|| of_word(uri, position, documents));
    let Some((text, range)) = found else { return Value::Null };
    let kind = if client.has_markdown { "markdown" } else { "plaintext" };
    json!({"contents": {"kind": kind, "value": text}, "range": range})
}

fn of_findings(
    uri: &Uri,
    position: Position,
    outcomes: &[Arc<Outcome>],
    documents: &Documents,
) -> Option<(String, Range)> {
    let mut said: Option<(String, Range)> = None;
    for (finding, outcome, range) in super::findings_in(uri, outcomes, documents) {
        if !(range.start <= position && position <= range.end) {
            continue;
        }
        let text = of_finding(finding, outcome, documents);
        said = Some(match said {
            None => (text, range),
            Some((before, range)) => (format!("{before}\n\n---\n\n{text}"), range),
        });
    }
    said
}

/// A finding with its argument, in Markdown.
fn of_finding(finding: &Finding, outcome: &Outcome, documents: &Documents) -> String {
    let page = crate::rules::page::page(finding.code);
    let name = page.map_or("", |page| page.name);
    let (severity, confidence) = (severity_word(finding.severity), confidence_word(finding.confidence));
    let mut text = format!("**{} {name}** ({severity}, {confidence} confidence)\n\n{}", finding.code, finding.message);
    if !finding.label.is_empty() {
        let _ = write!(text, ": {}", finding.label);
    }
    text.push('\n');
    for (number, label) in finding.related.iter().enumerate() {
        let Some(file) = outcome.file(label.location.file) else { continue };
        let place = places::location(documents, file, label.location.span);
        let (name, row) = (file.path.file_name().unwrap_or_default().to_string_lossy(), place.range.start.line + 1);
        let _ = write!(text, "\n{}. {} ([{name}:{row}]({}#L{row}))", number + 1, label.message, place.uri);
    }
    if let Some(page) = page {
        let _ = write!(text, "\n\n*What to do:* {}\n\n[About {}]({})", page.advice(), page.code, page.url());
    }
    text
}

fn severity_word(severity: Severity) -> &'static str {
    match severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Info => "info",
    }
}

/// A rule's code, or its name where unleak is spoken to.
fn of_word(uri: &Uri, position: Position, documents: &Documents) -> Option<(String, Range)> {
    let document = documents.get(uri)?;
    let (text, lines) = (&document.text, &document.lines);
    let at = documents.encoding.offset(text, lines, position);
    let line = lines.line_span(text, lines.row(at))?;
    let is_part = |c: char| c.is_ascii_alphanumeric() || c == '-';
    let before = text.get(line.start as usize..at as usize)?;
    let start = at - before.chars().rev().take_while(|c| is_part(*c)).count() as u32;
    let behind = text.get(at as usize..line.end as usize)?;
    let end = at + behind.chars().take_while(|c| is_part(*c)).count() as u32;
    let word = text.get(start as usize..end as usize)?;
    let is_for_us = line.of(text).contains("unleak") || uri.0.ends_with(".toml");
    let page = pages().iter().find(|page| page.code == word || (is_for_us && page.name == word))?;
    let range = documents.encoding.range(text, lines, crate::source::Span::new(start, end));
    Some((in_short(page), range))
}

/// A rule in short, in Markdown.
fn in_short(page: &Page) -> String {
    let finds = page.section(crate::rules::page::Section::Finds).trim();
    let (title, advice, url) = (page.title, page.advice(), page.url());
    format!(
        "**{} {}**: {title}\n\n{finds}\n\n*What to do:* {advice}\n\n[About {}]({url})",
        page.code, page.name, page.code
    )
}
