//! Commands to GitHub's runner, which shows them beside the changed lines.
//!
//! Columns are told only where the place is on one line: with several the runner rejects them.

use std::io::{self, Write};

use super::Report;
use super::escape::{github_message, github_property};
use super::item::items;
use super::place::Places;
use crate::finding::Severity;

pub fn write(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    let places = Places::new(report.sources);
    for item in items(report, &places) {
        let command = match item.finding.severity {
            Severity::Info => "notice",
            Severity::Warning => "warning",
            Severity::Error => "error",
        };
        let place = item.place.in_file();
        let (start, end) = (place.start, place.end);
        let title = format!("{} {}", item.finding.code, item.name());
        write!(out, "::{command} title={},file={}", github_property(&title), github_property(&place.path))?;
        write!(out, ",line={},endLine={}", start.row, end.row)?;
        if start.row == end.row {
            write!(out, ",col={},endColumn={}", start.column, end.column)?;
        }
        writeln!(out, "::{}", github_message(&item.whole_text()))?;
    }
    Ok(())
}
