//! The lines of a file that a finding shows, cut to what a terminal can show.
//!
//! codespan-reporting prints whole lines, and a line of a generated file may have megabytes. So it is given a text
//! made of the labelled lines only, each cut to windows around its labels, while rows and columns stay those of the
//! file. Making the text is also where characters that a terminal would obey are replaced.

use std::ops::Range;

use codespan_reporting::files::{Error, Files};

use super::place::Lines;
use super::printable;
use crate::source::Span;

/// Lines of more characters are cut.
const LONGEST_LINE: usize = 160;
/// How many characters stay on each side of a label in a line that is cut.
const AROUND: usize = 40;
/// A label that is longer is cut as well.
const LONGEST_LABEL: usize = 80;

pub struct Excerpt {
    pub name: String,
    text: String,
    lines: Vec<ExcerptLine>,
    /// How many rows of a notebook come before the cell.
    rows_before: usize,
    /// Where each label starts in the text, and in which column of the file that is.
    columns: Vec<(usize, usize)>,
    /// The labels in the text, in the order in which their spans were given.
    pub labels: Vec<Range<usize>>,
}

struct ExcerptLine {
    /// Counted over all cells of a notebook.
    row: usize,
    range: Range<usize>,
}

impl Excerpt {
    /// The spans are all of one file, and of one cell if it is a notebook.
    pub fn new(name: String, lines: &Lines, spans: &[Span]) -> Excerpt {
        let shown: Vec<Range<usize>> = spans.iter().map(|span| first_line_of(*span, lines)).collect();
        let first = shown.first().map_or(0, |range| range.start);
        let rows_before = lines.row(first).saturating_sub(lines.position(first).row as usize);
        let mut excerpt = Excerpt {
            name,
            text: String::new(),
            lines: Vec::new(),
            rows_before,
            columns: Vec::new(),
            labels: vec![0..0; shown.len()],
        };
        let mut rows: Vec<usize> = shown.iter().map(|range| lines.row(range.start)).collect();
        rows.sort_unstable();
        rows.dedup();
        // codespan shows a single line between two labelled ones instead of a break.
        let between: Vec<usize> =
            rows.windows(2).filter(|pair| pair[0] + 2 == pair[1]).map(|pair| pair[0] + 1).collect();
        rows.extend(between);
        rows.sort_unstable();
        for row in rows {
            excerpt.push_line(row, lines, &shown);
        }
        excerpt
    }

    fn push_line(&mut self, row: usize, lines: &Lines, shown: &[Range<usize>]) {
        let line = lines.range(row);
        let labels: Vec<usize> = (0..shown.len()).filter(|&i| lines.row(shown[i].start) == row).collect();
        let kept = windows(lines.text(), &line, labels.iter().map(|&i| shown[i].clone()));
        let start = self.text.len();
        // Where each window starts in the file and in the text.
        let mut copied = Vec::new();
        let mut end = line.start;
        for window in kept {
            if window.start > end {
                self.text.push('…');
            }
            copied.push((window.clone(), self.text.len()));
            self.text.extend(lines.text()[window.clone()].chars().map(printable));
            end = window.end;
        }
        if end < line.end {
            self.text.push('…');
        }
        let moved = |offset: usize| {
            let (window, at) = copied.iter().find(|(window, _)| offset <= window.end)?;
            let before = lines.text().get(window.start..offset)?;
            Some(at + before.chars().map(|character| printable(character).len_utf8()).sum::<usize>())
        };
        for label in labels {
            // A label lies in one window, because the windows are made around labels.
            let from = moved(shown[label].start).unwrap_or(start);
            let to = moved(shown[label].end).unwrap_or(self.text.len());
            self.columns.push((from, lines.position(shown[label].start).column as usize));
            self.labels[label] = from..to;
        }
        self.text.push('\n');
        self.lines.push(ExcerptLine { row, range: start..self.text.len() });
    }
}

/// The part of a span that is on its first line, without trailing blanks, at most [`LONGEST_LABEL`] characters if the
/// line has to be cut, on character boundaries and inside the text whatever the span says.
fn first_line_of(span: Span, lines: &Lines) -> Range<usize> {
    let start = lines.text().floor_char_boundary(span.start as usize);
    let line = lines.range(lines.row(start));
    let start = start.min(line.end);
    let end = lines.text().floor_char_boundary(span.end as usize).clamp(start, line.end);
    let mut shown = &lines.text()[start..end];
    if is_long(&lines.text()[line])
        && let Some((cut, _)) = shown.char_indices().nth(LONGEST_LABEL)
    {
        shown = &shown[..cut];
    }
    start..start + shown.trim_end().len()
}

/// The parts of a line that are shown, in order and apart from each other.
fn windows(text: &str, line: &Range<usize>, labels: impl Iterator<Item = Range<usize>>) -> Vec<Range<usize>> {
    if !is_long(&text[line.clone()]) {
        return vec![line.clone()];
    }
    let forwards = |from: usize, count| {
        text[from..line.end].char_indices().nth(count).map_or(line.end, |(offset, _)| from + offset)
    };
    let backwards = |from: usize| {
        text[line.start..from]
            .char_indices()
            .rev()
            .nth(AROUND - 1)
            .map_or(line.start, |(offset, _)| line.start + offset)
    };
    let mut around: Vec<Range<usize>> =
        labels.map(|label| backwards(label.start)..forwards(label.end, AROUND)).collect();
    if around.is_empty() {
        around.push(line.start..forwards(line.start, LONGEST_LINE));
    }
    around.sort_by_key(|window| window.start);
    let mut apart: Vec<Range<usize>> = Vec::new();
    for window in around {
        match apart.last_mut() {
            Some(last) if window.start <= last.end => last.end = last.end.max(window.end),
            _ => apart.push(window),
        }
    }
    apart
}

/// A line that is no excerpt's, cut at the length of those.
pub fn shortened(line: &str) -> String {
    let cut = line.char_indices().nth(LONGEST_LINE).map(|(offset, _)| &line[..offset]);
    cut.map_or_else(|| line.to_owned(), |start| format!("{start}…"))
}

fn is_long(line: &str) -> bool {
    line.len() > LONGEST_LINE && line.chars().nth(LONGEST_LINE).is_some()
}

/// The excerpts of one finding; files are numbered in the order in which they are shown.
pub struct Excerpts(pub Vec<Excerpt>);

impl Excerpts {
    fn get(&self, id: usize) -> Result<&Excerpt, Error> {
        self.0.get(id).ok_or(Error::FileMissing)
    }
}

/// What codespan calls the index of a line is its row, counted over all cells.
impl<'a> Files<'a> for Excerpts {
    type FileId = usize;
    type Name = &'a str;
    type Source = &'a str;

    fn name(&'a self, id: usize) -> Result<&'a str, Error> {
        Ok(&self.get(id)?.name)
    }

    fn source(&'a self, id: usize) -> Result<&'a str, Error> {
        Ok(&self.get(id)?.text)
    }

    fn line_index(&'a self, id: usize, byte_index: usize) -> Result<usize, Error> {
        let lines = &self.get(id)?.lines;
        let next = lines.partition_point(|line| line.range.start <= byte_index);
        let line = lines.get(next.saturating_sub(1)).ok_or(Error::FileMissing)?;
        Ok(line.row)
    }

    fn line_range(&'a self, id: usize, line_index: usize) -> Result<Range<usize>, Error> {
        let lines = &self.get(id)?.lines;
        match lines.binary_search_by_key(&line_index, |line| line.row) {
            Ok(found) => Ok(lines[found].range.clone()),
            Err(_) => Err(Error::LineTooLarge { given: line_index, max: lines.last().map_or(0, |line| line.row) }),
        }
    }

    fn line_number(&'a self, id: usize, line_index: usize) -> Result<usize, Error> {
        Ok(line_index - self.get(id)?.rows_before)
    }

    /// codespan asks only where labels start.
    fn column_number(&'a self, id: usize, _line_index: usize, byte_index: usize) -> Result<usize, Error> {
        let column = self.get(id)?.columns.iter().find(|(start, _)| *start == byte_index);
        Ok(column.map_or(1, |(_, column)| *column))
    }
}
