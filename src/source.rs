//! What was read: text, where things stand in it, and the names in it.
//!
//! Everything above speaks of places in a file as byte spans of its decoded UTF-8 text. Rows and columns are made
//! only when a finding is shown, because counting characters for every node would cost more than parsing.

use std::cell::RefCell;
use std::hash::BuildHasher;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{LazyLock, Mutex, OnceLock, PoisonError};

use hashbrown::HashTable;
use hashbrown::hash_table::Entry;
use rustc_hash::FxBuildHasher;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A half-open range of bytes in a file's decoded text.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Span {
    pub start: u32,
    pub end: u32,
}

impl Span {
    pub fn new(start: u32, end: u32) -> Self {
        Span { start, end }
    }

    /// What stands there in a text; nothing where the text has no such place.
    pub fn of(self, text: &str) -> &str {
        text.get(self.start as usize..self.end as usize).unwrap_or_default()
    }

    pub fn contains(self, other: Span) -> bool {
        self.start <= other.start && other.end <= self.end
    }
}

/// A file of the program, as an index into the list the engine loaded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct FileId(pub u32);

/// A place in a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Location {
    pub file: FileId,
    pub span: Span,
}

/// What a file holds, which decides how it is read and whether anything is reported in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum SourceKind {
    Python,
    /// Names and types for others; nothing in it runs.
    Stub,
    /// The code cells of a notebook, one after the other.
    Notebook,
}

/// A code cell of a notebook.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cell {
    /// Counted from 1 over all cells, as editors show them: Markdown cells count.
    pub number: u32,
    /// Where its text begins in the notebook's text. It ends at the line break before the next cell.
    pub start: u32,
}

/// A file as read: its decoded text without a byte order mark.
#[derive(Clone, Debug)]
pub struct SourceFile {
    /// As it is shown to the user.
    pub path: PathBuf,
    pub text: String,
    pub kind: SourceKind,
    /// Empty for everything but notebooks; in the order of their starts.
    pub cells: Vec<Cell>,
}

/// A place as users count it, from 1. A tab, a wide or a combining character is one column.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Position {
    /// The notebook's cell; rows are counted in it.
    pub cell: Option<u32>,
    pub row: u32,
    pub column: u32,
}

impl SourceFile {
    /// A file without notebook cells.
    pub fn new(path: impl Into<PathBuf>, text: impl Into<String>, kind: SourceKind) -> SourceFile {
        SourceFile { path: path.into(), text: text.into(), kind, cells: Vec::new() }
    }

    /// The place of a byte offset; one past the end or inside a character counts as the nearest before.
    pub fn position(&self, lines: &LineIndex, offset: u32) -> Position {
        let (row, column) = lines.row_and_column(&self.text, offset);
        match self.cell_at(offset) {
            Some(cell) => {
                let row_of_cell = lines.row(cell.start);
                Position { cell: Some(cell.number), row: row - row_of_cell + 1, column }
            }
            None => Position { cell: None, row, column },
        }
    }

    fn cell_at(&self, offset: u32) -> Option<Cell> {
        let after = self.cells.partition_point(|cell| cell.start <= offset);
        after.checked_sub(1).map(|index| self.cells[index])
    }
}

/// Where the lines of a text begin.
///
/// A line ends as Python's tokenizer ends it: with `\n`, `\r\n` or a lone `\r`. A form feed, `\v` and Unicode's
/// separators such as U+2028 are characters like others.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LineIndex {
    starts: Vec<u32>,
    is_ascii: bool,
}

impl LineIndex {
    pub fn new(text: &str) -> LineIndex {
        let bytes = text.as_bytes();
        let mut starts = Vec::with_capacity(bytes.len() / 32 + 1);
        starts.push(0);
        let breaks = memchr::memchr2_iter(b'\n', b'\r', bytes)
            .filter(|index| bytes[*index] == b'\n' || bytes.get(index + 1) != Some(&b'\n'));
        starts.extend(breaks.map(|index| index as u32 + 1));
        LineIndex { starts, is_ascii: text.is_ascii() }
    }

    /// How many lines there are; a text ending in a line break has an empty last one.
    pub fn rows(&self) -> u32 {
        self.starts.len() as u32
    }

    /// The row of an offset, from 1.
    pub fn row(&self, offset: u32) -> u32 {
        self.starts.partition_point(|start| *start <= offset) as u32
    }

    /// A line without its line break; `None` for a row that is not there.
    pub fn line<'a>(&self, text: &'a str, row: u32) -> Option<&'a str> {
        let span = self.line_span(text, row)?;
        text.get(span.start as usize..span.end as usize).map(|line| line.trim_end_matches(['\n', '\r']))
    }

    /// A line with its line break; `None` for a row that is not there.
    pub fn line_span(&self, text: &str, row: u32) -> Option<Span> {
        let index = (row as usize).checked_sub(1)?;
        let start = *self.starts.get(index)?;
        let end = self.starts.get(index + 1).copied().unwrap_or(text.len() as u32);
        Some(Span::new(start, end))
    }

    /// Row and column, both from 1, columns in characters.
    pub fn row_and_column(&self, text: &str, offset: u32) -> (u32, u32) {
        let (row, before) = self.text_before(text, offset);
        let characters = if self.is_ascii { before.len() } else { before.chars().count() };
        (row, characters as u32 + 1)
    }

    /// Line and character as editors count them over the language server protocol: from 0, in UTF-16 code units.
    pub fn utf16_position(&self, text: &str, offset: u32) -> (u32, u32) {
        let (row, before) = self.text_before(text, offset);
        let units = if self.is_ascii { before.len() } else { before.chars().map(char::len_utf16).sum() };
        (row - 1, units as u32)
    }

    /// The byte offset of an editor's position; one past a line's end is its end.
    pub fn offset_of_utf16(&self, text: &str, line: u32, character: u32) -> u32 {
        let Some(span) = self.line_span(text, line.saturating_add(1)) else { return text.len() as u32 };
        let line = self.line(text, line + 1).unwrap_or_default();
        let mut units = 0;
        for (index, next) in line.char_indices() {
            if units >= character {
                return span.start + index as u32;
            }
            units += next.len_utf16() as u32;
        }
        span.start + line.len() as u32
    }

    /// The row of an offset and that line's text before it.
    fn text_before<'a>(&self, text: &'a str, offset: u32) -> (u32, &'a str) {
        let end = text.floor_char_boundary(offset as usize);
        let row = self.row(end as u32);
        let start = self.starts[row as usize - 1] as usize;
        (row, &text[start..end])
    }
}

/// An interned string: equal names have equal numbers in every file, so linking compares integers.
///
/// The numbers depend on which thread came first; order anything shown by `as_str`, never by number. Names are
/// kept for the life of the process: their count is bounded by the distinct identifiers read.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Name(u32);

const SHARDS: usize = 64;

/// Numbers of names, found by what their texts are compared by. Each has its cache lines to itself, so that threads
/// that ask different ones do not wait for each other.
#[derive(Default)]
#[repr(align(128))]
struct Shard(Mutex<HashTable<(NameKey, Name)>>);

static INTERNER: LazyLock<[Shard; SHARDS]> = LazyLock::new(|| std::array::from_fn(|_| Shard::default()));

/// The first number that no thread has taken yet.
static NEXT_NUMBERS: AtomicU32 = AtomicU32::new(0);

/// How many numbers a thread takes at once: the names of one file lie beside each other in every table, and threads do
/// not wait for each other's cache lines.
const NUMBERS_AT_ONCE: u32 = 64;

thread_local! {
    /// The numbers that are left to this thread: the next, and the end.
    static OWN_NUMBERS: std::cell::Cell<(u32, u32)> = const { std::cell::Cell::new((0, 0)) };
}

/// What a text is compared by: a short one by itself, a long one by its hash and then by its text. Most identifiers are
/// short, and so their texts need not be fetched to be compared.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct NameKey {
    head: u64,
    tail: u64,
}

/// A hash of two numbers that is good in all bits, as wyhash mixes them.
pub fn mixed(one: u64, other: u64) -> u64 {
    let product = u128::from(one ^ 0x9e37_79b9_7f4a_7c15) * u128::from(other ^ 0xd6e8_feb8_6659_fd93);
    (product as u64) ^ ((product >> 64) as u64)
}

/// The end of a long text's key; no text in UTF-8 has these bytes.
const LONG: u64 = u64::MAX;

impl NameKey {
    pub fn of(text: &str) -> NameKey {
        let bytes = text.as_bytes();
        let missing = |size: usize| ((size - bytes.len()) * 8) as u32;
        match (bytes.first_chunk(), bytes.last_chunk()) {
            // Zeros behind it must not count.
            _ if bytes.len() > 16 || bytes.ends_with(&[0]) => {
                NameKey { head: FxBuildHasher.hash_one(text), tail: LONG }
            }
            (Some(head), Some(tail)) => {
                let tail = u64::from_le_bytes(*tail).checked_shr(missing(16)).unwrap_or(0);
                NameKey { head: u64::from_le_bytes(*head), tail }
            }
            _ => match (bytes.first_chunk(), bytes.last_chunk()) {
                (Some(head), Some(tail)) => {
                    let tail = u32::from_le_bytes(*tail).checked_shr(missing(8)).unwrap_or(0);
                    NameKey { head: u64::from(u32::from_le_bytes(*head)) | (u64::from(tail) << 32), tail: 0 }
                }
                _ => {
                    let head = bytes.iter().rev().fold(0, |head, byte| (head << 8) | u64::from(*byte));
                    NameKey { head, tail: 0 }
                }
            },
        }
    }

    pub fn hash(self) -> u64 {
        mixed(self.head, self.tail)
    }

    /// Whether `text`, whose key this is, is the name whose key is `key`.
    pub fn is_of(self, text: &str, key: NameKey, name: Name) -> bool {
        self == key && (self.tail != LONG || name.as_str() == text)
    }
}

/// The texts of all names by number, in blocks of which each is as large as all before it together. A text is read
/// far more often than a name is made, and by all threads, so reading takes no lock.
static TEXTS: [OnceLock<Box<[OnceLock<&'static str>]>>; 32 - FIRST_BLOCK_BITS as usize] =
    [const { OnceLock::new() }; 32 - FIRST_BLOCK_BITS as usize];

const FIRST_BLOCK_BITS: u32 = 12;

/// The block that holds a number's text, and the place in it.
fn place_of(number: u32) -> (usize, usize) {
    let shifted = u64::from(number) + (1 << FIRST_BLOCK_BITS);
    let bits = shifted.ilog2();
    ((bits - FIRST_BLOCK_BITS) as usize, (shifted - (1 << bits)) as usize)
}

const RECENT_NAMES: usize = 1 << 12;

thread_local! {
    /// Names this thread has just asked for: most are asked for again soon, and threads that share nothing do not
    /// wait for each other's cache lines.
    static RECENT: RefCell<Box<[(NameKey, Name)]>> = {
        let empty = (NameKey::default(), Name::interned("", NameKey::default()));
        RefCell::new(vec![empty; RECENT_NAMES].into_boxed_slice())
    };
}

impl Name {
    pub fn new(text: &str) -> Name {
        let key = NameKey::of(text);
        RECENT.with_borrow_mut(|recent| {
            let place = &mut recent[key.hash() as usize % RECENT_NAMES];
            if !key.is_of(text, place.0, place.1) {
                *place = (key, Name::interned(text, key));
            }
            place.1
        })
    }

    /// For who keeps recent names of its own; `key` is the text's.
    pub fn interned(text: &str, key: NameKey) -> Name {
        let hash = key.hash();
        let shard = &INTERNER[(hash >> 40) as usize % SHARDS];
        let is_same = |known: &(NameKey, Name)| key.is_of(text, known.0, known.1);
        let mut shard = shard.0.lock().unwrap_or_else(PoisonError::into_inner);
        match shard.entry(hash, is_same, |(key, _)| key.hash()) {
            Entry::Occupied(known) => known.get().1,
            Entry::Vacant(place) => {
                let name = Name::numbered();
                name.keep(kept(text));
                place.insert((key, name));
                name
            }
        }
    }

    /// A number that no name has.
    fn numbered() -> Name {
        let (mut next, mut end) = OWN_NUMBERS.get();
        if next == end {
            next = NEXT_NUMBERS.fetch_add(NUMBERS_AT_ONCE, Ordering::Relaxed);
            end = next + NUMBERS_AT_ONCE;
        }
        OWN_NUMBERS.set((next + 1, end));
        Name(next)
    }

    /// Called once for each number, before anyone can know it.
    fn keep(self, text: &'static str) {
        let (block, place) = place_of(self.0);
        let size = 1 << (block as u32 + FIRST_BLOCK_BITS);
        let texts = TEXTS[block].get_or_init(|| (0..size).map(|_| OnceLock::new()).collect());
        // It is set by nobody else.
        let _ = texts[place].set(text);
    }

    /// A small number of its own, for tables indexed by names.
    pub fn index(self) -> usize {
        self.0 as usize
    }

    pub fn as_str(self) -> &'static str {
        let (block, place) = place_of(self.0);
        TEXTS[block].get().and_then(|texts| texts[place].get()).copied().unwrap_or_default()
    }
}

/// How many bytes of texts a thread allocates at once.
const TEXTS_AT_ONCE: usize = 1 << 15;

thread_local! {
    /// What is left of them.
    static ROOM: std::cell::Cell<&'static mut [u8]> = const { std::cell::Cell::new(&mut []) };
}

/// The text for the life of the process, beside those that were kept before it.
fn kept(text: &str) -> &'static str {
    let mut room = ROOM.take();
    if room.len() < text.len() {
        room = vec![0; TEXTS_AT_ONCE.max(text.len())].leak();
    }
    let (own, rest) = room.split_at_mut(text.len());
    ROOM.set(rest);
    own.copy_from_slice(text.as_bytes());
    // It is what was text before.
    std::str::from_utf8(own).unwrap_or_default()
}

/// A set of names as bits: a program's names are small numbers, and asking for every call of a program must not miss
/// the cache.
#[derive(Clone, Debug, Default)]
pub struct NameSet {
    bits: Vec<u64>,
}

impl NameSet {
    pub fn insert(&mut self, name: Name) {
        let word = name.index() / 64;
        if word >= self.bits.len() {
            self.bits.resize(word + 1, 0);
        }
        self.bits[word] |= 1 << (name.index() % 64);
    }

    pub fn contains(&self, name: Name) -> bool {
        self.bits.get(name.index() / 64).is_some_and(|word| word & (1 << (name.index() % 64)) != 0)
    }

    pub fn is_empty(&self) -> bool {
        self.bits.is_empty()
    }

    pub fn iter(&self) -> impl Iterator<Item = Name> {
        let words = self.bits.iter().enumerate().filter(|(_, word)| **word != 0);
        words.flat_map(|(word, bits)| {
            (0..64).filter(move |bit| bits >> bit & 1 == 1).map(move |bit| Name((word * 64 + bit) as u32))
        })
    }

    /// All names of both.
    pub fn union(mut self, other: NameSet) -> NameSet {
        if other.bits.len() > self.bits.len() {
            return other.union(self);
        }
        for (word, more) in self.bits.iter_mut().zip(other.bits) {
            *word |= more;
        }
        self
    }
}

/// Tells most names that are not in a set, in a few bytes: what it does not know is not there, what it knows may be.
#[derive(Clone, Debug)]
pub struct NameFilter {
    bits: Box<[u64]>,
}

impl NameFilter {
    /// With about so many bits to tell names apart by, at most 16384.
    pub fn with_bits(bits: usize) -> NameFilter {
        NameFilter { bits: vec![0; (bits / 64).next_power_of_two().min(256)].into_boxed_slice() }
    }

    pub fn insert(&mut self, name: Name) {
        let (word, bit) = self.place_of(name);
        self.bits[word] |= bit;
    }

    pub fn may_contain(&self, name: Name) -> bool {
        let (word, bit) = self.place_of(name);
        self.bits[word] & bit != 0
    }

    /// The names of one file have numbers beside each other, so they share few places.
    fn place_of(&self, name: Name) -> (usize, u64) {
        // There is a power of two of them.
        ((name.index() / 64) & (self.bits.len() - 1), 1 << (name.index() % 64))
    }
}

impl Extend<Name> for NameSet {
    fn extend<T: IntoIterator<Item = Name>>(&mut self, names: T) {
        names.into_iter().for_each(|name| self.insert(name));
    }
}

impl FromIterator<Name> for NameSet {
    fn from_iter<T: IntoIterator<Item = Name>>(names: T) -> NameSet {
        let mut set = NameSet::default();
        set.extend(names);
        set
    }
}

impl std::fmt::Debug for Name {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "`{}`", self.as_str())
    }
}

impl std::fmt::Display for Name {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Serialize for Name {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for Name {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Name::new(&String::deserialize(deserializer)?))
    }
}
