//! Rows and columns as people count them.
//!
//! A finding's place is a span of bytes; only the few files that have findings are ever asked for rows, so their
//! lines are found when the first is asked for.

use std::cell::RefCell;
use std::rc::Rc;

use rustc_hash::FxHashMap;

use super::Sources;
use crate::source::FileId;

/// Row and column, both counted from 1, the column in characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Position {
    pub row: usize,
    pub column: usize,
}

/// A file's text and where its lines start.
pub struct Lines<'a> {
    pub text: &'a str,
    starts: Vec<usize>,
}

pub struct Places<'a> {
    sources: &'a dyn Sources,
    lines: RefCell<FxHashMap<FileId, Rc<Lines<'a>>>>,
}

impl<'a> Places<'a> {
    pub fn new(sources: &'a dyn Sources) -> Self {
        Places { sources, lines: RefCell::default() }
    }

    pub fn lines(&self, file: FileId) -> Rc<Lines<'a>> {
        let mut lines = self.lines.borrow_mut();
        lines.entry(file).or_insert_with(|| Rc::new(Lines::new(self.sources.text(file)))).clone()
    }
}

impl<'a> Lines<'a> {
    /// A line ends where Python ends it: at a line feed, a carriage return, or both.
    pub fn new(text: &'a str) -> Self {
        let bytes = text.as_bytes();
        let mut starts = vec![0];
        for (index, byte) in bytes.iter().enumerate() {
            if *byte == b'\n' || (*byte == b'\r' && bytes.get(index + 1) != Some(&b'\n')) {
                starts.push(index + 1);
            }
        }
        Lines { text, starts }
    }

    /// The index of the line that holds the byte, counted from 0; the last line for what is beyond the end.
    pub fn index(&self, offset: usize) -> usize {
        self.starts.partition_point(|start| *start <= offset) - 1
    }

    /// The line's bytes without what ends it.
    pub fn range(&self, index: usize) -> std::ops::Range<usize> {
        let start = self.starts.get(index).copied().unwrap_or(self.text.len());
        let end = self.starts.get(index + 1).copied().unwrap_or(self.text.len());
        start..start + self.text[start..end].trim_end_matches(['\r', '\n']).len()
    }

    pub fn position(&self, offset: usize) -> Position {
        let offset = self.text.floor_char_boundary(offset);
        let index = self.index(offset);
        Position { row: index + 1, column: self.text[self.starts[index]..offset].chars().count() + 1 }
    }
}
