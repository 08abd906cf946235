//! Names that a thread has just met, and the expressions that they are in the file being lowered.
//!
//! Every identifier of every file is looked up here, so this is a table with one place for each hash: a name that
//! comes to a taken place takes it over, and whoever is asked for again after that is found in the tables that
//! forget nothing.

use crate::facts::{ExprId, NOTHING};
use crate::source::Name;

const PLACES: usize = 1 << 14;

/// A name, and the expression that is this name alone.
#[derive(Clone, Copy)]
pub(super) struct RecentName {
    text: &'static str,
    pub name: Name,
    /// `NOTHING` until it is known in this file.
    pub expr: ExprId,
    /// The file that `expr` is of.
    file: u32,
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
            let empty = RecentName { text: "", name: Name::new(""), expr: NOTHING, file: 0 };
            self.places = vec![empty; PLACES].into_boxed_slice();
        }
        self.file = self.file.wrapping_add(1);
    }

    pub fn find(&mut self, text: &str) -> &mut RecentName {
        let hash = Name::hash(text);
        let place = &mut self.places[(hash >> 48) as usize % PLACES];
        if place.text != text {
            let name = Name::with_hash(hash, text);
            *place = RecentName { text: name.as_str(), name, expr: NOTHING, file: self.file };
        } else if place.file != self.file {
            place.expr = NOTHING;
            place.file = self.file;
        }
        place
    }
}
