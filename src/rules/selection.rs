//! Which rules are meant: codes, names, families, as people write them on the command line and in configurations.
//!
//! The more specific word wins, and of two equally specific ones the exclusion: `--select LK101 --ignore LK1` runs
//! LK101, and so does `--select LK1 --ignore LK104`.

use super::page::{Page, pages};
use crate::models::mistakes::edit_distance;

/// A word that names no rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnknownRule {
    pub word: String,
    /// The code, name or family that is nearest to it, if any is near.
    pub nearest: Option<&'static str>,
}

impl std::fmt::Display for UnknownRule {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "no rule is called `{}`", self.word)?;
        match self.nearest {
            Some(nearest) => write!(f, "; did you mean `{nearest}`?"),
            None => write!(f, "; `unleak rule` lists them all"),
        }
    }
}

/// The codes of the rules that run, sorted. An empty selection is every rule.
pub fn enabled<S: AsRef<str>>(select: &[S], ignore: &[S]) -> Result<Vec<&'static str>, UnknownRule> {
    for word in select.iter().chain(ignore) {
        matching(word.as_ref())?;
    }
    let selected = |page: &Page| match select {
        [] => Some(0),
        words => strongest(words, page),
    };
    let runs = |page: &&Page| match (selected(page), strongest(ignore, page)) {
        (None, _) => false,
        (Some(_), None) => true,
        (Some(selected), Some(ignored)) => selected > ignored,
    };
    Ok(pages().iter().filter(runs).map(|page| page.code).collect())
}

/// The pages a word names: a code, a name, a family, the start of a code (`LK1`), or `ALL`; case does not matter.
pub fn matching(word: &str) -> Result<Vec<&'static Page>, UnknownRule> {
    let found: Vec<&Page> = pages().iter().filter(|page| specificity(word, page).is_some()).collect();
    if found.is_empty() {
        return Err(UnknownRule { word: word.to_owned(), nearest: nearest(word) });
    }
    Ok(found)
}

fn strongest<S: AsRef<str>>(words: &[S], page: &Page) -> Option<usize> {
    words.iter().filter_map(|word| specificity(word.as_ref(), page)).max()
}

/// A family is as exact as the start of a code that says the same.
const FAMILY: &str = "LK1";

/// How exactly the word names the rule: a name as much as the whole code.
fn specificity(word: &str, page: &Page) -> Option<usize> {
    let starts_code = || page.code.get(..word.len()).is_some_and(|start| start.eq_ignore_ascii_case(word));
    if word.eq_ignore_ascii_case("all") {
        Some(0)
    } else if word.eq_ignore_ascii_case(page.name) {
        Some(page.code.len())
    } else if word.eq_ignore_ascii_case(page.family) {
        Some(FAMILY.len())
    } else if !word.is_empty() && starts_code() {
        Some(word.len())
    } else {
        None
    }
}

/// The code, name or family with the fewest edits between, if at most a third of the word would have to change.
fn nearest(word: &str) -> Option<&'static str> {
    let word = word.to_lowercase();
    let candidates = pages().iter().flat_map(|page| [page.code, page.name, page.family]);
    let (distance, nearest) =
        candidates.map(|candidate| (edit_distance(&word, &candidate.to_lowercase()), candidate)).min()?;
    (distance <= word.chars().count().div_ceil(3)).then_some(nearest)
}
