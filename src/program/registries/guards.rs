//! Tests on the way to a registration that let it happen once.

use super::Program;
use crate::facts::{Constant, ContextKind, EventKind, Expr, ExprId, Operator};
use crate::models::Registry;
use crate::program::{EventRef, ExprRef, Place, ScopeRef};

/// How often the tests around an event let it happen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Guard {
    /// As often as it is run.
    None,
    /// Once for each instance: `if self._pool is None: …`.
    Instance,
    /// Once per process, or once for each entry of a table that is looked at.
    Process,
}

impl Program<'_> {
    /// Whether the function looks into the table that it adds to: `if not logger.handlers`.
    pub(super) fn is_asked_first(&self, event: EventRef, registry: &Registry) -> bool {
        if registry.tested_by.is_empty() {
            return false;
        }
        let facts = self.facts(event.module);
        let names_table = |id: ExprId| matches!(facts.expr(id), Expr::Attribute(_, name) | Expr::Name(name) if registry.tested_by.contains(&name));
        let scope = facts.scope_of(facts.event(event.id));
        facts.contexts.iter().any(|context| {
            let is_inside = context.scope == scope
                || facts.scope(context.scope).parent == scope
                    && matches!(facts.scope(context.scope).kind, crate::facts::ScopeKind::Comprehension);
            is_inside
                && match context.kind {
                    ContextKind::If(test) | ContextKind::While(test) => self.mentions_any(event, test, &names_table, 6),
                    ContextKind::For { iterable } => self.mentions_any(event, iterable, &names_table, 6),
                    _ => false,
                }
        })
    }

    fn mentions_any(&self, event: EventRef, id: ExprId, is_it: &dyn Fn(ExprId) -> bool, depth: u32) -> bool {
        let Some(depth) = depth.checked_sub(1) else { return false };
        let facts = self.facts(event.module);
        let within = |id: ExprId| self.mentions_any(event, id, is_it, depth);
        if is_it(id) {
            return true;
        }
        match facts.expr(id) {
            Expr::Attribute(inner, _) | Expr::Not(inner) | Expr::Unary(inner) | Expr::Starred(inner) => within(inner),
            Expr::Subscript(left, right) | Expr::Binary(_, left, right) => within(left) || within(right),
            Expr::And(run) | Expr::Or(run) | Expr::Conditional(run) | Expr::Display(_, run) => {
                facts.list(run).iter().any(|id| within(*id))
            }
            Expr::Call(call) => {
                let call = facts.call(call);
                within(call.callee) || facts.arguments(call).iter().any(|id| within(*id))
            }
            _ => false,
        }
    }

    /// The strongest of the tests around an event.
    pub(super) fn once_guard(&self, event: EventRef) -> Guard {
        let conditions = self.conditions(event);
        conditions.iter().map(|condition| self.guard_of(event, condition.test, 4)).max().unwrap_or(Guard::None)
    }

    fn guard_of(&self, event: EventRef, test: ExprRef, depth: u32) -> Guard {
        let Some(depth) = depth.checked_sub(1) else { return Guard::None };
        let facts = self.facts(test.scope.module);
        let inner = |id: ExprId| test.scope.expr(id);
        match self.expr(test) {
            Expr::Not(negated) => self.guard_of(event, inner(negated), depth),
            Expr::And(run) | Expr::Or(run) => {
                facts.list(run).iter().map(|id| self.guard_of(event, inner(*id), depth)).max().unwrap_or(Guard::None)
            }
            Expr::Binary(Operator::In | Operator::NotIn, _, container) => self.held_by(inner(container)),
            Expr::Binary(Operator::Is | Operator::IsNot | Operator::Eq | Operator::NotEq, left, right)
                if matches!(facts.expr(right), Expr::Constant(Constant::None | Constant::True | Constant::False)) =>
            {
                self.guard_of(event, inner(left), depth)
            }
            Expr::Call(call) => {
                let call = facts.call(call);
                match (facts.expr(call.callee), facts.arguments(call)) {
                    (Expr::Name(name), [object, ..]) if matches!(name.as_str(), "hasattr" | "getattr") => {
                        self.held_by(inner(*object)).max(Guard::Instance)
                    }
                    (Expr::Attribute(flag, name), _) if name.as_str() == "is_set" => self.held_by(inner(flag)),
                    // `if not (session := self._sessions.get(key))`: once for each that the table gets.
                    (Expr::Attribute(table, name), [_, ..])
                        if name.as_str() == "get" && self.is_set_in_function(event, table) =>
                    {
                        self.held_by(inner(table))
                    }
                    _ => Guard::None,
                }
            }
            Expr::Name(_) | Expr::Attribute(..) if self.is_set_in_function(event, test.id) => self.held_by(test),
            Expr::Name(name) => {
                // `pool = self._pool`, `if pool is None`.
                let values = self.holding_scope(test.scope, name).map(|holder| self.bound_values(holder, name).0);
                let values = values.unwrap_or_default().into_iter().map(|(_, value)| value);
                values
                    .filter(|value| value.id != test.id)
                    .map(|value| match self.expr(value) {
                        Expr::Call(_) => self.guard_of(event, value, depth),
                        _ if self.is_set_in_function(event, value.id) => self.held_by(value),
                        _ => Guard::None,
                    })
                    .max()
                    .unwrap_or(Guard::None)
            }
            _ => Guard::None,
        }
    }

    fn held_by(&self, expr: ExprRef) -> Guard {
        match self.reach(expr).map(|reach| reach.place) {
            Some(place) if self.is_shared(place) => Guard::Process,
            Some(Place::Instance(..) | Place::Unresolved(_)) => Guard::Instance,
            _ => Guard::None,
        }
    }

    /// Whether the function of an event stores to what was tested.
    fn is_set_in_function(&self, event: EventRef, tested: ExprId) -> bool {
        let facts = self.facts(event.module);
        let scope: ScopeRef = self.event_scope(event);
        facts.scope_events(scope.id).any(|(_, other)| match other.kind {
            EventKind::Bind { target, .. } => {
                target == tested || matches!(facts.expr(target), Expr::Subscript(base, _) if base == tested)
            }
            _ => false,
        })
    }
}
