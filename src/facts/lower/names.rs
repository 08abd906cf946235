//! Names that a thread has just met, and the expressions that they are in the file being lowered.
//!
//! Every identifier of every file is looked up here, so an answer must cost one line of the processor's cache: short
//! names are compared as two numbers in place, without following a pointer to their text. There is one place for each
//! hash: a name that comes to a taken place takes it over, and whoever was there is found again in the tables that
//! forget nothing.

use crate::facts::{ExprId, NOTHING};
use crate::source::{Name, NameKey};

const PLACE_BITS: u32 = 15;

/// A name, and the expression that is this name alone.
#[derive(Clone, Copy)]
pub(super) struct RecentName {
    key: NameKey,
    /// The file that `expr` is of.
    file: u32,
    pub name: Name,
    /// `NOTHING` until it is known in this file.
    pub expr: ExprId,
}

#[derive(Default)]
pub(super) struct RecentNames {
    places: Box<[RecentName]>,
    file: u32,
}

impl RecentNames {
    /// Forgets the expressions, for they were those of another file.
    pub fn begin_file(&mut self) {
        if self.places.is_empty() {
            let empty = RecentName { key: NameKey::default(), file: 0, name: Name::new(""), expr: NOTHING };
            self.places = vec![empty; 1 << PLACE_BITS].into_boxed_slice();
        }
        self.file = self.file.wrapping_add(1);
    }

    pub fn find(&mut self, text: &str) -> &mut RecentName {
        let key = NameKey::of(text);
        let place = &mut self.places[(key.hash() >> (u64::BITS - PLACE_BITS)) as usize];
        if !key.is_of(text, place.key, place.name) {
            *place = RecentName { key, file: self.file, name: Name::interned(text, key), expr: NOTHING };
        } else if place.file != self.file {
            place.expr = NOTHING;
            place.file = self.file;
        }
        place
    }
}
