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
    // Asked while the text is at hand, before a tree of many times its size is.
    let may_speak = suppression::may_speak(&file.text);
    let parsed = parse_text(file);
    if let Some(span) = first_too_deep(&file.text, parsed.tokens()) {
        depth::dismantle(parsed.into_syntax());
        return too_deep(span);
    }
    let mut errors: Vec<SyntaxError> = (parsed.errors().iter())
        .map(|error| SyntaxError { message: in_our_style(&error.error.to_string()), span: span_of(error.range()) })
        .collect();
    errors.sort_by_key(|error| error.span);
    let directives = match may_speak {
        true => suppression::directives(&file.text, parsed.tokens(), parsed.syntax()),
        false => Vec::new(),
    };
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
fn first_too_deep(text: &str, tokens: &Tokens) -> Option<Span> {
    if tokens.len() < depth::LIMIT as usize || !has_many_levels(text, tokens) || !may_be_too_deep(tokens) {
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

/// A bound that is seen without a look at every token: a level needs a token of the same line, an arm, or an indent, and
/// the innermost indent is as wide as all of them. A tab is as wide as eight spaces.
fn has_many_levels(text: &str, tokens: &Tokens) -> bool {
    let many = depth::LIMIT as usize / 3;
    has_run(tokens, many, |token| token.kind() != TokenKind::Newline)
        || has_run(text.as_bytes(), many / 8, |byte| matches!(byte, b' ' | b'\t' | b'\x0c'))
        || memchr::memmem::find_iter(text.as_bytes(), "elif").nth(many).is_some()
}

/// Whether so many items in a row are of a kind: one of every so many of them must be, and its neighbours.
fn has_run<T>(items: &[T], length: usize, is_of_kind: impl Fn(&T) -> bool) -> bool {
    (length.saturating_sub(1)..items.len()).step_by(length).any(|middle| {
        let before = items[..middle].iter().rev().take(length).take_while(|item| is_of_kind(item)).count();
        let after = items[middle..].iter().take(length).take_while(|item| is_of_kind(item)).count();
        after > 0 && before + after >= length
    })
}

/// A bound by all tokens: every level needs a token of the same line, or an indent or arm somewhere before.
fn may_be_too_deep(tokens: &Tokens) -> bool {
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
