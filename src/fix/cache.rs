//! A number of entries for a cache that has none.
//!
//! Whether so many are enough nobody can tell from the source, so these edits are never safe.

use super::lines::{text_of, word_count};
use crate::finding::{Applicability, Edit, Fix};
use crate::source::{Name, SourceFile, Span};
use crate::syntax::Tree;
use crate::syntax::shape::{self, CallShape, Callee};

const ENTRIES: &str = "1024";

/// `made_by` is the function that makes the cache, `parameter` the one of it that bounds it, `bounded_form` what takes
/// the place of a function that has none.
pub fn bounded(
    file: &SourceFile,
    tree: &Tree,
    place: Span,
    made_by: Name,
    parameter: Option<(Name, Option<u32>)>,
    bounded_form: Option<Name>,
) -> Option<Fix> {
    let (module, function) = made_by.as_str().rsplit_once('.')?;
    // What it is called here, where it is imported under another name.
    let imported = shape::imported_from(tree, module);
    let bound_as = imported.iter().find(|import| import.name == function).map(|import| import.bound.as_str());
    let callee =
        [bound_as.unwrap_or(function), function].into_iter().find_map(|name| shape::callee(tree, place, name))?;
    let edits = match (parameter, bounded_form) {
        (Some((keyword, position)), _) => vec![bound_by_argument(file, &callee, keyword.as_str(), position)?],
        (None, Some(form)) => replaced_by(file, tree, &callee, function, form.as_str())?,
        (None, None) => return None,
    };
    let title = format!("keep the newest {ENTRIES} results");
    Some(Fix { title, applicability: Applicability::Unsafe, edits })
}

/// `None` in its place becomes a number, or a number is added.
fn bound_by_argument(file: &SourceFile, callee: &Callee, keyword: &str, position: Option<u32>) -> Option<Edit> {
    let Some(CallShape { given, arguments, .. }) = &callee.call else {
        return Some(insertion(callee.span.end, format!("({keyword}={ENTRIES})")));
    };
    if given.iter().any(|given| given.is_unpacked) {
        return None;
    }
    let by_position =
        position.and_then(|position| given.get(position as usize).filter(|given| given.keyword.is_none()));
    let argument = given.iter().find(|given| given.keyword.as_deref() == Some(keyword)).or(by_position);
    match argument {
        Some(argument) if argument.is_none => Some(Edit { span: argument.value, content: ENTRIES.to_owned() }),
        Some(_) => None,
        None if given.is_empty() && text_of(file, *arguments).trim_matches(['(', ')']).trim().is_empty() => {
            Some(Edit { span: *arguments, content: format!("({keyword}={ENTRIES})") })
        }
        None => {
            let last = given.last()?;
            Some(insertion(last.value.end, format!(", {keyword}={ENTRIES}")))
        }
    }
}

/// `@cache` becomes `@lru_cache(maxsize=1024)`, imported if it is not yet.
fn replaced_by(file: &SourceFile, tree: &Tree, callee: &Callee, function: &str, form: &str) -> Option<Vec<Edit>> {
    let (module, new) = form.rsplit_once('.')?;
    let bound = format!("(maxsize={ENTRIES})");
    if callee.has_qualifier {
        return Some(vec![Edit { span: callee.name, content: format!("{new}{bound}") }]);
    }
    let imported = shape::imported_from(tree, module);
    if let Some(known) = imported.iter().find(|import| import.name == new) {
        return Some(vec![Edit { span: callee.span, content: format!("{}{bound}", known.bound) }]);
    }
    let old = imported.iter().find(|import| import.name == function)?;
    let import = match word_count(&file.text, &old.bound) {
        // Here and where it is imported.
        2 if old.bound == function => Edit { span: old.span, content: new.to_owned() },
        _ => insertion(old.span.end, format!(", {new}")),
    };
    Some(vec![import, Edit { span: callee.span, content: format!("{new}{bound}") }])
}

fn insertion(at: u32, content: String) -> Edit {
    Edit { span: Span::new(at, at), content }
}
