//! Objects that a program has one of for as long as it runs, by the ways in which code gets at them.
//!
//! A module's variable that is set while the program starts, the function that hands it out, a part of it, the
//! configuration: their identities are few, and no other object gets the number of one that is alive.

use super::names::Definition;
use super::repetition::Frequency;
use super::{EventRef, ExprRef, FunctionRef, Program, ScopeRef};
use crate::facts::{Constant, EventKind, Expr, ExprId};
use crate::source::Name;

/// How many names, attributes and functions are followed.
const DEPTH: u32 = 5;

impl Program<'_> {
    /// Whether an expression gives an object that the program keeps from its start on, or a part of one.
    pub(super) fn is_of_process(&self, object: ExprRef) -> bool {
        self.is_of_process_within(object, DEPTH)
    }

    fn is_of_process_within(&self, object: ExprRef, depth: u32) -> bool {
        let Some(depth) = depth.checked_sub(1) else { return false };
        let facts = self.facts(object.scope.module);
        match self.expr(object) {
            found if is_configuration_of(found) => true,
            Expr::Name(_) | Expr::Attribute(..) => {
                let is_kept = match self.resolve(object) {
                    Definition::Variable(scope, name) if self.is_module_scope(scope) => {
                        self.is_set_up_once(scope, name)
                    }
                    Definition::Variable(scope, name) => match self.bound_values(scope, name) {
                        (values, true) => {
                            matches!(values.as_slice(), [(_, value)] if self.is_of_process_within(*value, depth))
                        }
                        _ => false,
                    },
                    _ => false,
                };
                let part_of = |base: ExprId| self.is_of_process_within(object.scope.expr(base), depth);
                is_kept || matches!(self.expr(object), Expr::Attribute(base, _) if part_of(base))
            }
            Expr::Call(call) if facts.call(call).arguments.len == 0 && facts.call(call).keywords.len == 0 => {
                match self.resolve(object.scope.expr(facts.call(call).callee)) {
                    Definition::Function(function) => self.hands_out_what_is_kept(function),
                    _ => false,
                }
            }
            _ => false,
        }
    }

    /// No binding outside of the module's own code is shown to happen again and again.
    fn is_set_up_once(&self, scope: ScopeRef, name: Name) -> bool {
        let module = self.module(scope.module);
        let facts = module.facts();
        let mut bindings = module.bindings_of(scope.id, name).peekable();
        bindings.peek().is_some()
            && bindings.all(|event| {
                let is_nothing = match facts.event(event).kind {
                    EventKind::Bind { value, .. } => facts.expr(value) == Expr::Constant(Constant::None),
                    EventKind::Annotate { .. } => true,
                    _ => false,
                };
                is_nothing
                    || self
                        .event_function(EventRef::new(scope.module, event))
                        .is_none_or(|function| self.function_frequency(function) < Frequency::Repeated)
            })
    }

    fn hands_out_what_is_kept(&self, function: FunctionRef) -> bool {
        let facts = self.facts(function.module);
        let mut returned = (facts.scope_events(self.function(function).scope))
            .filter_map(|(_, event)| match event.kind {
                EventKind::Return(value) => Some(ScopeRef::new(function.module, facts.scope_of(event)).expr(value)),
                _ => None,
            })
            .peekable();
        returned.peek().is_some()
            && returned.all(|value| match self.resolve(value) {
                Definition::Variable(scope, name) => self.is_module_scope(scope) && self.is_set_up_once(scope, name),
                _ => false,
            })
    }
}

/// The same of an expression.
pub(super) fn is_configuration_of(expr: Expr) -> bool {
    matches!(expr, Expr::Name(name) | Expr::Attribute(_, name) if is_configuration(name))
}

/// What a program is configured by.
fn is_configuration(name: Name) -> bool {
    let text = name.as_str().trim_matches('_');
    matches!(text.rsplit('_').next().unwrap_or(text), "config" | "cfg" | "conf" | "settings")
}
