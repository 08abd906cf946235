//! A page to look at, in one file that loads nothing: every finding with its argument step by step in coloured source,
//! and a drawing of what keeps itself alive.
//!
//! What there is to show stands in the page as data, and a script makes of it what is in sight: so a page of thousands
//! of findings opens as quickly as one of three.

mod cycle;

use std::io::{self, Write};

use serde::Serialize;

use self::cycle::{Edge, cycle};
use super::Report;
use super::item::{Item, items};
use super::place::{Lines, Places};
use crate::finding::{Applicability, Confidence, Severity};
use crate::fix::changed_lines;
use crate::source::Location;

const PAGE: &str = include_str!("html/page.html");
const STYLE: &str = include_str!("html/style.css");
const SCRIPT: &str = include_str!("html/script.js");

/// Lines that are shown before and behind a place.
const AROUND: u32 = 3;
/// Characters that are shown of a line, and how many of them stand before the place.
const LONGEST_LINE: usize = 240;
const BEFORE_PLACE: usize = 80;

#[derive(Serialize)]
struct Data<'a> {
    files: usize,
    rules: std::collections::BTreeMap<&'a str, Rule<'a>>,
    findings: Vec<Shown<'a>>,
}

#[derive(Serialize)]
struct Rule<'a> {
    code: &'a str,
    name: &'a str,
    family: &'a str,
    help: &'a str,
    url: String,
}

#[derive(Serialize)]
struct Shown<'a> {
    rule: &'a str,
    message: &'a str,
    severity: Severity,
    confidence: Confidence,
    path: &'a str,
    row: u32,
    symbol: &'a str,
    fingerprint: &'a str,
    /// The place of the finding, then the steps of its argument.
    steps: Vec<Step<'a>>,
    cycle: Vec<Edge<'a>>,
    observed: Option<Observed<'a>>,
    fix: Option<Fix<'a>>,
}

#[derive(Serialize)]
struct Step<'a> {
    message: &'a str,
    path: String,
    cell: Option<u32>,
    row: u32,
    /// The row of the first of the lines.
    first: u32,
    lines: Vec<String>,
    /// What is marked in the line of the row: from one character to before another, counted from 0.
    from: usize,
    to: usize,
}

/// What a run has shown.
#[derive(Serialize)]
struct Observed<'a> {
    verdict: &'static str,
    note: &'a str,
    /// Numbers of calls and sizes.
    series: &'a [(u64, u64)],
}

#[derive(Serialize)]
struct Fix<'a> {
    title: &'a str,
    safe: bool,
    lines: Vec<String>,
}

pub fn write(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    let places = Places::new(report.sources);
    let items = items(report, &places);
    let data = Data {
        files: report.files,
        rules: items.iter().map(|item| (item.finding.code, rule(item))).collect(),
        findings: items.iter().map(|item| shown(item, &places)).collect(),
    };
    // Only texts have this sign, and with it they could end the script that they stand in.
    let data = serde_json::to_string(&data)?.replace('<', "\\u003c");
    let mut rest = PAGE;
    for (mark, part) in [("{style}", STYLE), ("{data}", &data), ("{script}", SCRIPT)] {
        let (before, after) = rest.split_once(mark).unwrap_or((rest, ""));
        out.write_all(before.as_bytes())?;
        out.write_all(part.as_bytes())?;
        rest = after;
    }
    out.write_all(rest.as_bytes())
}

fn rule<'a>(item: &Item) -> Rule<'a> {
    Rule {
        code: item.finding.code,
        name: item.name(),
        family: item.page.map_or("", |page| page.family),
        help: item.help(),
        url: item.url(),
    }
}

fn shown<'a>(item: &'a Item, places: &Places) -> Shown<'a> {
    let finding = item.finding;
    let label = if finding.label.is_empty() { "here" } else { &finding.label };
    let labels = std::iter::once((finding.location, label));
    let labels = labels.chain(finding.related.iter().map(|label| (label.location, label.message.as_str())));
    let paths = std::iter::once(&item.place.path).chain(item.steps.iter().map(|step| &step.place.path));
    let steps = labels.clone().zip(paths).map(|((location, message), path)| step(location, message, path, places));
    Shown {
        rule: finding.code,
        message: &finding.message,
        severity: finding.severity,
        confidence: finding.confidence,
        path: &item.place.path,
        row: item.place.start.row,
        symbol: &finding.symbol,
        fingerprint: &item.fingerprint,
        steps: steps.collect(),
        cycle: cycle(labels.map(|(_, message)| message)),
        observed: finding.evidence.as_ref().map(|evidence| Observed {
            verdict: evidence.verdict.words(),
            note: &evidence.note,
            series: &evidence.series,
        }),
        fix: fix(item, &places.lines(finding.location.file)),
    }
}

fn step<'a>(location: Location, message: &'a str, path: &str, places: &Places) -> Step<'a> {
    let lines = places.lines(location.file);
    let (start, end) = (location.span.start as usize, location.span.end as usize);
    let position = lines.position(start);
    let row = lines.row(start);
    let whole = lines.text().get(lines.range(row)).unwrap_or_default();
    let from = position.column as usize - 1;
    // Of a place of several lines the first is marked.
    let length = whole.chars().count();
    let to = if lines.row(end) == row { lines.position(end).column as usize - 1 } else { length };
    let to = to.clamp(from, length.max(from));
    let skipped = if length > LONGEST_LINE { from.saturating_sub(BEFORE_PLACE) } else { 0 };

    let is_near = |other: &usize| lines.position(lines.range(*other).start).cell == position.cell;
    let around = AROUND as usize;
    let last = lines.rows().min(row + around);
    let rows: Vec<usize> = (row.saturating_sub(around).max(1)..=last).filter(is_near).collect();
    let texts = rows.iter().map(|other| {
        let text = lines.text().get(lines.range(*other)).unwrap_or_default();
        cut(text, if *other == row { skipped } else { 0 })
    });
    let before = rows.iter().filter(|other| **other < row).count() as u32;
    // In the place of what was cut off stands one character.
    let moved = |column: usize| (column - skipped.min(column) + usize::from(skipped > 0)).min(LONGEST_LINE);
    Step {
        message,
        path: path.to_owned(),
        cell: position.cell,
        row: position.row,
        first: position.row.saturating_sub(before),
        lines: texts.collect(),
        from: moved(from),
        to: moved(to),
    }
}

/// A line without its first characters, and not too long.
fn cut(line: &str, skipped: usize) -> String {
    let mut shown = String::new();
    if skipped > 0 {
        shown.push('…');
    }
    let mut characters = line.chars().skip(skipped);
    shown.extend(characters.by_ref().take(LONGEST_LINE));
    if characters.next().is_some() {
        shown.push('…');
    }
    shown
}

fn fix<'a>(item: &Item<'a>, lines: &Lines) -> Option<Fix<'a>> {
    let fix = item.finding.fix.as_ref()?;
    let safe = fix.applicability == Applicability::Safe;
    Some(Fix { title: &fix.title, safe, lines: changed_lines(lines.text(), fix)? })
}
