//! Names that a thread has just met, and the expressions that they are in the file being lowered.
//!
//! Every identifier of every file is looked up here, so an answer must come out of the processor's nearest caches: a
//! file's own names are few, and have a small table to themselves. What is not there is looked for in a table of all
//! the thread has met, and only then in the one that all threads share. Short names are compared as two numbers in
//! place, without following a pointer to their text. There is one place for each hash: a name that comes to a taken
//! place takes it over, and whoever was there is found again in the tables that forget nothing.

use crate::facts::{ExprId, NOTHING};
use crate::source::{Name, NameKey};

/// Small enough to stay in the nearest caches, with enough places for the names of most files.
const NEAR_BITS: u32 = 10;

const FAR_BITS: u32 = 13;

/// A name of the file that is being lowered, and the expression that is this name alone.
#[derive(Clone, Copy)]
pub(super) struct RecentName {
    key: NameKey,
    /// The file that the expressions are of.
    file: u32,
    pub name: Name,
    /// `NOTHING` until it is known in this file.
    pub expr: ExprId,
    /// The string that reads so, likewise.
    pub word: ExprId,
}

#[derive(Default)]
pub(super) struct RecentNames {
    near: Box<[RecentName]>,
    far: Box<[(NameKey, Name)]>,
    file: u32,
}

impl RecentNames {
    /// Forgets the expressions, for they were those of another file.
    pub fn begin_file(&mut self) {
        if self.near.is_empty() {
            let (key, name) = (NameKey::default(), Name::new(""));
            let empty = RecentName { key, file: 0, name, expr: NOTHING, word: NOTHING };
            self.near = vec![empty; 1 << NEAR_BITS].into_boxed_slice();
            self.far = vec![(key, name); 1 << FAR_BITS].into_boxed_slice();
        }
        self.file = self.file.wrapping_add(1);
    }

    pub fn find(&mut self, text: &str) -> &mut RecentName {
        let key = NameKey::of(text);
        let hash = key.hash();
        let place = &mut self.near[(hash >> (u64::BITS - NEAR_BITS)) as usize];
        if !key.is_of(text, place.key, place.name) {
            let known = &mut self.far[(hash >> (u64::BITS - FAR_BITS)) as usize];
            if !key.is_of(text, known.0, known.1) {
                *known = (key, Name::interned(text, key));
            }
            *place = RecentName { key, file: self.file, name: known.1, expr: NOTHING, word: NOTHING };
        } else if place.file != self.file {
            *place = RecentName { file: self.file, expr: NOTHING, word: NOTHING, ..*place };
        }
        place
    }
}
