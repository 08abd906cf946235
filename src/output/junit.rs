//! JUnit's XML, which every build server can show: a suite for each file, and a failed case for each finding.

use std::io::{self, Write};

use super::Report;
use super::escape::xml;
use super::item::{Item, items};
use super::place::Places;

pub fn write(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    let places = Places::new(report.sources);
    let items = items(report, &places);
    writeln!(out, r#"<?xml version="1.0" encoding="UTF-8"?>"#)?;
    if items.is_empty() {
        // Some readers take a report without any case for a run that broke.
        writeln!(out, r#"<testsuites name="unleak" tests="1" failures="0" errors="0">"#)?;
        writeln!(out, r#"  <testsuite name="unleak" tests="1" disabled="0" errors="0" failures="0">"#)?;
        writeln!(out, r#"    <testcase name="no leaks" classname="unleak" />"#)?;
        writeln!(out, "  </testsuite>")?;
        return writeln!(out, "</testsuites>");
    }
    let count = items.len();
    writeln!(out, r#"<testsuites name="unleak" tests="{count}" failures="{count}" errors="0">"#)?;
    for group in items.chunk_by(|a, b| a.place.path == b.place.path) {
        let (path, count) = (xml(&super::printable_line(&group[0].place.path)), group.len());
        let attributes = format!(r#"name="{path}" tests="{count}" disabled="0" errors="0" failures="{count}""#);
        writeln!(out, "  <testsuite {attributes}>")?;
        for item in group {
            write_case(item, &path, out)?;
        }
        writeln!(out, "  </testsuite>")?;
    }
    writeln!(out, "</testsuites>")
}

fn write_case(item: &Item, path: &str, out: &mut dyn Write) -> io::Result<()> {
    let (code, place) = (item.finding.code, item.place.shown());
    let line = item.place.in_file().start.row;
    let name = xml(&format!("{code} {} {place}", item.name()));
    writeln!(out, r#"    <testcase name="{name}" classname="{path}" file="{path}" line="{line}">"#)?;
    let lines: Vec<String> = std::iter::once(place).chain(item.argument()).collect();
    let message = xml(&item.message());
    writeln!(out, r#"      <failure message="{message}" type="{code}">{}</failure>"#, xml(&lines.join("\n")))?;
    writeln!(out, "    </testcase>")
}
