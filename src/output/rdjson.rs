//! reviewdog's format, which it turns into comments on changes. Its columns count bytes.
//!
//! The steps of the argument are in the message: versions of reviewdog that do not know related locations reject what
//! has them.

use std::io::{self, Write};

use serde_json::{Value, json};

use super::Report;
use super::item::{Item, Place, items};
use super::json::write_lines;
use super::place::{Lines, Places};
use crate::finding::{Edit, Severity};
use crate::rules::page::HOME_URL;
use crate::source::Span;

pub fn write(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    let places = Places::new(report.sources);
    let items = items(report, &places);
    let diagnostics: Vec<Value> = items.iter().map(|item| diagnostic(item, &places)).collect();
    let source = json!({"name": "unleak", "url": HOME_URL});
    write_lines(&json!({"source": source, "severity": "WARNING", "diagnostics": diagnostics}), out)
}

fn diagnostic(item: &Item, places: &Places) -> Value {
    let lines = places.lines(item.finding.location.file);
    let suggestion = |edit: &Edit| json!({"range": range(edit.span, &lines), "text": edit.content});
    let edits = item.finding.fix.iter().flat_map(|fix| &fix.edits);
    json!({
        "message": item.whole_text(),
        "location": location(&item.place, item.finding.location.span, &lines),
        "severity": match item.finding.severity {
            Severity::Info => "INFO",
            Severity::Warning => "WARNING",
            Severity::Error => "ERROR",
        },
        "code": {"value": item.finding.code, "url": item.url()},
        "suggestions": edits.map(suggestion).collect::<Vec<_>>(),
    })
}

fn location(place: &Place, span: Span, lines: &Lines) -> Value {
    match place.start.cell {
        Some(_) => json!({"path": place.path}),
        None => json!({"path": place.path, "range": range(span, lines)}),
    }
}

fn range(span: Span, lines: &Lines) -> Value {
    let position = |offset: u32| {
        let (row, column) = lines.row_and_byte(offset as usize);
        json!({"line": row, "column": column})
    };
    json!({"start": position(span.start), "end": position(span.end)})
}
