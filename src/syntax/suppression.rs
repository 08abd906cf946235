//! Comments that say what is not to be reported.
//!
//! `# unleak: ignore[LK101] reason` speaks of its logical line, however many rows that has; behind the head of a
//! function or class it speaks of all of it. Alone on its row it speaks of what follows. `# unleak: ignore-file[…]`
//! speaks of the file, and `# noqa: LK101` of its logical line, as other tools have it. Without brackets every rule
//! is meant; a bare `# noqa` is left to the tools that it was written for. What the words in brackets mean is not
//! known here.

use ruff_python_ast::token::{TokenKind, Tokens};
use ruff_python_ast::visitor::source_order::{SourceOrderVisitor, TraversalSignal};
use ruff_python_ast::{AnyNodeRef, Identifier, ModModule};
use ruff_text_size::Ranged;

use super::parse::span_of;
use crate::source::{SourceFile, Span};

/// What a comment says to unleak.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Directive {
    /// From its `#` to its end, its reason included.
    pub span: Span,
    pub verb: Verb,
    /// The word behind `unleak:`, or `noqa`.
    pub verb_span: Span,
    /// The words that name rules; none means every rule.
    pub words: Vec<Span>,
    /// Where it counts.
    pub covers: Span,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verb {
    Ignore,
    IgnoreFile,
    /// Only the words that look like unleak's are among its words.
    Noqa,
    Unknown,
}

/// A line as Python's grammar has it: what stands in brackets or behind a backslash is not its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LogicalLine {
    /// Without comments before and behind it.
    pub span: Span,
    /// The comment at its end.
    pub comment: Option<Span>,
}

/// All logical lines of a file, in the order of the text.
pub fn logical_lines(file: &SourceFile) -> Vec<LogicalLine> {
    lines(super::parse::parse_text(file).tokens()).into_iter().map(|line| line.line).collect()
}

/// Whether there may be a comment for unleak. Most texts hold no word for us at all, which is seen faster than their
/// comments are found.
pub(super) fn may_speak(text: &str) -> bool {
    let holds = |word: &str| memchr::memmem::find(text.as_bytes(), word.as_bytes()).is_some();
    holds("unleak:") || holds(CODE)
}

/// What the comments of a parsed text say to unleak, in the order of the text.
pub(super) fn directives(text: &str, tokens: &Tokens, module: &ModModule) -> Vec<Directive> {
    let speaks = |part: &str| {
        let part = part.trim_start();
        part.starts_with("unleak:") || part.get(..4).is_some_and(|word| word.eq_ignore_ascii_case("noqa"))
    };
    let comments = tokens.iter().filter(|token| token.kind() == TokenKind::Comment).map(|token| span_of(token.range()));
    let mut found: Vec<(Span, Directive)> = Vec::new();
    for comment in comments.filter(|comment| comment.of(text).split('#').any(speaks)) {
        found.extend(read(comment.of(text), comment.start).into_iter().map(|directive| (comment, directive)));
    }
    if found.is_empty() {
        return Vec::new();
    }
    let lines = lines(tokens);
    for (comment, directive) in &mut found {
        directive.covers = match directive.verb {
            Verb::IgnoreFile => Span::new(0, text.len() as u32),
            verb => covered(*comment, verb, text, &lines, module),
        };
    }
    found.into_iter().map(|(_, directive)| directive).collect()
}

/// The directives in a comment that begins at `start`, each without what it covers.
fn read(comment: &str, start: u32) -> Vec<Directive> {
    let mut found = Vec::new();
    let hashes: Vec<usize> = comment.match_indices('#').map(|(at, _)| at).collect();
    for (number, hash) in hashes.iter().enumerate() {
        let end = hashes.get(number + 1).copied().unwrap_or(comment.len());
        let part = comment[*hash..end].trim_end();
        if let Some(directive) = read_one(part, start + *hash as u32) {
            found.push(directive);
        }
    }
    found
}

fn read_one(part: &str, start: u32) -> Option<Directive> {
    let behind = part[1..].trim_start();
    let at = |rest: &str| start + (part.len() - rest.len()) as u32;
    let (verb, verb_start, rest) = match behind.strip_prefix("unleak:") {
        Some(rest) => {
            let rest = rest.trim_start();
            let length =
                rest.find(|c: char| !(c.is_ascii_alphanumeric() || c == '-' || c == '_')).unwrap_or(rest.len());
            let verb = match &rest[..length] {
                "ignore" => Verb::Ignore,
                "ignore-file" => Verb::IgnoreFile,
                _ => Verb::Unknown,
            };
            (verb, at(rest), &rest[length..])
        }
        None => {
            let name = behind.get(..4).filter(|name| name.eq_ignore_ascii_case("noqa"))?;
            (Verb::Noqa, at(behind), &behind[name.len()..])
        }
    };
    let verb_span = Span::new(verb_start, at(rest));
    let rest = rest.trim_start();
    let words = match verb {
        Verb::Noqa => codes(rest.strip_prefix(':')?),
        _ => {
            rest.strip_prefix('[').map(|list| bracketed(list.split(']').next().unwrap_or_default())).unwrap_or_default()
        }
    };
    if verb == Verb::Noqa && words.is_empty() {
        return None;
    }
    let words = words
        .into_iter()
        .map(|word| Span::new(at_word(part, word, start), at_word(part, word, start) + word.len() as u32));
    let span = Span::new(start, start + part.len() as u32);
    Some(Directive { span, verb, verb_span, words: words.collect(), covers: span })
}

/// Where a part of a text begins, which it is a slice of.
fn at_word(text: &str, word: &str, start: u32) -> u32 {
    start + (word.as_ptr() as usize - text.as_ptr() as usize) as u32
}

fn bracketed(list: &str) -> Vec<&str> {
    list.split(',').map(str::trim).filter(|word| !word.is_empty()).collect()
}

/// What our codes begin with.
const CODE: &str = "LK";

/// Codes like ours, from a list that ends where something is no code.
fn codes(list: &str) -> Vec<&str> {
    let words = list.split([',', ' ', '\t']).filter(|word| !word.is_empty());
    let is_code =
        |word: &&str| word.ends_with(|c: char| c.is_ascii_digit()) && word.chars().all(|c| c.is_ascii_alphanumeric());
    words.take_while(is_code).filter(|word| word.starts_with(CODE)).collect()
}

/// A logical line, and the comments of its own rows above it.
struct Line {
    line: LogicalLine,
    /// Every comment from the end of the line before.
    comments: Vec<Span>,
}

fn lines(tokens: &Tokens) -> Vec<Line> {
    let mut lines = Vec::new();
    let (mut span, mut comments): (Option<Span>, Vec<Span>) = (None, Vec::new());
    for token in tokens.iter() {
        let here = span_of(token.range());
        match token.kind() {
            TokenKind::Comment => comments.push(here),
            TokenKind::NonLogicalNewline | TokenKind::Indent | TokenKind::Dedent => {}
            TokenKind::Newline | TokenKind::EndOfFile => {
                if let Some(span) = span.take() {
                    let comment = comments.last().copied().filter(|comment| comment.start >= span.end);
                    lines.push(Line { line: LogicalLine { span, comment }, comments: std::mem::take(&mut comments) });
                }
            }
            _ => span = Some(Span::new(span.map_or(here.start, |span| span.start), here.end)),
        }
    }
    lines
}

fn covered(comment: Span, verb: Verb, text: &str, lines: &[Line], module: &ModModule) -> Span {
    let Some(line) = lines.iter().find(|line| line.comments.contains(&comment)) else { return comment };
    let span = line.line.span;
    let is_above = comment.end <= span.start;
    if is_above && !is_right_above(comment, span, text) {
        return comment;
    }
    let whole = if verb == Verb::Noqa { None } else { definition(module, span, is_above) };
    let covers = whole.unwrap_or(span);
    Span::new(covers.start.min(comment.start), covers.end.max(comment.end))
}

/// Nothing stands between but comments, and both are as deep.
fn is_right_above(comment: Span, line: Span, text: &str) -> bool {
    let between = text.get(comment.end as usize..line.start as usize).unwrap_or_default();
    let rows: Vec<&str> = between.split('\n').collect();
    let column = |start: u32| text[..start as usize].rsplit('\n').next().unwrap_or_default().to_owned();
    let inner = rows.get(1..rows.len().saturating_sub(1)).unwrap_or_default();
    inner.iter().all(|row| row.trim_start().starts_with('#')) && column(comment.start) == column(line.start)
}

/// The function or class whose head is a logical line; from above, also one whose first decorator is.
fn definition(module: &ModModule, line: Span, from_above: bool) -> Option<Span> {
    let mut finder = DefinitionFinder { line, from_above, found: None };
    finder.visit_body(&module.body);
    finder.found
}

struct DefinitionFinder {
    line: Span,
    from_above: bool,
    found: Option<Span>,
}

impl<'a> SourceOrderVisitor<'a> for DefinitionFinder {
    fn enter_node(&mut self, node: AnyNodeRef<'a>) -> TraversalSignal {
        let span = span_of(node.range());
        let name: Option<&Identifier> = match node {
            AnyNodeRef::StmtFunctionDef(function) => Some(&function.name),
            AnyNodeRef::StmtClassDef(class) => Some(&class.name),
            _ => None,
        };
        let is_head = |name: &Identifier| {
            self.line.contains(span_of(name.range())) || (self.from_above && span.start == self.line.start)
        };
        if self.found.is_none() && name.is_some_and(is_head) {
            self.found = Some(span);
        }
        let overlaps = span.start < self.line.end && self.line.start < span.end;
        if overlaps && self.found.is_none() { TraversalSignal::Traverse } else { TraversalSignal::Skip }
    }
}
