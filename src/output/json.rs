//! One array for programs, or one object a line. The shape is a promise: fields are added, never renamed or removed.

use std::io::{self, Write};

use serde::Serialize;

use super::Report;
use super::item::{self, Item, items};
use super::place::{Lines, Places};
use crate::finding::{self, Applicability, Confidence, Severity};
use crate::rules::page;
use crate::source::Position;

#[derive(Serialize)]
struct Entry<'a> {
    code: &'a str,
    name: &'a str,
    message: &'a str,
    severity: Severity,
    confidence: Confidence,
    #[serde(flatten)]
    place: Place<'a>,
    symbol: &'a str,
    fingerprint: &'a str,
    related: Vec<Related<'a>>,
    help: &'a str,
    fix: Option<Fix<'a>>,
    url: String,
}

#[derive(Serialize)]
struct Related<'a> {
    message: &'a str,
    #[serde(flatten)]
    place: Place<'a>,
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
struct Place<'a> {
    filename: &'a str,
    /// Of a notebook; its rows are counted in it.
    #[serde(skip_serializing_if = "Option::is_none")]
    cell: Option<u32>,
    location: RowAndColumn,
    /// The first character behind it.
    end_location: RowAndColumn,
}

impl<'a> From<&'a item::Place> for Place<'a> {
    fn from(place: &'a item::Place) -> Self {
        let item::Place { path, start, end } = place;
        Place { filename: path, cell: start.cell, location: (*start).into(), end_location: (*end).into() }
    }
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
    let items = items(report, &places);
    write_lines(&items.iter().map(|item| entry(item, &places)).collect::<Vec<_>>(), out)
}

/// A line for each finding, so that a reader needs no more memory than for one.
pub fn write_each(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    let places = Places::new(report.sources);
    items(report, &places).iter().try_for_each(|item| write_line(&entry(item, &places), out))
}

fn entry<'a>(item: &'a Item, places: &Places) -> Entry<'a> {
    let finding = item.finding;
    let related = item.steps.iter();
    Entry {
        code: finding.code,
        name: item.name(),
        message: &finding.message,
        severity: finding.severity,
        confidence: finding.confidence,
        place: (&item.place).into(),
        symbol: &finding.symbol,
        fingerprint: &item.fingerprint,
        related: related.map(|step| Related { message: step.message, place: (&step.place).into() }).collect(),
        help: item.help(),
        fix: finding.fix.as_ref().map(|fix| entry_of_fix(fix, &places.lines(finding.location.file))),
        url: item.url(),
    }
}

fn entry_of_fix<'a>(fix: &'a finding::Fix, lines: &Lines) -> Fix<'a> {
    let edit = |edit: &'a finding::Edit| Edit {
        location: lines.position(edit.span.start as usize).into(),
        end_location: lines.position(edit.span.end as usize).into(),
        content: &edit.content,
    };
    Fix { title: &fix.title, applicability: fix.applicability, edits: fix.edits.iter().map(edit).collect() }
}

pub fn write_statistics(counts: &[(&str, usize)], out: &mut dyn Write) -> io::Result<()> {
    write_lines(&named(counts), out)
}

pub fn write_each_statistic(counts: &[(&str, usize)], out: &mut dyn Write) -> io::Result<()> {
    named(counts).iter().try_for_each(|count| write_line(count, out))
}

fn named<'a>(counts: &[(&'a str, usize)]) -> Vec<Count<'a>> {
    let name = |code| page::page(code).map_or("", |page| page.name);
    counts.iter().map(|&(code, count)| Count { code, name: name(code), count }).collect()
}

/// A value on many lines, and the end of the last.
pub fn write_lines(value: &impl Serialize, out: &mut dyn Write) -> io::Result<()> {
    serde_json::to_writer_pretty(&mut *out, value)?;
    writeln!(out)
}

fn write_line(value: &impl Serialize, out: &mut dyn Write) -> io::Result<()> {
    serde_json::to_writer(&mut *out, value)?;
    writeln!(out)
}
