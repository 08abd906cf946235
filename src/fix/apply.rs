//! Edits and texts.

use similar::{ChangeTag, TextDiff};

use crate::finding::{Edit, Fix};
use crate::source::Span;

/// The text with some edits made. They must be in the order of the text and apart from each other; `None` if not, or
/// where one is not in the text.
pub fn applied(text: &str, edits: &[&Edit]) -> Option<String> {
    let mut changed = String::with_capacity(text.len());
    let mut at = 0;
    for edit in edits {
        changed += text.get(at..edit.span.start as usize)?;
        changed += &edit.content;
        at = edit.span.end as usize;
    }
    changed += text.get(at..)?;
    Some(changed)
}

/// What changed, as edits of whole lines.
pub fn changes(old: &str, new: &str) -> Vec<Edit> {
    let diff = TextDiff::from_lines(old, new);
    let (mut edits, mut at): (Vec<Edit>, u32) = (Vec::new(), 0);
    for change in diff.iter_all_changes() {
        let length = change.value().len() as u32;
        let follows = edits.last_mut().filter(|edit| edit.span.end == at);
        match (change.tag(), follows) {
            (ChangeTag::Equal, _) => {}
            (ChangeTag::Delete, Some(edit)) => edit.span.end += length,
            (ChangeTag::Delete, None) => {
                edits.push(Edit { span: Span::new(at, at + length), content: String::new() });
            }
            (ChangeTag::Insert, Some(edit)) => edit.content += change.value(),
            (ChangeTag::Insert, None) => {
                edits.push(Edit { span: Span::new(at, at), content: change.value().to_owned() });
            }
        }
        if change.tag() != ChangeTag::Insert {
            at += length;
        }
    }
    edits
}

/// What changed, in the form that `patch` and reviewers know.
pub fn unified_diff(path: &str, old: &str, new: &str) -> String {
    TextDiff::from_lines(old, new).unified_diff().context_radius(3).header(path, path).to_string()
}

/// The lines that go and those that come with a fix of a text, each behind its sign.
pub fn changed_lines(text: &str, fix: &Fix) -> Option<Vec<String>> {
    let new = applied(text, &fix.edits.iter().collect::<Vec<_>>())?;
    let diff = TextDiff::from_lines(text, &new);
    let changes = diff.iter_all_changes().filter(|change| change.tag() != ChangeTag::Equal);
    Some(changes.map(|change| format!("{} {}", change.tag(), change.value().trim_end())).collect())
}
