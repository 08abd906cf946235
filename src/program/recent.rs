//! Answers that a thread has just been given.
//!
//! Rules look at one module after another and ask for the same few dozen names and expressions of it again and again. A
//! table of each thread answers them out of the processor's nearest caches, without a lock. There is one place for each
//! hash: an answer that comes to a taken place takes it over.

use std::cell::Cell;
use std::thread::LocalKey;

use super::{ModuleId, ScopeRef};
use crate::facts::ScopeId;

const BITS: u32 = 10;

/// What is asked for: of which edition of which program, and two numbers that tell questions about one module apart.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Question {
    edition: u32,
    module: ModuleId,
    scope: ScopeId,
    number: u32,
}

/// The table of one kind of question. No program has the edition 0.
pub(super) struct Recent<T>(Box<[Cell<(Question, T)>]>);

impl<T: Copy> Recent<T> {
    pub fn of(nothing: T) -> Recent<T> {
        let nobody = Question { edition: 0, module: ModuleId(0), scope: ScopeId(0), number: 0 };
        Recent((0..1 << BITS).map(|_| Cell::new((nobody, nothing))).collect())
    }
}

/// What was answered about a number in a scope, or what `answer` says now.
pub(super) fn asked<T: Copy + 'static>(
    table: &'static LocalKey<Recent<T>>,
    edition: u32,
    scope: ScopeRef,
    number: u32,
    answer: impl FnOnce() -> T,
) -> T {
    let question = Question { edition, module: scope.module, scope: scope.id, number };
    let mixed = (u64::from(scope.module.0) << 32 | u64::from(scope.id.0)).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let hash = (mixed ^ u64::from(number)).wrapping_mul(0xf135_7aea_2e62_a9c5);
    let place = (hash >> (u64::BITS - BITS)) as usize;
    let (known, found) = table.with(|table| table.0[place].get());
    if known == question {
        return found;
    }
    // It may ask for others, which may take this place meanwhile.
    let found = answer();
    table.with(|table| table.0[place].set((question, found)));
    found
}
