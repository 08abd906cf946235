//! SARIF 2.1.0, as GitHub's code scanning and the viewers of editors read it.
//!
//! Paths are relative to the directory unleak ran in, by the name that GitHub gives it, and where that is on this
//! machine is not told: the same tree gives the same report everywhere.

use std::io::{self, Write};
use std::path::{Component, Path, PathBuf};

use serde_json::{Value, json};

use super::escape::uri;
use super::item::{Item, Place, items};
use super::json::write_lines;
use super::line_hash::LineHashes;
use super::place::Places;
use super::{Report, confidence_word, observed};
use crate::finding::{Applicability, Severity};
use crate::rules::page::{HOME_URL, Page, Section, page};
use crate::source::{Position, Span};

const SCHEMA: &str = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json";
const BASE: &str = "%SRCROOT%";

pub fn write(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    let places = Places::new(report.sources);
    let items = items(report, &places);
    let mut codes: Vec<&str> = items.iter().map(|item| item.finding.code).collect();
    codes.sort_unstable();
    codes.dedup();
    let writer = Writer { report, places: &places, hashes: LineHashes::default(), codes: &codes };
    let log = json!({
        "$schema": SCHEMA,
        "version": "2.1.0",
        "runs": [{
            "tool": {"driver": {
                "name": "unleak",
                "version": env!("CARGO_PKG_VERSION"),
                "semanticVersion": env!("CARGO_PKG_VERSION"),
                "informationUri": HOME_URL,
                "rules": codes.iter().map(|code| rule(code)).collect::<Vec<_>>(),
            }},
            "originalUriBaseIds": {BASE: {"description": {"text": "the directory that unleak ran in"}}},
            "columnKind": "unicodeCodePoints",
            "results": items.iter().map(|item| writer.result(item)).collect::<Vec<_>>(),
        }],
    });
    write_lines(&log, out)
}

fn rule(code: &str) -> Value {
    let Some(page) = page(code) else { return json!({"id": code}) };
    let mut tags = vec!["leak".to_owned(), page.family.to_owned()];
    // The form by which GitHub knows them.
    tags.extend(page.cwe.iter().map(|cwe| format!("external/cwe/{}", cwe.to_lowercase())));
    json!({
        "id": code,
        "name": page.name,
        "shortDescription": {"text": page.title},
        "fullDescription": {"text": page.section(Section::Finds)},
        "help": {"text": page.section(Section::Advice), "markdown": help(page)},
        "helpUri": page.url(),
        "defaultConfiguration": {"level": level(page.severity)},
        "properties": {
            "tags": tags,
            "precision": confidence_word(page.confidence),
            "problem.severity": problem_severity(page.severity),
        },
    })
}

/// What is worth reading beside a finding.
fn help(page: &Page) -> String {
    let sections = [Section::Finds, Section::Why, Section::Leaks, Section::Clean, Section::Advice];
    let sections = sections.map(|section| format!("## {}\n\n{}\n", section.heading(), page.section(section)));
    format!("# {}: {}\n\n{}", page.code, page.title, sections.join("\n"))
}

fn level(severity: Severity) -> &'static str {
    match severity {
        Severity::Info => "note",
        Severity::Warning => "warning",
        Severity::Error => "error",
    }
}

fn problem_severity(severity: Severity) -> &'static str {
    match severity {
        Severity::Info => "recommendation",
        Severity::Warning => "warning",
        Severity::Error => "error",
    }
}

struct Writer<'a> {
    report: &'a Report<'a>,
    places: &'a Places<'a>,
    hashes: LineHashes,
    codes: &'a [&'a str],
}

impl Writer<'_> {
    fn result(&self, item: &Item) -> Value {
        let finding = item.finding;
        let related: Vec<Value> = (item.steps.iter().enumerate())
            .map(|(index, step)| self.location(&step.place, Some(index + 1), step.message))
            .collect();
        let mut result = json!({
            "ruleId": finding.code,
            "ruleIndex": self.codes.binary_search(&finding.code).unwrap_or_default(),
            "level": level(finding.severity),
            "message": {"text": item.message()},
            "locations": [self.location(&item.place, None, &finding.label)],
            "relatedLocations": related,
            "partialFingerprints": self.fingerprints(item),
            "properties": {
                "confidence": confidence_word(finding.confidence),
                "symbol": finding.symbol,
                "help": item.help(),
            },
        });
        if !item.steps.is_empty() || finding.evidence.is_some() {
            result["codeFlows"] = self.code_flows(item);
        }
        if let Some(evidence) = &finding.evidence {
            // The numbers behind the chart in the last step.
            result["properties"]["observed"] = json!(evidence);
        }
        if finding.fix.is_some() {
            result["fixes"] = self.fixes(item);
        }
        result
    }

    fn location(&self, place: &Place, id: Option<usize>, message: &str) -> Value {
        let mut location = json!({"physicalLocation": self.physical_location(place)});
        if let Some(id) = id {
            location["id"] = id.into();
        }
        if !message.is_empty() {
            location["message"] = json!({"text": message});
        }
        location
    }

    fn physical_location(&self, place: &Place) -> Value {
        let place = place.in_file();
        let region = region(place.start, place.end);
        json!({"artifactLocation": self.artifact(&place.path), "region": region})
    }

    fn artifact(&self, path: &str) -> Value {
        match absolute(path, self.report.directory) {
            Some(path) => json!({"uri": format!("file://{}", uri(&path))}),
            None => json!({"uri": uri(path), "uriBaseId": BASE}),
        }
    }

    /// The argument as a path: what holds it, then each step, and at last what a run has shown.
    fn code_flows(&self, item: &Item) -> Value {
        let label = if item.finding.label.is_empty() { &item.finding.message } else { &item.finding.label };
        let first = self.location(&item.place, None, label);
        let steps = item.steps.iter().map(|step| self.location(&step.place, None, step.message));
        let mut locations: Vec<Value> =
            std::iter::once(first).chain(steps).map(|location| json!({"location": location})).collect();
        if let Some(evidence) = &item.finding.evidence {
            let location = self.location(&item.place, None, &format!("observed: {}", observed(evidence)));
            locations.push(json!({"location": location, "kinds": ["observed"]}));
        }
        json!([{"threadFlows": [{"locations": locations}]}])
    }

    fn fingerprints(&self, item: &Item) -> Value {
        let mut fingerprints = json!({"unleak/v1": item.fingerprint});
        // What stands in a notebook's file is not known here.
        if item.place.start.cell.is_none() {
            let file = item.finding.location.file;
            if let Some(hash) = self.hashes.of(file, self.places.lines(file).text(), item.place.start.row as usize) {
                fingerprints["primaryLocationLineHash"] = hash.into();
            }
        }
        fingerprints
    }

    fn fixes(&self, item: &Item) -> Value {
        let lines = self.places.lines(item.finding.location.file);
        let region_of = |span: Span| region(lines.position(span.start as usize), lines.position(span.end as usize));
        let fixes = item.finding.fix.iter().map(|fix| {
            let replacements: Vec<Value> = (fix.edits.iter())
                .map(|edit| json!({"deletedRegion": region_of(edit.span), "insertedContent": {"text": edit.content}}))
                .collect();
            let safety = match fix.applicability {
                Applicability::Safe => "",
                Applicability::Unsafe => " (may change more than the leak)",
            };
            json!({
                "description": {"text": format!("{}{safety}", fix.title)},
                "artifactChanges": [
                    {"artifactLocation": self.artifact(&item.place.path), "replacements": replacements}
                ],
            })
        });
        fixes.collect()
    }
}

fn region(start: Position, end: Position) -> Value {
    json!({
        "startLine": start.row,
        "startColumn": start.column,
        "endLine": end.row,
        "endColumn": end.column,
    })
}

/// The whole path of what is not below the directory, with `/` in front.
fn absolute(path: &str, directory: &Path) -> Option<String> {
    let is_above = Path::new(path).components().next() == Some(Component::ParentDir);
    let is_outside = Path::new(path).is_absolute() || (is_above && directory.is_absolute());
    if !is_outside {
        return None;
    }
    let mut whole = PathBuf::new();
    for part in directory.join(path).components() {
        match part {
            Component::ParentDir => drop(whole.pop()),
            Component::CurDir => {}
            part => whole.push(part),
        }
    }
    let whole = super::shown_path(&whole, Path::new(""));
    Some(if whole.starts_with('/') { whole } else { format!("/{whole}") })
}
