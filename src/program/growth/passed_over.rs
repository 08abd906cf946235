//! Members that are passed over: `for waiter in self._waiters: if not waiter.done(): waiter.set_result(None); break`.
//!
//! Who asks each member whether it is done with, and takes the first that is not, knows that some are. Where nothing takes
//! anything out, those are there for ever, whatever the owner is called.

use super::*;
use crate::facts::{ContextId, EventId};

/// What members are asked that may be done with.
const QUESTIONS: [&str; 5] = ["done", "cancelled", "is_set", "is_done", "finished"];

impl Program<'_> {
    /// Where methods of the owner pass over the members that are done with, in a container to which one after the other is
    /// appended.
    pub(super) fn passes_over_finished(&self, place: Place, growths: &[Growth]) -> Option<EventRef> {
        let Place::Instance(owner, _) = place else { return None };
        let appends = |growth: &Growth| growth.is_append && growth.touch.operation.level == 0;
        if !growths.iter().any(appends) {
            return None;
        }
        self.own_methods(owner).find_map(|method| {
            let facts = self.facts(method.module);
            let scope = self.function_scope(method);
            facts.scope_events(scope.id).find_map(|(id, event)| {
                let EventKind::BindElement { target, iterable } = event.kind else { return None };
                let Expr::Name(member) = facts.expr(target) else { return None };
                let is_passed_over = self.reach(scope.expr(iterable)).is_some_and(|reach| reach.place == place)
                    && self.takes_first_unfinished(method, id, member);
                is_passed_over.then(|| EventRef::new(method.module, id))
            })
        })
    }

    /// The loop is left in a branch for a member that is not done with.
    fn takes_first_unfinished(&self, method: FunctionRef, bound: EventId, member: Name) -> bool {
        let facts = self.facts(method.module);
        let loop_around =
            |context: ContextId| facts.context_ids_around(context).find(|around| facts.context(*around).kind.is_loop());
        let own_loop = loop_around(facts.event(bound).context);
        facts.scope_events(self.function(method).scope).any(|(id, event)| {
            let leaves = matches!(event.kind, EventKind::Break | EventKind::Return(_));
            leaves
                && id > bound
                && own_loop.is_some()
                && loop_around(event.context) == own_loop
                && facts.contexts_around(event.context).any(|context| match context.kind {
                    ContextKind::If(test) => is_unfinished(facts, test, member),
                    _ => false,
                })
        })
    }
}

/// `not member.done()`, also with other conditions.
fn is_unfinished(facts: &FileFacts, test: ExprId, member: Name) -> bool {
    match facts.expr(test) {
        Expr::And(run) => facts.list(run).iter().any(|part| is_unfinished(facts, *part, member)),
        Expr::Not(inner) => {
            let Expr::Call(call) = facts.expr(inner) else { return false };
            let Expr::Attribute(base, question) = facts.expr(facts.call(call).callee) else { return false };
            facts.expr(base) == Expr::Name(member) && QUESTIONS.contains(&question.as_str())
        }
        _ => false,
    }
}
