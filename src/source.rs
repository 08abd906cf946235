//! What was read: text, where things stand in it, and the names in it.
//!
//! Everything above speaks of places in a file as byte spans of its decoded UTF-8 text. Rows and columns are made
//! only when a finding is shown, because counting characters for every node would cost more than parsing.

use std::sync::{LazyLock, RwLock};

use rustc_hash::{FxBuildHasher, FxHashMap};
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

/// An interned string: equal names have equal numbers in every file, so linking compares integers.
///
/// The numbers depend on which thread came first; order anything shown by `as_str`, never by number. Names are
/// kept for the life of the process: their count is bounded by the distinct identifiers read.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Name(u32);

const SHARDS: usize = 64;

#[derive(Default)]
struct Shard {
    numbers: FxHashMap<&'static str, u32>,
    strings: Vec<&'static str>,
}

static INTERNER: LazyLock<[RwLock<Shard>; SHARDS]> = LazyLock::new(|| std::array::from_fn(|_| RwLock::default()));

impl Name {
    pub fn new(text: &str) -> Name {
        let shard_number = std::hash::BuildHasher::hash_one(&FxBuildHasher, text) as usize % SHARDS;
        let shard = &INTERNER[shard_number];
        let number = |index: u32| Name(index * SHARDS as u32 + shard_number as u32);
        if let Ok(shard) = shard.read()
            && let Some(index) = shard.numbers.get(text)
        {
            return number(*index);
        }
        let mut shard = shard.write().unwrap_or_else(std::sync::PoisonError::into_inner);
        if let Some(index) = shard.numbers.get(text) {
            return number(*index);
        }
        let kept: &'static str = Box::leak(text.into());
        let index = shard.strings.len() as u32;
        shard.strings.push(kept);
        shard.numbers.insert(kept, index);
        number(index)
    }

    pub fn as_str(self) -> &'static str {
        let shard = INTERNER[self.0 as usize % SHARDS].read().unwrap_or_else(std::sync::PoisonError::into_inner);
        shard.strings[self.0 as usize / SHARDS]
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
