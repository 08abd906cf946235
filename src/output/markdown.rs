//! A summary for pull requests and job pages.
//!
//! Comments are cut off by the services at some 65,000 characters, so the arguments are told of the first findings
//! only, and the table has an end as well.

use std::io::{self, Write};

use super::Report;
use super::escape::markdown;
use super::item::{Item, items};
use super::place::Places;
use super::{confidence_word, plural, printable_line};

/// Findings in the table.
const MOST_ROWS: usize = 100;
/// Findings whose argument is told.
const MOST_ARGUMENTS: usize = 20;

pub fn write(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    let places = Places::new(report.sources);
    let items = items(report, &places);
    let files = plural(report.files, "file");
    if items.is_empty() {
        return writeln!(out, "## unleak: no leaks\n\nNothing found in {files}.");
    }
    writeln!(out, "## unleak: {}\n", report.what_was_found())?;
    writeln!(out, "Found in {files}, by rule: {}.\n", by_rule(report))?;
    writeln!(out, "| | where | what | confidence |\n|---|---|---|---|")?;
    for item in items.iter().take(MOST_ROWS) {
        writeln!(
            out,
            "| [{}]({}) | {} | {} | {} |",
            item.finding.code,
            item.url(),
            code(&item.place.shown()),
            markdown(&printable_line(&item.finding.message)),
            confidence_word(item.finding.confidence),
        )?;
    }
    if items.len() > MOST_ROWS {
        writeln!(out, "\n… and {} more.", plural(items.len() - MOST_ROWS, "finding"))?;
    }
    for item in items.iter().take(MOST_ARGUMENTS) {
        write_argument(item, out)?;
    }
    Ok(())
}

fn by_rule(report: &Report) -> String {
    let counts = report.counts();
    let counts: Vec<String> = counts.iter().map(|(code, count)| format!("{count} × {code}")).collect();
    counts.join(", ")
}

fn write_argument(item: &Item, out: &mut dyn Write) -> io::Result<()> {
    let (code_of_rule, place) = (item.finding.code, super::escape::xml(&item.place.shown()));
    writeln!(out, "\n<details><summary>{code_of_rule} <code>{place}</code></summary>\n")?;
    writeln!(out, "{}\n", markdown(&printable_line(&item.finding.message)))?;
    if !item.finding.label.is_empty() {
        writeln!(out, "- {}: {}", code(&item.place.shown()), markdown(&printable_line(&item.finding.label)))?;
    }
    for step in &item.steps {
        writeln!(out, "- {}: {}", code(&step.place.shown()), markdown(&printable_line(step.message)))?;
    }
    if !item.help().is_empty() {
        writeln!(out, "\n**What to do**: {}", markdown(item.help()))?;
    }
    writeln!(out, "\n</details>")
}

/// A path as code that can stand in a table.
fn code(text: &str) -> String {
    format!("`{}`", text.replace('`', "'").replace('|', "\\|"))
}
