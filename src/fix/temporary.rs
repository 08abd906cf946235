//! A resource without a name gets one, and a `with` block around the statement that uses it.

use super::lines::{comment_behind, indentation, indented, line_break, next_line, text_of, unit, word_count};
use crate::finding::{Applicability, Edit, Fix};
use crate::source::{SourceFile, Span};
use crate::syntax::Tree;
use crate::syntax::shape;

/// Methods that are done with a file when they return.
const METHODS: [&str; 8] = ["read", "readline", "readlines", "write", "writelines", "getvalue", "readall", "recv"];
/// Functions that are done with a file when they return; by their last names, which mean the same in many libraries.
/// Not `load_all`: it gives a generator, which is read later.
const FUNCTIONS: [&str; 9] = ["load", "safe_load", "dump", "list", "tuple", "set", "sorted", "sum", "copyfileobj"];
/// Names for what is opened.
const NAMES: [&str; 3] = ["file", "opened", "opened_file"];

pub fn named(file: &SourceFile, tree: &Tree, place: Span) -> Option<Fix> {
    let temporary = shape::temporary(tree, place)?;
    let user = text_of(file, temporary.user);
    let last = user.rsplit('.').next().unwrap_or_default();
    let is_done = if temporary.is_method { METHODS.contains(&last) } else { FUNCTIONS.contains(&last) };
    if !is_done {
        return None;
    }
    let statement = temporary.statement;
    let indentation = indentation(file, statement.start)?;
    comment_behind(file, statement.end)?;
    let names_meet = shape::function_around(tree, place).map_or(file.text.as_ref(), |function| text_of(file, function));
    let name = NAMES.into_iter().find(|name| word_count(names_meet, name) == 0)?;
    let unit = unit(file, &shape::block_around(tree, statement)?)?;
    let line = Span::new(statement.start - indentation.len() as u32, next_line(file, statement.end));
    let (before, after) = (Span::new(line.start, place.start), Span::new(place.end, line.end));
    // The call itself may go over several lines, and strings in it are no lines to indent.
    let deeper =
        format!("{unit}{}{name}{}", indented_rest(file, tree, before, &unit), indented_rest(file, tree, after, &unit));
    let header = format!("{indentation}with {} as {name}:{}", text_of(file, place), line_break(file));
    Some(Fix {
        title: "open it in a `with` block".to_owned(),
        applicability: if temporary.is_passed_on { Applicability::Unsafe } else { Applicability::Safe },
        edits: vec![Edit { span: line, content: header + &deeper }],
    })
}

/// What follows on the same line stays as it is.
fn indented_rest(file: &SourceFile, tree: &Tree, span: Span, unit: &str) -> String {
    let line_end = next_line(file, span.start).min(span.end);
    let (rest, lines) = (Span::new(span.start, line_end), Span::new(line_end, span.end));
    format!("{}{}", text_of(file, rest), indented(file, tree, lines, unit))
}
