//! One line for each finding, in the form that editors and `grep` know: `path:row:column: code message`.

use std::io::{self, Write};

use super::place::Places;
use super::{Report, observed, printable_line, shown_name, style};

pub fn write(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    let places = Places::new(report.sources);
    for finding in report.findings {
        let file = finding.location.file;
        let position = places.lines(file).position(finding.location.span.start as usize);
        let (strong, frame) = (style::STRONG, style::FRAME);
        writeln!(
            out,
            "{strong}{path}{strong:#}{frame}:{frame:#}{row}{frame}:{frame:#}{column}{frame}:{frame:#} \
             {warning}{code}{warning:#} {message}{observed}",
            path = shown_name(&report.shown_path(file), position.cell),
            row = position.row,
            column = position.column,
            warning = style::WARNING,
            code = finding.code,
            message = printable_line(&finding.message),
            observed =
                finding.evidence.as_ref().map_or_else(String::new, |evidence| format!(" [{}]", observed(evidence))),
        )?;
    }
    Ok(())
}
