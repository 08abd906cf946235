//! One line for each finding as Pylint writes it with `--output-format=parseable`, which many dashboards can read.

use std::io::{self, Write};

use super::item::items;
use super::place::Places;
use super::{Report, printable_line};

pub fn write(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    let places = Places::new(report.sources);
    for item in items(report, &places) {
        let place = item.place.in_file();
        writeln!(
            out,
            "{}:{}: [{}({}), {}] {}",
            printable_line(&place.path),
            place.start.row,
            item.finding.code,
            item.name(),
            printable_line(&item.finding.symbol),
            item.message(),
        )?;
    }
    Ok(())
}
