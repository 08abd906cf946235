//! The hash by which GitHub recognises a line when code moves around it.
//!
//! GitHub's own upload action computes it for reports that lack it, so it must be the same to the last digit
//! (`primaryLocationLineHash`; the algorithm is told in `fingerprints.ts` of github/codeql-action). A line's hash is
//! taken over the hundred UTF-16 units from its start on, across line ends, without blanks and tabs, every line end
//! counting as a line feed. The file's end counts as one unit of 65535 and zeros behind it. The units are the digits of
//! a number to the base 37, modulo 2⁶⁴. Behind it stands how often that hash has come up in the file.

use std::cell::RefCell;

use rustc_hash::FxHashMap;

use crate::source::FileId;

/// How many units a hash is made of.
const UNITS: usize = 100;
const END_OF_FILE: u16 = u16::MAX;

/// The hashes of the files that were asked for.
#[derive(Default)]
pub struct LineHashes {
    files: RefCell<FxHashMap<FileId, Vec<String>>>,
}

impl LineHashes {
    /// Of a row, counted from 1.
    pub fn of(&self, file: FileId, text: &str, row: usize) -> Option<String> {
        let mut files = self.files.borrow_mut();
        let hashes = files.entry(file).or_insert_with(|| line_hashes(text));
        hashes.get(row.checked_sub(1)?).cloned()
    }
}

/// One for each line, in order.
pub fn line_hashes(text: &str) -> Vec<String> {
    let (units, starts) = units(text);
    let mut seen: FxHashMap<u64, usize> = FxHashMap::default();
    let hash = |start: &usize| {
        let window = units[*start..].iter().copied().chain(std::iter::repeat(0)).take(UNITS);
        let hash = window.fold(0_u64, |hash, unit| hash.wrapping_mul(37).wrapping_add(u64::from(unit)));
        let count = seen.entry(hash).or_insert(0);
        *count += 1;
        format!("{hash:x}:{count}")
    };
    starts.iter().map(hash).collect()
}

/// What is hashed, and where in it each line begins.
fn units(text: &str) -> (Vec<u16>, Vec<usize>) {
    let mut units = Vec::with_capacity(text.len() + 1);
    let mut starts = Vec::new();
    let mut at_start = true;
    let mut after_return = false;
    for unit in text.encode_utf16().chain([END_OF_FILE]) {
        let is_blank = unit == u16::from(b' ') || unit == u16::from(b'\t');
        let is_feed = unit == u16::from(b'\n');
        let ends_return = std::mem::replace(&mut after_return, unit == u16::from(b'\r')) && is_feed;
        if is_blank || ends_return {
            continue;
        }
        if at_start {
            starts.push(units.len());
        }
        at_start = is_feed || after_return;
        units.push(if after_return { u16::from(b'\n') } else { unit });
    }
    (units, starts)
}
