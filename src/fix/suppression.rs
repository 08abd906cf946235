//! Comments that silence: those that are not needed go, words that mean nothing become what was meant, and new ones
//! are written.

use super::lines::{next_line, text_of};
use crate::finding::{Applicability, Edit, Finding, Fix};
use crate::source::{SourceFile, Span};
use crate::syntax::suppression::{Directive, LogicalLine, Verb};

/// Takes a comment away, or the one word that the place is.
pub fn dropped(file: &SourceFile, directives: &[Directive], place: Span) -> Option<Fix> {
    let directive = directives.iter().find(|directive| directive.span.contains(place))?;
    let whole = place == directive.span || directive.words.len() < 2;
    let edit = match whole {
        true => without_comment(file, directive)?,
        false => without_word(file, directive, place)?,
    };
    let title = if whole { "remove the comment" } else { "remove the word" };
    Some(Fix { title: title.to_owned(), applicability: Applicability::Safe, edits: vec![edit] })
}

/// Puts the right word in place of a wrong one.
pub fn replaced(place: Span, by: &str) -> Fix {
    Fix {
        title: format!("write `{by}`"),
        // It may have meant another rule.
        applicability: Applicability::Unsafe,
        edits: vec![Edit { span: place, content: by.to_owned() }],
    }
}

fn without_comment(file: &SourceFile, directive: &Directive) -> Option<Edit> {
    let span = directive.span;
    // Words of other tools stay.
    if directive.verb == Verb::Noqa {
        let list = text_of(file, Span::new(directive.verb_span.end, span.end));
        let words = list.split([',', ' ', ':', '\t']).filter(|word| !word.is_empty()).count();
        if words > directive.words.len() {
            return without_word(file, directive, *directive.words.first()?);
        }
    }
    let before = &file.text[..span.start as usize];
    let behind = &file.text[span.end as usize..next_line(file, span.start) as usize];
    let code = before.rsplit('\n').next().unwrap_or_default();
    let blanks = (code.len() - code.trim_end().len()) as u32;
    let edit = match (code.trim().is_empty(), behind.trim().is_empty()) {
        // The whole row.
        (true, true) => Span::new(span.start - blanks, next_line(file, span.start)),
        (false, true) => Span::new(span.start - blanks, span.end),
        // Another comment follows.
        (_, false) => Span::new(span.start, span.end + (behind.len() - behind.trim_start().len()) as u32),
    };
    Some(Edit { span: edit, content: String::new() })
}

/// The word goes with one comma beside it.
fn without_word(file: &SourceFile, directive: &Directive, word: Span) -> Option<Edit> {
    let is_gap = |c: char| matches!(c, ',' | ' ' | '\t');
    let behind = text_of(file, Span::new(word.end, directive.span.end));
    let gap = behind.len() - behind.trim_start_matches(is_gap).len();
    if behind[..gap].contains(',') {
        return Some(Edit { span: Span::new(word.start, word.end + gap as u32), content: String::new() });
    }
    let before = text_of(file, Span::new(directive.verb_span.end, word.start));
    let gap = before.len() - before.trim_end_matches(is_gap).len();
    Some(Edit { span: Span::new(word.start - gap as u32, word.end), content: String::new() })
}

/// One edit for each logical line that has findings: a comment at its end, or more words in the one that is there.
pub fn written(lines: &[LogicalLine], directives: &[Directive], findings: &[&Finding], reason: &str) -> Vec<Edit> {
    let mut by_line: Vec<(LogicalLine, Vec<&str>)> = Vec::new();
    for finding in findings {
        let start = finding.location.span.start;
        let Some(line) = lines.iter().find(|line| line.span.start <= start && start < line.span.end) else { continue };
        match by_line.iter_mut().find(|(known, _)| known == line) {
            Some((_, codes)) => codes.push(finding.code),
            None => by_line.push((*line, vec![finding.code])),
        }
    }
    by_line.sort_by_key(|(line, _)| line.span);
    for (_, codes) in &mut by_line {
        codes.sort_unstable();
        codes.dedup();
    }
    by_line.into_iter().map(|(line, codes)| silence(line, directives, &codes.join(", "), reason)).collect()
}

fn silence(line: LogicalLine, directives: &[Directive], codes: &str, reason: &str) -> Edit {
    let is_at_end = |directive: &&Directive| line.comment.is_some_and(|comment| comment.contains(directive.span));
    let own = directives.iter().filter(is_at_end).find(|directive| directive.verb == Verb::Ignore);
    if let Some(last) = own.and_then(|directive| directive.words.last()) {
        return Edit { span: Span::new(last.end, last.end), content: format!(", {codes}") };
    }
    let end = line.comment.map_or(line.span.end, |comment| comment.end);
    let gap = if reason.is_empty() { "" } else { " " };
    let reason = reason.replace(['\n', '\r'], " ");
    Edit { span: Span::new(end, end), content: format!("  # unleak: ignore[{codes}]{gap}{reason}") }
}
