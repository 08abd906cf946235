//! The report for people: the source, and every step of the argument where it happens, across files.

use std::io::{self, Write};

use codespan_reporting::diagnostic::{Diagnostic, Label, LabelStyle, Severity as Shown};
use codespan_reporting::files;
use codespan_reporting::term::termcolor::{Ansi, Color, ColorSpec};
use codespan_reporting::term::{self, Config, Styles, StylesWriter};

use super::excerpt::{Excerpt, Excerpts, shortened};
use super::place::{Lines, Places};
use super::{Report, confidence_word, plural, printable_line, shown_name};
use crate::finding::{Applicability, Confidence, Effect, Finding, Fix, Severity};
use crate::fix::changed_lines;
use crate::rules::page::{self, Page};
use crate::source::{FileId, Location, Span};

pub fn write(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    let places = Places::new(report.sources);
    let config = Config::default();
    let styles = styles();
    let mut out = StylesWriter::new(Ansi::new(out), &styles);
    for finding in report.findings {
        let (diagnostic, excerpts) = diagnostic(finding, report, &places);
        term::emit_to_write_style(&mut out, &config, &excerpts, &diagnostic).map_err(|error| match error {
            files::Error::Io(error) => error,
            error => io::Error::other(error),
        })?;
    }
    Ok(())
}

/// Each cell of a notebook counts as a file: it has rows of its own.
type ShownFile = (FileId, Option<u32>);

/// The finding in codespan's terms. Its own file comes first, the others in the order in which the argument reaches
/// them; codespan sorts the labels of a file by line, so where there are several steps each carries its number.
fn diagnostic(finding: &Finding, report: &Report, places: &Places) -> (Diagnostic<usize>, Excerpts) {
    let page = page::page(finding.code);
    let primary = (finding.location, printable_line(&finding.label));
    let numbered = finding.related.len() > 1;
    let related = finding.related.iter().enumerate().map(|(index, label)| {
        let message = printable_line(&label.message);
        (label.location, if numbered { format!("({}) {message}", index + 1) } else { message })
    });
    let labels: Vec<(Location, String)> = std::iter::once(primary).chain(related).collect();

    let mut files: Vec<(ShownFile, Vec<Span>)> = Vec::new();
    let mut ranks = Vec::new();
    for (Location { file, span }, _) in &labels {
        let shown_file = (*file, places.lines(*file).position(span.start as usize).cell);
        let rank = files.iter().position(|(known, _)| *known == shown_file).unwrap_or_else(|| {
            files.push((shown_file, Vec::new()));
            files.len() - 1
        });
        ranks.push((rank, files[rank].1.len()));
        files[rank].1.push(*span);
    }
    let excerpt = |((file, cell), spans): &(ShownFile, Vec<Span>)| {
        Excerpt::new(shown_name(&report.shown_path(*file), *cell), &places.lines(*file), spans)
    };
    let excerpts = Excerpts(files.iter().map(excerpt).collect());

    let labels = labels.into_iter().zip(ranks).enumerate().map(|(index, ((_, message), (file, rank)))| {
        let style = if index == 0 { LabelStyle::Primary } else { LabelStyle::Secondary };
        Label::new(style, file, excerpts.0[file].labels[rank].clone()).with_message(message)
    });
    let diagnostic = Diagnostic::new(shown_severity(finding.severity))
        .with_code(finding.code)
        .with_message(printable_line(&finding.message))
        .with_labels(labels.collect())
        .with_notes(notes(finding, page, &places.lines(finding.location.file)));
    (diagnostic, excerpts)
}

fn notes(finding: &Finding, page: Option<&Page>, lines: &Lines) -> Vec<String> {
    let mut notes = Vec::new();
    if let Some(page) = page {
        notes.push(format!("help: {}", page.advice()));
    }
    notes.extend(finding.effect.as_ref().map(|effect| format!("effect: {}", printable_line(&effect_words(effect)))));
    if finding.confidence < Confidence::High {
        notes.push(format!("confidence: {}", confidence_word(finding.confidence)));
    }
    notes.extend(finding.evidence.as_ref().map(|evidence| format!("observed: {}", super::observed(evidence))));
    notes.extend(finding.fix.as_ref().and_then(|fix| fix_note(fix, lines)));
    notes
}

fn effect_words(effect: &Effect) -> String {
    match effect {
        Effect::Rooted => "stays for as long as the process runs".to_owned(),
        Effect::Uncollectable => "never freed, not even by the cyclic garbage collector".to_owned(),
        Effect::NotReleased => "goes on when the last reference is gone".to_owned(),
        Effect::Delayed(None) => "not freed before the cyclic garbage collector runs".to_owned(),
        Effect::Delayed(Some(cost)) => format!("not freed before the cyclic garbage collector runs: {cost}"),
    }
}

/// Longer changes are cut: the report is about the leak.
const MOST_LINES: usize = 12;

/// The change as a diff, without lines that stay.
fn fix_note(fix: &Fix, lines: &Lines) -> Option<String> {
    let changed = changed_lines(lines.text(), fix)?;
    let safety = match fix.applicability {
        Applicability::Safe => "fix",
        Applicability::Unsafe => "unsafe fix",
    };
    let mut note = format!("{safety}: {}", printable_line(&fix.title));
    for line in changed.iter().take(MOST_LINES) {
        note += &format!("\n{}", shortened(line));
    }
    if changed.len() > MOST_LINES {
        note += &format!("\n… {} more", plural(changed.len() - MOST_LINES, "line"));
    }
    Some(note)
}

fn shown_severity(severity: Severity) -> Shown {
    match severity {
        Severity::Info => Shown::Note,
        Severity::Error => Shown::Error,
        Severity::Warning => Shown::Warning,
    }
}

/// codespan's styles, made the same as those of the rest.
fn styles() -> Styles {
    let mut bold = ColorSpec::new();
    bold.set_bold(true);
    let colour = |from: &ColorSpec, colour| from.clone().set_fg(Some(colour)).clone();
    let plain = ColorSpec::new();
    let (error, warning, note) = (colour(&bold, Color::Red), colour(&bold, Color::Yellow), colour(&bold, Color::Green));
    let frame = colour(&plain, Color::Cyan);
    Styles {
        header_error: error.clone(),
        header_warning: warning.clone(),
        header_note: note.clone(),
        header_message: bold,
        primary_label_error: error,
        primary_label_warning: warning,
        primary_label_note: note,
        secondary_label: frame.clone(),
        line_number: frame.clone(),
        source_border: frame.clone(),
        note_bullet: frame,
        ..Styles::no_color()
    }
}
