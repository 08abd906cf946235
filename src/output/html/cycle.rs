//! Who keeps whom, read from the words of an argument.
//!
//! A rule that speaks of a cycle writes references as `a → b → c`; what stands before a colon only introduces them.

use serde::{Serialize, Serializer};

const ARROW: &str = " → ";

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Edge<'a> {
    pub from: &'a str,
    pub to: &'a str,
    /// Which text said so, from 0; `None` for what is not the first reference of its text.
    pub text: Option<usize>,
}

impl Serialize for Edge<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        (self.from, self.to, self.text).serialize(serializer)
    }
}

/// The references that are part of a cycle, each once, in the order in which they are told.
pub fn cycle<'a>(texts: impl Iterator<Item = &'a str>) -> Vec<Edge<'a>> {
    let mut edges: Vec<Edge> = Vec::new();
    for (number, text) in texts.enumerate() {
        for edge in references(text, number) {
            if !edges.iter().any(|known| (known.from, known.to) == (edge.from, edge.to)) {
                edges.push(edge);
            }
        }
    }
    let is_in_cycle = |edge: &Edge| reaches(&edges, edge.to, edge.from);
    edges.iter().filter(|edge| is_in_cycle(edge)).cloned().collect()
}

fn references(text: &str, number: usize) -> Vec<Edge<'_>> {
    let mut names: Vec<&str> = text.split(ARROW).collect();
    if let Some(first) = names.first_mut() {
        *first = first.rsplit(": ").next().unwrap_or_default();
    }
    let names: Vec<&str> = names.into_iter().map(unquoted).collect();
    let pairs = names.windows(2).enumerate();
    pairs.map(|(index, pair)| Edge { from: pair[0], to: pair[1], text: (index == 0).then_some(number) }).collect()
}

/// A name without its backticks; words with a name in them keep theirs.
fn unquoted(name: &str) -> &str {
    let inner = name.strip_prefix('`').and_then(|rest| rest.strip_suffix('`'));
    inner.filter(|inner| !inner.contains('`')).unwrap_or(name)
}

fn reaches(edges: &[Edge], start: &str, goal: &str) -> bool {
    let mut reached = vec![start];
    let mut next = 0;
    while let Some(name) = reached.get(next).copied() {
        if name == goal {
            return true;
        }
        for edge in edges.iter().filter(|edge| edge.from == name) {
            if !reached.contains(&edge.to) {
                reached.push(edge.to);
            }
        }
        next += 1;
    }
    false
}
