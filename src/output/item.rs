//! A finding with what every format asks of it: its page, where it stands, and the steps of its argument.

use super::fingerprint::Fingerprints;
use super::place::Places;
use super::{Report, printable_line};
use crate::finding::Finding;
use crate::rules::page::{self, Page};
use crate::source::{Location, Position};

pub struct Item<'a> {
    pub finding: &'a Finding,
    pub page: Option<&'static Page>,
    pub place: Place,
    /// The related labels, in reading order.
    pub steps: Vec<Step<'a>>,
    pub fingerprint: String,
}

pub struct Step<'a> {
    pub place: Place,
    pub message: &'a str,
}

/// From the first character to before the end.
#[derive(Clone)]
pub struct Place {
    pub path: String,
    pub start: Position,
    pub end: Position,
}

/// All findings of a report, in its order.
pub fn items<'a>(report: &Report<'a>, places: &Places<'a>) -> Vec<Item<'a>> {
    let mut fingerprints = Fingerprints::default();
    let place = |location: Location| {
        let lines = places.lines(location.file);
        Place {
            path: report.shown_path(location.file),
            start: lines.position(location.span.start as usize),
            end: lines.position(location.span.end as usize),
        }
    };
    let item = |finding: &'a Finding| {
        let lines = places.lines(finding.location.file);
        let line = &lines.text()[lines.range(lines.row(finding.location.span.start as usize))];
        let steps = finding.related.iter();
        let steps = steps.map(|label| Step { place: place(label.location), message: &label.message });
        Item {
            finding,
            page: page::page(finding.code),
            place: place(finding.location),
            steps: steps.collect(),
            fingerprint: fingerprints.of(finding, line),
        }
    };
    report.findings.iter().map(item).collect()
}

impl Item<'_> {
    pub fn name(&self) -> &'static str {
        self.page.map_or("", |page| page.name)
    }

    pub fn help(&self) -> &'static str {
        self.page.map_or("", Page::advice)
    }

    pub fn url(&self) -> String {
        self.page.map_or_else(String::new, Page::url)
    }

    /// The message on one line. For readers that know only files, it says where in a notebook it stands.
    pub fn message(&self) -> String {
        let message = printable_line(&self.finding.message);
        match self.place.start.cell {
            Some(cell) => format!("cell {cell}, row {}: {message}", self.place.start.row),
            None => message,
        }
    }

    /// The message and all beside it.
    pub fn whole_text(&self) -> String {
        std::iter::once(self.message()).chain(self.argument()).collect::<Vec<_>>().join("\n")
    }

    /// What is to be said beside the message, a line each: the label, the steps with their places, the advice.
    pub fn argument(&self) -> Vec<String> {
        let mut lines = Vec::new();
        if !self.finding.label.is_empty() {
            lines.push(printable_line(&self.finding.label));
        }
        for (index, step) in self.steps.iter().enumerate() {
            lines.push(format!("({}) {}: {}", index + 1, step.place.shown(), printable_line(step.message)));
        }
        if !self.help().is_empty() {
            lines.push(format!("help: {}", self.help()));
        }
        lines
    }
}

impl Place {
    /// `path:row:column`
    pub fn shown(&self) -> String {
        format!("{}:{}:{}", super::shown_name(&self.path, self.start.cell), self.start.row, self.start.column)
    }

    /// For readers that know only files. What stands in a notebook is for them at the very beginning of the file: its
    /// cells are not lines of it.
    pub fn in_file(&self) -> Place {
        let first = Position { cell: None, row: 1, column: 1 };
        let is_in_notebook = self.start.cell.is_some();
        let at = |position| if is_in_notebook { first } else { position };
        Place { path: self.path.clone(), start: at(self.start), end: at(self.end) }
    }
}
