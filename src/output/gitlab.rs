//! GitLab's report of code quality: an array of what CodeClimate calls issues.

use std::io::{self, Write};

use serde_json::{Value, json};

use super::Report;
use super::item::{Item, items};
use super::json::write_lines;
use super::place::Places;
use crate::finding::Severity;

pub fn write(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    let places = Places::new(report.sources);
    let issues: Vec<Value> = items(report, &places).iter().map(issue).collect();
    write_lines(&issues, out)
}

fn issue(item: &Item) -> Value {
    let place = item.place.in_file();
    json!({
        "type": "issue",
        "check_name": item.finding.code,
        "description": item.message(),
        "content": {"body": item.argument().join("\n")},
        "categories": ["Performance"],
        "severity": match item.finding.severity {
            Severity::Info => "info",
            Severity::Warning => "major",
            Severity::Error => "critical",
        },
        "fingerprint": item.fingerprint,
        "location": {
            "path": place.path,
            "lines": {"begin": place.start.row, "end": place.end.row},
        },
    })
}
