//! Rows and columns of findings.
//!
//! A finding's place is a span of bytes; only the few files that have findings are ever asked for rows, so their
//! lines are found when the first is asked for.

use std::cell::RefCell;
use std::ops::Range;
use std::rc::Rc;

use rustc_hash::FxHashMap;

use super::Sources;
use crate::source::{FileId, LineIndex, Position, SourceFile};

/// A file and where its lines start.
pub struct Lines<'a> {
    file: &'a SourceFile,
    index: LineIndex,
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
        let new = || {
            let file = self.sources.file(file);
            Rc::new(Lines { file, index: LineIndex::new(&file.text) })
        };
        lines.entry(file).or_insert_with(new).clone()
    }
}

impl<'a> Lines<'a> {
    pub fn text(&self) -> &'a str {
        &self.file.text
    }

    /// The row of a byte, from 1, counted over all cells of a notebook.
    pub fn row(&self, offset: usize) -> usize {
        self.index.row(offset as u32) as usize
    }

    /// The bytes of a row without what ends it.
    pub fn range(&self, row: usize) -> Range<usize> {
        let line = self.index.line_span(self.text(), row as u32).unwrap_or_default();
        let start = line.start as usize;
        start..start + self.text()[start..line.end as usize].trim_end_matches(['\r', '\n']).len()
    }

    pub fn position(&self, offset: usize) -> Position {
        self.file.position(&self.index, offset as u32)
    }

    /// Row and column, both from 1, columns in bytes.
    pub fn row_and_byte(&self, offset: usize) -> (usize, usize) {
        let offset = self.text().floor_char_boundary(offset);
        let row = self.row(offset);
        (row, offset - self.range(row).start + 1)
    }
}
