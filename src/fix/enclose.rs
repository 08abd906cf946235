//! Statements between an acquisition and its release, put into a `with` block or a `try` with a `finally`.

use super::lines::{comment_behind, indentation, indented, line_break, next_line, text_of, unit};
use crate::finding::{Applicability, Edit, Fix};
use crate::source::{Name, SourceFile, Span};
use crate::syntax::Tree;
use crate::syntax::shape::{self, Block, Form, Statement, Usage};

/// Runs the release on every way out of the statements before it. What is released at their end anyway may be released
/// on the other ways out as well, unless one of these hands it on or has released it already.
pub fn until_release(
    file: &SourceFile,
    tree: &Tree,
    place: Span,
    name: Name,
    release: Span,
    method: Option<Name>,
) -> Option<Fix> {
    let block = shape::block_around(tree, place)?;
    let first = block.statements[block.at];
    let end = block.statements.iter().position(|statement| statement.span == release)?;
    if end <= block.at + 1 || block.statements[end].form != Form::Expression {
        return None;
    }
    let within = Span::new(block.statements[block.at + 1].span.start, release.start);
    let usage = shape::usage(tree, name.as_str(), within);
    let hands_on = usage.leaves && (usage.is_kept || usage.is_returned || usage.is_captured);
    let release_text = text_of(file, release);
    if usage.is_rebound || hands_on || releases(file, &usage, release_text) {
        return None;
    }
    let lines = Lines::between(file, &block, release.start)?;
    let is_closed = method.is_some_and(|method| release_text == format!("{name}.{method}()"));
    let comment = comment_behind(file, release.end)?;
    if is_closed && is_assignment(file, first, name, place) {
        let mut body = indented(file, tree, lines.body, &lines.unit);
        if !comment.is_empty() {
            body += &format!("{}{}{comment}{}", lines.indentation, lines.unit, line_break(file));
        }
        let rest = Span::new(lines.body.start, next_line(file, release.end));
        return Some(Fix {
            title: format!("close `{name}` with a `with` block"),
            applicability: Applicability::Safe,
            edits: vec![with_header(file, first, place, name), Edit { span: rest, content: body }],
        });
    }
    let Lines { body, indentation, unit } = lines;
    let end = line_break(file);
    let inner = indented(file, tree, body, &unit);
    let content = format!("{indentation}try:{end}{inner}{indentation}finally:{end}{indentation}{unit}{release_text}");
    Some(Fix {
        title: format!("release `{name}` in a `finally`"),
        applicability: Applicability::Safe,
        edits: vec![Edit { span: Span::new(body.start, release.end), content }],
    })
}

/// Closes what nothing closes, behind the last statement that uses it.
pub fn until_last_use(file: &SourceFile, tree: &Tree, place: Span, name: Name, method: Option<Name>) -> Option<Fix> {
    let block = shape::block_around(tree, place)?;
    let first = block.statements[block.at];
    let last = block.statements[shape::last_use(tree, name.as_str(), &block)];
    if last.span == first.span || !is_assignment(file, first, name, place) {
        return None;
    }
    let within = Span::new(first.span.end, last.span.end);
    let usage = shape::usage(tree, name.as_str(), within);
    if usage.is_rebound || usage.is_kept || usage.is_returned || usage.is_captured {
        return None;
    }
    comment_behind(file, last.span.end)?;
    let lines = Lines::between(file, &block, next_line(file, last.span.end))?;
    // Whoever got it may have kept it, and leaving the block may do more than close.
    let applicability = match usage.is_passed || method.is_none() {
        true => Applicability::Unsafe,
        false => Applicability::Safe,
    };
    let body = Edit { span: lines.body, content: indented(file, tree, lines.body, &lines.unit) };
    Some(Fix {
        title: format!("close `{name}` with a `with` block"),
        applicability,
        edits: vec![with_header(file, first, place, name), body],
    })
}

/// `name = call`, and nothing else.
fn is_assignment(file: &SourceFile, statement: Statement, bound: Name, call: Span) -> bool {
    match statement.form {
        // What stands between the name and the call goes, so there must be no comment.
        Form::Assignment { name, value } => {
            let between = Span::new(name.end, value.start);
            value == call
                && value.end == statement.span.end
                && text_of(file, name) == bound.as_str()
                && text_of(file, between).trim() == "="
        }
        _ => false,
    }
}

fn with_header(file: &SourceFile, statement: Statement, call: Span, name: Name) -> Edit {
    Edit { span: statement.span, content: format!("with {} as {name}:", text_of(file, call)) }
}

/// Whether the same release stands among the statements before it.
fn releases(file: &SourceFile, usage: &Usage, release: &str) -> bool {
    let called = release.split('(').next().unwrap_or_default();
    let method = called.rsplit('.').next().unwrap_or_default();
    usage.attributes.iter().any(|attribute| attribute == method)
        || usage.passed_to.iter().any(|callee| text_of(file, *callee) == called)
}

/// Whole lines that go one level deeper.
struct Lines {
    body: Span,
    indentation: String,
    unit: String,
}

impl Lines {
    /// From behind the statement that was asked for to the line that holds an offset; `None` where a line holds something else as well.
    fn between(file: &SourceFile, block: &Block, end: u32) -> Option<Lines> {
        let first = block.statements[block.at];
        let indentation = indentation(file, first.span.start)?;
        comment_behind(file, first.span.end)?;
        let last = self::indentation(file, end)?;
        Some(Lines {
            body: Span::new(next_line(file, first.span.end), end - last.len() as u32),
            indentation: indentation.to_owned(),
            unit: unit(file, block)?,
        })
    }
}
