//! Futures that a helper puts into a container, which they leave when they are done.
//!
//! `asyncio.wait` with a limit gives up on such a future and does not cancel it, so it stays where it is until somebody
//! sets it, which is what did not happen.

use super::super::{EventRef, ExprRef, FunctionRef, Place, Program, ScopeRef};
use super::{AbandonedTask, Again, Frequency, LeftBy, Wait};
use crate::facts::{CallId, EventKind, Expr, ExprId, FileFacts};
use crate::source::Name;

/// Where a helper keeps the future that it makes.
pub(super) struct KeptFuture {
    added: EventRef,
    container: ExprRef,
}

impl Program<'_> {
    /// `def make_waiter(self)`: makes a future, puts it into a container that its done callback takes it out of, and
    /// returns it.
    pub(super) fn kept_future(&self, scope: ScopeRef, call: CallId) -> Option<KeptFuture> {
        let helper = self.callee(scope, call)?;
        let declared = self.function(helper);
        if declared.is_async || declared.is_generator {
            return None;
        }
        let facts = self.facts(helper.module);
        let here = self.function_scope(helper);
        let (name, future) = facts.scope_events(here.id).find_map(|(_, event)| match event.kind {
            EventKind::Return(value) => match facts.expr(value) {
                Expr::Name(name) => Some((name, value)),
                _ => None,
            },
            _ => None,
        })?;
        if !self.is_bare_future(helper, name) {
            return None;
        }
        let is_told =
            calls_in(facts, here).any(|(_, base, method, _)| base == future && method.as_str() == "add_done_callback");
        let (added, container) = calls_in(facts, here).find_map(|(event, base, method, first)| {
            let is_kept = matches!(method.as_str(), "add" | "append") && first == Some(future);
            (is_kept && matches!(facts.expr(base), Expr::Attribute(..))).then_some((event, base))
        })?;
        is_told.then(|| KeptFuture { added, container: here.expr(container) })
    }

    /// Whether a variable of a function is bound once, to a future that nothing works on.
    fn is_bare_future(&self, function: FunctionRef, name: Name) -> bool {
        let scope = self.function_scope(function);
        let (values, is_all) = self.bound_values(scope, name);
        let facts = self.facts(function.module);
        let makes_future = |value: ExprRef| match self.expr(value) {
            Expr::Call(call) => facts
                .called_name(facts.call(call))
                .is_some_and(|called| matches!(called.as_str(), "create_future" | "Future")),
            _ => false,
        };
        is_all && matches!(*values, [(_, value)] if value.scope == scope && makes_future(value))
    }

    /// A future is left each time the limit is reached, also where that ends the loop around the wait.
    pub(super) fn left_future(&self, event: EventRef, left_by: EventRef, kept: KeptFuture) -> Option<AbandonedTask> {
        let Place::Instance(class, _) = self.reach(kept.container)?.place else { return None };
        let repetition = self.repetition_in_life(event, class);
        if repetition.frequency < Frequency::Presumed {
            return None;
        }
        let awaited = Wait {
            event: kept.added,
            on: kept.container,
            until: Name::new("somebody sets it"),
            is_known: true,
            is_final: false,
        };
        Some(AbandonedTask { event, left_by, how: LeftBy::TimeoutOfFuture, awaited, again: Again::Call(repetition) })
    }
}

/// The calls of methods in a scope: where, on what, of what name, and with what first.
fn calls_in(facts: &FileFacts, scope: ScopeRef) -> impl Iterator<Item = (EventRef, ExprId, Name, Option<ExprId>)> + '_ {
    facts.scope_events(scope.id).filter_map(move |(id, event)| {
        let EventKind::Call(call) = event.kind else { return None };
        let call = facts.call(call);
        let Expr::Attribute(base, method) = facts.expr(call.callee) else { return None };
        Some((EventRef::new(scope.module, id), base, method, facts.arguments(call).first().copied()))
    })
}
