//! What is known to hold where something happens.
//!
//! The tests around an event, and those before it whose arm leaves the function or the loop: after
//! `if key in seen: return` the key is not in `seen`.

use super::{EventRef, ExprRef, Program, ScopeRef};
use crate::facts::{ContextId, ContextKind, EventKind, ScopeKind};

/// A test and how it came out.
#[derive(Clone, Copy, Debug)]
pub struct Condition {
    pub test: ExprRef,
    pub holds: bool,
    /// It stands before the event and leaves by an error: what remains is the normal case.
    pub is_check: bool,
}

impl Program<'_> {
    /// Whether an event stands in a loop of its function, or in a comprehension.
    pub(super) fn is_in_loop(&self, event: EventRef) -> bool {
        let facts = self.facts(event.module);
        let happens = facts.event(event.id);
        matches!(facts.scope(facts.scope_of(happens)).kind, ScopeKind::Comprehension)
            || facts.contexts_around(happens.context).any(|context| context.kind.is_loop())
    }

    /// The conditions under which an event happens, the innermost arms first, then earlier exits.
    pub fn conditions(&self, event: EventRef) -> Vec<Condition> {
        let facts = self.facts(event.module);
        let around: Vec<ContextId> = facts.context_ids_around(facts.event(event.id).context).collect();
        let test_of = |id: ContextId| {
            let context = facts.context(id);
            let scope = ScopeRef::new(event.module, context.scope);
            match context.kind {
                ContextKind::If(test) | ContextKind::While(test) => Some((scope.expr(test), true)),
                ContextKind::Else(test) => Some((scope.expr(test), false)),
                _ => None,
            }
        };
        let mut conditions: Vec<Condition> = around
            .iter()
            .filter_map(|id| test_of(*id))
            .map(|(test, holds)| Condition { test, holds, is_check: false })
            .collect();
        // An arm that is opened before the event beside one of the contexts around it, and left for good.
        let scope = facts.scope_of(facts.event(event.id));
        for (id, earlier) in facts.scope_events(scope) {
            if id >= event.id {
                break;
            }
            let is_check = match earlier.kind {
                EventKind::Return(_) | EventKind::Continue | EventKind::Break => false,
                EventKind::Raise { .. } => true,
                _ => continue,
            };
            let arm = earlier.context;
            if around.contains(&arm) || !around.contains(&facts.context(arm).parent) {
                continue;
            }
            if let Some((test, held)) = test_of(arm) {
                conditions.push(Condition { test, holds: !held, is_check });
            }
        }
        conditions
    }
}
