//! Commands to the agent of Azure Pipelines, which collects them as the issues of a run.

use std::io::{self, Write};

use super::Report;
use super::escape::{azure_message, azure_property};
use super::item::items;
use super::place::Places;
use crate::finding::Severity;

pub fn write(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    let places = Places::new(report.sources);
    for item in items(report, &places) {
        // The agent knows no third kind.
        let kind = if item.finding.severity == Severity::Error { "error" } else { "warning" };
        let place = item.place.in_file();
        writeln!(
            out,
            "##vso[task.logissue type={kind};sourcepath={};linenumber={};columnnumber={};code={};]{}",
            azure_property(&place.path),
            place.start.row,
            place.start.column,
            item.finding.code,
            azure_message(&item.whole_text()),
        )?;
    }
    Ok(())
}
