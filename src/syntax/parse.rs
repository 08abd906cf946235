//! Text to tree.
//!
//! The parser is asked for the newest Python it knows: whether a construct is too new for the user's interpreter is
//! other tools' business, and a leak in it is a leak all the same.

use ruff_python_ast::token::{TokenKind, Tokens};
use ruff_python_ast::{AtomicNodeIndex, ModModule, PySourceType, PythonVersion, Suite};
use ruff_python_parser::{ParseOptions, Parsed, parse_cells_unchecked, parse_unchecked};
use ruff_text_size::{Ranged, TextRange, TextSize};

use super::depth;
use super::suppression::{self, Directive};
use crate::source::{SourceFile, SourceKind, Span};

pub struct Tree {
    pub module: ModModule,
    /// In the order of the text.
    pub errors: Vec<SyntaxError>,
    /// What comments say to unleak, in the order of the text.
    pub directives: Vec<Directive>,
    /// Nested too deeply to be walked: the module is empty and the only error says so.
    pub too_deep: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SyntaxError {
    /// Lower case, without a full stop.
    pub message: String,
    pub span: Span,
}

/// The tree of a file, partial where the text has errors.
pub fn parse(file: &SourceFile) -> Tree {
    if let Some(span) = depth::before_parsing(file) {
        return too_deep(span);
    }
    let parsed = parse_text(file);
    if let Some(span) = first_too_deep(parsed.tokens()) {
        depth::dismantle(parsed.into_syntax());
        return too_deep(span);
    }
    let mut errors: Vec<SyntaxError> = (parsed.errors().iter())
        .map(|error| SyntaxError { message: in_our_style(&error.error.to_string()), span: span_of(error.range()) })
        .collect();
    errors.sort_by_key(|error| error.span);
    let directives = suppression::directives(&file.text, parsed.tokens(), parsed.syntax());
    Tree { errors, directives, too_deep: false, module: parsed.into_syntax() }
}

/// The parser's own work and nothing else, for comparison: there is no guard against deep nesting.
#[doc(hidden)]
pub fn parse_only(file: &SourceFile) {
    drop(parse_text(file));
}

pub(super) fn parse_text(file: &SourceFile) -> Parsed<ModModule> {
    let source_type = match file.kind {
        SourceKind::Python => PySourceType::Python,
        SourceKind::Stub => PySourceType::Stub,
        SourceKind::Notebook => PySourceType::Ipynb,
    };
    let options = ParseOptions::from(source_type).with_target_version(PythonVersion::latest_preview());
    if !file.cells.is_empty() {
        return parse_cells_unchecked(&file.text, cell_ranges(file), &options);
    }
    match parse_unchecked(&file.text, options.clone()).try_into_module() {
        Some(parsed) => parsed,
        // The options name a kind of file, and every kind of file is a module.
        None => parse_cells_unchecked(&file.text, [], &options),
    }
}

/// The cells without the line breaks that separate them: each is parsed on its own, so that an error in one does
/// not spill over into the next.
fn cell_ranges(file: &SourceFile) -> impl Iterator<Item = TextRange> {
    let ends = file.cells.iter().skip(1).map(|cell| cell.start).chain([file.text.len() as u32]);
    file.cells.iter().zip(ends).map(|(cell, end)| {
        let start = TextSize::new(cell.start);
        TextRange::new(start, TextSize::new(end.saturating_sub(1)).max(start))
    })
}

/// The first place that is nested too deeply.
fn first_too_deep(tokens: &Tokens) -> Option<Span> {
    if !may_be_too_deep(tokens) {
        return None;
    }
    let mut meter = depth::Meter::new(depth::LIMIT);
    let mut deepest = None;
    for token in tokens.iter().filter(|token| token.kind() != TokenKind::Comment) {
        if meter.is_too_deep_after(token.kind()) && deepest.is_none() {
            deepest = Some(span_of(token.range()));
        }
    }
    deepest
}

/// A bound that is quick to see: every level needs a token of the same line, or an indent or arm somewhere before.
fn may_be_too_deep(tokens: &Tokens) -> bool {
    if tokens.len() < depth::LIMIT as usize {
        return false;
    }
    let (mut around, mut longest, mut line_start) = (0, 0, 0);
    for (number, token) in tokens.iter().enumerate() {
        match token.kind() {
            TokenKind::Newline => {
                longest = longest.max(number + 1 - line_start);
                line_start = number + 1;
            }
            TokenKind::Indent | TokenKind::Elif => around += 1,
            _ => {}
        }
    }
    around + longest.max(tokens.len() - line_start) >= depth::LIMIT as usize
}

fn too_deep(span: Span) -> Tree {
    let module = ModModule { node_index: AtomicNodeIndex::NONE, range: TextRange::default(), body: Suite::new() };
    let message = format!("nested too deeply to be checked (more than {} levels)", depth::LIMIT);
    let errors = vec![SyntaxError { message, span }];
    Tree { module, errors, directives: Vec::new(), too_deep: true }
}

/// The parser's messages are sentences that begin with a capital, ours are not.
fn in_our_style(message: &str) -> String {
    let mut characters = message.trim_end_matches('.').chars();
    match characters.next() {
        Some(first) => first.to_lowercase().chain(characters).collect(),
        None => String::new(),
    }
}

pub(super) fn span_of(range: TextRange) -> Span {
    Span::new(range.start().to_u32(), range.end().to_u32())
}
