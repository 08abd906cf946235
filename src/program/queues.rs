//! Whether anybody reads a queue.
//!
//! A queue is made to be handed around: a consumer may get it as an argument, under another name, or on an object
//! whose type is not known. So a queue counts as read as soon as anything in the program speaks of it in another way
//! than to put something in, or to ask how it is.

use super::names::Definition;
use super::{EventRef, ModuleId, OperationKind, Place, Program, ScopeRef};
use crate::facts::{Call, Constant, EventId, EventKind, Expr, ExprId, FileFacts, MODULE_SCOPE};
use crate::source::Name;

impl Program<'_> {
    /// Whether anything may take from a queue that no known operation takes from.
    pub fn may_be_read(&self, place: Place) -> bool {
        let (Place::Module(_, name) | Place::Class(_, name) | Place::Instance(_, name) | Place::Function(_, name)) =
            place
        else {
            return true;
        };
        let by_unknown = self.operations.on(Place::Unresolved(name)).any(|operation| !operation.kind.is_growth());
        let is_handed_on = self
            .operations
            .on(place)
            .any(|operation| matches!(operation.kind, OperationKind::Passed(_) | OperationKind::Escaped));
        by_unknown || is_handed_on || self.module_ids().any(|module| self.speaks_of_taking(module, name, place))
    }

    /// `queue.get` without a call, `queue.queue`, `(queue, …)`: any use under this name that is not known to be
    /// harmless. A call of `get` is an operation, and whether that counts is known.
    fn speaks_of_taking(&self, module: ModuleId, name: Name, place: Place) -> bool {
        if !self.module(module).may_name(name) {
            return false;
        }
        let facts = self.facts(module);
        let names = |id: ExprId| match facts.expr(id) {
            Expr::Attribute(_, attribute) => attribute == name,
            Expr::Name(variable) => {
                variable == name
                    && !matches!(self.resolve_name(ScopeRef::new(module, MODULE_SCOPE), variable), Definition::Variable(scope, _)
                        if matches!(place, Place::Module(owner, _) if owner != scope.module))
            }
            _ => false,
        };
        facts.exprs.iter().any(|expr| match *expr {
            Expr::Attribute(base, method) => {
                names(base) && !is_harmless(method.as_str()) && !is_taking(method.as_str())
            }
            Expr::Display(_, run) | Expr::Or(run) | Expr::And(run) | Expr::Conditional(run) => {
                facts.list(run).iter().any(|part| names(*part))
            }
            Expr::Starred(inner) | Expr::Await(inner) | Expr::Element(inner) => names(inner),
            _ => false,
        }) || self.takes_elsewhere(module, place, &names)
            || hands_on(facts, &names)
            || (matches!(place, Place::Instance(..)) && gets_by_text(facts, name))
    }

    /// `thing.get()` under the name, which is not known to take from the place.
    fn takes_elsewhere(&self, module: ModuleId, place: Place, names: &dyn Fn(ExprId) -> bool) -> bool {
        let facts = self.facts(module);
        let is_known =
            |event: EventId| self.operations.on(place).any(|operation| operation.event == EventRef::new(module, event));
        facts.calls.iter().any(|call| match facts.expr(call.callee) {
            Expr::Attribute(base, method) => names(base) && is_taking(method.as_str()) && !is_known(call.event),
            _ => false,
        })
    }
}

/// Passed to a call, as itself or by its `get`, returned or stored under another name.
fn hands_on(facts: &FileFacts, names: &dyn Fn(ExprId) -> bool) -> bool {
    let names = &|id: ExprId| {
        names(id)
            || matches!(facts.expr(id), Expr::Attribute(base, method) if names(base) && is_taking(method.as_str()))
    };
    facts.calls.iter().any(|call| {
        facts.arguments(call).iter().any(|argument| names(*argument))
            || facts.keyword_arguments(call).iter().any(|(_, argument)| names(*argument))
    }) || facts.events.iter().any(|event| match event.kind {
        EventKind::Bind { value, .. } | EventKind::Return(value) | EventKind::Yield(value) => names(value),
        EventKind::BindElement { iterable, .. } => names(iterable),
        _ => false,
    })
}

/// `getattr(self, name)`, where a text of the module is what the attribute is called.
fn gets_by_text(facts: &FileFacts, name: Name) -> bool {
    let is_text = |expr: &Expr| *expr == Expr::Constant(Constant::Word(name));
    let gets = |call: &Call| facts.called_name(call).is_some_and(|called| called.as_str() == "getattr");
    facts.exprs.iter().any(is_text) && facts.calls.iter().any(gets)
}

fn is_taking(method: &str) -> bool {
    matches!(method, "get" | "get_nowait")
}

/// Puts in, or says how full it is.
fn is_harmless(method: &str) -> bool {
    matches!(method, "put" | "put_nowait" | "qsize" | "empty" | "full" | "maxsize")
}
