//! One array for programs. Its shape is a promise: fields are added, never renamed or removed.

use std::io::{self, Write};

use serde::Serialize;

use super::Report;
use super::fingerprint::Fingerprints;
use super::place::Places;
use crate::finding::{Applicability, Confidence, Evidence, Severity};
use crate::rules::page;
use crate::source::{Location, Position};

#[derive(Serialize)]
struct Entry<'a> {
    code: &'a str,
    name: &'a str,
    message: &'a str,
    severity: Severity,
    confidence: Confidence,
    #[serde(flatten)]
    place: Place,
    symbol: &'a str,
    fingerprint: String,
    related: Vec<Related<'a>>,
    help: &'a str,
    fix: Option<Fix<'a>>,
    /// Of a run of the program, if there was one.
    #[serde(skip_serializing_if = "Option::is_none")]
    evidence: Option<&'a Evidence>,
    url: String,
}

#[derive(Serialize)]
struct Related<'a> {
    message: &'a str,
    #[serde(flatten)]
    place: Place,
}

/// A change of the finding's own file that mends it.
#[derive(Serialize)]
struct Fix<'a> {
    title: &'a str,
    applicability: Applicability,
    edits: Vec<Edit<'a>>,
}

/// What stands from the one place to before the other becomes this.
#[derive(Serialize)]
struct Edit<'a> {
    location: RowAndColumn,
    end_location: RowAndColumn,
    content: &'a str,
}

#[derive(Serialize)]
struct Place {
    filename: String,
    /// Of a notebook; its rows are counted in it.
    #[serde(skip_serializing_if = "Option::is_none")]
    cell: Option<u32>,
    location: RowAndColumn,
    /// The first character behind it.
    end_location: RowAndColumn,
}

/// Both from 1, columns in characters.
#[derive(Serialize)]
struct RowAndColumn {
    row: u32,
    column: u32,
}

impl From<Position> for RowAndColumn {
    fn from(position: Position) -> Self {
        RowAndColumn { row: position.row, column: position.column }
    }
}

#[derive(Serialize)]
struct Count<'a> {
    code: &'a str,
    name: &'a str,
    count: usize,
}

pub fn write(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    let places = Places::new(report.sources);
    let mut fingerprints = Fingerprints::default();
    let place = |location: Location| {
        let lines = places.lines(location.file);
        let start = lines.position(location.span.start as usize);
        Place {
            filename: report.shown_path(location.file),
            cell: start.cell,
            location: start.into(),
            end_location: lines.position(location.span.end as usize).into(),
        }
    };
    let mut entries = Vec::with_capacity(report.findings.len());
    for finding in report.findings {
        let page = page::page(finding.code);
        let lines = places.lines(finding.location.file);
        let line = &lines.text()[lines.range(lines.row(finding.location.span.start as usize))];
        let related = finding.related.iter();
        entries.push(Entry {
            code: finding.code,
            name: page.map_or("", |page| page.name),
            message: &finding.message,
            severity: finding.severity,
            confidence: finding.confidence,
            place: place(finding.location),
            symbol: &finding.symbol,
            fingerprint: fingerprints.of(finding, line),
            related: related.map(|label| Related { message: &label.message, place: place(label.location) }).collect(),
            help: page.map_or("", |page| page.advice()),
            fix: finding.fix.as_ref().map(|fix| Fix {
                title: &fix.title,
                applicability: fix.applicability,
                edits: fix
                    .edits
                    .iter()
                    .map(|edit| Edit {
                        location: lines.position(edit.span.start as usize).into(),
                        end_location: lines.position(edit.span.end as usize).into(),
                        content: &edit.content,
                    })
                    .collect(),
            }),
            evidence: finding.evidence.as_ref(),
            url: page.map_or_else(String::new, |page| page.url()),
        });
    }
    write_lines(&entries, out)
}

pub fn write_statistics(counts: &[(&str, usize)], out: &mut dyn Write) -> io::Result<()> {
    let name = |code| page::page(code).map_or("", |page| page.name);
    let counts: Vec<Count> = counts.iter().map(|&(code, count)| Count { code, name: name(code), count }).collect();
    write_lines(&counts, out)
}

fn write_lines(value: &impl Serialize, out: &mut dyn Write) -> io::Result<()> {
    serde_json::to_writer_pretty(&mut *out, value)?;
    writeln!(out)
}
