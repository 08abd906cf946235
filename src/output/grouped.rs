//! The findings of each file under its name, a line each.

use std::io::{self, Write};

use super::item::{Item, items};
use super::place::Places;
use super::{Report, printable_line, shown_name, style};

pub fn write(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    let places = Places::new(report.sources);
    let items = items(report, &places);
    let name = |item: &Item| shown_name(&item.place.path, item.place.start.cell);
    for (index, group) in items.chunk_by(|a, b| name(a) == name(b)).enumerate() {
        if index > 0 {
            writeln!(out)?;
        }
        writeln!(out, "{}{}{:#}", style::STRONG, name(&group[0]), style::STRONG)?;
        let position = |item: &Item| format!("{}:{}", item.place.start.row, item.place.start.column);
        let width = group.iter().map(|item| position(item).len()).max().unwrap_or(0);
        for item in group {
            let (frame, warning) = (style::FRAME, style::WARNING);
            writeln!(
                out,
                "  {frame}{:>width$}{frame:#}  {warning}{}{warning:#}  {}",
                position(item),
                item.finding.code,
                printable_line(&item.finding.message),
            )?;
        }
    }
    Ok(())
}
