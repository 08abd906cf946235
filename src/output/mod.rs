//! What a run says, in the form that was asked for.
//!
//! Every format is a function from the same [`Report`] to bytes, in a file of its own. The text formats write ANSI
//! styles always; whoever owns the stream strips them where they are not wanted, so no format asks about terminals.
//! The same report gives the same bytes on every system: paths have `/`, lines end with a line feed.

mod azure;
mod concise;
pub mod escape;
mod excerpt;
pub mod fingerprint;
mod full;
mod github;
mod gitlab;
mod grouped;
mod html;
mod item;
mod json;
mod junit;
pub mod line_hash;
mod markdown;
mod place;
mod pylint;
mod rdjson;
mod sarif;
pub mod style;

use std::io::{self, Write};
use std::path::{Component, Path};

use crate::engine::ShownFile;
use crate::finding::{Applicability, Confidence, Evidence, Finding};
use crate::rules::page;
use crate::source::{FileId, SourceFile};

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum Format {
    /// The source, with every step of the argument where it happens
    #[default]
    Full,
    /// One line for each finding: `path:row:column: code message`
    Concise,
    /// The findings of each file under its name
    Grouped,
    /// One array of objects, for programs
    Json,
    /// One object a line
    JsonLines,
    /// SARIF 2.1.0, for code scanning and viewers in editors
    Sarif,
    /// Annotations of GitHub Actions
    Github,
    /// GitLab's report of code quality
    Gitlab,
    /// JUnit's XML, for build servers
    Junit,
    /// reviewdog's diagnostics
    Rdjson,
    /// Issues of Azure Pipelines
    Azure,
    /// Pylint's parseable lines
    Pylint,
    /// A summary for pull requests
    Markdown,
    /// A page to look at, in one file
    Html,
}

impl Format {
    /// Whether people read it on a terminal: then it has colours and a closing line.
    pub fn is_for_terminals(self) -> bool {
        matches!(self, Format::Full | Format::Concise | Format::Grouped)
    }

    /// Whether it can also say how often each rule found something.
    pub fn has_statistics(self) -> bool {
        self.is_for_terminals() || matches!(self, Format::Json | Format::JsonLines)
    }
}

/// The files that findings point into.
pub trait Sources {
    fn file(&self, file: FileId) -> &SourceFile;
}

/// Files numbered by their place.
impl Sources for Vec<SourceFile> {
    fn file(&self, file: FileId) -> &SourceFile {
        &self[file.0 as usize]
    }
}

/// What the engine read again to be shown, sorted by number.
impl Sources for Vec<ShownFile> {
    fn file(&self, file: FileId) -> &SourceFile {
        let index = self.binary_search_by_key(&file, |shown| shown.id).unwrap_or_default();
        &self[index].source
    }
}

/// What there is to print.
#[derive(Clone, Copy)]
pub struct Report<'a> {
    /// In the order in which they are shown.
    pub findings: &'a [Finding],
    pub sources: &'a dyn Sources,
    /// How many files were checked.
    pub files: usize,
    /// Paths below it are shown relative to it.
    pub directory: &'a Path,
}

impl Report<'_> {
    /// The findings in a format, nothing else.
    pub fn write(&self, format: Format, out: &mut dyn Write) -> io::Result<()> {
        match format {
            Format::Full => full::write(self, out),
            Format::Concise => concise::write(self, out),
            Format::Grouped => grouped::write(self, out),
            Format::Json => json::write(self, out),
            Format::JsonLines => json::write_each(self, out),
            Format::Sarif => sarif::write(self, out),
            Format::Github => github::write(self, out),
            Format::Gitlab => gitlab::write(self, out),
            Format::Junit => junit::write(self, out),
            Format::Rdjson => rdjson::write(self, out),
            Format::Azure => azure::write(self, out),
            Format::Pylint => pylint::write(self, out),
            Format::Markdown => markdown::write(self, out),
            Format::Html => html::write(self, out),
        }
    }

    /// How often each rule found something, instead of the findings.
    pub fn write_statistics(&self, format: Format, out: &mut dyn Write) -> io::Result<()> {
        let counts = self.counts();
        match format {
            Format::Json => return json::write_statistics(&counts, out),
            Format::JsonLines => return json::write_each_statistic(&counts, out),
            _ => {}
        }
        let width = counts.iter().map(|count| count.1.to_string().len()).max().unwrap_or(0);
        for (code, count) in counts {
            let name = page::page(code).map_or("", |page| page.name);
            writeln!(out, "{count:>width$}  {}{code}{:#}  {name}", style::STRONG, style::STRONG)?;
        }
        Ok(())
    }

    /// The line that closes a text report.
    pub fn write_summary(&self, out: &mut dyn Write) -> io::Result<()> {
        let files = plural(self.files, "file");
        if self.findings.is_empty() {
            return writeln!(out, "No leaks found in {files}.");
        }
        let of = |confidence| {
            let count = self.findings.iter().filter(|finding| finding.confidence == confidence).count();
            (count > 0).then(|| format!("{count} {}", confidence_word(confidence)))
        };
        let parts: Vec<String> =
            [Confidence::High, Confidence::Medium, Confidence::Low].into_iter().filter_map(of).collect();
        writeln!(out, "Found {} ({} confidence) in {files}.", self.what_was_found(), parts.join(", "))?;
        self.write_verdicts(out)?;
        self.write_fixable(out)
    }

    /// How many leaks, and how many mistakes in comments that speak to unleak: those are none.
    fn what_was_found(&self) -> String {
        let is_comment = |finding: &&Finding| finding.code.starts_with("LK0");
        let comments = self.findings.iter().filter(is_comment).count();
        let leaks = plural(self.findings.len() - comments, "leak");
        match (self.findings.len() - comments, comments) {
            (_, 0) => leaks,
            (0, _) => plural(comments, "mistaken comment"),
            _ => format!("{leaks} and {}", plural(comments, "mistaken comment")),
        }
    }

    /// What a run of the program made of the findings, if there was one.
    fn write_verdicts(&self, out: &mut dyn Write) -> io::Result<()> {
        let mut counts = std::collections::BTreeMap::new();
        for evidence in self.findings.iter().filter_map(|finding| finding.evidence.as_ref()) {
            *counts.entry(evidence.verdict).or_insert(0_usize) += 1;
        }
        if counts.is_empty() {
            return Ok(());
        }
        let parts: Vec<String> = counts.iter().map(|(verdict, count)| format!("{count} {}", verdict.words())).collect();
        writeln!(out, "The run says: {}.", parts.join(", "))
    }

    /// What could be mended, if anything.
    fn write_fixable(&self, out: &mut dyn Write) -> io::Result<()> {
        let count = |applicability| {
            let fixes = self.findings.iter().filter_map(|finding| finding.fix.as_ref());
            fixes.filter(|fix| fix.applicability == applicability).count()
        };
        match (count(Applicability::Safe), count(Applicability::Unsafe)) {
            (0, 0) => Ok(()),
            (safe, 0) => writeln!(out, "{safe} can be mended with `--fix`."),
            (0, more) => writeln!(out, "{more} can be mended with `--fix --unsafe-fixes`."),
            (safe, more) => writeln!(out, "{safe} can be mended with `--fix`, {more} more with `--unsafe-fixes`."),
        }
    }

    /// Codes with the number of their findings, the most frequent first.
    fn counts(&self) -> Vec<(&'static str, usize)> {
        let mut counts = std::collections::BTreeMap::new();
        for finding in self.findings {
            *counts.entry(finding.code).or_insert(0_usize) += 1;
        }
        let mut counts: Vec<_> = counts.into_iter().collect();
        counts.sort_by_key(|count| std::cmp::Reverse(count.1));
        counts
    }

    fn shown_path(&self, file: FileId) -> String {
        shown_path(&self.sources.file(file).path, self.directory)
    }
}

/// A path as it is shown: relative to the directory where it is below it, with `/` on every system.
pub fn shown_path(path: &Path, directory: &Path) -> String {
    let path = path.strip_prefix(directory).unwrap_or(path);
    let path: std::path::PathBuf = path.components().filter(|part| *part != Component::CurDir).collect();
    let shown = path.to_string_lossy();
    if std::path::MAIN_SEPARATOR == '/' { shown.into_owned() } else { shown.replace(std::path::MAIN_SEPARATOR, "/") }
}

/// Where a finding is, as the text formats write it, without row and column: a notebook's cell belongs to the name.
fn shown_name(path: &str, cell: Option<u32>) -> String {
    let path = printable_line(path);
    match cell {
        Some(cell) => format!("{path}:cell {cell}"),
        None => path,
    }
}

/// The character as it may be sent to a terminal: whatever would move the cursor, change colours or reorder text
/// becomes a visible stand-in. Source and file names are other people's.
pub fn printable(character: char) -> char {
    match character {
        '\t' => character,
        '\0'..='\x1f' => char::from_u32(0x2400 + character as u32).unwrap_or('\u{fffd}'),
        '\x7f' => '\u{2421}',
        '\u{80}'..='\u{9f}'
        | '\u{61c}'
        | '\u{200e}'..='\u{200f}'
        | '\u{2028}'..='\u{202e}'
        | '\u{2066}'..='\u{2069}' => '\u{fffd}',
        _ => character,
    }
}

/// [`printable`] of a whole text that belongs on one line.
pub fn printable_line(text: &str) -> String {
    text.chars().map(|character| if character == '\t' { ' ' } else { printable(character) }).collect()
}

/// The verdict of a run, its numbers, and the course of the sizes.
pub fn observed(evidence: &Evidence) -> String {
    let chart = sparkline(&evidence.series);
    let gap = if chart.is_empty() { "" } else { "  " };
    format!("{}: {}{gap}{chart}", evidence.verdict.words(), printable_line(&evidence.note))
}

/// The width of a chart of sizes, in characters.
const CHART: u64 = 24;

/// Sizes over calls as a row of bars; empty where there is nothing to see.
pub fn sparkline(series: &[(u64, u64)]) -> String {
    const BARS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
    let (Some(&(first, _)), Some(&(last, _))) = (series.first(), series.last()) else { return String::new() };
    let most = series.iter().map(|point| point.1).max().unwrap_or(0);
    if most == 0 || last <= first {
        return String::new();
    }
    let size_at = |call: u64| series[series.partition_point(|point| point.0 <= call).saturating_sub(1)].1;
    let width = CHART.min(last - first);
    let bar = |size: u64| BARS[(size * 7 / most) as usize];
    (1..=width).map(|column| bar(size_at(first + (last - first) * column / width))).collect()
}

/// `1 file`, `2 files`.
pub fn plural(count: usize, noun: &str) -> String {
    format!("{count} {noun}{}", if count == 1 { "" } else { "s" })
}

pub fn confidence_word(confidence: Confidence) -> &'static str {
    match confidence {
        Confidence::Low => "low",
        Confidence::Medium => "medium",
        Confidence::High => "high",
    }
}
