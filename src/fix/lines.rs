//! Lines and their indentation.

use crate::source::{SourceFile, Span};
use crate::syntax::Tree;
use crate::syntax::shape::{self, Block};

pub fn text_of(file: &SourceFile, span: Span) -> &str {
    span.of(&file.text)
}

/// How often a word stands in a text, in comments and strings as well.
pub fn word_count(text: &str, word: &str) -> usize {
    text.split(|c: char| !c.is_alphanumeric() && c != '_').filter(|found| *found == word).count()
}

/// What ends the lines of a file.
pub fn line_break(file: &SourceFile) -> &'static str {
    if file.text.contains("\r\n") { "\r\n" } else { "\n" }
}

/// What stands before a statement on its line, if that is nothing but blanks.
pub fn indentation(file: &SourceFile, start: u32) -> Option<&str> {
    let before = &file.text[..start as usize];
    let line = &before[before.rfind('\n').map_or(0, |at| at + 1)..];
    line.chars().all(|c| matches!(c, ' ' | '\t')).then_some(line)
}

/// What stands behind a statement on its line, if that is nothing but a comment; empty without one.
pub fn comment_behind(file: &SourceFile, end: u32) -> Option<&str> {
    let behind = file.text[end as usize..].lines().next().unwrap_or_default().trim();
    (behind.is_empty() || behind.starts_with('#')).then_some(behind)
}

/// The start of the line after the one that a place is in.
pub fn next_line(file: &SourceFile, from: u32) -> u32 {
    let rest = &file.text[from as usize..];
    from + rest.find('\n').map_or(rest.len(), |at| at + 1) as u32
}

/// One level of indentation, as the block itself is indented; four blanks at the top level.
pub fn unit(file: &SourceFile, block: &Block) -> Option<String> {
    let own = indentation(file, block.statements.get(block.at)?.span.start)?;
    let Some(around) = block.around else { return Some("    ".to_owned()) };
    // What is below `else` is told from what is below `if` by nothing: both are as deep.
    let outer = indentation(file, around.start)?;
    own.strip_prefix(outer).filter(|unit| !unit.is_empty()).map(str::to_owned)
}

/// The text of a span with each of its lines one level deeper: the span begins with a line, or behind its indentation.
pub fn indented(file: &SourceFile, tree: &Tree, span: Span, unit: &str) -> String {
    let strings = shape::strings(tree, span);
    let mut deeper = String::new();
    let mut at = span.start;
    for line in text_of(file, span).split_inclusive('\n') {
        let is_in_string = strings.iter().any(|string| string.start < at && at < string.end);
        if !is_in_string && !line.trim().is_empty() {
            deeper += unit;
        }
        deeper += line;
        at += line.len() as u32;
    }
    deeper
}
