//! Names that a thread has just met, and the expressions that they are in the file being lowered.
//!
//! Every identifier of every file is looked up here, so an answer must cost one line of the processor's cache: short
//! names are compared as two numbers in place, without following a pointer to their text. There is one place for each
//! hash: a name that comes to a taken place takes it over, and whoever was there is found again in the tables that
//! forget nothing.

use crate::facts::{ExprId, NOTHING};
use crate::source::Name;

const PLACE_BITS: u32 = 15;

/// Most identifiers are no longer.
const SHORT: usize = 16;

/// What a text is compared by: its beginning and end say all of a short one, its hash enough of a long one to look
/// further.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
struct Key {
    head: u64,
    tail: u64,
    length: u32,
}

/// A name, and the expression that is this name alone.
#[derive(Clone, Copy)]
pub(super) struct RecentName {
    key: Key,
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
            let empty = RecentName { key: Key::default(), file: 0, name: Name::new(""), expr: NOTHING };
            self.places = vec![empty; 1 << PLACE_BITS].into_boxed_slice();
        }
        self.file = self.file.wrapping_add(1);
    }

    pub fn find(&mut self, text: &str) -> &mut RecentName {
        let key = Key::of(text);
        let place = &mut self.places[key.place()];
        if place.key != key || (text.len() > SHORT && place.name.as_str() != text) {
            *place = RecentName { key, file: self.file, name: Name::interned(text), expr: NOTHING };
        } else if place.file != self.file {
            place.expr = NOTHING;
            place.file = self.file;
        }
        place
    }
}

impl Key {
    fn of(text: &str) -> Key {
        let bytes = text.as_bytes();
        let length = bytes.len() as u32;
        let (head, tail) = match (bytes.first_chunk::<8>(), bytes.last_chunk::<8>()) {
            (Some(head), Some(tail)) if bytes.len() <= SHORT => (u64::from_le_bytes(*head), u64::from_le_bytes(*tail)),
            (Some(_), _) => (Name::hash(text), 0),
            _ => match (bytes.first_chunk::<4>(), bytes.last_chunk::<4>()) {
                (Some(head), Some(tail)) => (u32::from_le_bytes(*head).into(), u32::from_le_bytes(*tail).into()),
                _ => (bytes.iter().fold(0, |head, byte| (head << 8) | u64::from(*byte)), 0),
            },
        };
        Key { head, tail, length }
    }

    fn place(self) -> usize {
        const MIX: u64 = 0x9e37_79b9_7f4a_7c15;
        let mixed = self.head.wrapping_mul(MIX).rotate_left(32) ^ self.tail ^ u64::from(self.length);
        (mixed.wrapping_mul(MIX) >> (u64::BITS - PLACE_BITS)) as usize
    }
}
